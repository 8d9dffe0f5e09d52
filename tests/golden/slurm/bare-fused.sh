#!/bin/bash
# prepare.0: task prepare, indices 0-3
# then train.0, the same index: each of them starts where all before it are completed
# then score.0, the same index: each of them starts where all before it are completed
# request: 8 cores, 4 GB, 1 GPU, 2 h 15 min
#SBATCH --job-name=prepare.0
#SBATCH --array=0-3
#SBATCH --output=logs/prepare.0/%a.%A.job
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --kill-on-invalid-dep=yes
#SBATCH --cpus-per-task=8
#SBATCH --mem=4096M
#SBATCH --gres=gpu:1
#SBATCH --time=02:15:00
#SBATCH --signal=B:USR1@60
#SBATCH --partition=compute
set -e  # and no -u: `module` and `conda activate` use variables that are not set
trap '' USR1  # the warning ahead of the end is for the program that starts below
if [[ -n ${1-} ]]; then
  run_directory=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
  index=$1
else
  run_directory=${SLURM_SUBMIT_DIR:?usage: bash scripts/prepare.0.sh INDEX}
  index=${SLURM_ARRAY_TASK_ID:?it is an array job: leave out --array, or give indices}
fi
exec {answers}>&1 1>&2  # who started this reads its standard output: what set-up lines print is not for them
exec 1>&"$answers" {answers}>&-
# `python -m` would import modules of the current directory, such as a `signal.py`, in place of Python's own.
start='import sys; sys.path = [one for one in sys.path if one]
from sciflow_shim.__main__ import main; sys.exit(main(sys.argv[1:]))'
PYTHONPATH="$run_directory/shim${PYTHONPATH:+:$PYTHONPATH}" exec /usr/bin/python3 -c "$start" "$run_directory" prepare.0@fused "$index"
