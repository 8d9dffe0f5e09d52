#!/bin/bash
# prepare.0: task prepare, indices 0-3
# then train.0, the same index: each of them starts where all before it are completed
# then score.0, the same index: each of them starts where all before it are completed
# request: 8 cores, 4 GB, 1 GPU, 2 h 15 min
#PBS -S /bin/bash
#PBS -N prepare.0
#PBS -J 0-3%50
#PBS -j oe
#PBS -k oed
#PBS -r y
#PBS -m n
#PBS -l select=1:ncpus=8:mem=4096mb:ngpus=1
#PBS -l walltime=02:15:00
#PBS -q workq
#PBS -A proj-1
#PBS -P project
#PBS -W umask=022
set -e  # and no -u: `module` and `conda activate` use variables that are not set
if [[ -n ${1-} ]]; then
  run_directory=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
  index=$1
else
  run_directory=${PBS_O_WORKDIR:?usage: bash scripts/prepare.0.sh INDEX}
  index=${PBS_ARRAY_INDEX:?it is an array job: leave its -J as it is}
  place=$index
  # PBS takes no list of indices: where they are not evenly spaced, a file tells which is at which place.
  if [[ -e $run_directory/arrays/$PBS_JOBNAME.map ]]; then
    index=$(sed -n "$((place + 1))p" "$run_directory/arrays/$PBS_JOBNAME.map")
  fi
  cd -- "$run_directory"
  log=logs/prepare.0/$place.$PBS_JOBNAME.job named=logs/prepare.0/$index.$PBS_ARRAY_ID.job
  # PBS opens it by its old name once more to say why it ends a job; the shim removes that name when all has ended well.
  mv -- "$log" "$named" && ln -- "$named" "$log" && export SCIFLOW_LOG_TWIN="$run_directory/$log" || true
fi
exec {answers}>&1 1>&2  # who started this reads its standard output: what set-up lines print is not for them
type module > /dev/null 2>&1 || . /etc/profile || true
module load gcc/12
ulimit -s unlimited
export OMP_PROC_BIND=true
export SCIFLOW_GRACE_SECONDS=5.0
exec 1>&"$answers" {answers}>&-
# `python -m` would import modules of the current directory, such as a `signal.py`, in place of Python's own.
start='import sys; sys.path = [one for one in sys.path if one]
from sciflow_shim.__main__ import main; sys.exit(main(sys.argv[1:]))'
PYTHONPATH="$run_directory/shim${PYTHONPATH:+:$PYTHONPATH}" exec /usr/bin/python3 -c "$start" "$run_directory" prepare.0@fused "$index"
