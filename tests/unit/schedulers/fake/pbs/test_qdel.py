"""`qdel`: what is deleted, and what is left of it."""

from __future__ import annotations

from unit.schedulers.fake.pbs_desk import Course, PbsDesk


def test_a_running_job_has_its_time_to_end(desk: PbsDesk) -> None:
    """It runs until it does, at most for ten seconds, and ends as deleted whatever its own code is."""
    quick, slow = desk.submit("", Course(stops_after=3.0)), desk.submit("", Course(stops_after=None), name="slow")
    desk.run(1.0)
    assert desk.type(f"qdel {quick} {slow}").code == 0
    assert desk.job(quick)["comment"].endswith("and terminated by chen@virtual")
    desk.run(5.0)
    assert (desk.state(quick), desk.job(slow)["job_state"]) == (("F", 91, 271), "R")
    desk.run(10.0)
    assert desk.state(slow) == ("F", 91, 271)


def test_what_never_ran_has_no_exit_status(desk: PbsDesk) -> None:
    """Nor a start."""
    job = desk.submit("-h")
    desk.type(f"qdel {job}")
    assert desk.state(job) == ("F", 91, None)
    assert "stime" not in desk.job(job)


def test_a_queued_sub_job_shows_what_its_array_job_has(desk: PbsDesk) -> None:
    """While that lives it is expired and never ran; later it seems to have ended as that did."""
    job = desk.submit("-J 0-3%1", Course(20.0))
    desk.run(1.0)
    assert desk.type(f"qdel '{job.replace('[]', '[2-3]')}'").code == 0
    sub = job.replace("[]", "[2]")
    assert desk.state(sub) == ("X", 70, None)
    desk.body.courses["work", 1] = Course(5.0)
    desk.run(60.0)
    assert desk.state(sub) == ("F", 92, 0)
    facts = desk.job(sub)
    assert "array_index" not in facts
    assert facts["Output_Path"].endswith(".^array_index^")
    assert desk.job(job)["array_state_count"] == "Queued:0 Running:0 Exiting:0 Expired:2"


def test_what_was_over_loses_its_record(desk: PbsDesk) -> None:
    """When the array job is deleted."""
    job = desk.submit("-J 0-1", Course(1.0, 3))
    desk.run(5.0)
    assert desk.state(job.replace("[]", "[0]")) == ("X", 93, 3)
    desk.type(f"qdel '{job}'")
    desk.run(30.0)
    assert desk.state(job.replace("[]", "[0]")) == ("F", 91, 1)
    assert "exec_host" not in desk.job(job.replace("[]", "[0]"))


def test_a_record_can_be_deleted(desk: PbsDesk) -> None:
    """Nothing is known of the job then."""
    job = desk.submit("", Course(1.0))
    desk.run(5.0)
    assert desk.type(f"qdel {job}").code == 35
    assert desk.type(f"qdel -x {job}").code == 0
    assert desk.type(f"qstat -x {job}").code == 153


def test_all_that_can_be_is_deleted(desk: PbsDesk) -> None:
    """One wrong identifier keeps nothing from it; what is not known is not told beside what is over."""
    over, waits = desk.submit("", Course(1.0)), desk.submit("-h", name="waits")
    desk.run(5.0)
    answer = desk.type(f"qdel abc {over} 999 {waits}")
    assert answer.code == 35
    assert "Unknown" not in answer.err
    assert desk.state(waits) == ("F", 91, None)


def test_nothing_to_delete(desk: PbsDesk) -> None:
    """It says how it is used."""
    assert desk.type("qdel").code == 2
    assert desk.type("qdel -Z 1").code == 2
