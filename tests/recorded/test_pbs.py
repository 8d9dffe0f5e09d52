"""What a real OpenPBS answered, and what is read from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sciflow.errors import QueueFullError, SchedulerError, TransportError
from sciflow.model.profile import Limits, Partition
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER, REST, Statement
from sciflow.schedulers.pbs import PbsScheduler
from sciflow.schedulers.pbs_answers import moment, read_dsv, read_json, read_statements
from sciflow.schedulers.pbs_site import limits_of, read_partitions
from sciflow.schedulers.pbs_submission import read_job_id
from sciflow.schedulers.sites import detect_site
from sciflow.transport.base import Answer
from unit.scripted import ScriptedTransport, refusal

HERE = Path(__file__).parent / "pbs-23.06"


def recorded(name: str) -> Answer:
    """Return one recorded answer."""
    facts = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    return Answer(facts["code"], facts["out"], facts["err"])


def told(name: str, job: str) -> dict[int, Statement]:
    """Return what a recorded answer says of the indices of a job."""
    return read_statements(read_json(recorded(name).out), {job: ""}, {})[job]


def without_history(*names: str | Answer) -> tuple[PbsScheduler, ScriptedTransport]:
    """Return a scheduler whose server first says that it keeps no history, and then answers what was recorded."""
    later = [recorded(name) if isinstance(name, str) else name for name in names]
    transport = ScriptedTransport(qstat=[recorded("no-history-past"), *later])
    return PbsScheduler(transport, HERE), transport


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
    pbs, _ = without_history("array-no-history")
    found = pbs.testify({"569[].vm": ""}, {}).answers[CONTROLLER]["569[].vm"]
    assert {index: one.state for index, one in found.items()} == {2: State.RUNNING, 3: State.RUNNING}


def test_without_history_the_past_is_not_asked_for() -> None:
    """A server that keeps none tells nothing at all of a question about it, not even of what runs, and exits with 0."""
    assert (recorded("no-history-past").code, "Jobs" in recorded("no-history-past").out) == (0, False)
    pbs, transport = without_history("no-history-live", "no-history-ended", "no-history-array-gone")
    assert pbs.query(["1.vm"]) == {"1.vm": {0: State.RUNNING}}
    assert pbs.testify({"1.vm": ""}, {}).answers == {CONTROLLER: {"1.vm": {}}}
    assert pbs.testify({"568[].vm": ""}, {}).answers == {CONTROLLER: {"568[].vm": {}}}
    assert ["-x" in call.command for call in transport.calls] == [True, False, False, False]
    assert {call.variables["TZ"] for call in transport.calls} == {"UTC"}


def test_a_history_stands_for_accounting() -> None:
    """In it is what has ended; a server without one has none, and is not waited for."""
    pbs = PbsScheduler(ScriptedTransport(qstat=recorded("array-mixed")), HERE)
    testimony = pbs.testify({"448[].vm": ""}, {})
    assert testimony.errors == {}
    assert {i: one.state for i, one in testimony.answers[ACCOUNTING]["448[].vm"].items()} == {
        0: State.COMPLETED,
        1: State.FAILED,
    }
    pbs, _ = without_history("array-no-history")
    testimony = pbs.testify({"569[].vm": ""}, {})
    assert (list(testimony.answers), testimony.errors) == ([CONTROLLER], {ACCOUNTING: "it is off"})


def test_a_history_that_is_kept_from_now_on_is_asked_for() -> None:
    """Else what has ended would be refused, with an exit code of its own."""
    answers = ("no-history-ended", "qstat-finished-without-x", "some-unknown")
    pbs, transport = without_history(*answers)
    assert pbs.query(["60.vm"]) == {}
    assert pbs.query(["60.vm"]) == {"60.vm": {0: State.COMPLETED}}
    assert ["-x" in call.command for call in transport.calls] == [True, False, False, True]


def test_a_dead_end_of_a_deleted_array_is_no_want_of_what_it_waited_for() -> None:
    """That others wait for it stands in the same place."""
    assert states("array-waited-for", "125[].vm") == {
        **dict.fromkeys((0, 1, 2), State.CANCELLED),
        REST: State.CANCELLED,
    }


def test_what_was_deleted_with_its_node_gone_is_cancelled() -> None:
    """It has no exit status."""
    one = told("deleted-with-force", "529.vm")[0]
    assert (one.state, one.exit, one.node) == (State.CANCELLED, "", "")


def test_a_node_that_is_down_keeps_its_jobs() -> None:
    """That is said, with the way out; and no server is no answer."""
    pbs = PbsScheduler(ScriptedTransport(qdel=recorded("qdel-node-down")), HERE)
    with pytest.raises(
        SchedulerError, match=r"does not cancel 529\.vm: qdel: Server could not connect to MOM"
    ) as caught:
        pbs.cancel("529.vm")
    assert "its node is down" in caught.value.hint
    with pytest.raises(TransportError, match="PBS does not answer"):
        PbsScheduler(ScriptedTransport(qdel=recorded("qdel-no-server")), HERE).cancel("529.vm")
    with pytest.raises(TransportError, match="PBS does not answer"):
        PbsScheduler(ScriptedTransport(qselect=recorded("qselect-no-server")), HERE).find({"a": 0.0})


def test_several_that_are_over_are_not_cancelled() -> None:
    """Of those that are unknown it may say nothing."""
    transport = ScriptedTransport(qdel=recorded("qdel-many"))
    PbsScheduler(transport, HERE).cancel("52.vm")
    assert transport.programs == ["qdel"]


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
    assert ACCOUNTING not in {**testimony.answers, **testimony.errors}


def test_all_unknown_is_an_answer() -> None:
    """It exits with an error all the same."""
    pbs = PbsScheduler(ScriptedTransport(qstat=recorded("qstat-unknown")), HERE)
    assert pbs.testify({"441[].vm": ""}, {}).answers[CONTROLLER] == {"441[].vm": {}}


def test_the_id_of_an_array() -> None:
    """With its brackets, and the server."""
    assert read_job_id(recorded("qsub-array"), "it") == "4[].vm"


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("qsub-no-server", TransportError, "cannot connect"),
        ("qsub-too-many", QueueFullError, "per-user limit"),
        ("qsub-too-many-at-all", QueueFullError, "per-user limit"),
        ("qsub-too-much", SchedulerError, "violates queue and/or server resource limits"),
        ("qsub-not-mine", SchedulerError, "Unauthorized Request"),
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


def test_without_history_jobs_are_looked_for_without_it() -> None:
    """The other question lists nothing and exits with 0: what was submitted would be submitted again."""
    assert recorded("qselect-no-history").code == 0
    transport = ScriptedTransport(qselect=[recorded("qselect-no-history"), recorded("qselect-name")])
    assert PbsScheduler(transport, HERE).find({"pok": 0.0}) == {"pok": "60.vm"}
    assert [call.command for call in transport.calls] == [["qselect", "-x", "-N", "pok"], ["qselect", "-N", "pok"]]


def test_a_site_is_known_by_its_version() -> None:
    """What is not Torque's is of PBS."""
    nothing = refusal("scontrol: fatal: Could not establish a configuration source")
    answers: list[str | Answer] = [recorded("version"), recorded("server"), recorded("queues")]
    transport = ScriptedTransport(scontrol=nothing, qstat=answers, pbsnodes=recorded("nodes"))
    profile, notes = detect_site(transport, "lab")
    assert (profile.scheduler, profile.description) == ("pbs", "the PBS server srv (23.06.06)")
    assert notes[1] == "the server forgets jobs that are over: how they ended is known by their records alone"


