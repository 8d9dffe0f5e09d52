"""The driver's lock: one process at a time, released by the kernel."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sciflow.errors import RunError
from sciflow.store.lock import hold, is_held

HOLDER = """
import sys, os
from pathlib import Path
from sciflow.store.lock import hold
with hold(Path(sys.argv[1])) as descriptor:
    if sys.argv[2:]:
        os.set_inheritable(descriptor, True)
        os.spawnlp(os.P_NOWAIT, "sh", "sh", "-c", "echo $$; exec cat >/dev/null")
    else:
        print(os.getpid(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def start_holder(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts another process which holds the lock until its standard input is closed."""
    started: list[subprocess.Popen[str]] = []

    def start(*more: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HOLDER, str(tmp_path / "lock"), *more]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    yield start
    for process in started:
        with process:  # closes its pipes and waits for it
            pass


def test_a_lock_is_held_while_the_block_runs(tmp_path: Path) -> None:
    """It is free before, held inside, and free afterwards; its file names the holder."""
    lock = tmp_path / "lock"
    assert not is_held(lock)
    with hold(lock):
        assert is_held(lock)
        assert lock.read_text() == f"process {os.getpid()} on {socket.gethostname()}\n"
    assert not is_held(lock)


def test_a_lock_is_released_by_an_error(tmp_path: Path) -> None:
    """A block that fails lets go."""
    with pytest.raises(KeyError), hold(tmp_path / "lock"):
        raise KeyError
    assert not is_held(tmp_path / "lock")


def test_another_process_is_named(tmp_path: Path, start_holder: Callable[..., subprocess.Popen[str]]) -> None:
    """A living holder is named at once, with the way out; nobody waits for it."""
    process = start_holder()
    assert is_held(tmp_path / "lock")
    told = f"is being driven by process {process.pid} on"
    with pytest.raises(RunError, match=told) as caught, hold(tmp_path / "lock", clock=lambda: 0.0):
        pass
    assert "Ctrl-C" in caught.value.hint
    assert process.stdin is not None
    process.stdin.close()
    process.wait()
    with hold(tmp_path / "lock"):
        pass


def test_a_killed_process_lets_go(tmp_path: Path, start_holder: Callable[..., subprocess.Popen[str]]) -> None:
    """The kernel releases what a killed process held."""
    process = start_holder()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not is_held(tmp_path / "lock")


def test_programs_hold_the_lock_as_long_as_they_live(
    tmp_path: Path, start_holder: Callable[..., subprocess.Popen[str]]
) -> None:
    """A program that inherited the lock of a killed driver holds it; the next driver waits for it, then says so."""
    process = start_holder("with a child")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert is_held(tmp_path / "lock")
    times = iter([0.0, 5.0, 10.0, 15.0])
    with (
        pytest.raises(RunError, match="is being driven by process"),
        hold(tmp_path / "lock", patience=15.0, clock=lambda: next(times)),
    ):
        pass
    assert list(times) == []


def test_a_new_driver_takes_over_when_the_programs_have_ended(
    tmp_path: Path, start_holder: Callable[..., subprocess.Popen[str]]
) -> None:
    """Patience pays: when the last program of a killed driver has ended, the lock is taken."""
    process = start_holder("with a child")
    process.send_signal(signal.SIGKILL)
    process.wait()

    def clock() -> float:
        if process.stdin and not process.stdin.closed:
            process.stdin.close()  # the child's input ends with it, and so does the child
        return 0.0

    with hold(tmp_path / "lock", clock=clock):
        assert (tmp_path / "lock").read_text().startswith(f"process {os.getpid()} ")


def test_one_after_another_and_nothing_is_left(tmp_path: Path) -> None:
    """Of several processes each is alone in the block; in the end there is no file."""
    path, notes = tmp_path / "lock", tmp_path / "notes"
    program = """
import sys
from pathlib import Path
from sciflow.store.lock import in_turn
for _ in range(30):
    with in_turn(Path(sys.argv[1])), open(sys.argv[2], "a", buffering=1) as notes:
        notes.write("+")
        notes.flush()
        notes.write("-")
"""
    command = [sys.executable, "-c", program, str(path), str(notes)]
    processes = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0] * 4
    assert notes.read_text() == "+-" * 120
    assert not path.exists()
