#!/bin/bash
# relax-2.1: task relax-2, indices 0-0
# request: 8 cores, 16 GB, 1 GPU, 1 h 30 min
# after: train.0 (the same index)
# after: prepare.0 (all of it)
set -e  # and no -u: `module` and `conda activate` use variables that are not set
run_directory=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
module load gcc
ulimit -s unlimited
export OMP_NUM_THREADS=8
export OMP_PROC_BIND=true
index=${1:?usage: bash scripts/relax-2.1.sh INDEX}
PYTHONPATH="$run_directory/shim${PYTHONPATH:+:$PYTHONPATH}" exec /usr/bin/python3 -m sciflow_shim "$run_directory" relax-2.1 "$index"
