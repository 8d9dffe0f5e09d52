"""Several jobs, each from the checkpoint of the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from shim.conftest import Prepare, PreparedRun

# It is ended by its time limit twice.
PROGRAM = """
import time
def work(context):
    done = context.restore(0) + 1
    if done < 3:
        context.checkpoint(done)
        time.sleep(100)
    return {"done": done}
"""
TASK = {"name": "work", "python": "work", "resources": {"max_runtime": "00:00:02"}}


def chain(prepare: Prepare, program: str = PROGRAM, links: int = 3) -> PreparedRun:
    """Return a run whose task is a chain, as the compiler makes one of what is longer than its site's limit."""
    run = prepare(program, TASK)
    run.change_header(links=links)
    run.put_variant("next", goes_on=True)
    return run


def test_each_goes_on_from_the_checkpoint_of_the_one_before(prepare: Prepare) -> None:
    """What was stopped and can go on lets the next one start; when it is done, those that follow do nothing."""
    run = chain(prepare)
    assert run.execute().returncode == 0
    assert run.execute(variant="next").returncode == 0
    assert [run.facts(attempt=one)["state"] for one in (1, 2)] == ["TIMEOUT", "TIMEOUT"]
    assert run.execute(variant="next").returncode == 0
    assert (run.facts(attempt=3)["state"], run.facts(attempt=3)["variant"]) == ("COMPLETED", "next")
    assert run.results(attempt=3) == {"done": 3}
    before = run.traces()
    last = run.execute(variant="next")
    assert (last.returncode, last.stdout, last.stderr) == (0, "", "")
    assert run.traces() == before


@pytest.mark.parametrize(
    ("program", "links"),
    [("import time\ndef work(): time.sleep(100)", 3), (PROGRAM, 1)],
    ids=["no checkpoint", "no chain"],
)
def test_where_nothing_can_go_on_it_fails(prepare: Prepare, program: str, links: int) -> None:
    """What comes after it must not start."""
    run = chain(prepare, program, links)
    assert run.execute().returncode == 124
    assert run.facts()["state"] == "TIMEOUT"


@pytest.mark.parametrize("state", ["RUNNING", "TIMEOUT", "CANCELLED", "NODE_FAIL", "PREEMPTED"])
def test_what_was_stopped_is_started_again(prepare: Prepare, state: str) -> None:
    """A job that was killed leaves an interim record; the next one is a new attempt."""
    run = chain(prepare, "def work(): pass")
    run.leave(state)
    assert run.execute(variant="next").returncode == 0
    assert run.facts(attempt=2)["state"] == "COMPLETED"


@pytest.mark.parametrize("state", ["FAILED", "OUT_OF_MEMORY", "CRITERIA_NOT_MET", "UPSTREAM_FAILED"])
def test_what_has_failed_is_not_started_again(prepare: Prepare, state: str) -> None:
    """To go on is no retry: whether there is one is decided elsewhere."""
    run = chain(prepare)
    run.leave("TIMEOUT")
    run.leave(state, attempt=2)
    before = run.traces()
    ended = run.execute(variant="next")
    assert ended.returncode == 1
    assert ended.stderr == f"work.0[0] does not go on: attempt 2 ended as {state}\n"
    assert run.traces() == before


def test_without_a_record_there_is_nothing_to_go_on_from(prepare: Prepare) -> None:
    """Records may have been folded into one file; what comes after looks for them itself."""
    run = chain(prepare)
    ended = run.execute(variant="next")
    assert (ended.returncode, ended.stderr) == (0, "work.0[0] has no record to go on from\n")
    assert run.traces() == []
