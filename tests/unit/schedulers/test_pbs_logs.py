"""What PBS has written into the logs of jobs that it has ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sciflow.model.state import State
from sciflow.model.statement import CONTROLLER
from sciflow.schedulers.pbs import PbsScheduler
from sciflow.schedulers.pbs_logs import read_ends
from sciflow.transport.base import Answer
from unit.scripted import ScriptedTransport

NAME = "train.0.20260105-101500-4a3f1.2"


def write(run: Path, index: int, text: str) -> None:
    """Write the log of an index."""
    path = run / f"logs/train.0/{index}.7[].srv.job"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("=>> PBS: job killed: walltime 11 exceeded limit 10", State.TIMEOUT),
        ("=>> PBS: job killed: cput 11 exceeded limit 10", State.TIMEOUT),
        ("=>> PBS: job killed: mem 321076kb exceeded limit 51200kb", State.OUT_OF_MEMORY),
        ("=>> PBS: job killed: vmem 321076kb exceeded limit 51200kb", State.OUT_OF_MEMORY),
        ("=>> PBS: job killed: ncpus 2.1 exceeded limit 1 (sum)", State.FAILED),
    ],
)
def test_what_has_ended_it(tmp_path: Path, line: str, state: State) -> None:
    """In PBS's own words, after whatever its program printed."""
    write(tmp_path, 3, "é" * 5000 + f"\n{line}\nnap.0[3] CANCELLED: stopped by a signal\n")
    [(index, one)] = read_ends(tmp_path, NAME, "7[].srv", [2, 3]).items()
    assert (index, one.state, one.word) == (3, state, line.removeprefix("=>> PBS: "))
    assert one.end == (tmp_path / "logs/train.0/3.7[].srv.job").stat().st_mtime


def test_what_a_program_prints_is_not_of_pbs(tmp_path: Path) -> None:
    """It stands at the beginning of a line."""
    write(tmp_path, 3, "it said =>> PBS: job killed: walltime 11 exceeded limit 10\n")
    assert read_ends(tmp_path, NAME, "7[].srv", [3]) == {}


def test_logs_are_looked_at_where_nothing_else_tells(tmp_path: Path) -> None:
    """Of what is asked about, is not in the queue, and of which there is no history."""
    for index in range(4):
        write(tmp_path, index, "=>> PBS: job killed: walltime 11 exceeded limit 10\n")
    off = Answer(0, "{}", "qstat: PBS is not configured to maintain job history")
    left = json.dumps({"Jobs": {"7[].srv": {"Job_Name": NAME, "job_state": "B"}, "7[1].srv": {"job_state": "R"}}})
    pbs = PbsScheduler(ScriptedTransport(qstat=[off, left]), tmp_path)
    found = pbs.testify({"7[].srv": NAME}, {"7[].srv": {0, 1, 2}}).answers[CONTROLLER]["7[].srv"]
    assert {index: one.state for index, one in found.items()} == {
        0: State.TIMEOUT,
        1: State.RUNNING,
        2: State.TIMEOUT,
    }
    kept = PbsScheduler(ScriptedTransport(qstat=left), tmp_path)
    assert set(kept.testify({"7[].srv": NAME}, {"7[].srv": {0, 1, 2}}).answers[CONTROLLER]["7[].srv"]) == {1}
