"""What a real OpenPBS answered, and what is read from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sciflow.errors import QueueFullError, SchedulerError, TransportError
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER, REST, Statement
from sciflow.schedulers.pbs import PbsScheduler
from sciflow.schedulers.pbs_answers import moment, read_dsv, read_json, read_statements
from sciflow.schedulers.pbs_submission import read_job_id
from sciflow.transport.base import Answer
from unit.scripted import ScriptedTransport

HERE = Path(__file__).parent / "pbs-23.06"


def recorded(name: str) -> Answer:
    """Return one recorded answer."""
    facts = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    return Answer(facts["code"], facts["out"], facts["err"])


def told(name: str, job: str) -> dict[int, Statement]:
    """Return what a recorded answer says of the indices of a job."""
    return read_statements(read_json(recorded(name).out), {job: ""}, {})[job]


def states(name: str, job: str) -> dict[int, State]:
    """Return index → state."""
    return {index: one.state for index, one in told(name, job).items()}


def test_of_an_array_that_goes_on_each_sub_job_says_its_own() -> None:
    """What waits shows an exit status that belongs to the array, and is waiting all the same."""
    found = told("array-mixed", "448[].vm")
    assert {index: (one.state, one.exit, one.node) for index, one in found.items()} == {
        0: (State.COMPLETED, "0:0", "vm"),
        1: (State.FAILED, "3:0", "vm"),
        2: (State.RUNNING, "", "vm"),
        3: (State.RUNNING, "", "vm"),
        4: (State.RUNNING, "", "vm"),
        5: (State.PENDING, "", ""),
    }
    assert found[1].end == moment("Mon Nov 23 00:50:47 2026")


def test_a_deleted_array_does_not_make_up_ends_of_what_had_ended_before() -> None:
    """Those have lost their own; only the array tells, of all of which nothing else is known."""
    found = told("array-deleted", "448[].vm")
    assert {index: (one.state, one.reason) for index, one in found.items()} == {
        2: (State.CANCELLED, "by sci"),
        3: (State.CANCELLED, "by sci"),
        4: (State.CANCELLED, "by sci"),
        REST: (State.CANCELLED, ""),
    }


def test_over_its_time_and_over_its_memory() -> None:
    """PBS says it by negative exit statuses; the array's own exit status says nothing."""
    assert states("array-walltime", "549[].vm") == {
        0: State.COMPLETED,
        1: State.FAILED,
        2: State.TIMEOUT,
        REST: State.CANCELLED,
    }
    assert states("array-memory", "553[].vm") == {
        0: State.OUT_OF_MEMORY,
        1: State.OUT_OF_MEMORY,
        REST: State.CANCELLED,
    }


def test_sub_jobs_wait_for_what_their_array_waits_for() -> None:
    """They show `Q` whatever that is."""
    found = told("array-later", "190[].vm")
    assert {(one.state, one.reason) for one in found.values()} == {(State.PENDING, "waits for its start time")}
    assert all(one.start == moment("Mon Nov 23 00:40:48 2026") for one in found.values())


def test_what_is_about_to_end_runs() -> None:
    """It has an exit status already."""
    found = states("array-throttled", "5[].vm")
    assert [index for index, state in found.items() if state is State.RUNNING] == [0, 1, 2]
    assert [index for index, state in found.items() if state is State.PENDING] == list(range(3, 10))


def test_without_history_nothing_is_said_of_what_has_ended() -> None:
    """Its exit status is made up from the array's."""
    assert states("array-no-history", "569[].vm") == {2: State.RUNNING, 3: State.RUNNING}


def test_an_array_of_one_has_its_own_index() -> None:
    """A step leaves it alone."""
    assert states("array-of-one", "19[].vm") == {3: State.RUNNING}


@pytest.mark.parametrize(
    ("name", "job", "state", "code"),
    [
        ("node-lost", "526.vm", State.PENDING, ""),
        ("node-restarted", "532.vm", State.NODE_FAIL, "-4"),
        ("shell-killed", "43.vm", State.FAILED, "0:9"),
        ("deleted", "1228.vm", State.CANCELLED, "0:15"),
    ],
)
def test_how_single_jobs_end(name: str, job: str, state: State, code: str) -> None:
    """One that was put back into the queue waits, though it has an exit status."""
    one = told(name, job)[0]
    assert (one.state, one.exit) == (state, code)


