"""Decisions that the scheduler refuses did not come to pass, and what needs them neither."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sciflow.errors import SchedulerError
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.cancel import cancel
from sciflow.run.decide import Action
from sciflow.run.tend import until_taken
from sciflow.schedulers.base import Submission
from sciflow.store.layout import RunDirectory
from unit.memory_queue import MemoryQueue
from unit.queued_run import QueuedRun

LeaveRecord = Callable[..., Path]


def test_what_is_refused_was_not_decided(failed_chain: QueuedRun) -> None:
    """All is as it was before, also for what waits for it; the next time it is decided anew, and nothing is counted."""
    failed_chain.queue.refusals["a.0"] = SchedulerError("no")
    done = failed_chain.recover()
    told = {f"{place.place[0]}[{place.place[1]}]": (place.action, place.why) for place in done.decisions}
    assert told == {"a.0[2]": (Action.REFUSED, "no"), "b.0[2]": (Action.REFUSED, "what it needs was refused")}
    assert (done.is_idle, done.is_less_to_try, len(done.handed.refused)) == (True, False, 1)
    known = failed_chain.status()
    assert [known.indices[array][2].state for array in ("a.0", "b.0")] == [State.FAILED, State.UPSTREAM_FAILED]
    assert (known.submissions.retries, known.submissions.has_due, known.submissions.open) == ([], False, [])
    failed_chain.submit()
    assert len(failed_chain.queue.accepted) == 3
    failed_chain.queue.refusals.clear()
    done = failed_chain.recover()
    assert failed_chain.queue.told()[3:] == [("a.0", [2], []), ("b.0", [2], ["element:104"])]
    assert failed_chain.queue.accepted["104"].attempts == {2: 2}
    assert failed_chain.status().submissions.withdrawn == {}


def test_a_run_that_an_earlier_sciflow_left_behind_a_refusal_gets_out_of_it(failed_chain: QueuedRun) -> None:
    """Its journal says nothing of what did not come to pass: it is asked for once more, and then decided anew."""
    failed_chain.queue.refusals["a.0"] = SchedulerError("no")
    failed_chain.recover()
    lines = failed_chain.run.journal.read_text().splitlines()
    failed_chain.run.journal.write_text("".join(f"{line}\n" for line in lines if "withdrawn" not in line))
    assert failed_chain.status().indices["a.0"][2].reason == "the scheduler refused it: no"
    failed_chain.recover()
    assert failed_chain.status().indices["a.0"][2].state is State.FAILED
    failed_chain.queue.refusals.clear()
    assert failed_chain.recover().handed.jobs == {"104": ("a.0", 1), "105": ("b.0", 1)}


def test_what_was_cancelled_and_is_refused_is_cancelled_still(failed_chain: QueuedRun) -> None:
    """Nobody tries it again unasked."""
    cancel(failed_chain.run, failed_chain.plan, failed_chain.queue.connect, {"b.0": {0}})
    failed_chain.queue.end("102", State.CANCELLED, [0])
    failed_chain.queue.refusals["b.0"] = SchedulerError("no")
    failed_chain.recover(only="cancelled")
    assert failed_chain.status().indices["b.0"][0].state is State.CANCELLED
    assert ("b.0", 0) in failed_chain.status().submissions.cancelled


def test_growth_that_is_refused_does_not_keep_others_and_is_less_the_next_time(
    tmp_path: Path,
    stage_for_queue: Callable[..., RunDirectory],
    queue: MemoryQueue,
    leave_record: LeaveRecord,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Half-way to what was refused, again and again, until it is given up with the reason; factors are honoured."""
    workflow = ExperimentalWorkflow("grown", tmp_path)
    workflow.add_task("a", command="echo {{ x }}", resources={"memory_gb": 12, "max_runtime": "1 h"})
    workflow.add_task("b", command="echo {{ x }}", depends_on=["a"])
    workflow.add_parameter_space({"x": [1, 2]})
    one = QueuedRun(stage_for_queue(workflow), queue, leave_record, monkeypatch)
    one.submit()
    one.end("101", "0", State.OUT_OF_MEMORY)
    one.end("101", "1", State.FAILED, "ValueError: no")
    one.end("102", "0-1", State.UPSTREAM_FAILED)
    gib, asked, take = 1024**3, list[float](), queue.submit

    def submit(submission: Submission) -> str:
        if submission.array.resources.memory_bytes > 12 * gib:
            asked.append(submission.array.resources.memory_bytes / gib)
            raise SchedulerError("too much")
        return take(submission)

    monkeypatch.setattr(queue, "submit", submit)
    done = one.recover()
    assert list(done.handed.jobs.values()) == [("a.0", 1), ("b.0", 1)]
    assert queue.told()[2:] == [("a.0", [1], []), ("b.0", [1], ["element:103"])]
    assert done.is_less_to_try
    done = until_taken(one.recover, lambda _: pytest.fail("nothing is waited for"))
    assert asked == [18.0, 15.0, 13.5, 12.75]
    assert [(place.action, place.why[:31]) for place in done.decisions if place.place[0] == "a.0"] == [
        (Action.GIVEN_UP, "12.8 GB were refused: too much;")
    ]
    one.recover(scale=["memory=1.5"])
    assert asked[4:] == [18.0]
    one.recover(scale=["memory=1"])
    assert queue.told()[-2:] == [("a.0", [0], []), ("b.0", [0], ["element:105"])]
