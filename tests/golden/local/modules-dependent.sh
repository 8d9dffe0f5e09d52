#!/bin/bash
# relax-2.1: task relax-2, indices 0-0
# request: 8 cores, 16 GB, 1 GPU, 1 h 30 min
# after: train.0 (the same index)
# after: prepare.0 (all of it)
set -e  # and no -u: `module` and `conda activate` use variables that are not set
run_directory=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
index=${1:?usage: bash scripts/relax-2.1.sh INDEX}
exec {answers}>&1 1>&2  # who started this reads its standard output: what set-up lines print is not for them
type module > /dev/null 2>&1 || . /etc/profile || true
module load gcc/12
module load openmpi
ulimit -s unlimited
export OMP_NUM_THREADS=8
export OMP_PROC_BIND=true
exec 1>&"$answers" {answers}>&-
# `python -m` would import modules of the current directory, such as a `signal.py`, in place of Python's own.
start='import sys; sys.path = [one for one in sys.path if one]
from sciflow_shim.__main__ import main; sys.exit(main(sys.argv[1:]))'
PYTHONPATH="$run_directory/shim${PYTHONPATH:+:$PYTHONPATH}" exec /usr/bin/python3 -c "$start" "$run_directory" relax-2.1 "$index"
