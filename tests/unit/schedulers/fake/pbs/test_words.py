"""States, exit statuses and comments that no recording has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from unit.schedulers.fake.pbs_desk import Course, PbsDesk


@pytest.mark.parametrize(("code", "substate"), [(0, 92), (3, 93), (137, 93), (255, 93)])
def test_how_a_script_ends(desk: PbsDesk, code: int, substate: int) -> None:
    """Its code is the exit status."""
    job = desk.submit("", Course(1.0, code))
    desk.run(5.0)
    assert desk.state(job) == ("F", substate, code)


def test_an_array_job_says_what_changed_last(desk: PbsDesk) -> None:
    """1 for a code above 0, 2 for one below; when it is over, what its last sub-job has."""
    job = desk.submit("-J 0-2 -l walltime=20", Course(1.0, 7), Course(5.0), Course(stops_after=None))
    desk.run(2.0)
    assert desk.state(job) == ("B", 70, 1)
    desk.run(10.0)
    assert desk.state(job) == ("B", 70, 0)
    desk.run(60.0)
    assert desk.state(job) == ("F", 93, 2)


def test_held_and_waiting_arrays(desk: PbsDesk) -> None:
    """Their sub-jobs are queued, whatever they themselves are."""
    for options, state in (("-h", ("H", 20)), ("-a 203001010000", ("W", 30)), ("-W depend=afterok:101", ("H", 22))):
        desk.submit()
        job = desk.submit(f"-J 0-1 {options}")
        assert desk.state(job)[:2] == state
        assert desk.state(job.replace("[]", "[0]")) == ("Q", 10, None)


def test_a_lost_node(desk: PbsDesk) -> None:
    """What may be started again is queued with an exit status of its own; what may not has failed by it."""
    again, once = desk.submit(), desk.submit("-r n", name="once")
    array = desk.submit("-J 0-1", name="array")
    desk.run(5.0)
    desk.cluster.kill_node("n1")
    desk.run(300.0)
    assert {desk.job(one)["job_state"] for one in (again, once)} == {"R"}
    desk.run(20.0)
    assert (desk.state(again), desk.state(once)) == (("Q", 10, -20), ("F", 93, -20))
    assert (desk.state(array), desk.job(again)["run_count"]) == (("Q", 10, None), 1)
    desk.cluster.revive_node("n1")
    desk.run(5.0)
    assert (desk.job(again)["job_state"], desk.job(again)["run_count"]) == ("R", 2)


def test_a_queue_that_is_stopped(desk: PbsDesk) -> None:
    """It takes jobs and starts none; one that is closed takes none."""
    [queue] = desk.cluster.rules.partitions
    desk.cluster.set_partition(replace(queue, is_up=False))
    job = desk.submit()
    desk.run(5.0)
    assert desk.job(job)["comment"] == "Not Running: Queue not started."
    desk.cluster.set_partition(replace(queue, is_open=False))
    answer = desk.type("qsub s.sh")
    assert (answer.code, answer.err) == (173, "qsub: Queue is not enabled\n")
