"""Runs the commands that tell of a node, such as `module list`, and keeps what they print."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping
from typing import Any

LONGEST_OUTPUT = 65_536  # bytes
TIMEOUT = 10.0  # seconds for one command
ALL_TIMEOUT = 20.0  # seconds for all of them: an index may wait for the capture

# A login shell knows `module`, and sets PATH anew: the run's own is what is to be told of. What its profile prints is
# none of the command's words.
_LINE = 'PATH=$1; exec 2>&1; printf %s "$3"; eval "$2"'


def run_commands(
    commands: Mapping[str, str], environ: Mapping[str, str], timeout: float = TIMEOUT, altogether: float = ALL_TIMEOUT
) -> dict[str, dict[str, Any]]:
    """Run each command in a login shell.

    Parameters
    ----------
    commands
        Name → line for bash.
    environ
        The environment variables of the run.
    timeout, altogether
        Seconds for one, and for all of them.

    Returns
    -------
    dict
        Name → `command`, `output` (both streams), and `exit_code`, or `error` where it was not run to its end.
    """
    until = time.monotonic() + altogether
    found = {}
    for name, command in commands.items():
        left = min(timeout, until - time.monotonic())
        told: dict[str, Any] = {"command": command}
        try:
            told.update(_run(command, environ, left) if left > 0 else {"error": "the commands before it took too long"})
        except OSError as error:
            told["error"] = str(error)
        found[name] = told
    return found


def _run(command: str, environ: Mapping[str, str], timeout: float) -> dict[str, Any]:
    mark = f"\x01{os.getpid()}\x02"
    process = subprocess.Popen(
        ["bash", "-l", "-c", _LINE, "bash", environ.get("PATH", os.defpath), command, mark],
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        until = time.monotonic() + timeout
        output, is_whole, is_cut = _read(process.stdout.fileno(), mark.encode(), until)
        told: dict[str, Any] = {"output": output.decode(errors="replace")}
        if is_cut:
            told["output"] += "\n[…]"
        try:
            told["exit_code"] = process.wait(max(0.0, until - time.monotonic()) if is_whole else 0.0)
        except subprocess.TimeoutExpired:
            told["error"] = f"not done within {timeout:.3g} s"
        return told
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)  # what it has started goes with it
        except ProcessLookupError:
            pass
        process.stdout.close()
        process.wait()


def _read(descriptor: int, mark: bytes, until: float) -> tuple[bytes, bool, bool]:
    """Read what comes after the mark, until the end or the time; whether it was the end, and more than is kept."""
    text, is_begun, is_cut = b"", False, False
    while select.select([descriptor], [], [], max(0.0, until - time.monotonic()))[0]:
        block = os.read(descriptor, 65_536)
        if not block:
            return text.strip() if is_begun else b"", True, is_cut
        text += block
        if is_begun or mark in text:
            text = text if is_begun else text.partition(mark)[2]
            is_begun, is_cut = True, is_cut or len(text) > LONGEST_OUTPUT
            text = text[:LONGEST_OUTPUT]
    return text.strip() if is_begun else b"", False, is_cut
