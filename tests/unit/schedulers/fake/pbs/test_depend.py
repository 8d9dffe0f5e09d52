"""Dependencies, as they were found on a real server."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from unit.schedulers.fake.pbs_desk import Course, PbsDesk

RUNS, DELETED, STUCK = "runs", "deleted", "stuck"
KINDS = ("afterok", "afternotok", "afterany")


def fate(desk: PbsDesk, job: str) -> str:
    """What has become of a job that waited for another."""
    facts = desk.jobs(job, options="-x").get(job)
    if facts is None or (facts["job_state"] == "F" and "Exit_status" not in facts):
        return DELETED
    return STUCK if facts["job_state"] == "H" else RUNS


def wait_for(desk: PbsDesk, parent: str, kinds: tuple[str, ...] = KINDS) -> list[str]:
    """Submit one job for each kind of waiting."""
    return [desk.submit(f"-W depend={kind}:{parent}", Course(1.0), name=kind) for kind in kinds]


def after(act: Callable[[PbsDesk, str], object]) -> Callable[[PbsDesk, str], None]:
    """Let something happen to a job that runs."""

    def play(desk: PbsDesk, job: str) -> None:
        desk.run(5.0)
        act(desk, job)

    return play


def delete(desk: PbsDesk, job: str) -> None:
    """Delete a job."""
    assert desk.type(f"qdel '{job}'").code == 0


def nothing(_desk: PbsDesk, _job: str) -> None:
    """Let it go its way."""


def delete_one(desk: PbsDesk, job: str) -> None:
    """Delete the first sub-job."""
    delete(desk, job.replace("[]", "[0]"))


LATE = Course(100.0)
# options and courses of the parent, what happens to it, and what becomes of the three that wait for it
LIVE = {
    "well": ("", [Course(1.0)], nothing, (RUNS, DELETED, RUNS)),
    "failed": ("", [Course(1.0, 3)], nothing, (DELETED, RUNS, RUNS)),
    "deleted while running": ("", [LATE], after(delete), (DELETED, RUNS, RUNS)),
    "deleted while held": ("-h", [LATE], delete, (STUCK, STUCK, STUCK)),
    "array, all well": ("-J 0-1", [LATE, Course(1.0)], nothing, (RUNS, DELETED, RUNS)),
    "array, failed last": ("-J 0-1", [Course(9.0, 5), Course(1.0)], nothing, (DELETED, RUNS, RUNS)),
    "array, failed first": ("-J 0-1", [Course(1.0, 5), Course(9.0)], nothing, (RUNS, DELETED, RUNS)),
    "array, one deleted": ("-J 0-1", [LATE, LATE], after(delete_one), (RUNS, DELETED, RUNS)),
    "array deleted while running": ("-J 0-1", [LATE, LATE], after(delete), (DELETED, RUNS, RUNS)),
    "array deleted while held": ("-J 0-1 -h", [LATE, LATE], delete, (DELETED, RUNS, RUNS)),
}


@pytest.mark.parametrize("name", LIVE)
def test_what_waits_for_a_job_that_lives(desk: PbsDesk, name: str) -> None:
    """An array job ends as whichever of its sub-jobs ended last."""
    options, courses, act, fates = LIVE[name]
    parent = desk.submit(options, *courses)
    waiting = wait_for(desk, parent)
    desk.run(0.5)
    assert {desk.job(one)["job_state"] for one in waiting} <= {"H"}
    act(desk, parent)
    desk.run(500.0)
    assert [fate(desk, one) for one in waiting] == list(fates)


PAST = {
    "well": ("", [Course(1.0)], nothing, (RUNS, DELETED, RUNS)),
    "failed": ("", [Course(1.0, 3)], nothing, (DELETED, RUNS, RUNS)),
    "never ran": ("-h", [LATE], delete, (RUNS, DELETED, RUNS)),
    # The record of an array job has at last what its last sub-job has.
    "array, failed last": ("-J 0-1", [Course(9.0, 5), Course(1.0)], nothing, (RUNS, DELETED, RUNS)),
}


@pytest.mark.parametrize("name", PAST)
def test_what_waits_for_a_job_that_is_over(desk: PbsDesk, name: str) -> None:
    """One that was deleted before it ran has ended well, for those who come later."""
    options, courses, act, fates = PAST[name]
    parent = desk.submit(options, *courses)
    act(desk, parent)
    desk.run(100.0)
    waiting = wait_for(desk, parent)
    desk.run(100.0)
    assert [fate(desk, one) for one in waiting] == list(fates)


def test_what_waits_for_a_job_that_is_not_known(desk: PbsDesk, forgetful: PbsDesk) -> None:
    """It is taken, and deleted at once; without history nothing is left of it."""
    for one in wait_for(desk, "999"):
        assert fate(desk, one) == DELETED
        facts = desk.job(one)
        assert (facts["job_state"], facts["substate"], facts["Hold_Types"]) == ("F", 92, "s")
        assert facts["depend"].endswith(":999.virtual@virtual")
        assert "comment" not in facts
    parent = forgetful.submit("", Course(1.0))
    forgetful.run(10.0)
    assert [forgetful.jobs(one, options="") for one in wait_for(forgetful, parent)] == [{}] * 3


def test_who_waits_for_a_deleted_one_is_deleted(desk: PbsDesk) -> None:
    """Whatever they wait for."""
    parent = desk.submit("", Course(5.0, 1))
    child = desk.submit(f"-W depend=afterok:{parent}", name="child")
    waiting = wait_for(desk, child)
    desk.run(100.0)
    assert [fate(desk, one) for one in (child, *waiting)] == [DELETED] * 4


def test_both_of_two_must_hold(desk: PbsDesk) -> None:
    """One that fails is enough to be deleted; another kind for each can be said."""
    good, bad = desk.submit("", Course(1.0), name="good"), desk.submit("", Course(5.0, 1), name="bad")
    both = desk.submit(f"-W depend=afterok:{good}:{bad}", name="both")
    each = desk.submit(f"-W depend=afterok:{good},afternotok:{bad}", Course(1.0), name="each")
    desk.run(2.0)
    assert desk.job(both)["job_state"] == desk.job(each)["job_state"] == "H"
    desk.run(100.0)
    assert [fate(desk, one) for one in (both, each)] == [DELETED, RUNS]


def test_after_means_after_the_start(desk: PbsDesk) -> None:
    """The other need not end."""
    parent = desk.submit("-h")
    child = desk.submit(f"-W depend=after:{parent}", Course(1.0), name="child")
    desk.run(5.0)
    assert desk.state(child)[:2] == ("H", 22)
    desk.type(f"qrls {parent}")
    desk.run(5.0)
    assert desk.state(child) == ("F", 92, 0)
    assert desk.job(parent)["job_state"] == "R"


def test_what_is_stuck_can_be_let_go(desk: PbsDesk) -> None:
    """By another dependency; `qrls` does nothing to it, and none at all cannot be said."""
    good, parent = desk.submit("", Course(1.0), name="good"), desk.submit("-h")
    [child] = wait_for(desk, parent, ("afterany",))
    delete(desk, parent)
    desk.run(5.0)
    assert desk.type(f"qrls {child}").code == 0
    assert fate(desk, child) == STUCK
    assert desk.type(f"qalter -W depend= {child}").code == 2
    assert desk.type(f"qalter -W depend=afterany:{good} {child}").code == 0
    desk.run(10.0)
    assert fate(desk, child) == RUNS


def test_both_say_who_waits_for_whom(desk: PbsDesk) -> None:
    """Once it is met, the waiting one says nothing more."""
    parent = desk.submit("", Course(5.0))
    child = desk.submit(f"-W depend=afterok:{parent.partition('.')[0]}", name="child")
    assert desk.job(child)["depend"] == f"afterok:{parent}@virtual"
    assert desk.job(parent)["depend"] == f"beforeok:{child}@virtual"
    desk.run(10.0)
    assert "depend" not in desk.job(child)
