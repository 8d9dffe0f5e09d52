"""`qalter`, `qhold`, `qrls` and `qrerun`."""

from __future__ import annotations

from sciflow.schedulers.fake.face import Call, answer
from unit.schedulers.fake.pbs_desk import Course, PbsDesk


def test_when_it_begins_can_be_changed(desk: PbsDesk) -> None:
    """Of what waits: later, or at once; what runs is not touched."""
    job = desk.submit("-a 203001010000", Course(20.0))
    assert desk.state(job)[:2] == ("W", 30)
    assert desk.type(f"qalter -a 202001010000 {job}").code == 0
    desk.run(1.0)
    assert desk.job(job)["job_state"] == "R"
    assert desk.type(f"qalter -a 203001010000 {job}").code == 0
    desk.run(60.0)
    assert desk.state(job) == ("F", 92, 0)


def test_what_can_be_changed_of_a_running_job(desk: PbsDesk) -> None:
    """Its name and its walltime; not what it has of its node, nor what is only to be read."""
    job = desk.submit()
    desk.run(1.0)
    assert desk.type(f"qalter -N other -l walltime=60 {job}").code == 0
    facts = desk.job(job)
    assert (facts["Job_Name"], facts["Resource_List"]["walltime"]) == ("other", "00:01:00")
    refused = desk.type(f"qalter -l ncpus=2 {job}")
    assert refused.code == 167
    assert refused.err.startswith("qalter: Cannot modify attribute while job running  Resource_List.ncpus")
    assert desk.type(f"qalter -W comment=x {job}").code == 155


def test_what_waits_may_ask_for_something_else(desk: PbsDesk) -> None:
    """It is that with which it starts."""
    job = desk.submit("-h -l select=1:ncpus=1")
    assert desk.type(f"qalter -l select=1:ncpus=4:mem=2gb {job}").code == 0
    assert desk.job(job)["Resource_List"]["ncpus"] == 4
    desk.type(f"qrls {job}")
    desk.run(1.0)
    assert desk.cluster.nodes["n1"].free_cores == 28


def test_an_array_job_that_is_held_while_it_runs(desk: PbsDesk) -> None:
    """What runs goes on, and nothing more starts until it is let go."""
    job = desk.submit("-J 0-3%1", *[Course(5.0)] * 4)
    desk.run(1.0)
    assert desk.type(f"qhold '{job}'").code == 0
    desk.run(20.0)
    assert (desk.job(job)["job_state"], desk.job(job)["array_indices_remaining"]) == ("H", "1-3")
    assert desk.type(f"qrls '{job}'").code == 0
    desk.run(60.0)
    assert desk.state(job) == ("F", 92, 0)


def test_who_may_do_what(desk: PbsDesk) -> None:
    """Sub-jobs are not held, the server's holds are its own, and only an operator starts something again."""
    job = desk.submit("-J 0-1")
    desk.run(1.0)
    assert desk.type(f"qhold '{job.replace('[]', '[0]')}'").code == 156
    assert desk.type(f"qhold -h s '{job}'").code == 159
    assert desk.type(f"qrerun '{job}'").code == 159
    call = Call(("qrerun", job), desk.folder, user="root")
    assert answer(desk.cluster, call).code == 0
    desk.run(20.0)
    assert desk.job(job.replace("[]", "[0]"))["run_count"] == 2


def test_without_a_server_or_a_job(desk: PbsDesk) -> None:
    """Each says so in its own name."""
    for tool in ("qalter", "qhold", "qrls", "qrerun"):
        assert desk.type(tool).code == 2
        assert desk.type(f"{tool} 999").code == 153
    desk.cluster.faults.silence("controller", 60.0)
    for tool in ("qalter", "qhold", "qrls", "qrerun"):
        silent = desk.type(f"{tool} 999")
        assert (silent.code, f"{tool}: cannot connect" in silent.err) == (162, True)
