"""What sciflow itself knows of why something waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from sciflow.model.plan import ArrayJob, Dependency, Plan, Wave
from sciflow.model.policy import Policies, SchedulingPolicy
from sciflow.model.profile import ClusterProfile, Limits
from sciflow.model.resources import Resources
from sciflow.model.state import State
from sciflow.model.statement import Statement
from sciflow.run.own_reasons import Site, Waiting, own_facts
from sciflow.run.status import RunStatus, untouched
from sciflow.schedulers.reasons import Reason
from sciflow.schedulers.slurm_reasons import reason_of
from sciflow.store.layout import RunDirectory
from sciflow.store.records import RecordState
from sciflow.store.submitted import Submitted, Throttle

LATER = datetime(2030, 1, 1, 22, tzinfo=timezone.utc)
FIRST = ArrayJob("a.0", "a", 4, Resources())
TWIN = ArrayJob("b.0", "b", 4, Resources(), (Dependency("a.0", "element"),))
LAST = ArrayJob("c.0", "c", 1, Resources(), (Dependency("a.0", "whole"),))
WAITS = Statement(State.PENDING, "PENDING", "waits")
POLICY = SchedulingPolicy(policy="off_peak", preferred_hours="22:00-08:00", timezone="Europe/Berlin")
SITE = Site(
    ClusterProfile(name="site", scheduler="slurm", limits=Limits(running_indices=2, submitted_indices=4)),
    Policies(POLICY),
)


def status_of(*arrays: ArrayJob) -> RunStatus:
    """Make the status of a plan that was submitted, and of which all waits."""
    status = untouched(Plan("w", "site", 4, arrays, tasks=tuple(array.task for array in arrays)))
    for number, array in enumerate(arrays):
        status.submissions.add(Submitted(array.name, array.name, frozenset(range(array.elements)), 0.0, f"10{number}"))
        for one in status.indices[array.name].values():
            one.said, one.is_settled = WAITS, False
    return status


def told(
    run: RunDirectory,
    status: RunStatus,
    array: ArrayJob,
    code: str,
    *indices: int,
    job: str = "1",
    start: float | None = None,
) -> list[str]:
    """Return what is told of some indices of an array job that wait for this."""
    group = Waiting(array.name, array.task, list(indices), job, code, reason_of(code), elements=list(indices))
    group.zone, group.start = SITE.zone(array.task), start
    return own_facts(run, status, group, SITE)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """Return a run directory without anything in it."""
    return RunDirectory(tmp_path)


def test_what_comes_before_it(run: RunDirectory) -> None:
    """Of what is waited for index by index only those indices count, else all of it; what is over is not left."""
    status = status_of(FIRST, TWIN, LAST)
    status.indices["a.0"][0].state = State.COMPLETED
    status.indices["a.0"][0].is_settled = True
    status.indices["a.0"][1].state = State.RUNNING
    assert told(run, status, TWIN, "Dependency", 1, 2) == ["comes after the same index of a.0: 2 of 2 are left, 1 run"]
    assert told(run, status, LAST, "Dependency", 0) == ["comes after all of a.0: 3 of 4 are left, 1 run"]
    assert told(run, status, FIRST, "Priority", 2) == []


def test_canaries(run: RunDirectory) -> None:
    """Those that run ahead are told of to the others, and not to themselves."""
    status = status_of(FIRST)
    status.submissions.add(Submitted("a.0", "ahead", frozenset((0, 3)), 0.0, "9", is_ahead=True))
    assert told(run, status, FIRST, "Dependency", 1, 2) == [
        "2 of its indices run ahead of the others as a trial: 2 are left"
    ]
    assert told(run, status, FIRST, "Priority", 0) == []


def test_a_start_time(run: RunDirectory) -> None:
    """The planned one with its wave and policy; else its own, or a pause that nobody planned."""
    waved = replace(FIRST, begin=None, waves=(Wave(0, 2, None), Wave(2, 2, LATER)))
    [line] = told(run, status_of(waved), waved, "BeginTime", 2, 3)
    assert line == "planned to begin at 2030-01-01 23:00+01:00, wave 2 of 2, since its policy is off-peak (22:00-08:00)"
    assert "no start time was planned" in told(run, status_of(waved), waved, "BeginTime", 0)[0]
    status = status_of(FIRST)
    status.indices["a.0"][0].record = RecordState(State.FAILED, "", 0.0, job="100")
    night = LATER.timestamp() + 86_400
    assert told(run, status, FIRST, "BeginTime", 0, job="104", start=night) == [
        "tried again not before 2030-01-02 23:00+01:00, since its policy is off-peak (22:00-08:00)"
    ]
    assert told(run, status_of(waved), waved, "BeginTime", 2, start=night) == [
        "not before 2030-01-02 23:00+01:00, since its policy is off-peak (22:00-08:00)"
    ]
    status.indices["a.0"][0].record = RecordState(State.RUNNING, "", 0.0)
    assert told(run, status, FIRST, "BeginTime", 0)[0].startswith("it was started before")


def test_its_own_limit(run: RunDirectory) -> None:
    """How many of it run, and how many may."""
    status = status_of(FIRST)
    status.indices["a.0"][0].state = status.indices["a.0"][1].state = State.RUNNING
    assert told(run, status, FIRST, "JobArrayTaskLimit", 2) == ["2 of them run; the profile lets 2 run at once"]
    [submitted] = status.submissions.of_array("a.0")
    submitted.throttle = Throttle(2, "it is day")
    expected = "2 of them run; 2 may run at once, by the run's manners (it is day)"
    assert told(run, status, FIRST, "JobArrayTaskLimit", 2, job=submitted.job) == [expected]


def test_what_is_in_no_queue_yet(run: RunDirectory) -> None:
    """What comes before it and is not there either, or how much the site takes; nothing of what was cancelled."""
    status = status_of(FIRST, TWIN)
    for index in range(4):
        status.indices["b.0"][index].said = None
    group = Waiting("b.0", "b", [0], "", "", Reason("it has not been submitted yet"))
    assert (
        own_facts(run, status, group, SITE)[-1]
        == "the site takes 4 indices at a time, and 4 of this run are queued or run"
    )
    for index in range(4):
        status.indices["a.0"][index].said = None
    assert own_facts(run, status, group, SITE)[-1] == "a.0 has not been submitted yet, which comes before it"
    status.indices["b.0"][0].state = State.CANCELLED
    assert own_facts(run, status, group, SITE) == []
