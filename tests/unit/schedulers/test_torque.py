"""Torque's commands, as far as its sources tell."""

from __future__ import annotations

import getpass
import shlex
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sciflow import assets
from sciflow.errors import SchedulerError, TransportError
from sciflow.loading import load_profile
from sciflow.model.load import PartitionLoad
from sciflow.model.plan import ArrayJob
from sciflow.model.resources import GIB, Resources
from sciflow.model.state import State
from sciflow.model.statement import CONTROLLER
from sciflow.planning.render import ScriptRenderer
from sciflow.schedulers.base import After, Errand, Submission
from sciflow.schedulers.torque import TorqueScheduler
from sciflow.schedulers.torque_answers import array_of, read_xml
from sciflow.transport.base import Answer
from unit.scripted import ScriptedTransport, refusal

ARRAY = ArrayJob("train.0", "train", 1000, Resources())
NAME = "train.0.20260105-101500-4a3f1.2"


def scheduler(run: Path, **answers: str | Answer | list[str | Answer]) -> tuple[TorqueScheduler, ScriptedTransport]:
    """Make a scheduler, and what its commands answer."""
    transport = ScriptedTransport(**answers)
    return TorqueScheduler(transport, run), transport


def submission(run: Path, *indices: int, **more: Any) -> Submission:
    """Make a submission of some indices."""
    return Submission(ARRAY, run / "scripts" / "train.0.sh", dict.fromkeys(indices, 1), NAME, **more)


def job(number: str, state: str, **facts: Any) -> str:
    """Return what `qstat -x` says of one job, in a document of its own."""
    own = {"Job_Name": "a", "Job_Owner": f"{getpass.getuser()}@login", "job_state": state, **facts}
    elements = "".join(f"<{name}>{value}</{name}>" for name, value in own.items())
    return (
        f'<?xml version="1.0"?>\n<Data><Job><Job_Id>{number}</Job_Id>{elements}'
        "<Resource_List><walltime>01:00:00</walltime></Resource_List></Job></Data>\n"
    )


def part(index: int, state: str, **facts: Any) -> str:
    """Return what it says of a sub-job of job 7."""
    return job(f"7[{index}].srv", state, **{"Job_Name": f"{NAME}-{index}", "job_array_id": index, **facts})


def test_any_indices_can_be_named(tmp_path: Path) -> None:
    """By a list, with how many may run at once; Torque puts the index behind the name of the log."""
    torque, transport = scheduler(tmp_path, qsub="7[].srv\n")
    assert torque.submit(submission(tmp_path, 3, 17, 42, 43, at_once=5)) == "7[].srv"
    assert transport.calls[0].command == [
        *("qsub", "-N", NAME, "-t", "3,17,42-43%5", "-o"),
        f"{tmp_path}/logs/train.0/{NAME}.torque",
        "scripts/train.0.sh",
    ]
    assert not (tmp_path / "arrays").exists()
    assert "-t" not in torque.call(submission(tmp_path, *range(1000)))
    assert "-t 5 " in torque.call(submission(tmp_path, 5))


def test_orders_on_arrays_have_their_own_word(tmp_path: Path) -> None:
    """What is over is not waited for: Torque deletes what waits for a job that it has forgotten."""
    known = part(0, "C", exit_status=0) + part(1, "R") + job("9.srv", "Q") + job("8[0].srv", "C", job_array_id=0)
    waits = job("10[0].srv", "H", job_array_id=0)
    torque, transport = scheduler(tmp_path, qstat=[known, waits], qsub="10[].srv\n")
    torque.submit(submission(tmp_path, 1, after=tuple(After(f"{one}.srv", "whole") for one in ("8[]", "7[]", "9"))))
    asked, told, again = (call.command for call in transport.calls)
    assert asked == ["qstat", "-x", "-t", "8[].srv", "7[].srv", "9.srv"]
    assert shlex.join(told).startswith(f"qsub -N {NAME} -t 1 -W 'depend=afteranyarray:7[].srv,afterany:9.srv' -o ")
    assert again == ["qstat", "-x", "-t", "10[].srv"]


