#!/bin/bash
# train.0: task train, indices 0-3
# request: 1 core
#SBATCH --job-name=train.0
#SBATCH --array=0-3
#SBATCH --output=logs/train.0/%a.%A.job
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --kill-on-invalid-dep=yes
#SBATCH --cpus-per-task=1
#SBATCH --signal=B:USR1@60
#SBATCH --partition=compute
set -e  # and no -u: `module` and `conda activate` use variables that are not set
trap '' USR1  # the warning ahead of the end is for the program that starts below
if [[ -n ${1-} ]]; then
  run_directory=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
  index=$1
else
  run_directory=${SLURM_SUBMIT_DIR:?usage: bash scripts/train.0.sh INDEX}
  index=${SLURM_ARRAY_TASK_ID:?it is an array job: leave out --array, or give indices}
fi
exec {answers}>&1 1>&2  # who started this reads its standard output: what set-up lines print is not for them
exec 1>&"$answers" {answers}>&-
# `python -m` would import modules of the current directory, such as a `signal.py`, in place of Python's own.
start='import sys; sys.path = [one for one in sys.path if one]
from sciflow_shim.__main__ import main; sys.exit(main(sys.argv[1:]))'
PYTHONPATH="$run_directory/shim${PYTHONPATH:+:$PYTHONPATH}" exec /usr/bin/python3 -c "$start" "$run_directory" train.0 "$index"
