"""Who drives a run: one process at a time, on this machine."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sciflow.errors import BusyError

_PAUSE = 0.05


@contextmanager
def hold(path: Path, patience: float = 15.0, clock: Callable[[], float] = time.monotonic) -> Iterator[int]:
    """Hold a lock while the block runs; the kernel releases it when all who hold it are gone, however they went.

    Parameters
    ----------
    path
        The lock's file.
    patience
        Seconds to wait for the programs of a driver that was just killed to end.

    Yields
    ------
    int
        The file descriptor; programs that inherit it hold the lock too.

    Raises
    ------
    BusyError
        When another process holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)  # whoever may read the run may see whether it is driven
    try:
        until = clock() + patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip()
                if clock() >= until or _is_alive(holder):
                    raise BusyError(
                        f"the run `{path.parent}` is being driven by {holder or 'another process'}",
                        hint="wait for it, or stop it with Ctrl-C where it runs",
                    ) from None
                time.sleep(_PAUSE)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def in_turn(path: Path) -> Iterator[None]:
    """Let one process after another do what stands in the block, each waiting for those before it.

    The file is there as long as somebody is at it; a folder cannot be locked on every file system.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if _is_file_of(descriptor, path):
            break
        os.close(descriptor)  # whoever had it has removed it meanwhile
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _is_file_of(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock now."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except PermissionError:
        return False  # what cannot be asked is somebody else's archive, copied with a lock that only they may read
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _is_alive(holder: str) -> bool:
    """Whether the named driver lives on this machine; its programs may outlive it for a moment."""
    words = holder.split()
    return (
        len(words) == 4
        and words[3] == socket.gethostname()
        and words[1].isdigit()
        and (Path("/proc") / words[1]).exists()
        and int(words[1]) != os.getpid()
    )
