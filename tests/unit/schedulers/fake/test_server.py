import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.flow import Flow
from sciflow.schedulers.fake.nodes import make_nodes
from sciflow.schedulers.fake.real import RealBody
from sciflow.schedulers.fake.server import BROKEN, CommandServer
from sciflow.schedulers.fake.slurm.face import SLURM, SlurmFace
from sciflow.transport.base import Answer
from unit.schedulers.fake.conftest import comes_to_an_end


class Echo(SlurmFace):
    """A face whose `echo` says what it was called with, and whose other commands fail in their ways."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.commands = {"say": self.say, "take": self.take, "fail": self.fail, "huge": self.huge}

    def say(self, cluster: VirtualCluster, call: Call) -> Answer:
        """Remember the call, and leave its standard input alone."""
        self.calls.append(call)
        return Answer(3, "out\n", "\udcff err\n")

    def take(self, cluster: VirtualCluster, call: Call) -> Answer:
        """Print what it can read."""
        return Answer(0, call.stdin, "")

    def fail(self, cluster: VirtualCluster, call: Call) -> Answer:
        """Fail, as what has a mistake does."""
        raise KeyError("mistake")

    def huge(self, cluster: VirtualCluster, call: Call) -> Answer:
        """Print ten megabytes."""
        return Answer(0, "0123456789\n" * 1_000_000, "")


class Terminal:
    """A cluster with its commands on PATH."""

    def __init__(self, face: SlurmFace) -> None:
        self.cluster = VirtualCluster(make_nodes(2, 4, 4), RealBody(), face, VirtualClock(time.time()))
        self.server = CommandServer(Flow(self.cluster))

    def __call__(self, line: str, **more: object) -> subprocess.CompletedProcess[bytes]:
        """Run a line of bash."""
        environment = {**os.environ, "PATH": f"{self.server.commands}:{os.environ['PATH']}"}
        return subprocess.run(["bash", "-c", line], env=environment, capture_output=True, timeout=60, **more)  # type: ignore[call-overload]


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """Return a terminal where only the commands of `Echo` are."""
    made = Terminal(Echo())
    yield made
    made.server.close()


def test_all_of_a_call_arrives_and_all_of_its_answer_comes_back(terminal: Terminal, tmp_path: Path) -> None:
    """Arguments with odd characters, the folder, the environment, who calls; the exit code, output and errors."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    done = terminal("say 'a  b' $'c\\nd' '' \"$(printf '\\xff')\"", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (3, b"out\n", b"\xff err\n")
    face = terminal.cluster.face
    assert isinstance(face, Echo)
    [call] = face.calls
    assert call.argv == ("say", "a  b", "c\nd", "", "\udcff")
    assert call.directory == folder
    assert call.variables["PATH"].startswith(f"{terminal.server.commands}:")
    assert call.number == os.getuid()
    assert terminal("say; huge | head -1; huge | wc -c").stdout == b"out\n0123456789\n11000000\n"


def test_only_who_reads_its_input_takes_it(terminal: Terminal) -> None:
    """A command in a loop over lines leaves them to the loop; one that asks for its input gets all of it."""
    assert terminal("seq 3 | while read -r line; do say; echo $line; done").stdout.split() == [
        *(b"out", b"1"), *(b"out", b"2"), *(b"out", b"3"),
    ]  # fmt: skip
    assert terminal("seq 3 | take").stdout == b"1\n2\n3\n"


def test_a_mistake_of_the_cluster_is_not_taken_for_an_answer_of_the_scheduler(terminal: Terminal) -> None:
    """It is told to who called, with an exit code of its own, and kept for the test."""
    done = terminal("fail")
    assert done.returncode == BROKEN
    assert b"the virtual cluster has failed" in done.stderr
    assert [repr(error) for error in terminal.server.errors] == ["KeyError('mistake')"]