def test_jobs_are_found_by_name() -> None:
    """Also those that are over."""
    transport = ScriptedTransport(qselect=recorded("qselect-name"))
    assert PbsScheduler(transport, HERE).find({"pok": 0.0}) == {"pok": "60.vm"}
    assert transport.calls[0].command == ["qselect", "-x", "-N", "pok"]


def test_queues_and_nodes_of_a_site() -> None:
    """A queue that takes no jobs, and one that is stopped, are left out; each limit stands in its place."""
    queues = json.loads(recorded("queues").out)["Queue"]
    nodes = list(json.loads(recorded("nodes").out)["nodes"].values())
    notes: list[str] = []
    server = json.loads(recorded("server").out)["Server"]["srv"]
    assert limits_of(server, queues["small"], "sci") == Limits(indices_per_array=10_000, submitted_indices=3)
    assert limits_of(server, {}, "sci") == Limits(indices_per_array=10_000, submitted_indices=500)
    assert read_partitions(server, queues, nodes, "sci", notes) == {
        "workq": Partition(cpu_cores=32, memory_gb=64, gpus=8, nodes=1, default=True),
        "small": Partition(cpu_cores=8, memory_gb=64, gpus=8, nodes=1, max_runtime="01:00:00"),
    }
    assert notes == [
        "queue `small` takes 3 of your indices: say so as `submitted_indices` if you use it",
        "queue `stopped` is left out: it is stopped",
        "queue `disabled` is left out: it takes no jobs",
    ]
