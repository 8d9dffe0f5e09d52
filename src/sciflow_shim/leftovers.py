"""Ends the processes that a program has left running, wherever in the background it has put them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable

from sciflow_shim.kernel_files import read_file
from sciflow_shim.running import Running

MARK = "SCIFLOW_PLACE"  # the variable that tells whose process it is


def adopted(own: Iterable[int]) -> set[int]:
    """The children of this process but its own: the kernel gives it those that its descendants have left behind."""
    listed = read_file(f"/proc/self/task/{os.getpid()}/children") or b""
    return {int(pid) for pid in listed.split()} - set(own)


def kill_leftovers(strangers: Iterable[int], running: Iterable[Running]) -> None:
    """Kill adopted processes, sparing those of programs that still run and those that might be theirs."""
    alive = list(running)
    marks = {one.launch.variables[MARK].encode() for one in alive}
    for pid in strangers:
        mark = _mark(pid)
        may_be_theirs = bool(alive) and (not mark or mark in marks)
        if not may_be_theirs and not any(one.owns(pid) for one in alive):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def kill_orphans(place: str) -> None:
    """Kill what the programs of a supervisor that was killed have left: their first process has gone with it.

    Parameters
    ----------
    place
        How the marks of the processes begin.
    """
    for name in os.listdir("/proc"):
        if name.isdigit() and _mark(int(name)).startswith(place.encode()):
            try:
                if not os.path.exists(f"/proc/{os.getsid(int(name))}"):
                    os.kill(int(name), signal.SIGKILL)
            except ProcessLookupError:
                pass


def kill_marked(place: str) -> None:
    """Kill what a supervisor that was killed has left running: this user's processes whose mark begins like this."""
    if not os.path.isdir("/proc/self"):
        return
    for name in os.listdir("/proc"):
        if name.isdecimal() and int(name) != os.getpid() and _mark(int(name)).startswith(place.encode()):
            # The system's administrator sees the processes of others too.
            try:
                if os.stat(f"/proc/{name}").st_uid == os.getuid():
                    os.kill(int(name), signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError):
                pass


def _mark(pid: int) -> bytes:
    prefix = MARK.encode() + b"="
    variables = (read_file(f"/proc/{pid}/environ") or b"").split(b"\0")
    return next((one[len(prefix) :] for one in variables if one.startswith(prefix)), b"")