def test_places_become_indices() -> None:
    """Where indices are not evenly spaced, the sub-jobs count places."""
    jobs = read_json(recorded("array-mixed").out)
    found = read_statements(jobs, {"448[].vm": ""}, {"448[].vm": [3, 17, 18, 40]})["448[].vm"]
    assert {index: one.state for index, one in found.items()} == {
        3: State.COMPLETED,
        17: State.FAILED,
        18: State.RUNNING,
        40: State.RUNNING,
    }


def test_a_recycled_id_is_known_by_its_name() -> None:
    """Of a job of another name nothing is taken."""
    jobs = read_json(recorded("array-of-one").out)
    assert read_statements(jobs, {"19[].vm": "train.0.x.1"}, {}) == {"19[].vm": {}}


def test_what_is_unknown_is_left_out() -> None:
    """The exit code does not tell, nor does the error output."""
    found = read_statements(read_json(recorded("some-unknown").out), {"99999": "", "60.vm": "", "61.vm": ""}, {})
    assert {job: bool(indices) for job, indices in found.items()} == {"99999": False, "60.vm": True, "61.vm": True}


def test_lines_say_the_same_as_json() -> None:
    """They are asked for where one odd value makes the answer no JSON."""
    assert read_dsv(recorded("dsv").out)["407.vm"]["job_state"] == "F"


def test_a_server_that_is_down_is_no_answer() -> None:
    """The answer is whole and has no jobs; only the exit code tells."""
    answer = recorded("qstat-no-server")
    assert "Jobs" not in json.loads(answer.out)
    pbs = PbsScheduler(ScriptedTransport(qstat=answer), HERE)
    testimony = pbs.testify({"537.vm": ""}, {})
    assert CONTROLLER not in testimony.answers
    assert "Connection refused" in testimony.errors[CONTROLLER]
    assert testimony.errors[ACCOUNTING] == "it is off"


def test_all_unknown_is_an_answer() -> None:
    """It exits with an error all the same."""
    pbs = PbsScheduler(ScriptedTransport(qstat=recorded("qstat-unknown")), HERE)
    assert pbs.testify({"441[].vm": ""}, {}).answers == {CONTROLLER: {"441[].vm": {}}}


def test_the_id_of_an_array() -> None:
    """With its brackets, and the server."""
    assert read_job_id(recorded("qsub-array"), "it") == "4[].vm"


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("qsub-no-server", TransportError, "cannot connect"),
        ("qsub-too-many", QueueFullError, "per-user limit"),
        ("qsub-no-queue", SchedulerError, "Unknown queue"),
        ("qsub-queue-disabled", SchedulerError, "Queue is not enabled"),
        ("qsub-list", SchedulerError, "illegal -J value"),
        ("qsub-too-wide", SchedulerError, "exceeds server or queue size limit"),
    ],
)
def test_refusals(name: str, kind: type[Exception], text: str) -> None:
    """In PBS's own words; no answer and a full queue are other errors than a refusal."""
    with pytest.raises(kind, match=text) as caught:
        read_job_id(recorded(name), "array job `train.0`")
    assert type(caught.value) is kind
    assert caught.value.hint  # type: ignore[attr-defined]


def test_what_is_over_is_not_cancelled() -> None:
    """PBS is asked once, refuses with a code of its own, and that is no error."""
    transport = ScriptedTransport(qdel=recorded("qdel-finished"))
    PbsScheduler(transport, HERE).cancel("441[].vm")
    assert recorded("qdel-finished").code == 35
    assert [call.command for call in transport.calls] == [["qdel", "441[].vm"]]


def test_jobs_are_found_by_name() -> None:
    """Also those that are over."""
    transport = ScriptedTransport(qselect=recorded("qselect-name"))
    assert PbsScheduler(transport, HERE).find({"pok": 0.0}) == {"pok": "60.vm"}
    assert transport.calls[0].command == ["qselect", "-x", "-N", "pok"]
