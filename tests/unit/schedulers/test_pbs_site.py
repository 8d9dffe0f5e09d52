"""What a PBS server allows, as a profile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import ProfileError, TransportError
from sciflow.model.profile import Limits, Partition
from sciflow.schedulers.pbs import PbsScheduler
from sciflow.schedulers.pbs_site import detect_site, gigabytes, limits_of, most_queued, read_partitions, seconds_of
from sciflow.transport.base import Answer
from unit.scripted import ScriptedTransport, refusal

OPEN = {"queue_type": "Execution", "enabled": "True", "started": "True"}
SERVER = {"default_queue": "workq", "pbs_version": "23.06.06", "job_history_enable": "True"}


def node(**available: Any) -> dict[str, Any]:
    """Make what is said of a node."""
    return {"state": "free", "resources_available": {"ncpus": 32, "mem": "64gb", **available}}


def site(
    server: dict[str, Any] | None = None,
    queues: dict[str, Any] | None = None,
    nodes: dict[str, Any] | Answer | None = None,
) -> ScriptedTransport:
    """Make a site whose commands answer."""
    told = nodes if isinstance(nodes, Answer) else json.dumps({"nodes": {"n1": node()} if nodes is None else nodes})
    return ScriptedTransport(
        qstat=[
            json.dumps({"Server": {"srv": SERVER if server is None else server}}),
            json.dumps({"Queue": {"workq": OPEN} if queues is None else queues}),
        ],
        pbsnodes=told,
    )


def test_a_site_becomes_a_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three questions, and all that they tell."""
    monkeypatch.setenv("LOGNAME", "ann")
    server = {**SERVER, "max_array_size": 2000, "max_queued": "[u:PBS_GENERIC=500]"}
    queues = {
        "workq": {**OPEN, "kill_delay": 30, "max_array_size": 1000},
        "short": {**OPEN, "resources_max": {"walltime": "01:30:00", "ncpus": 8}},
    }
    transport = site(
        server, queues, {"n1": node(), "n2": node(ncpus=64, ngpus=4), "n3": {**node(), "state": "offline"}}
    )
    profile, notes = detect_site(transport, "mine")
    assert notes == []
    assert (profile.name, profile.scheduler, profile.description) == ("mine", "pbs", "the PBS server srv (23.06.06)")
    assert profile.partitions == {
        "workq": Partition(cpu_cores=64, memory_gb=64, gpus=4, nodes=2, default=True),
        "short": Partition(cpu_cores=8, memory_gb=64, gpus=4, nodes=2, max_runtime="01:30:00"),
    }
    assert profile.partitions["short"].runtime_seconds == 5400
    assert profile.limits == Limits(indices_per_array=1000, submitted_indices=500, seconds_to_kill=30)
    assert [call.command for call in transport.calls] == [
        ["qstat", "-B", "-f", "-F", "json"],
        ["qstat", "-Q", "-f", "-F", "json"],
        ["pbsnodes", "-a", "-F", "json"],
    ]


def test_the_scheduler_knows_its_limits() -> None:
    """PBS's own default where nothing is said."""
    assert PbsScheduler(site(), Path()).limits() == Limits(indices_per_array=10_000)


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("", None),
        ("[u:PBS_GENERIC=3]", 3),
        ("[u:PBS_GENERIC=3], [u:ann=50]", 50),
        ("[u:PBS_GENERIC=300],[o:PBS_ALL=100]", 100),
        ("[o:PBS_ALL=100]", 100),
        ("[g:staff=5]", None),
    ],
)
def test_what_a_user_may_have_queued(text: str, most: int | None) -> None:
    """A limit of one's own goes before that of all; that of all together holds as well."""
    assert most_queued({"max_queued": text}, "ann") == most


def test_the_server_and_its_default_queue_both_limit() -> None:
    """The smaller one counts."""
    server, queue = {"max_queued": "[u:PBS_GENERIC=30]"}, {"max_queued": "[u:PBS_GENERIC=3]", "max_array_size": 50}
    assert limits_of(server, queue, "ann") == Limits(indices_per_array=50, submitted_indices=3)
    assert limits_of({}, {"kill_delay": 0}, "ann") == Limits(indices_per_array=10_000)


