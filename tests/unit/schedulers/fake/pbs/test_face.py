"""What a job of PBS finds on its node, as it is really run."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.nodes import make_nodes
from sciflow.schedulers.fake.pbs.face import PBS
from sciflow.schedulers.fake.pbs.site import pbs_rules
from sciflow.schedulers.fake.real import RealBody
from sciflow.schedulers.fake.transport import VirtualTransport

SCRIPT = """#!/bin/bash
#PBS -N look
#PBS -j oe
#PBS -k oed
echo "$PWD $PBS_JOBID $PBS_ARRAY_ID $PBS_ARRAY_INDEX $PBS_O_WORKDIR $PBS_ENVIRONMENT"
echo "$NCPUS ${SECRET-none} ${GIVEN-none}"
"""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VirtualCluster:
    """Return a cluster that really runs jobs, whose home is a folder of this test."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SECRET", "seen")
    return VirtualCluster(make_nodes(1, 4, 4), RealBody(), PBS, VirtualClock(), pbs_rules())


def run(cluster: VirtualCluster, folder: Path, script: str, *options: str) -> str:
    """Submit a script and let it end; gives its output."""
    (folder / "look.sh").write_text(script)
    answer = VirtualTransport(cluster).run(["qsub", *options, "-o", str(folder / "out"), "look.sh"], folder)
    assert answer.code == 0, answer.err
    cluster.run()
    return (folder / "out").read_text()


def test_a_job_starts_at_home_with_nothing_of_who_submits(cluster: VirtualCluster, tmp_path: Path) -> None:
    """But for what it is told, and what was sent along."""
    said = run(cluster, tmp_path, SCRIPT, "-J", "4-5:2", "-v", "GIVEN=1", "-l", "select=1:ncpus=2").split()
    assert said == [
        *(str(tmp_path / "home"), "101[4].virtual", "101[].virtual", "4", str(tmp_path), "PBS_BATCH"),
        *("2", "none", "1"),
    ]


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("exit 3", 3),
        ("kill -9 $$", 137),  # the login shell above it says so
        ("no-such-command", 127),
        ("exit 0", 0),
    ],
)
def test_how_scripts_end(cluster: VirtualCluster, tmp_path: Path, script: str, status: int) -> None:
    """By a signal as by a code."""
    run(cluster, tmp_path, f"#PBS -k oed -j oe\n{script}\n")
    facts = VirtualTransport(cluster).run(["qstat", "-x", "-f", "101"]).out
    assert f"Exit_status = {status}\n" in facts


def test_all_of_a_job_is_told_to_end(cluster: VirtualCluster, tmp_path: Path) -> None:
    """Not its script alone; and it has its time."""
    script = "#PBS -k oed -j oe\n(trap 'echo child; exit' TERM; touch ready; while :; do sleep 0.01; done) &\nwait\n"
    (tmp_path / "look.sh").write_text(f"#PBS -v X=1\n{script}".replace("touch ready", f"touch {tmp_path}/ready"))
    transport = VirtualTransport(cluster)
    transport.run(["qsub", "-o", str(tmp_path / "out"), "look.sh"], tmp_path)
    cluster.run(until=lambda: (tmp_path / "ready").exists())
    transport.run(["qdel", "101"])
    cluster.run()
    assert (tmp_path / "out").read_text().split().count("child") == 1
    assert "Exit_status = 271\n" in transport.run(["qstat", "-x", "-f", "101"]).out


def test_without_a_folder_for_its_output(cluster: VirtualCluster, tmp_path: Path) -> None:
    """A job whose output is brought there at its end runs, and that is lost; one that writes there is held at last."""
    (tmp_path / "s.sh").write_text("echo lost\ntouch ran\n")
    transport = VirtualTransport(cluster)
    for options in ([], ["-k", "oed"]):
        transport.run(["qsub", *options, "-j", "oe", "-o", str(tmp_path / "no/where"), "s.sh"], tmp_path)
    cluster.run()
    assert (tmp_path / "home" / "ran").exists()
    ended, held = (transport.run(["qstat", "-x", "-f", job]).out for job in ("101", "102"))
    assert "Exit_status = 0\n" in ended
    assert [
        line.strip() for line in held.splitlines() if any(word in line for word in ("state =", "run_c", "comm"))
    ] == [
        *("job_state = H", "substate = 20", "comment = job held, too many failed attempts to run", "run_count = 21"),
    ]
    assert "Exit_status = -3\n" in held
    assert transport.run(["qrls", "102"]).code == 0
    assert "job_state = H\n" in transport.run(["qstat", "-x", "-f", "102"]).out
