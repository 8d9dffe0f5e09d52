"""What is submitted later than it was to begin is planned anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from sciflow.model.plan import ArrayJob, Dependency, Plan
from sciflow.model.policy import Policies, SchedulingPolicy
from sciflow.model.profile import ClusterProfile
from sciflow.model.recovery import RecoveryPolicy
from sciflow.model.resources import Resources
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.timetable import timetable
from sciflow.run.recover import terms_of
from sciflow.run.status import RunStatus, untouched
from sciflow.run.submit import calls, submit
from sciflow.run.track import observe, read_plan
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.submitted import Submitted
from unit.memory_queue import MemoryQueue

NOON = datetime(2031, 5, 14, 12, tzinfo=timezone.utc)
DAY, NIGHTS = timedelta(days=1), [datetime(2031, 5, day, 22, tzinfo=timezone.utc) for day in range(14, 20)]
NIGHT = SchedulingPolicy(policy="off_peak", preferred_hours="22:00-06:00", timezone="UTC")
SITE = ClusterProfile.model_validate(
    {"name": "site", "scheduler": "slurm", "partitions": {"main": {"cpu_cores": 4, "nodes": 2, "default": True}}}
)
Begins = list[tuple[int, datetime | None]]


def job(name: str, count: int, hours: int, *after: Dependency) -> ArrayJob:
    """An array job of one core each."""
    return ArrayJob(name, name.partition(".")[0], count, Resources(runtime_seconds=hours * 3600), after)


def planned(*arrays: ArrayJob, policy: SchedulingPolicy = NIGHT, now: datetime = NOON) -> RunStatus:
    """The status of array jobs that were planned and not submitted."""
    found = timetable(arrays, Policies(policy), SITE, now)
    return untouched(Plan("w", "site", 1, found.arrays))


def again(status: RunStatus, now: datetime, policy: SchedulingPolicy = NIGHT) -> Plan:
    """The plan by which it is submitted at a time."""
    return terms_of(SITE, RecoveryPolicy(), Policies(policy)).replan(status, now.timestamp())


def begins(array: ArrayJob) -> Begins:
    """How many elements begin when."""
    return [(wave.count, wave.begin) for wave in array.waves] or [(array.elements, array.begin)]


def submitted(status: RunStatus, array: str, elements: range) -> None:
    """Let some elements of an array job be submitted."""
    status.submissions.add(Submitted(array, f"{array} {elements}", frozenset(elements), 0.0, job="101"))


CHAIN = (
    job("a.0", 40, 2),
    job("b.0", 40, 1, Dependency("a.0", "element")),
    job("c.0", 1, 1, Dependency("b.0", "whole")),
)


def test_what_is_in_time_stays() -> None:
    """Before its first wave begins, and also in the middle of a window that is still long enough."""
    status = planned(*CHAIN)
    assert again(status, NOON + DAY / 4) is status.plan
    assert again(status, NIGHTS[0] + timedelta(minutes=1)) is status.plan


def test_all_waves_move_on_with_the_first() -> None:
    """A day later they begin as a plan of that moment says, and not two of them in one night."""
    status = planned(*CHAIN)
    assert begins(status.plan.arrays[0]) == [(32, NIGHTS[0]), (8, NIGHTS[1])]
    late = again(status, NOON + DAY)
    anew = planned(*CHAIN, now=NOON + DAY).plan
    assert begins(late.arrays[0]) == [(32, NIGHTS[1]), (8, NIGHTS[2])]
    assert [begins(array) for array in late.arrays] == [begins(array) for array in anew.arrays]


def test_what_was_submitted_before_is_not_planned_again() -> None:
    """The next wave keeps its own time while that has not passed, and moves alone when it has."""
    status = planned(*CHAIN)
    submitted(status, "a.0", range(32))
    assert again(status, NOON + DAY / 4) is status.plan
    for index in range(32):
        status.indices["a.0"][index].state = State.COMPLETED
    late = again(status, NOON + 2 * DAY)
    assert begins(late.array("a.0")) == [(32, NIGHTS[0]), (8, NIGHTS[2])]
    assert all(begin == NIGHTS[2] for _, begin in begins(late.array("c.0")))
    # All 40 of `b` are left, and begin after the 8 of `a`, in the same night.
    assert begins(late.array("b.0")) == [(32, NIGHTS[2] + DAY / 12), (8, NIGHTS[2] + DAY / 4)]


def test_elements_that_wait_for_the_same_others_stay_together() -> None:
    """Those whose twin is over and those whose twin is not share one throttle, and so no window but by turns."""
    few = ClusterProfile.model_validate({"name": "site", "scheduler": "slurm", "limits": {"running_indices": 4}})
    arrays = (job("a.0", 40, 2), job("b.0", 40, 2, Dependency("a.0", "element")))
    status = untouched(Plan("w", "site", 1, timetable(arrays, Policies(NIGHT), few, NOON).arrays))
    submitted(status, "a.0", range(16))
    for index in range(16):
        status.indices["a.0"][index].state = State.COMPLETED
    late = terms_of(few, RecoveryPolicy(), Policies(NIGHT)).replan(status, (NOON + 3 * DAY).timestamp())
    taken: dict[datetime | None, int] = {}
    for count, begin in begins(late.array("b.0")):
        taken[begin] = taken.get(begin, 0) + count
    assert sum(taken.values()) == 40
    assert max(taken.values()) <= 16  # four rounds of four in eight hours
    assert NIGHTS[3] in taken


def test_nothing_begins_before_it_was_planned_to() -> None:
    """Also where what is left would all fit into this night."""
    status = planned(job("a.0", 40, 2), job("b.0", 40, 1, Dependency("a.0", "whole")))
    second = status.plan.array("b.0").begin
    assert second == NIGHTS[1]
    submitted(status, "a.0", range(40))
    array = replace(status.plan.array("b.0"), begin=NIGHTS[4])
    status.plan = replace(status.plan, arrays=(replace(status.plan.array("a.0")), array))
    assert again(status, NOON + DAY).array("b.0").begin == NIGHTS[4]


def test_what_is_too_late_for_its_deadline_is_left_as_it_is() -> None:
    """No plan can be made of it; it begins as soon as its policy lets it."""
    policy = SchedulingPolicy.model_validate(
        {**NIGHT.model_dump(), "deadline": "2031-05-16 06:00", "blackouts": ["2031-05-17"]}
    )
    status = planned(job("a.0", 40, 2), policy=policy)
    assert again(status, NOON + 3 * DAY, policy) is status.plan


@pytest.mark.parametrize("policy", [{}, {"policy": "not_before", "not_before": "2031-05-14 00:00"}])
def test_without_preferred_hours_nothing_is_late(policy: dict[str, str]) -> None:
    """It begins at once."""
    given = SchedulingPolicy.model_validate(policy)
    status = planned(*CHAIN, policy=given)
    assert again(status, NOON + DAY, given) is status.plan


def test_a_late_submission_and_its_preview_say_the_same(
    tmp_path: Path,
    stage_for_queue: Callable[..., RunDirectory],
    queue: MemoryQueue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The waves of a run that was staged a day ago begin in the next two nights, whatever its scripts say."""
    workflow = ExperimentalWorkflow("late", tmp_path)
    workflow.add_task("a", command="echo {{ x }}", resources={"max_runtime": "2 h"})
    workflow.add_parameter_space({"x": list(range(40))})
    run = stage_for_queue(workflow, "partitions: {main: {cpu_cores: 4, nodes: 2, default: true}}\n")
    plan = read_plan(run)
    plan = replace(plan, arrays=timetable(plan.arrays, Policies(NIGHT), SITE, NOON).arrays)
    terms, late = terms_of(SITE, RecoveryPolicy(), Policies(NIGHT)), (NOON + DAY).timestamp()
    shown: list[float | None] = []
    queue.call = lambda submission: str(shown.append(submission.begin))
    calls(run, observe(run, plan), queue, terms, late)
    monkeypatch.setattr(Journal.__init__, "__defaults__", (lambda: late,))
    submit(run, plan, queue.connect, terms)
    assert shown == [one.begin for one in queue.accepted.values()] == [night.timestamp() for night in NIGHTS[1:3]]
