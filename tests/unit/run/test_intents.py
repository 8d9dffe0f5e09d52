"""What became of intents whose submitter was killed in between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import SchedulerError
from sciflow.model.profile import Limits
from sciflow.run.submit import Handed, submit
from sciflow.run.terms import Terms
from sciflow.run.track import read_plan
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from unit.memory_queue import MemoryQueue

LeaveRecord = Callable[..., Path]
ALL = [0, 1, 2, 3]


def hand_over(run: RunDirectory, queue: MemoryQueue, **limits: Any) -> Handed:
    """Submit a run."""
    return submit(run, read_plan(run), queue.connect, Terms(Limits(**limits)))


def events(run: RunDirectory, *kinds: str) -> list[dict[str, Any]]:
    """Return the events of some kinds, without their times."""
    found = [event for event in Journal(run.journal).events() if event["event"] in kinds]
    return [{name: value for name, value in event.items() if name != "time"} for event in found]


def test_a_submitter_killed_before_the_answer_submits_nothing_twice(chain: RunDirectory, queue: MemoryQueue) -> None:
    """The job is found by its name; what comes after it waits for it."""
    queue.fatal = {"a.0"}
    with pytest.raises(KeyboardInterrupt):
        hand_over(chain, queue)
    queue.fatal = set()
    handed = hand_over(chain, queue)
    assert handed.found == ["101"]
    assert queue.told() == [("a.0", ALL, []), ("b.0", ALL, ["element:101"]), ("c.0", [0], ["whole:102"])]
    assert {one["job"] for one in events(chain, "submitted")} == {"101", "102", "103"}


def test_a_submitter_killed_before_the_call_submits_it_later(chain: RunDirectory, queue: MemoryQueue) -> None:
    """An intent of which nobody knows is tried again under the same name."""
    name = f"a.0.{chain.run_id}.1"
    Journal(chain.journal).commit({"event": "intent", "array": "a.0", "name": name, "indices": "0-3"})
    handed = hand_over(chain, queue)
    assert handed.found == []
    assert queue.accepted["101"].name == name
    assert len(queue.accepted) == 3


def test_a_job_that_everybody_has_forgotten_is_known_by_its_records(
    chain: RunDirectory, queue: MemoryQueue, leave_record: LeaveRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where accounting is off and the controller has purged it, its records still tell its id."""
    name = f"a.0.{chain.run_id}.1"
    Journal(chain.journal).commit({"event": "intent", "array": "a.0", "name": name, "indices": "0-3"})
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "77")
    leave_record(chain, "a.0", 2, state="FAILED")
    handed = hand_over(chain, queue)
    assert handed.found == ["77"]
    assert queue.searches == []
    assert [array for array, *_ in queue.told()] == ["b.0", "c.0"]
    assert queue.told()[0][2] == ["element:77"]


def test_a_search_that_fails_submits_nothing(chain: RunDirectory, queue: MemoryQueue) -> None:
    """Where it cannot be told whether the job is there, no second one is submitted."""
    Journal(chain.journal).commit({"event": "intent", "array": "a.0", "name": "x", "indices": "0-3"})

    def find(names: Any) -> dict[str, str]:
        raise SchedulerError("Unable to contact slurm controller")

    queue.find = find
    with pytest.raises(SchedulerError, match="Unable to contact"):
        hand_over(chain, queue)
    assert queue.accepted == {}