def test_queues_that_take_nothing_of_yours_are_left_out() -> None:
    """With the reason, which is noted; and what one more of them takes than the default one."""
    queues = {
        "workq": OPEN,
        "disabled": {**OPEN, "enabled": "False"},
        "stopped": {**OPEN, "started": "False"},
        "inner": {**OPEN, "from_route_only": "True"},
        "theirs": {**OPEN, "acl_user_enable": "True", "acl_users": "bob@*,eve"},
        "mine": {**OPEN, "acl_user_enable": "True", "acl_users": "bob,ann@srv"},
        "small": {**OPEN, "max_queued": "[u:PBS_GENERIC=3]"},
    }
    notes: list[str] = []
    found = read_partitions(SERVER, queues, [node()], "ann", notes)
    assert sorted(found) == ["mine", "small", "workq"]
    assert notes == [
        "queue `disabled` is left out: it takes no jobs",
        "queue `stopped` is left out: it is stopped",
        "queue `inner` is left out: it takes jobs from other queues only",
        "queue `theirs` is left out: it is not open to you",
        "queue `small` takes 3 of your indices: say so as `submitted_indices` if you use it",
    ]


def test_a_queue_may_have_nodes_of_its_own() -> None:
    """The others share those that are nobody's."""
    nodes = [node(), node(), {**node(ncpus=128, mem="1tb"), "queue": "fat"}]
    found = read_partitions(SERVER, {"workq": OPEN, "fat": OPEN}, nodes, "ann", [])
    assert (found["workq"].cpu_cores, found["workq"].nodes) == (32, 2)
    assert (found["fat"].cpu_cores, found["fat"].memory_gb, found["fat"].nodes) == (128, 1024, 1)


def test_bounds_of_the_server_hold_for_queues_that_say_nothing() -> None:
    """Also where the nodes are not known."""
    server = {**SERVER, "resources_max": {"walltime": "24:00:00", "mem": "16gb"}}
    queues = {"workq": OPEN, "long": {**OPEN, "resources_max": {"walltime": "168:00:00"}}}
    assert read_partitions(server, queues, [], "ann", []) == {
        "workq": Partition(memory_gb=16, max_runtime="24:00:00", default=True),
        "long": Partition(memory_gb=16, max_runtime="168:00:00"),
    }


def test_what_cannot_be_found_out_is_noted() -> None:
    """Nodes may be nobody's business; a server without history is told of."""
    profile, notes = detect_site(site({"default_queue": "workq"}, nodes=refusal("pbsnodes: Unauthorized Request")), "m")
    assert notes == [
        "nodes are not known: pbsnodes: Unauthorized Request",
        "the server forgets jobs that are over: how they ended is known by their records alone",
    ]
    assert profile.description == "the PBS server srv"
    assert profile.partitions == {"workq": Partition(default=True)}


def test_a_server_that_does_not_answer_has_no_profile() -> None:
    """Nothing is made up."""
    down = ScriptedTransport(qstat=refusal("qstat: cannot connect to server srv (errno=15010)", 255))
    with pytest.raises(ProfileError, match=r"PBS does not answer: .*cannot connect"):
        detect_site(down, "m")
    with pytest.raises(TransportError):
        PbsScheduler(down, Path()).limits()
    with pytest.raises(ProfileError, match="answers no JSON with `Server` in it"):
        detect_site(ScriptedTransport(qstat="Server: srv\n"), "m")


@pytest.mark.parametrize(
    ("text", "size"),
    [("64gb", 64), ("263761284kb", 251.542), ("512mb", 0.5), (1 << 30, 1), ("2tb", 2048), ("1gw", 8), ("much", 0)],
)
def test_amounts_of_memory(text: str | int, size: float) -> None:
    """A plain number is one of bytes."""
    assert gigabytes(text) == size


@pytest.mark.parametrize(
    ("text", "seconds"), [("100:00:00", 360_000), ("90:00", 5400), ("01:00", 60), (3600, 3600), ("00:00:00.5", 0)]
)
def test_walltimes(text: str | int, seconds: int) -> None:
    """`01:00` is a minute, and hours have no bound."""
    assert seconds_of(text) == seconds