def test_many_who_call_at_once_are_all_answered(terminal: Terminal) -> None:
    """Each gets its answer, and each call is counted."""
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: terminal("say; say").returncode, range(8)))
    assert codes == [3] * 8
    assert terminal.cluster.calls["say"] == 16


def test_nothing_is_left(tmp_path: Path) -> None:
    """No thread, no socket, no folder; whoever calls later, or waits, is told that the cluster is gone."""
    before = set(threading.enumerate())
    terminal = Terminal(Echo())
    folder = terminal.server.commands.parent
    assert folder.stat().st_mode & 0o77 == 0
    with socket.socket(socket.AF_UNIX) as silent:  # somebody who never says anything does not hold it up
        silent.connect(str(folder / "socket"))
        copy = tmp_path / "say"
        copy.write_bytes((terminal.server.commands / "say").read_bytes())
        terminal.server.close()
    assert set(threading.enumerate()) == before
    assert not folder.exists()
    done = subprocess.run(["sh", copy], capture_output=True, text=True)
    assert done.returncode == 70
    assert "say: error: the virtual cluster is gone" in done.stderr


def test_commands_load_next_to_nothing(terminal: Terminal) -> None:
    """A command is a Python without its library: as it is called in loops by the thousand."""
    command = (terminal.server.commands / "say").read_text()
    assert f"{sys.executable} -ISE " in command
    loaded = terminal(command.replace("-ISE", "-ISE -X importtime").replace("#!/bin/sh\n", "").replace(' "$@"', ""))
    assert not {b"json", b"socket", b"pathlib", b"enum", b"re", b"typing"} & set(loaded.stderr.split())


def test_jobs_run_a_copy_of_their_script_and_call_commands_themselves(tmp_path: Path) -> None:
    """In the environment of who submitted them, not in that of the cluster; what was changed since changes nothing."""
    terminal = Terminal(SLURM)
    try:
        script = tmp_path / "job.sh"
        script.write_text(
            "#!/bin/bash\n#SBATCH --output=out.txt\necho ${0##*/} $1 $WHO ${PYTEST_CURRENT_TEST:+leaked}\n"
            "echo 'echo inner' | sed '1i #!/bin/bash' | sbatch --output=inner.txt\n"
        )
        line = "env -u PYTEST_CURRENT_TEST WHO=lab sbatch job.sh argument && echo 'echo changed' >> job.sh"
        assert terminal(line, cwd=tmp_path).returncode == 0
        terminal.server.flow.run_until_idle(60.0)
        assert (tmp_path / "out.txt").read_text().splitlines() == [
            "slurm_script argument lab",
            "Submitted batch job 102",
        ]
        assert (tmp_path / "inner.txt").read_text() == "inner\n"
        assert not terminal.server.errors
    finally:
        terminal.server.close()


def test_jobs_do_not_outlive_the_process_that_ran_them(tmp_path: Path) -> None:
    """Killed without a word, a test leaves no job behind, and not what that has started, in its own session too."""
    away = "echo $$ >> pids; touch ready; exec sleep 602"
    program = f"""
import time
from pathlib import Path
from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.nodes import make_nodes
from sciflow.schedulers.fake.real import RealBody
from sciflow.schedulers.fake.request import Order, Request
from sciflow.schedulers.fake.slurm.face import SLURM
import os, signal
cluster = VirtualCluster(make_nodes(1, 1, 1), RealBody(), SLURM, VirtualClock(time.time()))
script = "#!/bin/bash\\nsleep 600 & echo $! > pids; echo $$ >> pids; setsid bash -c '{away}'; wait\\n"
folder = Path({str(tmp_path)!r})
cluster.submit(Order(Request("job", output="log"), folder / "job.sh", folder, text=script, variables=dict(os.environ)))
cluster.run(until=(folder / "ready").exists)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], timeout=60)
    assert done.returncode == -9
    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) == 3
    assert all(comes_to_an_end(pid) for pid in pids)
