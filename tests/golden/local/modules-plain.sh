#!/bin/bash
# train.0: task train, indices 0-3
# request: 1 core
set -e  # and no -u: `module` and `conda activate` use variables that are not set
run_directory=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
module load gcc
ulimit -s unlimited
export OMP_NUM_THREADS=8
export OMP_PROC_BIND=true
index=${1:?usage: bash scripts/train.0.sh INDEX}
PYTHONPATH="$run_directory/shim${PYTHONPATH:+:$PYTHONPATH}" exec /usr/bin/python3 -m sciflow_shim "$run_directory" train.0 "$index"
