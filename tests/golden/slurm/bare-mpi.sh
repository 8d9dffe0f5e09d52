#!/bin/bash
# flow.0: task flow, indices 0-999
# request: 2 nodes, 8 × 4 cores, 64 GB, 4 GPUs, 1 d 12 h
#SBATCH --job-name=flow.0
#SBATCH --array=0-999
#SBATCH --output=logs/flow.0/%a.%A.job
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --kill-on-invalid-dep=yes
#SBATCH --nodes=2
#SBATCH --ntasks=8
#SBATCH --cpus-per-task=4
#SBATCH --mem=32768M
#SBATCH --gres=gpu:2
#SBATCH --time=36:00:00
#SBATCH --signal=B:USR1@60
#SBATCH --partition=compute
set -e  # and no -u: `module` and `conda activate` use variables that are not set
trap '' USR1  # the warning ahead of the end is for the program that starts below
if [[ -n ${1-} ]]; then
  run_directory=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
  index=$1
else
  run_directory=${SLURM_SUBMIT_DIR:?usage: bash scripts/flow.0.sh INDEX}
  index=${SLURM_ARRAY_TASK_ID:?it is an array job: leave out --array, or give indices}
fi
exec {answers}>&1 1>&2  # who started this reads its standard output: what set-up lines print is not for them
export SRUN_CPUS_PER_TASK=4
exec 1>&"$answers" {answers}>&-
# `python -m` would import modules of the current directory, such as a `signal.py`, in place of Python's own.
start='import sys; sys.path = [one for one in sys.path if one]
from sciflow_shim.__main__ import main; sys.exit(main(sys.argv[1:]))'
PYTHONPATH="$run_directory/shim${PYTHONPATH:+:$PYTHONPATH}" exec /usr/bin/python3 -c "$start" "$run_directory" flow.0 "$index"
