"""How things go wrong on this machine: processes that were started for one play are killed, or the disk is full."""

import errno
import os
import signal
from pathlib import Path


def strike(how: str) -> None:
    """Let it happen: to this program, the shims of its array job, the driver, or all of them."""
    if how == "full":
        raise OSError(errno.ENOSPC, "No space left on device")
    hit = {"driver": "-m sciflow ", "shim": "sciflow_shim", "all": ""}
    for pid, command in _started_here() if how in hit else ():
        if pid != os.getpid() and hit[how] in command:
            os.kill(pid, signal.SIGKILL)
    if how in ("all", "program"):
        os.kill(os.getpid(), signal.SIGKILL)


def once() -> bool:
    """Whether it has not happened before."""
    try:
        Path(os.environ["PLAY"], "struck").mkdir()
    except FileExistsError:
        return False
    return True


def _started_here():
    """Process and command line of all that were started with the environment of this play."""
    mark = f"PLAY={os.environ['PLAY']}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    command = (entry / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
                    yield int(entry.name), command
            except OSError:
                continue