def test_small_jobs_and_later_orders(tmp_path: Path) -> None:
    """In the same words."""
    torque, transport = scheduler(tmp_path, qstat=part(1, "R") + job("9.srv", "H"), qsub="9.srv\n", qalter="")
    assert torque.send(Errand(tmp_path / "scripts" / "tend.sh", "tend.1", ("7[].srv",), 1795394440.0)) == "9.srv"
    [call] = [call.command for call in transport.calls if call.command[0] == "qsub"]
    assert call[:5] == ["qsub", "-N", "tend.1", "-W", "depend=afteranyarray:7[].srv"]
    assert call[5] == "-a"
    torque.postpone("9.srv", [After("7[].srv", "whole")])
    assert transport.calls[-1].command == ["qalter", "-W", "depend=afteranyarray:7[].srv", "9.srv"]


def test_how_sub_jobs_are_and_how_they_ended(tmp_path: Path) -> None:
    """Limits have exit statuses of their own; times are in seconds; and a sub-job's name has its index."""
    answer = "".join(
        [
            part(0, "C", exit_status=0, exec_host="n1/0-3", start_time=100, comp_time=160),
            part(1, "C", exit_status=-11, exec_host="n1/0"),
            part(2, "C", exit_status=-10, exec_host="n1/0"),
            part(3, "C", exit_status=271, exec_host="n1/0"),
            part(4, "C", exit_status=-3, exec_host="n1/0"),
            part(5, "C", exit_status=7, exec_host="n1/0"),
            part(6, "C"),
            part(7, "E", exec_host="n2/0", exit_status=0),
            part(8, "Q"),
        ]
    )
    torque, _ = scheduler(tmp_path, qstat=answer)
    found = torque.testify({"7[].srv": NAME}, {}).answers[CONTROLLER]["7[].srv"]
    assert {index: one.state for index, one in found.items()} == {
        0: State.COMPLETED,
        1: State.TIMEOUT,
        2: State.OUT_OF_MEMORY,
        3: State.CANCELLED,
        4: State.NODE_FAIL,
        5: State.FAILED,
        6: State.CANCELLED,
        7: State.RUNNING,
        8: State.PENDING,
    }
    assert (found[0].start, found[0].end, found[0].node) == (100.0, 160.0, "n1")
    assert torque.testify({"7[].srv": "another"}, {}).answers[CONTROLLER] == {"7[].srv": {}}


def test_what_it_has_forgotten_is_unknown_and_no_answer_is_none(tmp_path: Path) -> None:
    """What is said tells them apart."""
    gone = Answer(153, part(0, "R"), "qstat: Unknown Job Id Error 5.srv\nqstat: Unknown Array ID 6[].srv\n")
    torque, _ = scheduler(tmp_path, qstat=gone)
    assert torque.query(["5.srv", "6[].srv", "7[].srv"]) == {"7[].srv": {0: State.RUNNING}}
    for said in (
        refusal("qstat: cannot connect to server srv (errno=111) Connection refused", 15),
        "",
        "<Job><a></Job>",
        part(0, "R")[:-9],
    ):
        torque, _ = scheduler(tmp_path, qstat=said)
        assert CONTROLLER in torque.testify({"7[].srv": ""}, {}).errors
    torque, _ = scheduler(tmp_path, qstat=refusal("Communication failure.", 1))
    with pytest.raises(TransportError, match="Torque does not answer"):
        torque.queued()


def test_jobs_are_found_by_name(tmp_path: Path) -> None:
    """All at once, an array job by any of its sub-jobs."""
    listed = part(3, "R") + part(4, "Q") + job("9.srv", "Q", Job_Name="tend.1") + job("11.srv", "Q", Job_Name="b")
    torque, transport = scheduler(tmp_path, qstat=listed)
    assert torque.find({NAME: 0.0, "tend.1": 0.0, "gone": 0.0}) == {NAME: "7[].srv", "tend.1": "9.srv"}
    assert transport.calls[0].command == ["qstat", "-x", "-t"]
    assert scheduler(tmp_path, qstat="")[0].find({NAME: 0.0}) == {}


