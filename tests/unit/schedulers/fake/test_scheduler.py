import pytest

from sciflow.errors import ProfileError, SchedulerError, TransportError
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER
from sciflow.schedulers.base import After, Errand
from sciflow.schedulers.fake.scheduler import connect, in_place
from sciflow.transport.local import LocalTransport
from unit.schedulers.fake.conftest import MINUTE, Desk


def test_both_witnesses_tell_what_they_know(desk: Desk) -> None:
    """The controller at once and for some minutes, accounting some seconds later and for ever, with the exit code."""
    desk.body.codes = {("first", 1): 137}
    job = desk.submit("first", "--array=0-1")
    desk.cluster.run(seconds=10 * MINUTE)
    answers = desk.scheduler.testify({job: "first"}, {job: {0, 1}}).answers
    assert {i: one.state for i, one in answers[CONTROLLER][job].items()} == {0: State.COMPLETED, 1: State.FAILED}
    desk.cluster.clock.sleep(10 * MINUTE)
    answers = desk.scheduler.testify({job: "first"}, {job: {0, 1}}).answers
    assert answers[CONTROLLER] == {job: {}}
    assert answers[ACCOUNTING][job][1].exit == "9:0"
    assert answers[ACCOUNTING][job][1].node == "n1"


def test_accounting_lags(desk: Desk) -> None:
    """Right after the end it does not know yet of all that has ended."""
    job = desk.submit("first", "--array=0-3")
    desk.cluster.run(seconds=10 * MINUTE)
    known = desk.cluster.jobs[job]
    now = {one.word for one in desk.cluster.accounting.said(known, desk.cluster.clock()).values()}
    desk.cluster.clock.sleep(5.0)
    later = {one.word for one in desk.cluster.accounting.said(known, desk.cluster.clock()).values()}
    assert "RUNNING" in now
    assert later == {"COMPLETED"}


def test_who_waits_and_is_cancelled_vanishes(desk: Desk) -> None:
    """One by one without a trace; all of a job with one row for what had not started."""
    desk.submit("first", "--array=0-3")
    one, all_of_it = desk.submit("one", "--array=0-1"), desk.submit("all", "--array=0-1")
    desk.cluster.run(seconds=1.0)
    desk.scheduler.cancel(one, [0])
    desk.scheduler.cancel(all_of_it)
    desk.cluster.clock.sleep(10.0)
    answers = desk.scheduler.testify({one: "one", all_of_it: "all"}, {one: {0, 1}, all_of_it: {0, 1}}).answers
    assert set(answers[CONTROLLER][one]) == {1}
    assert {one.state for one in answers[CONTROLLER][all_of_it].values()} == {State.CANCELLED}
    assert 0 not in answers[ACCOUNTING][one]
    assert [answers[ACCOUNTING][all_of_it][index].reason for index in (0, 1)] == ["by 1001", "by 1001"]


def test_why_it_waits(desk: Desk) -> None:
    """In plain words, by Slurm's reasons."""
    first = desk.submit("first", "--array=0-4")
    second = desk.submit("second", "--array=0-0", f"--dependency=afterany:{first}")
    third = desk.submit("third", "--array=0-0", f"--begin=uts{1_000_000 + 3600}")
    desk.cluster.run(seconds=1.0)
    said = desk.scheduler.testify({first: "", second: "", third: ""}, {}).answers[CONTROLLER]
    reasons = [said[first][4].reason, said[second][0].reason, said[third][0].reason]
    assert reasons == [
        "waits for free cores, memory or GPUs",
        "waits for the array job before it",
        "waits for its start time",
    ]


def test_silence_changes_nothing(desk: Desk) -> None:
    """Who does not answer is named with the reason; what can only be asked of them is an error."""
    job = desk.submit("first", "--array=0-0")
    for witness in (CONTROLLER, ACCOUNTING):
        desk.cluster.faults.silence(witness, 60.0)
    testimony = desk.scheduler.testify({job: "first"}, {job: {0}})
    assert testimony.answers == {}
    assert set(testimony.errors) == {CONTROLLER, ACCOUNTING}
    with pytest.raises(SchedulerError, match="Unable to contact"):
        desk.scheduler.find({"first": 0.0})
    desk.cluster.clock.sleep(61.0)
    assert desk.scheduler.find({"first": 0.0}) == {"first": job}


def test_a_lost_reply_and_a_refusal(desk: Desk) -> None:
    """A job whose reply is lost is there under its name; one that is refused is not."""
    script = desk.folder / "tend.sh"
    script.write_text("#!/bin/bash\n#SBATCH --time=01:00:00\n")
    desk.cluster.faults.lose_replies()
    with pytest.raises(TransportError, match="timed out"):
        desk.scheduler.send(Errand(script, "lost"))
    assert set(desk.scheduler.find({"lost": 0.0})) == {"lost"}
    desk.cluster.faults.refuse()
    with pytest.raises(SchedulerError, match="Invalid account"):
        desk.scheduler.send(Errand(script, "refused"))
    assert desk.scheduler.find({"refused": 0.0}) == {}


def test_what_waits_can_wait_for_others(desk: Desk) -> None:
    """As long as it waits; a job that nobody knows, or that has started, cannot."""
    first = desk.submit("first", "--array=0-3")
    second = desk.submit("second", "--array=0-0", f"--dependency=afterany:{first}")
    desk.cluster.run(seconds=1.0)
    third = desk.submit("third", "--array=0-0", f"--begin=uts{1_000_000 + 7200}")
    desk.scheduler.postpone(second, [After(third, "whole")])
    desk.cluster.run(seconds=3600.0)
    assert desk.words(second) == ["PENDING"]
    for job in (first, "9"):
        with pytest.raises(SchedulerError):
            desk.scheduler.postpone(job, [])


def test_the_cluster_that_is_in_place(desk: Desk) -> None:
    """A profile's `fake` means the one that was put in place; without one there is none."""
    with in_place(desk.cluster):
        assert connect(LocalTransport(), desk.folder).find({"x": 0.0}) == {}
    with pytest.raises(ProfileError, match="no virtual cluster"):
        connect(LocalTransport(), desk.folder)
