"""What a Torque server allows, as a profile, as far as its sources tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciflow.errors import ProfileError
from sciflow.model.profile import Limits, Partition
from sciflow.schedulers.sites import detect_site
from sciflow.schedulers.torque import TorqueScheduler
from sciflow.transport.base import Answer
from unit.scripted import ScriptedTransport, refusal

VERSION = Answer(0, "", "Version: 6.1.3\nCommit: 34ff845\n")
SERVER = """Server: srv
    server_state = Active
    default_queue = batch
    max_user_queuable = 500
    max_job_array_size = 1000
    pbs_version = 6.1.3
"""
QUEUES = """Queue: batch
    queue_type = Execution
    max_user_queuable = 100
    resources_max.walltime = 24:00:00
    enabled = True
    started = True

Queue: off
    enabled = False
    started = True
"""
NODE = "<Node><name>{0}</name><state>{1}</state><np>64</np><status>ncpus=64,physmem={2}kb</status><gpus>2</gpus></Node>"
NODES = "".join(["<Data>", NODE.format("n1", "free", 128 << 20), NODE.format("n2", "down", 999 << 20), "</Data>"])


def site(nodes: str | Answer = NODES, server: str = SERVER) -> ScriptedTransport:
    """Make a site whose commands answer."""
    return ScriptedTransport(qstat=[VERSION, server, QUEUES], pbsnodes=nodes)


def test_a_site_becomes_a_profile() -> None:
    """It is known by how it tells its version; what is down has no part in it."""
    profile, notes = detect_site(site(), "mine")
    assert (profile.name, profile.scheduler, profile.description) == ("mine", "torque", "the Torque server srv (6.1.3)")
    assert profile.partitions == {
        "batch": Partition(cpu_cores=64, memory_gb=128, gpus=2, nodes=1, max_runtime="24:00:00", default=True)
    }
    assert profile.limits == Limits(indices_per_array=1000, submitted_indices=100)
    assert notes == [
        "Torque forgets jobs that are over within minutes: how they ended is known by their records alone",
        "queue `off` is left out: it takes no jobs",
    ]


@pytest.mark.parametrize("said", [refusal("pbsnodes: Unauthorized Request"), "<Node><a></Node>"])
def test_what_cannot_be_found_out_is_noted(said: str | Answer) -> None:
    """The rest is a profile all the same."""
    profile, notes = detect_site(site(said, "Server: srv\n"), "mine")
    assert notes[1].startswith("nodes are not known: ")
    assert profile.partitions == {"batch": Partition(max_runtime="24:00:00")}
    assert profile.limits == Limits()


def test_a_server_that_does_not_answer_has_no_profile() -> None:
    """Nothing is made up."""
    down = ScriptedTransport(qstat=[VERSION, refusal("qstat: cannot connect to server srv (errno=111)")])
    with pytest.raises(ProfileError, match=r"Torque does not answer: .*cannot connect"):
        detect_site(down, "m")
    with pytest.raises(ProfileError, match="tells of no server"):
        detect_site(site(server="hello\n"), "m")


def test_the_scheduler_knows_its_limits(tmp_path: Path) -> None:
    """Those of the server and of its default queue."""
    transport = ScriptedTransport(qstat=[SERVER, QUEUES])
    assert TorqueScheduler(transport, tmp_path).limits() == Limits(indices_per_array=1000, submitted_indices=100)