def test_what_is_queued_is_counted_by_index(tmp_path: Path) -> None:
    """One's own."""
    theirs = job("11.srv", "Q", Job_Owner="nobody-else@login")
    torque, _ = scheduler(tmp_path, qstat=part(3, "R") + part(4, "C") + job("9.srv", "Q") + theirs)
    assert torque.queued() == 2


def test_cancelling(tmp_path: Path) -> None:
    """Some by a list; a refusal is said, and what is over is none."""
    torque, transport = scheduler(tmp_path, qdel="")
    torque.cancel("7[].srv", [3, 4, 9])
    torque.cancel("7[].srv")
    assert [call.command for call in transport.calls] == [["qdel", "-t", "3-4,9", "7[].srv"], ["qdel", "7[].srv"]]
    scheduler(tmp_path, qdel=refusal("qdel: Request invalid for state of job 7[].srv", 170))[0].cancel("7[].srv")
    with pytest.raises(SchedulerError, match="Unauthorized"):
        scheduler(tmp_path, qdel=refusal("qdel: Unauthorized Request  7[].srv", 159))[0].cancel("7[].srv")


def test_an_array_is_what_its_sub_jobs_are() -> None:
    """Nothing else is said of it."""
    assert array_of("7[3].srv") == "7[].srv"
    assert array_of("9.srv") == "9.srv"
    for states, whole in [("CC", "F"), ("CR", "B"), ("HH", "H"), ("HC", "H"), ("WW", "W"), ("QH", "B")]:
        known = read_xml("".join(part(index, state) for index, state in enumerate(states)))
        assert known["7[].srv"] == {"Job_Name": NAME, "job_state": whole}


@pytest.mark.parametrize(
    ("elements", "resources", "lines"),
    [
        (4, Resources(), ["-t 0-3%9", "-l nodes=1:ppn=1"]),
        (
            1,
            Resources(8, 16 * GIB, 1, 5400),
            ["-t 0%9", "-l nodes=1:ppn=8:gpus=1", "-l mem=16384mb", "-l walltime=01:30:00"],
        ),
        (2, Resources(2, nodes=2, mpi_tasks=3), ["-t 0-1%9", "-l nodes=1:ppn=4+1:ppn=2"]),
    ],
)
def test_requests_in_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elements: int, resources: Resources, lines: list[str]
) -> None:
    """Nodes and processors of each; memory is of all of them."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    profile = load_profile("generic-torque", tmp_path)
    made = profile.model_copy(update={"limits": profile.limits.model_copy(update={"running_indices": 9})})
    render = ScriptRenderer(made, "/usr/bin/python3", partial(assets.read_template, tmp_path))
    text = render(ArrayJob("train.0", "train", elements, resources))
    said = [line.removeprefix("#PBS ") for line in text.splitlines() if line.startswith(("#PBS -l", "#PBS -t"))]
    assert said == lines


def test_how_many_run_at_once_is_said_and_changed(tmp_path: Path) -> None:
    """Behind the indices, and by `qalter -t` later."""
    torque, transport = scheduler(tmp_path, qalter="")
    assert "0-999%20" in torque.call(submission(tmp_path, *range(1000), throttle=20))
    assert torque.throttle("7[].srv", 20)
    assert transport.calls[0].command == ["qalter", "-t", "%20", "7[].srv"]


def test_its_load_is_that_of_nodes_that_are_there(tmp_path: Path) -> None:
    """Those that are down have no cores; what is no XML is no answer."""
    node = "<Node><name>{}</name><state>{}</state><np>8</np></Node>"
    text = f"<Data>{node.format('n1', 'free')}{node.format('n2', 'down')}{node.format('n3', 'job-exclusive')}</Data>"
    torque, _ = scheduler(tmp_path, pbsnodes=text)
    assert torque.load(is_of_others=False).partitions == {"": PartitionLoad(16)}
    torn, _ = scheduler(tmp_path, pbsnodes="<Node><name></Node>")
    with pytest.raises(SchedulerError, match="no XML"):
        torn.load(is_of_others=False)
