"""What the results were made of, written down and read back."""

from dataclasses import replace
from pathlib import Path

from sciflow.model.state import State
from sciflow.store.collected import Collected, KnownFile, read_collected, write_collected
from sciflow.store.layout import RunDirectory
from sciflow.store.records import RecordState

FAILED = RecordState(
    *(State.FAILED, "ValueError: no", 2.0, 0, "a.py", "7", 9.0, "host", True, "n1", "ValueError", "a.py:3 in f"),
    *(-1, 9, 7.0, True, 8.0, 6.0),
)
COMPLETED = RecordState(State.COMPLETED, "", 2.0, 1, "a.py", "7", 9.0, "host", False, "n1")


def test_what_a_record_says_of_a_failure_is_kept(tmp_path: Path) -> None:
    """All of it is read back; of what was completed, no more than anybody asks for."""
    run = RunDirectory(tmp_path)
    run.results.write_bytes(b"results")
    name = "records/a.0/0000/0.1.h5"
    states = {0: FAILED, 1: COMPLETED, 2: replace(COMPLETED, exit_code=0, start=7.0)}
    known = KnownFile((1, 2, 3), "sealed", ("r", "a.0", 0, 1), states, 0, 3)
    write_collected(run, Collected({name: known}, facts={"run": "r"}))
    assert read_collected(run).files[name].states == {0: FAILED, 1: COMPLETED, 2: COMPLETED}
