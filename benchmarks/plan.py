"""Plan of 1,000,000 combinations: time, peak memory and bytes on disk.

    python benchmarks/plan.py

The floor writes the same parameters as JSON lines with `json.dumps` in a plain loop. Both are whole processes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import in_turn, median, show

SWEEP = """
import sciflow

def work(x, y, z):
    return {"value": x * y * z}

workflow = sciflow.ExperimentalWorkflow("million")
workflow.add_task("work", work)
workflow.add_parameter_space({"x": [i / 10 for i in range(100)], "y": list(range(100)), "z": list(range(100))})
"""
CHAIN = (
    SWEEP
    + """
workflow.add_task("judge", lambda work, x, y, z: {"good": work["value"] > 0}, depends_on=["work"])
workflow.add_constraint("x * y >= 0")
"""
)
FLOOR = """
import json
from itertools import product

with open("floor.jsonl", "w") as file:
    for x, y, z in product([i / 10 for i in range(100)], range(100), range(100)):
        file.write(json.dumps({"x": x, "y": y, "z": z}) + "\\n")
"""
WRITE = (
    "import shutil, sys; from pathlib import Path; from sciflow.engine import Engine; "
    "from sciflow.loading import load_workflow; "
    "shutil.rmtree('plan', ignore_errors=True); engine = Engine(); "
    "engine.write_plan(engine.compile(load_workflow(sys.argv[1])), 'plan')"
)
COUNT = 1_000_000


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "floor.py").write_text(FLOOR)
        for title, text in (("one task", SWEEP), ("two tasks, one constraint", CHAIN)):
            (folder / "sweep.py").write_text(text)
            ours = [sys.executable, "-c", WRITE, "sweep.py"]
            plan, floor = in_turn(ours, [sys.executable, "floor.py"], folder, times=3)
            size = sum(path.stat().st_size for path in (folder / "plan").rglob("*") if path.is_file())
            print(f"-- {title}")
            show("plan, per combination", median(plan, "wall") / COUNT * 1e6, "µs", 15)
            show("floor: a loop with json.dumps, per combination", median(floor, "wall") / COUNT * 1e6, "µs")
            show("ratio of wall times", median(plan, "wall") / median(floor, "wall"), "")
            show("peak memory", median(plan, "peak_mb"), "MB", 300)
            show("bytes on disk, per combination", size / COUNT, "bytes", 120)


if __name__ == "__main__":
    main()
