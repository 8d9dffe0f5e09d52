from dataclasses import replace

import pytest

from sciflow.model.profile import Limits
from sciflow.model.statement import CONTROLLER
from sciflow.schedulers.slurm import read_limits
from sciflow.schedulers.slurm_limits import limits_command, read_limit
from sciflow.schedulers.slurm_reasons import reason_of
from unit.schedulers.fake.slurm.conftest import Terminal


def test_the_configuration_is_read_by_sciflow(terminal: Terminal) -> None:
    """How large an array job may be, and how long who is told to end has."""
    text = terminal.type("scontrol", "show", "config").out
    assert read_limits(text) == Limits(highest_index=10_000, seconds_to_kill=30)
    assert text.startswith("Configuration data as of 2026-11-25T03:28:12\n")
    assert "ClusterName             = virtual\n" in text


def test_a_job_is_shown(terminal: Terminal) -> None:
    """One record for each index that has started, and one for the rest; on one line each where that is asked for."""
    terminal.body.codes = {("first", 0): 137}
    terminal.submit("--array=0-4%2", "--mem=300", "-o", "%x.%a", "--comment=x y", name="first")
    terminal.run(605.0)
    lines = terminal.says("scontrol", "-o", "show", "job", "1")
    assert [line.split()[:4] for line in lines] == [
        [f"JobId={raw}", "ArrayJobId=1", f"ArrayTaskId={one}", "ArrayTaskThrottle=2"]
        for raw, one in (("1000000", 0), ("1000001", 1), ("1000002", 2), ("1000003", 3), ("1", "4%2"))
    ]
    assert " JobState=FAILED Reason=NonZeroExitCode Dependency=(null) " in lines[0]
    assert " ExitCode=137:0 " in lines[0]
    assert f" StdOut={terminal.folder}/first.0 " in lines[0]
    [block] = terminal.type("scontrol", "show", "job", "1_4").out.strip().split("\n\n")
    assert "\n   JobState=PENDING Reason=JobArrayTaskLimit Dependency=(null)\n" in block
    assert len(terminal.says("scontrol", "-o", "show", "jobs")) == 5
    assert terminal.complains("scontrol", "show", "job", "9") == (
        1,
        ["slurm_load_jobs error: Invalid job id specified"],
    )
    assert terminal.complains("scontrol", "show", "job", "1_9") == (1, ["Job 1_9 not found"])


def test_nodes_and_partitions_are_shown(terminal: Terminal) -> None:
    """With all that they have, and what of it is taken."""
    terminal.submit("-c", "3", "--mem=1G", "-x", "n2")
    terminal.run(1.0)
    [line] = terminal.says("scontrol", "-o", "show", "node", "n1")
    for word in ("CPUAlloc=3", "CPUTot=8", "Gres=gpu:2", "RealMemory=16000", "AllocMem=1024", "State=MIXED"):
        assert f" {word} " in line
    assert len(terminal.says("scontrol", "-o", "show", "nodes")) == 2
    [line] = terminal.says("scontrol", "-o", "show", "partition", "short")
    for word in ("MaxTime=12:00:00", "Nodes=n[1-2]", "State=UP", "TotalCPUs=16", "Default=NO"):
        assert f" {word} " in line
    assert terminal.complains("scontrol", "show", "node", "n9") == (1, ["Node n9 not found"])
    assert terminal.complains("scontrol", "show", "partition", "x") == (1, ["Partition x not found"])
    assert terminal.says("scontrol", "show", "hostnames", "n[1-2],x") == ["n1", "n2", "x"]
    assert terminal.says("scontrol", "show", "hostlist", "n1,n2,x") == ["n[1-2],x"]


def test_hold_release_and_requeue(terminal: Terminal) -> None:
    """What waits can be held, what runs or has ended can be put back."""
    terminal.body.code = 3
    job = terminal.submit("--hold")
    command = ("squeue", "-h", "-t", "all", "-o", "%T %r", "-j", job)
    terminal.run(1.0)
    assert terminal.complains("scontrol", "requeue", job) == (1, ["1: Job is pending execution"])
    assert terminal.says("scontrol", "release", job) == []
    terminal.run(601.0)
    assert terminal.says(*command) == ["FAILED NonZeroExitCode"]
    assert terminal.says("scontrol", "requeue", job) == []
    assert terminal.says(*command) == ["PENDING BeginTime"]
    assert terminal.says("scontrol", "hold", job) == []
    assert terminal.says(*command) == ["PENDING JobHeldUser"]
    words = ["Invalid job id specified for job 9", "slurm_suspend error: Invalid job id specified"]
    assert terminal.complains("scontrol", "hold", "9") == (1, words)


