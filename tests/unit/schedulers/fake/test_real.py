import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.jobs import Index
from sciflow.schedulers.fake.nodes import make_nodes
from sciflow.schedulers.fake.real import RealBody
from sciflow.schedulers.fake.request import Order, Request
from sciflow.schedulers.fake.slurm.face import NO_OUTPUT, SLURM
from unit.schedulers.fake.conftest import comes_to_an_end


class Bench:
    """A cluster on which scripts are run one by one."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.body = folder, RealBody()
        self.cluster = VirtualCluster(make_nodes(1, 1, 1), self.body, SLURM, VirtualClock(0.0))

    def submit(self, script: str, output: str = "log", **more: str) -> Index:
        """Submit a script, whose output goes to a file."""
        request = Request("job", output=output)
        order = Order(request, self.folder / "job.sh", self.folder, text=script, variables={"PATH": os.defpath, **more})
        return self.cluster.submit(order).indices[0]

    def run(self, script: str, **more: str) -> Index:
        """Run a script to its end."""
        index = self.submit(script, **more)
        self.cluster.run(until=lambda: index.is_over)
        return index

    @property
    def log(self) -> str:
        """What was printed."""
        return (self.folder / "log").read_text()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Return a bench."""
    made = Bench(tmp_path)
    yield made
    made.body.close()


def test_who_runs_a_script_stands_in_its_first_line(bench: Bench) -> None:
    """With an argument, as the kernel takes it; without such a line it is bash."""
    bench.run("#!/usr/bin/env -S awk -f\nBEGIN { print ARGC, ARGV[0] }\n")
    assert bench.log == "1 awk\n"
    bench.run("echo ${BASH_VERSION:+bash} $0\n")
    word, path = bench.log.split()
    assert (word, Path(path).name) == ("bash", "slurm_script")
    index = bench.run("#!/no/such/program\n")
    assert (index.word, index.code) == ("FAILED", 2)
    assert "/no/such/program" in bench.log


def test_the_environment_is_that_of_who_submitted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this process; but what the scheduler says, and its commands first on PATH."""
    monkeypatch.setenv("OURS", "1")
    bench.body.commands = Path("/commands")
    bench.run("echo $OURS $THEIRS $SLURM_JOB_ID $PATH\n", THEIRS="2")
    assert bench.log == f"2 101 /commands:{os.defpath}\n"


def test_signals_and_codes(bench: Bench) -> None:
    """How a script ends is taken in; a folder for the output that is not there is a failure."""
    index = bench.run("kill -TERM $$\n")
    assert (index.word, index.signal) == ("FAILED", signal.SIGTERM)
    index = bench.run("exit 7\n")
    assert (index.word, index.code) == ("FAILED", 7)
    index = bench.submit("echo\n", output="no/such/folder/log")
    bench.cluster.run(until=lambda: index.is_over)
    assert (index.word, index.signal) == ("FAILED", NO_OUTPUT)


def test_what_a_script_leaves_running_ends_with_it(bench: Bench) -> None:
    """As a scheduler does that knows all processes of a job."""
    bench.run("sleep 600 > /dev/null & echo $!\n")
    [pid] = bench.log.split()
    assert comes_to_an_end(pid)


def test_who_is_told_to_end_has_time_for_it(bench: Bench) -> None:
    """And is killed when that is over."""
    index = bench.submit("trap 'echo told; exit 0' TERM; echo ready; while :; do sleep 0.01; done\n")
    bench.cluster.run(until=lambda: (bench.folder / "log").exists() and "ready" in bench.log)
    bench.cluster.cancel(index.job)
    bench.cluster.run(until=lambda: index.is_over)
    assert (index.word, bench.log) == ("CANCELLED", "ready\ntold\n")
    index = bench.submit("trap '' TERM; echo deaf; while :; do sleep 0.01; done\n")
    bench.cluster.run(until=lambda: "deaf" in bench.log)
    bench.body.kill(bench.cluster, index)
    bench.cluster.exited(index, 0, 9)
    assert (index.word, index.signal) == ("FAILED", 9)


def test_a_body_that_is_forgotten_leaves_nothing(tmp_path: Path) -> None:
    """No job runs on, and no copy of a script stays."""
    bench = Bench(tmp_path)
    bench.submit("echo $$ $0; sleep 600\n")
    log = tmp_path / "log"
    bench.cluster.run(until=lambda: log.exists() and len(log.read_text().split()) == 2)
    pid, copy = log.read_text().split()
    del bench
    gc.collect()
    assert comes_to_an_end(pid)
    assert not Path(copy).parents[2].exists()
