"""Collecting 10,000 records: cold, with nothing new, with 100 new ones, and sealed, beside floors in the same run.

    python benchmarks/collect.py [RECORDS]

The records are written by the shim's own functions, without running a program for each. One floor reads every byte of
every record once and hashes it; the other opens each file with h5py and reads one attribute. The page cache is warm for
all of them.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import Cost, run, show

from sciflow.engine import Engine
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow_shim.array import Array
from sciflow_shim.attempt import Attempt
from sciflow_shim.fingerprint import ensure_captured

BYTES = """
import hashlib, sys
from pathlib import Path
for path in Path(sys.argv[1], "records").rglob("*.h5"):
    hashlib.sha256(path.read_bytes()).digest()
"""
ATTRIBUTE = """
import sys, h5py
from pathlib import Path
for path in Path(sys.argv[1], "records").rglob("*.h5"):
    with h5py.File(path) as file:
        file.attrs["state"]
"""


def work(x: int, y: int) -> dict[str, float]:
    return {"energy": x * 0.5 + y, "steps": x + y}


def stage(folder: Path, count: int) -> RunDirectory:
    """Write the run directory of `count` combinations of which nothing was run."""
    workflow = ExperimentalWorkflow("many", folder)
    workflow.add_task("work", work)
    workflow.add_parameter_space({"x": list(range(-(-count // 100))), "y": list(range(100))})
    engine = Engine(runs=folder / "runs")
    return RunDirectory(engine.write_plan(engine.compile(workflow), folder / "runs" / "many" / "20250101-000000-0000"))


def leave_records(directory: RunDirectory, indices: range) -> None:
    """Leave the records that a local run would leave, and its journal."""
    array = Array(str(directory.path), "work.0")
    environment, _ = ensure_captured(array.run)
    events = []
    for index in indices:
        one = Attempt(array, index, 1)
        one.clear()
        one.state, one.exit_code, one.end = "COMPLETED", 0, one.start + 2
        one.environment = environment
        one.outcome.metrics = work(**one.line["parameters"])
        one.outcome.order, one.outcome.returned = list(one.outcome.metrics), "mapping"
        one.write()
        Path(one.log).write_text(f"index {index}\n")
        place = {"array": "work.0", "index": index, "attempt": 1}
        events.append({"event": "started", **place})
        events.append({"event": "ended", **place, "state": "COMPLETED", "error": "", "seconds": 2.0})
    Journal(directory.journal).append(events)


def files_and_bytes(directory: RunDirectory) -> tuple[int, int]:
    found = [path for path in directory.path.rglob("*") if path.is_file()]
    return len(found), sum(path.stat().st_size for path in found)


def tell(what: str, cost: Cost, wall: float | None = None) -> None:
    show(f"{what}, wall", cost.wall, "s", wall)
    show(f"{what}, CPU time", cost.cpu, "s")
    show(f"{what}, peak memory", cost.peak_mb, "MB")


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        directory = stage(folder, count)
        leave_records(directory, range(count - 100))
        path = str(directory.path)
        collect = [sys.executable, "-m", "sciflow", "collect", path]
        for title, program in (("read and hash every byte", BYTES), ("open each with h5py, one attribute", ATTRIBUTE)):
            run([sys.executable, "-c", program, path], folder)
            tell(f"floor: {title}", run([sys.executable, "-c", program, path], folder))
        # A run with 100 indices to come ends with 4, not 0.
        cold = ["sh", "-c", '"$@" || test $? -eq 4', "sh", *collect]
        run(cold, folder)
        directory.collected.unlink()
        directory.results.unlink()
        tell(f"{count - 100} records, cold", run(cold, folder), 10)
        tell(
            "nothing new, while 100 are to come", min((run(cold, folder) for _ in range(5)), key=lambda c: c.wall), 0.5
        )
        leave_records(directory, range(count - 100, count))
        tell("100 new", run(collect, folder))
        tell("nothing new, all there", min((run(collect, folder) for _ in range(5)), key=lambda c: c.wall), 0.5)
        tell("every byte again (--verify)", run([*collect, "--verify"], folder))
        before = files_and_bytes(directory)
        tell("sealing", run([*collect, "--seal"], folder))
        after = files_and_bytes(directory)
        tell("sealed, nothing new", min((run(collect, folder) for _ in range(5)), key=lambda c: c.wall), 0.5)
        tell("sealed, every byte again", run([*collect, "--verify"], folder))
        show("files before sealing", before[0], "")
        show("files after sealing", after[0], "", 20)
        show("MB before sealing", before[1] / 1e6, "MB")
        show("MB after sealing", after[1] / 1e6, "MB")
        show("kB of results.h5 per record", directory.results.stat().st_size / count / 1e3, "kB")


if __name__ == "__main__":
    main()
