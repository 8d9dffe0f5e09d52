"""Runs one array index again and again, kills all of it at a random instant each time, and looks at what is left.

    python kill_shim.py RUN ARRAY COUNT SEED

The shim is forked from this process, so that an attempt takes some milliseconds and not the start of a Python. What was
seen is printed as JSON; anything that must not be is an AssertionError.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from sciflow_shim.__main__ import main
from sciflow_shim.record_reader import read_record, verify_seal


def start(run: Path, array: str) -> int:
    """Start the shim for index 0 in a process group of its own."""
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os._exit(main([str(run), array, "0"]))
    return pid


def attempts(folder: Path) -> dict[int, Path]:
    """The records that are there by attempt."""
    return {int(path.name.split(".")[1]): path for path in folder.glob("0.*.h5")}


def check(folder: Path, known: dict[int, str]) -> str:
    """Look at all records that have changed; gives what the newest one says."""
    found = attempts(folder)
    for attempt, state in known.items():
        assert attempt in found, f"the record of attempt {attempt}, which was {state}, is gone"
    said = "nothing"
    for attempt in sorted(found.keys() - known.keys()):
        seal = verify_seal(found[attempt])
        state = str(read_record(found[attempt]).attributes["state"])
        assert (seal, state) in (("sealed", "COMPLETED"), ("unsealed", "RUNNING")), (attempt, seal, state)
        known[attempt] = said = state
    return said


def kill_often(run: Path, array: str, count: int, seed: int) -> dict[str, object]:
    """Kill `count` attempts."""
    folder = run / "records" / array / "0000"
    chance = random.Random(seed)
    known: dict[int, str] = {}
    assert os.waitpid(start(run, array), 0)[1] == 0  # captures the environment
    begin = time.monotonic()
    assert os.waitpid(start(run, array), 0)[1] == 0
    longest = time.monotonic() - begin
    check(folder, known)
    seen: Counter[str] = Counter()
    for _ in range(count):
        pid = start(run, array)
        time.sleep(chance.uniform(0, 1.2 * longest))
        os.killpg(pid, signal.SIGKILL) if _is_leader(pid) else os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        seen[check(folder, known)] += 1
    assert os.waitpid(start(run, array), 0)[1] == 0
    assert check(folder, known) == "COMPLETED", "the attempt after all of these has not completed"
    last = max(attempts(folder))
    assert known[last] == "COMPLETED"
    strays = [path.name for path in folder.iterdir() if path.suffix == ".h5" and not path.name.startswith("0.")]
    assert not strays, strays
    return {"seen": dict(seen), "last": last}


def _is_leader(pid: int) -> bool:
    try:
        return os.getpgid(pid) == pid
    except ProcessLookupError:
        return False


if __name__ == "__main__":
    print(json.dumps(kill_often(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
