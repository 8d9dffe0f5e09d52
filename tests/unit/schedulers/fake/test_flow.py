import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.faults import Chances
from sciflow.schedulers.fake.flow import Flow, Pace, Turn
from sciflow.schedulers.fake.nodes import make_nodes
from sciflow.schedulers.fake.real import RealBody
from sciflow.schedulers.fake.slurm.face import SLURM
from unit.schedulers.fake.conftest import MINUTE, Sleeping

BEGIN = 1_000_000.0


class Tank:
    """A cluster of one node with two cores, in some flow."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.flows: list[Flow] = []

    def flow(self, pace: Pace, body: Sleeping | RealBody | None = None) -> Flow:
        """Let time flow."""
        cluster = VirtualCluster(make_nodes(1, 2, 4), body or Sleeping(), SLURM, VirtualClock(BEGIN))
        self.flows.append(Flow(cluster, pace))
        return self.flows[-1]

    def submit(self, flow: Flow, name: str, script: str = "") -> None:
        """Submit a job, as a command does."""
        path = self.folder / f"{name}.sh"
        path.write_text(f"#!/bin/bash\n{script}\n")
        call = Call(("sbatch", f"--job-name={name}", path.name), self.folder, {"PATH": "/usr/bin:/bin"})
        assert flow.answer(call).code == 0

    def close(self) -> None:
        """Stop all."""
        for flow in self.flows:
            flow.close()
            if isinstance(flow.cluster.body, RealBody):
                flow.cluster.body.close()


@pytest.fixture
def tank(tmp_path: Path) -> Iterator[Tank]:
    """Return a tank, which is emptied at the end."""
    made = Tank(tmp_path)
    yield made
    made.close()


def words(flow: Flow) -> list[str]:
    """All states, by job and index."""
    with flow.turn:
        return [index.word for job in flow.cluster.jobs.values() for index in job.indices.values()]


def test_time_stands_still_until_somebody_moves_it(tank: Tank) -> None:
    """Nothing starts by itself; it ends when its time has come, and idleness is reached at the last end."""
    flow = tank.flow("still")
    tank.submit(flow, "one")
    assert words(flow) == ["PENDING"]
    flow.advance(10 * MINUTE - 1)
    assert (words(flow), flow.cluster.clock()) == (["RUNNING"], BEGIN + 10 * MINUTE - 1)
    flow.advance(1)
    assert words(flow) == ["COMPLETED"]
    tank.submit(flow, "two")
    flow.run_until_idle()
    assert (words(flow), flow.cluster.clock()) == (["COMPLETED"] * 2, BEGIN + 20 * MINUTE)


def test_a_fast_cluster_goes_on_by_itself(tank: Tank) -> None:
    """From one event to the next, in no time; and no further than the last end."""
    flow = tank.flow("fast")
    for name in ("one", "two", "three"):
        tank.submit(flow, name)
    flow.run_until_idle(60.0)
    assert words(flow) == ["COMPLETED"] * 3
    assert flow.cluster.clock() <= BEGIN + 30 * MINUTE


def test_real_time_flows_by_itself(tank: Tank) -> None:
    """Virtual seconds are as long as real ones: what takes minutes has not ended, what takes none has."""
    body = Sleeping()
    body.seconds = 0.05
    began = time.monotonic()
    flow = tank.flow("real", body)
    tank.submit(flow, "short")
    flow.run_until_idle(60.0)
    assert words(flow) == ["COMPLETED"]
    assert 0.05 <= flow.cluster.clock() - BEGIN <= time.monotonic() - began
    body.seconds = 10 * MINUTE
    tank.submit(flow, "long")
    with pytest.raises(TimeoutError, match=r"not ended within 0\.1 s: long"):
        flow.run_until_idle(0.1)
    assert words(flow)[-1] == "RUNNING"


@pytest.mark.parametrize("pace", ["still", "fast", "real"])
def test_scripts_really_run_at_every_pace(tank: Tank, pace: Pace) -> None:
    """And while they do, virtual time passes as real time does."""
    flow = tank.flow(pace, RealBody())
    tank.submit(flow, "job", "sleep 0.2; exit 3")
    flow.run_until_idle(60.0)
    [index] = flow.cluster.jobs["101"].indices.values()
    assert (index.word, index.code) == ("FAILED", 3)
    assert index.start is not None
    assert index.end is not None
    assert 0.1 <= index.end - index.start < 60.0


def test_advancing_gives_scripts_their_time(tank: Tank) -> None:
    """An hour passes, and a script has as much of it as it really takes: it does not run into its limit."""
    flow = tank.flow("still", RealBody())
    tank.submit(flow, "job", "#SBATCH --time=00:05:00\nsleep 0.1")
    flow.advance(3600.0)
    assert words(flow) == ["COMPLETED"]
    assert flow.cluster.clock() == BEGIN + 3600.0


def test_a_job_that_waits_for_ever_is_not_waited_for(tank: Tank) -> None:
    """It is idle when nothing more will happen that anybody waits for: what comes by chance comes for ever."""
    flow = tank.flow("still")
    flow.cluster.faults.let_loose(flow.cluster, Chances(node_dies=1.0))
    tank.submit(flow, "held", "#SBATCH --hold")
    flow.run_until_idle(60.0)
    assert words(flow) == ["PENDING"]


def test_who_changes_something_wakes_a_fast_cluster(tank: Tank) -> None:
    """It does not wait for a command to look at its nodes again."""
    flow = tank.flow("fast")
    with flow.changing() as cluster:
        cluster.kill_node("n1")
    tank.submit(flow, "one")
    flow.run_until_idle(60.0)
    assert words(flow) == ["PENDING"]
    over = threading.Event()
    flow.cluster.listeners.append(lambda what, _: over.set() if what == "ended" else None)
    with flow.changing() as cluster:
        cluster.revive_node("n1")
    assert over.wait(60.0)
    assert words(flow) == ["COMPLETED"]


def test_a_turn_can_be_given_away() -> None:
    """However often it was taken; who does not hold it gives nothing away."""
    turn, others = Turn(), []

    def take() -> None:
        with turn:
            others.append(len(others))

    with turn, turn:
        thread = threading.Thread(target=take)
        thread.start()
        assert not others
        with turn.given_away():
            thread.join(60.0)
            assert others == [0]
        other = threading.Thread(target=take)
        other.start()
        assert others == [0]
    other.join(60.0)
    assert others == [0, 1]
    with turn.given_away():
        take()
    assert others == [0, 1, 2]
