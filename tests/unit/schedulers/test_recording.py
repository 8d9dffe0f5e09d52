import json
from pathlib import Path

import pytest

from sciflow.errors import SciflowError
from sciflow.schedulers.recording import record, replaced, write
from sciflow.schedulers.stand_ins import StandIns
from sciflow.transport.base import Answer
from unit.scripted import ScriptedTransport, refusal

QUEUE = "7|0-3|spin.0.20260101-101500-4a3f1.1|RUNNING|17|18|cn[1-2].uni.edu|None\n"


@pytest.fixture(autouse=True)
def chen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let somebody ask whose name is known."""
    monkeypatch.setattr("getpass.getuser", lambda: "chen")
    monkeypatch.setattr("os.getuid", lambda: 31415)
    monkeypatch.setattr("socket.gethostname", lambda: "login.uni.edu")


def slurm() -> ScriptedTransport:
    """Return a Slurm without accounting's `sacctmgr`."""
    return ScriptedTransport(
        scontrol=[
            "slurm 22.05.8\n",
            "",
            "ClusterName = prometheus\nMaxArraySize = 1001\n",
            "PartitionName=main\n   Nodes=cn[1-2]\n",
        ],
        sinfo="main*|infinite|8|16000|gpu:2|2|up\n",
        squeue=QUEUE,
        sacct=refusal("sacct: error: chen of login.uni.edu: see /etc/slurm/slurm.conf on prometheus\n"),
    )


def test_a_slurm_is_asked_about_its_site_and_the_own_jobs() -> None:
    """Nothing that changes anything, and nothing about others; what is not there is told as well."""
    transport, names = slurm(), StandIns()
    found = {one.name: one for one in record(transport, names)}
    assert list(found) == ["scontrol-config", "scontrol-partition", "sinfo", "squeue", "sacct", "sacctmgr"]
    for call in transport.calls:
        assert call.command[0] in ("scontrol", "sinfo", "squeue", "sacct", "sacctmgr", "qstat")
        assert call.command[0] not in ("squeue", "sacct") or {"--me", "chen"} & set(call.command)
        assert call.command[0] not in ("scontrol", "sacctmgr", "qstat") or {"show", "--version"} & set(call.command)
    assert found["squeue"].answer.out == "7|0-3|job1|RUNNING|17|18|node[1-2]|None\n"
    assert found["scontrol-config"].answer.out == "ClusterName = cluster1\nMaxArraySize = 1001\n"
    assert found["sacct"].answer.err == "sacct: error: user1 of host1: see /path1 on cluster1\n"
    assert "user1" in found["sacct"].command
    assert found["sacctmgr"].answer.code == 127
    assert replaced(names) == "1 × user, 1 × host, 1 × job, 1 × path"


def test_a_pbs_is_asked_the_same() -> None:
    """Of jobs, those that are found under the own name."""
    facts = '"Job_Name": "secret",\n"job_state": "R",\n"Job_Owner": "chen@login.uni.edu"'
    jobs = f'{{\n"Jobs": {{\n"7.pbs.uni.edu": {{\n{facts}\n}}}}}}'
    nodes = '{\n"nodes": {\n"cn1": {\n"state": "free"\n}}}'
    server = '{\n"Server": {\n"pbs.uni.edu": {\n"default_queue": "workq"\n}}}'
    transport = ScriptedTransport(
        qstat=["pbs_version = 23.06.06\n", server, '{\n"Queue": {}}', jobs, "Job Id: 7.pbs.uni.edu\x1fjob_state=R\n"],
        pbsnodes=nodes,
        qselect="7.pbs.uni.edu\n",
    )
    found = {one.name: one for one in record(transport, StandIns())}
    assert list(found) == ["qstat-server", "qstat-queues", "pbsnodes", "qstat-jobs-json", "qstat-jobs-dsv"]
    assert next(call.command for call in transport.calls if call.command[0] == "qselect") == [
        "qselect",
        "-x",
        "-u",
        "chen",
    ]
    everything = json.dumps([one.document() for one in found.values()])
    for name in ("chen", "uni", "edu", "login", "secret", "cn1"):
        assert name not in everything
    assert json.loads(found["qstat-jobs-json"].answer.out)["Jobs"]["7.host2"]["Job_Owner"] == "user1@host1"
    assert found["qstat-jobs-dsv"].command[-1] == "7.host2"


def test_each_answer_is_a_file_with_its_call(tmp_path: Path) -> None:
    """As the tests read them that go by recordings; what is there already is not written over."""
    paths = write(record(slurm(), StandIns()), tmp_path / "new")
    assert [path.name for path in paths][:2] == ["scontrol-config.json", "scontrol-partition.json"]
    assert json.loads(paths[3].read_text()) == {
        "command": "squeue -h --me -t all -o '%F|%K|%j|%T|%S|%e|%N|%r'",
        "version": "slurm 22.05.8",
        "code": 0,
        "out": "7|0-3|job1|RUNNING|17|18|node[1-2]|None\n",
        "err": "",
    }
    with pytest.raises(SciflowError, match="is there already"):
        write([], tmp_path / "new")


def test_a_slurm_that_does_not_answer_is_no_reason_to_ask_nobody() -> None:
    """On a machine with the commands of both, the one is recorded that is there."""
    facts: list[str | Answer] = ["pbs_version = 23.06.06\n", "{}", "{}"]
    both = ScriptedTransport(
        scontrol=["slurm 22.05.8\n", refusal("no controller")], qstat=facts, pbsnodes="{}", qselect=""
    )
    assert [one.name for one in record(both, StandIns())] == ["qstat-server", "qstat-queues", "pbsnodes"]


def test_where_there_is_none() -> None:
    """It says so."""
    with pytest.raises(SciflowError, match="neither Slurm nor PBS"):
        record(ScriptedTransport(), StandIns())
