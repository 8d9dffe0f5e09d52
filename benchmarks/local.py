"""1,000 trivial combinations through `sciflow run`, beside a bare process pool that does the same function.

    python benchmarks/local.py [COMBINATIONS]

The pool is the floor: `concurrent.futures.ProcessPoolExecutor` with as many workers as there are cores, which records
nothing, isolates nothing and survives nothing. Both are timed as whole commands, from start to results.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import in_turn, median, show

FUNCTION = """
def work(x, y):
    return {"z": x * y}
"""
SWEEP = (
    FUNCTION
    + """
import sciflow

workflow = sciflow.ExperimentalWorkflow("trivial")
workflow.add_task("work", work)
workflow.add_parameter_space({"x": list(range(%d)), "y": list(range(25))})
"""
)
POOL = (
    FUNCTION
    + """
import os
from concurrent.futures import ProcessPoolExecutor
from itertools import product

if __name__ == "__main__":
    points = list(product(range(%d), range(25)))
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        results = list(pool.map(work, *zip(*points)))
    assert len(results) == len(points)
"""
)


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sweep.py").write_text(SWEEP % (count // 25))
        (folder / "pool.py").write_text(POOL % (count // 25))
        ours = [sys.executable, "-m", "sciflow", "run", "sweep.py", "--fresh", "--json"]
        sweep, pool = in_turn(ours, [sys.executable, "pool.py"], folder)
        files = sum(1 for path in (folder / "sciflow-runs").rglob("*") if path.is_file()) / 6
    show(f"sciflow run, {count} combinations, wall", median(sweep, "wall"), "s")
    show("process pool, wall", median(pool, "wall"), "s")
    show("ratio of wall times", median(sweep, "wall") / median(pool, "wall"), "")
    show("overhead per instance, wall", (median(sweep, "wall") - median(pool, "wall")) / count * 1000, "ms", 5)
    show("overhead per instance, CPU time", (median(sweep, "cpu") - median(pool, "cpu")) / count * 1000, "ms")
    show("files per instance", files / count, "", 3)


if __name__ == "__main__":
    main()
