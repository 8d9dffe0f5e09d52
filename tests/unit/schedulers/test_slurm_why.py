"""What Slurm is asked about what waits, and how its answers are read."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from sciflow.errors import SchedulerError
from sciflow.model.plan import ArrayJob, Wave
from sciflow.model.resources import GIB, Resources
from sciflow.schedulers.slurm_why import SlurmExplainer, read_nodes, read_trial, trial_command
from sciflow.schedulers.waiting import Gap, Trial, Variant
from sciflow.transport.base import Answer
from unit.scripted import ScriptedTransport, refusal

NOW = 1_000_000.0
QUEUE = f"""\
welcome to the cluster
7|0-3|main|lab|normal|900|4|{int(NOW) + 600}|Resources
9|N/A|main|lab|normal|800|2|N/A|Priority
12|[2-9%2]|main|lab|normal|700|4|N/A|Priority
13|0-4|main,fat|lab|tight|600|1|N/A|QOSMaxCpuPerUserLimit
14|5|main|lab|normal|0|1|N/A|JobHeldUser
"""
NODE = "NodeName={} CPUAlloc={} CPUEfctv=8 CPUTot=8 RealMemory=16000 AllocMem=8000 State={} Partitions=main,fat OS=x\n"
NODES = NODE.format("n1", 5, "MIXED") + NODE.format("n2", 8, "ALLOCATED") + NODE.format("n3", 0, "IDLE+DRAIN")
QOS = "QOS=tight(2) GrpTRES=cpu=3(2) User Limits= {}={{MaxTRESPU=cpu=2(2)}}\n"
ARRAY = ArrayJob("relax.0", "relax", 10, Resources(4, 2 * GIB, 0, 36_000))


def explainer(**answers: str | Answer | list[str | Answer]) -> tuple[SlurmExplainer, ScriptedTransport]:
    """Make one that hears these answers."""
    transport = ScriptedTransport(**answers)
    return SlurmExplainer(transport, Path("/run"), lambda: NOW), transport


def test_what_is_seen_of_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reasons of one's own jobs, who comes first, free nodes, the gap before the first, and the value of a limit."""
    monkeypatch.setattr("os.getuid", lambda: 77)
    monkeypatch.setenv("LOGNAME", "ann")
    asked, transport = explainer(squeue=QUEUE, scontrol=[NODES, QOS.format(77)])
    outlook = asked.look({"12", "13", "14"}, Resources(4, GIB))
    assert [(one.job, one.indices, one.code) for one in outlook.standings] == [
        ("12", (2, 3, 4, 5, 6, 7, 8, 9), "Priority"),
        ("13", (0, 1, 2, 3, 4), "QOSMaxCpuPerUserLimit"),
        ("14", (5,), "JobHeldUser"),
    ]
    assert outlook.facts["12", "Priority"] == [
        "partition `main`: 3 of 16 cores are free, 0 of 2 nodes have room for one index now, "
        "1 nodes are down, drained or reserved",
        "2 jobs with 5 indices and 18 cores in all come first",
    ]
    assert outlook.facts["13", "QOSMaxCpuPerUserLimit"] == ["QOS `tight`, CPUs of yours: limit 2, 2 in use"]
    assert outlook.gaps == {"main": Gap(NOW + 600, 3, 8000 * 1024**2)}
    assert outlook.notes == []
    assert transport.programs == ["squeue", "scontrol", "scontrol"]


def test_what_does_not_answer_is_a_note() -> None:
    """All else is told as far as it is known."""
    asked, _ = explainer(squeue=QUEUE, scontrol=refusal("Access/permission denied"))
    outlook = asked.look({"12", "13"}, Resources())
    assert len(outlook.standings) == 2
    assert outlook.facts["13", "QOSMaxCpuPerUserLimit"][0].endswith(
        "it may be that of an account or partition above it"
    )
    assert outlook.notes == [
        "`scontrol -o show …` did not answer: Access/permission denied",
        "`scontrol -o show …` did not answer: Access/permission denied",
    ]
    asked, _ = explainer()
    assert asked.look({"12"}, Resources()).standings == []


def test_nothing_waits_for_room_and_no_node_is_asked_for() -> None:
    """One question is enough then."""
    asked, transport = explainer(squeue=QUEUE)
    assert asked.look({"14"}, Resources()).facts == {("14", "JobHeldUser"): []}
    assert transport.programs == ["squeue"]


def test_a_trial_submits_nothing() -> None:
    """Each names one index, and says `--test-only`; what stays as it is stands in the script."""
    own = ARRAY.resources
    assert trial_command(ARRAY, 3, Variant("as it is", own), Path("/run"), NOW) == [
        *("sbatch", "--test-only", "--array=3", "scripts/relax.0.sh"),
    ]
    other = Variant("other", Resources(2, GIB, 0, 5_400), "short")
    assert trial_command(ARRAY, 3, other, Path("/run"), NOW) == [
        *("sbatch", "--test-only", "--array=3", "--cpus-per-task=2", "--mem=1024M", "--time=01:30:00"),
        *("--partition=short", "scripts/relax.0.sh"),
    ]
    begin = datetime.fromtimestamp(NOW + 60, timezone.utc)
    waves = ArrayJob("w.0", "w", 4, own, waves=(Wave(0, 2, None), Wave(2, 2, begin)))
    assert f"--begin=uts{int(NOW) + 60}" in trial_command(waves, 3, Variant("", own), Path("/run"), NOW)
    assert not any(one.startswith("--begin") for one in trial_command(waves, 0, Variant("", own), Path("/run"), NOW))


def test_how_a_trial_is_answered() -> None:
    """A time in either form, or a refusal."""
    says = "sbatch: Job 8 to start at {} using 1 processors on nodes n1 in partition main"
    asked, transport = explainer(sbatch=[Answer(0, "", says.format("1000600")), refusal("allocation failure: No way")])
    assert asked.try_out(ARRAY, 0, Variant("", ARRAY.resources)) == Trial(1_000_600.0)
    assert asked.try_out(ARRAY, 0, Variant("", ARRAY.resources)) == Trial(refusal="No way")
    assert all("--test-only" in call.command for call in transport.calls)
    moment = datetime.fromtimestamp(1_000_600)
    assert read_trial(Answer(0, "", says.format(moment.isoformat()))).start == 1_000_600.0


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (Answer(0, "Submitted batch job 77\n", ""), "seems to have submitted job 77"),
        (Answer(0, "77\n", ""), "seems to have submitted job 77"),
        (Answer(0, "", "what?"), "answered .what"),
        (refusal("allocation failure: Unable to contact slurm controller (connect failure)"), "did not answer"),
    ],
)
def test_what_is_no_answer_to_a_trial(answer: Answer, complaint: str) -> None:
    """Above all that of a site's own `sbatch`, which may know nothing of trials."""
    with pytest.raises(SchedulerError, match=complaint):
        read_trial(answer)


def test_nodes_that_are_out() -> None:
    """By all that their states can say."""
    states = ("DOWN*", "IDLE+DRAIN", "MIXED+MAINT", "IDLE+NOT_RESPONDING", "IDLE+POWERED_DOWN", "RESERVED")
    assert all(node.is_out for node in read_nodes("".join(NODE.format("n", 0, one) for one in states)))
    assert not any(
        node.is_out for node in read_nodes("".join(NODE.format("n", 0, one) for one in ("IDLE", "MIXED+PLANNED")))
    )