def test_what_can_be_changed(terminal: Terminal) -> None:
    """Throttle, limit, name, place in the queue, start and what it waits for."""
    other = terminal.submit("--hold")
    job = terminal.submit("--array=0-5%1", "--hold", "-t", "10")
    words = (
        "ArrayTaskThrottle=0",
        "TimeLimit=+5",
        "Name=new",
        "Nice=7",
        f"Dependency=afterok:{other}",
        "Partition=short",
    )
    assert terminal.says("scontrol", "update", f"JobId={job}", *words) == []
    form = ("squeue", "-h", "-o", "%K %l %j %y %E %P", "-j", job)
    assert terminal.says(*form) == ["0-5 15:00 new 7 afterok:1(unfulfilled) short"]
    later = terminal.submit("--begin=now+1hour")
    assert terminal.says("scontrol", "update", f"job={later}", "StartTime=now") == []
    terminal.run(1.0)
    assert terminal.says("squeue", "-h", "-o", "%T", "-j", later) == ["RUNNING"]


def test_a_limit_that_is_lowered_ends_what_runs(terminal: Terminal) -> None:
    """And one that is raised is for an administrator to raise."""
    job = terminal.submit("-t", "60")
    terminal.run(1.0)
    assert terminal.complains("scontrol", "update", f"jobid={job}", "timelimit=90")[0] == 1
    assert terminal.says("scontrol", "update", f"jobid={job}", "EndTime=now+2") == []
    terminal.run(20.0)
    assert terminal.says("squeue", "-h", "-t", "all", "-o", "%T %M") == ["TIMEOUT 0:15"]


def test_nodes_and_partitions_are_changed_by_root_only(terminal: Terminal) -> None:
    """Down, drained, and back again."""
    change = ("scontrol", "update", "nodename=n[1-2]")
    look = ("sinfo", "-h", "-p", "main", "-o", "%T %a %E")
    assert terminal.complains(*change, "state=down", "reason=x") == (1, ["slurm_update error: Invalid user id"])
    assert terminal.type(*change, "state=drain", number=0).code == 1
    assert terminal.says(*change, "state=drain", "reason=broken fan", number=0) == []
    assert terminal.says(*look) == ["drained up broken fan"]
    assert terminal.says("sinfo", "-h", "-R", "-p", "main", "-o", "%E %N") == ["broken fan n[1-2]"]
    assert terminal.says(*change, "state=down", "reason=x", number=0) == []
    assert terminal.says(*change, "state=resume", number=0) == []
    assert terminal.says(*look) == ["idle up none"]
    assert terminal.says("scontrol", "update", "PartitionName=main", "State=DOWN", number=0) == []
    assert terminal.says(*look) == ["idle down none"]
    job = terminal.submit()
    terminal.run(1.0)
    assert terminal.says("squeue", "-h", "-o", "%r", "-j", job) == ["PartitionDown"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("foo", "invalid keyword: foo"),
        ("show", "too few arguments for keyword:show"),
        ("hold", "too few arguments for keyword:hold"),
        ("update foo=3", "No valid entity in update command"),
        ("update jobid=1", "No changes specified"),
        ("update jobid=1 foo=3", "Update of this parameter is not supported: foo=3"),
        ("update jobid=9 nice=3", "Invalid job id specified for job 9"),
        ("update jobid=1 dependency=foo:1", "Job dependency problem for job 1"),
        ("update jobid=2 dependency=foo:1", "2_0-3: Job dependency problem"),
        ("update jobid=2 timelimit=x", "scontrol: error: Invalid TimeLimit value"),
        ("update jobid=1 nice=-3", "Access/permission denied for job 1"),
        ("update jobid=1 starttime=foo", "Invalid time specification (pos=0): foo"),
    ],
)
def test_complaints(terminal: Terminal, words: str, complaint: str) -> None:
    """In the words of Slurm."""
    terminal.submit("--hold")
    terminal.submit("--hold", "--array=0-3")
    code, lines = terminal.complains("scontrol", *words.split())
    assert (code, lines[0]) == (1, complaint)


def test_silence(terminal: Terminal) -> None:
    """A controller that does not answer is down."""
    assert terminal.says("scontrol", "ping") == ["Slurmctld(primary) at virtual is UP"]
    terminal.cluster.faults.silence(CONTROLLER, 60.0)
    said = terminal.type("scontrol", "ping")
    assert (said.code, said.out) == (1, "Slurmctld(primary) at virtual is DOWN\n")
    words = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)"
    assert terminal.complains("scontrol", "show", "job", "1") == (1, [words])


def test_limits_are_read_by_sciflow(terminal: Terminal) -> None:
    """That of cores of one's own, with what is used; none is told where there is none."""
    limit = reason_of("QOSMaxCpuPerUserLimit").limit
    assert limit is not None
    text = terminal.type(*limits_command(limit, "project", "normal")).out
    assert read_limit(text, limit, "normal", "chen", 1001) == ""
    terminal.cluster.rules = replace(terminal.cluster.rules, running_cores=4)
    terminal.submit("-c3", "--array=0-1")
    terminal.run(1.0)
    text = terminal.type(*limits_command(limit, "project", "normal")).out
    assert read_limit(text, limit, "normal", "chen", 1001) == "limit 4, 3 in use"
