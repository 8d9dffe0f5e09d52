"""PBS's words in ours."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.model.state import State
from sciflow.schedulers.pbs_words import end_of, is_running, is_too_late, is_waiting, was_given_up, why_it_waits
from sciflow.transport.base import Answer


@pytest.mark.parametrize(
    ("status", "state", "code"),
    [
        (0, State.COMPLETED, "0:0"),
        (3, State.FAILED, "3:0"),
        (137, State.FAILED, "137:0"),
        (265, State.FAILED, "0:9"),
        (271, State.CANCELLED, "0:15"),
        (-29, State.TIMEOUT, "-29"),
        (-28, State.TIMEOUT, "-28"),
        (-27, State.OUT_OF_MEMORY, "-27"),
        (-26, State.OUT_OF_MEMORY, "-26"),
        (-24, State.FAILED, "-24"),
        *((status, State.NODE_FAIL, str(status)) for status in (-1, -2, -3, -4, -10, -16, -20, -23, -30)),
    ],
)
def test_exit_statuses(status: int, state: State, code: str) -> None:
    """Negative ones are PBS's own; from 256 on they are signals that ended the shell at the top."""
    assert end_of({"Exit_status": status, "substate": 93}) == (state, "", code)


def test_a_deleted_job_is_cancelled_whatever_its_exit_status() -> None:
    """It may have ended in good order when it was told to."""
    facts = {"Exit_status": 0, "substate": 91, "comment": "Job run at Mon and terminated by ann@login1"}
    assert end_of(facts) == (State.CANCELLED, "by ann", "0:15")


def test_what_is_suspended_runs() -> None:
    """It goes on where it was, as Slurm's do; what another server has is neither."""
    assert all(is_running({"job_state": word}) for word in "REBSU")
    assert all(is_waiting({"job_state": word}) for word in "QHWT")
    assert not is_running({"job_state": "M"})
    assert not is_waiting({"job_state": "M"})


@pytest.mark.parametrize(
    ("facts", "is_so"),
    [
        ({"job_state": "F", "substate": 92, "depend": "afterany:4.srv@srv"}, True),
        ({"job_state": "F", "substate": 91, "depend": "afterany:4.srv@srv"}, False),
        ({"job_state": "F", "substate": 92, "depend": "beforeany:4.srv@srv"}, False),
        ({"job_state": "F", "substate": 92, "depend": "afterany:4.srv@srv", "Exit_status": 0}, False),
        ({"job_state": "H", "substate": 22, "depend": "afterany:4.srv@srv"}, False),
        ({"job_state": "F", "substate": 92}, False),
    ],
)
def test_jobs_that_pbs_deletes_itself(facts: dict[str, Any], is_so: bool) -> None:
    """Nobody has asked for that, and they still wait for something; others may wait for them."""
    assert was_given_up(facts) is is_so


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"job_state": "W"}, "waits for its start time"),
        ({"job_state": "H", "depend": "afterany:4.srv@srv"}, "waits for the array job before it"),
        ({"job_state": "H", "Hold_Types": "u"}, "held by its owner: `qrls` lets it go"),
        ({"job_state": "H", "Hold_Types": "su"}, "held by an administrator"),
        (
            {"job_state": "H", "Hold_Types": "s", "comment": "job held, too many failed attempts to run"},
            "it could not be started twenty times, and PBS holds it: cancel it, and try it again",
        ),
        (
            {"job_state": "Q", "comment": "Can Never Run: Insufficient amount of resource: ncpus (R: 64 A: 32 T: 32)"},
            "no node has what it asks for: it will wait for ever "
            "(Insufficient amount of resource: ncpus (R: 64 A: 32 T: 32))",
        ),
        (
            {"job_state": "Q", "comment": "Not Running: Insufficient amount of resource: ncpus (R: 32 A: 30 T: 32)"},
            "waits for free cores, memory or GPUs",
        ),
        (
            {"job_state": "Q", "comment": "Not Running: User has reached server running job limit."},
            "as many jobs run as its server allows for a user",
        ),
        (
            {"job_state": "Q", "comment": "Not Running: Number of concurrent running subjobs limit reached"},
            "as many of its indices run as may run at once",
        ),
        ({"job_state": "Q", "comment": "Not Running: Queue not started."}, "its queue is stopped"),
        ({"job_state": "Q"}, "has not been looked at by the scheduler yet"),
        ({"job_state": "Q", "comment": "Not Running: Who knows"}, "PBS says: Not Running: Who knows"),
    ],
)
def test_why_jobs_wait(facts: dict[str, Any], reason: str) -> None:
    """In plain words."""
    assert why_it_waits(facts) == reason


def test_all_that_a_deletion_is_refused_for_counts() -> None:
    """Where it says nothing, its exit code does."""
    assert is_too_late(Answer(153, "", "qdel: Unknown Job Id 4.srv\nqdel: Job has finished 5.srv\n"))
    assert is_too_late(Answer(168, "", "qdel: Request invalid for state of job 5[3].srv\n"))
    assert not is_too_late(Answer(153, "", "qdel: Unknown Job Id 4.srv\nqdel: Unauthorized Request 5.srv\n"))
    assert is_too_late(Answer(35, "", ""))
    assert not is_too_late(Answer(159, "", ""))
