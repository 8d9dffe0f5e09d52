"""Deciding about 3,000 failures of 10,000 indices, beside a floor in the same run.

    python benchmarks/recovery.py [INDICES]

A third of the failures ran out of memory, a third out of time, a third raised an error. The floor is `sciflow collect`
with nothing new, which starts the same interpreter; the status reads all records, and `retry -n` decides besides.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from collect import stage, tell
from measure import run, show

from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow_shim.array import Array
from sciflow_shim.attempt import Attempt
from sciflow_shim.fingerprint import ensure_captured

TRACEBACK = 'Traceback (most recent call last):\n  File "/home/chen/train.py", line 88, in fit\n    x\nValueError: no'
ENDS = {
    0: ("OUT_OF_MEMORY", {"message": "used 1.10 GB of the 1.00 GB it asked for"}),
    1: ("TIMEOUT", {"message": "ran longer than the 60 s it asked for"}),
    2: ("FAILED", {"type": "ValueError", "message": "no luck", "traceback": TRACEBACK}),
}


def leave_records(directory: RunDirectory, count: int) -> None:
    """Leave the records of a run in which 3 of 10 have failed, and its journal."""
    array = Array(str(directory.path), "work.0")
    environment, _ = ensure_captured(array.run)
    events = []
    for index in range(count):
        one = Attempt(array, index, 1)
        one.clear()
        one.state, error = ENDS.get(index % 10, ("COMPLETED", {}))
        one.error = error
        one.exit_code, one.end, one.environment = int(bool(error)), one.start + 2, environment
        one.resources.peak_rss_bytes = 10**9 + index
        one.write()
        place = {"array": "work.0", "index": index, "attempt": 1}
        events.append({"event": "ended", **place, "state": one.state, "error": error.get("message", ""), "seconds": 2.0})
    Journal(directory.journal).append(events)


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        directory = stage(folder, count)
        leave_records(directory, count)
        command = [sys.executable, "-m", "sciflow"]
        collect = [*command, "collect", str(directory.path)]
        status = ["sh", "-c", '"$@" || test $? -eq 3', "sh", *command, "status", str(directory.path)]
        collect = [*status[:4], *collect]
        run(collect, folder)
        floor = min((run(collect, folder) for _ in range(3)), key=lambda cost: cost.wall)
        tell("floor: collect with nothing new", floor)
        known = min((run(status, folder) for _ in range(3)), key=lambda cost: cost.wall)
        tell(f"status of {count} indices, 3 of 10 failed", known)
        retry = [*command, "retry", str(directory.path), "-n"]
        decided = min((run(retry, folder) for _ in range(3)), key=lambda cost: cost.wall)
        tell("retry -n", decided)
        show("retry -n beside status", decided.wall / known.wall, "x")


if __name__ == "__main__":
    main()
