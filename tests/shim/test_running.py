"""The times of a running program, on a clock that is moved by hand, and whom it signals."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from sciflow_shim.running import Running

NOTHING: Any = SimpleNamespace()


@pytest.fixture
def program() -> Iterator[subprocess.Popen[str]]:
    """Start a program that does nothing about signals until it is told to."""
    text = (
        "import os, signal, sys\n"
        "for line in sys.stdin:\n"
        "    if line == 'listen\\n': signal.signal(signal.SIGUSR1, lambda *_: os.write(1, b'heard\\n'))\n"
        "    print('done', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-S", "-E", "-c", text],  # without whatever measures it, which may listen to signals as well
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        yield process
        process.kill()


def ask(process: subprocess.Popen[str], line: str) -> str:
    """Say a line and give the answer."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def test_before_there_is_a_process_only_its_time_counts() -> None:
    """A program that is still to be forked is not sampled, and nobody is woken for it in vain."""
    running = Running(NOTHING, NOTHING, now=100.0)
    assert running.due(limit=60.0) == 160.0
    assert running.due(limit=float("inf")) == float("inf")
    running.kill_at = 105.0
    assert running.due(limit=60.0) == 105.0


def test_with_a_process_samples_are_due() -> None:
    """The next sample or the end, whichever is first."""
    running = Running(NOTHING, NOTHING, now=100.0)
    running.pid = 1
    assert running.due(limit=60.0) == running.next_sample == pytest.approx(100.1)
    assert running.due(limit=0.05) == pytest.approx(100.05)


def test_only_who_listens_is_warned(program: subprocess.Popen[str]) -> None:
    """A program that knows nothing of the signal would be ended by it; one that does hears it, once, also later."""
    running = Running(NOTHING, NOTHING, now=0.0)
    running.warn()
    running.has_process(program.pid)
    running.warn()
    assert ask(program, "still there") == "done"
    assert not running.warned
    assert ask(program, "listen") == "done"
    running.warn()
    assert running.warned
    assert program.stdout is not None
    assert program.stdout.readline() == "heard\n"
    running.warn()
    assert ask(program, "once only") == "done"


def test_a_program_owns_its_session(program: subprocess.Popen[str]) -> None:
    """And no process that has gone, or is another's."""
    running = Running(NOTHING, NOTHING, now=0.0)
    assert not running.owns(program.pid)
    running.has_process(program.pid)
    assert running.owns(program.pid)
    assert not running.owns(1)
    running.kill_group()
    program.wait()
    assert not running.owns(program.pid)
    running.kill_group()
    running.signal(9)
