"""What PBS and Torque are asked about what waits, and how their answers are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sciflow.model.plan import ArrayJob
from sciflow.model.resources import GIB, Resources
from sciflow.schedulers.pbs_server import PbsServer
from sciflow.schedulers.pbs_why import PbsExplainer
from sciflow.schedulers.torque import TorqueScheduler
from sciflow.schedulers.waiting import Trial, Variant
from sciflow.transport.base import Answer
from unit.scripted import ScriptedTransport, refusal

NOW = 1_000_000.0
ARRAY = ArrayJob("solve.0", "solve", 10, Resources(8, 2 * GIB, 0, 36_000))
QUEUE = {
    "state_count": "Transit:0 Queued:12 Held:0 Waiting:0 Running:5 Exiting:0 Begun:0 ",
    "started": "True",
    "max_run": "[u:PBS_GENERIC=5]",
    "resources_max": {"walltime": "20:00:00", "ncpus": 16},
}


def node(cores: int, used: int, state: str = "free") -> dict[str, Any]:
    """Return what `pbsnodes` says of a node with 16 GB."""
    return {
        "state": state,
        "resources_available": {"ncpus": cores, "mem": "16gb"},
        "resources_assigned": {"ncpus": used, "mem": "0kb"},
    }


def asked(comment: str, pbsnodes: str | Answer | None = None, **facts: Any) -> tuple[PbsExplainer, ScriptedTransport]:
    """Make one who is told of a job with a comment."""
    job = {"job_state": "Q", "queue": "workq", "comment": comment, **facts}
    said: list[str | Answer] = [json.dumps({"Jobs": {"7[].srv": job}}), json.dumps({"Queue": {"workq": QUEUE}})]
    said.append(json.dumps({"Server": {"srv": {"max_run": "[o:PBS_ALL=9]"}}}))
    nodes = json.dumps({"nodes": {"n1": node(16, 10), "n2": node(16, 16), "n3": node(16, 0, "down,offline")}})
    transport = ScriptedTransport(qstat=said, pbsnodes=nodes if pbsnodes is None else pbsnodes)
    return PbsExplainer(PbsServer(transport), NOW), transport


def test_what_waits_for_room() -> None:
    """The numbers of its comment apart, what the queue does, and the nodes that have room."""
    explainer, transport = asked("Not Running: Insufficient amount of resource: ncpus (R: 8 A: 6 T: 32)")
    outlook = explainer.look({"7[].srv"}, ARRAY.resources)
    [standing] = outlook.standings
    assert (standing.job, standing.indices, standing.partition) == ("7[].srv", (), "workq")
    assert standing.reason.detail == "cores: 8 asked for, 6 of 32 free"
    assert outlook.facts[standing.job, standing.code] == [
        "queue `workq`: 12 wait, 5 run",
        "6 of 32 cores are free, 0 of 2 nodes have room for one index now; 1 nodes are down or offline",
    ]
    assert transport.programs == ["qstat", "qstat", "pbsnodes"]


def test_a_limit_is_told_as_it_is_written() -> None:
    """That of the queue or of the server, which is asked only then."""
    explainer, transport = asked("Not Running: User has reached queue workq running job limit.")
    facts = next(iter(explainer.look({"7[].srv"}, ARRAY.resources).facts.values()))
    assert "queue `workq`: max_run = [u:PBS_GENERIC=5]" in facts
    assert "queue `workq`: resources_max = walltime: 20:00:00, ncpus: 16" in facts
    explainer, transport = asked("Not Running: Server job limit has been reached.")
    facts = next(iter(explainer.look({"7[].srv"}, ARRAY.resources).facts.values()))
    assert "server: max_run = [o:PBS_ALL=9]" in facts
    assert transport.programs == ["qstat", "qstat", "pbsnodes", "qstat"]


def test_another_request_is_compared_with_nodes_and_queue() -> None:
    """Whether one has room now, whoever comes first; and what the queue would not take."""
    explainer, transport = asked("Not Running: Job would interfere with a top job")
    explainer.look({"7[].srv"}, ARRAY.resources)
    calls = len(transport.calls)
    own = ARRAY.resources
    assert explainer.try_out(ARRAY, 0, Variant("", own)) == Trial(None)
    assert explainer.try_out(ARRAY, 0, Variant("", own._replace(cpu_cores=4))) == Trial(NOW)
    late = own._replace(runtime_seconds=80_000)
    assert explainer.try_out(ARRAY, 0, Variant("", late)).refusal == "queue `workq` allows 20:00:00 of walltime"
    assert len(transport.calls) == calls


def test_what_does_not_answer_is_a_note() -> None:
    """All else is told."""
    explainer, _ = asked("Not Running: Not enough free nodes available", refusal("pbsnodes: no server", 1))
    outlook = explainer.look({"7[].srv"}, ARRAY.resources)
    assert [note.partition(":")[0] for note in outlook.notes] == ["`pbsnodes -a -F json` did not answer"]
    assert next(iter(outlook.facts.values())) == ["queue `workq`: 12 wait, 5 run"]


def test_a_start_that_is_estimated_or_wanted() -> None:
    """By the scheduler, or by whoever has submitted it."""
    moment = "Mon Jan 12 13:46:40 1970"
    explainer, _ = asked("Not Running: x", estimated={"start_time": moment})
    assert explainer.look({"7[].srv"}, ARRAY.resources).standings[0].start == NOW
    explainer, _ = asked("", job_state="W", Execution_Time=moment)
    [standing] = explainer.look({"7[].srv"}, ARRAY.resources).standings
    assert (standing.start, standing.reason.text) == (NOW, "waits for its start time")
    typed = standing.reason.advise(job="7[].srv").advice
    assert typed == "`qalter -a 200001010000 '7[].srv'` lets it start now: a time that has passed"
    explainer, _ = asked("", job_state="H", Hold_Types="u")
    [standing] = explainer.look({"7[].srv"}, ARRAY.resources).standings
    assert standing.reason.advise(job="7[].srv").advice == "`qrls '7[].srv'` lets it go"


def test_torque_tells_of_each_sub_job(tmp_path: Path) -> None:
    """By their comments alone; no other request is tried."""
    text = "".join(
        f"<Data><Job><Job_Id>7[{index}].srv</Job_Id><Job_Name>a-{index}</Job_Name><job_state>Q</job_state>"
        f"<job_array_id>{index}</job_array_id><comment>Not Running: Not enough of the right type of nodes available"
        "</comment></Job></Data>\n"
        for index in (3, 4)
    )
    transport = ScriptedTransport(qstat=text)
    explainer = TorqueScheduler(transport, tmp_path).explainer()
    standings = explainer.look({"7[].srv"}, ARRAY.resources).standings
    assert [(one.job, one.indices) for one in standings] == [("7[].srv", (3,)), ("7[].srv", (4,)), ("7[].srv", ())]
    assert {one.reason.text for one in standings[:2]} == {"waits for free cores, memory or GPUs"}
    assert (explainer.estimates, transport.programs) == ("", ["qstat"])
