"""Processes found by their environment, and waiting for what is bound to happen."""

import os
import signal
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")
# A machine with a load of 20 needs half a minute for what takes a second on a quiet one.
PATIENCE = 120.0


def wait_until(happened: Callable[[], Found], what: str, patience: float = PATIENCE) -> Found:
    """Ask again and again until the answer is true, and return it.

    Parameters
    ----------
    happened
        What is asked; cheap questions are asked fifty times a second, dear ones take the time they need.
    what
        Completes "not seen within 120 s: …".
    patience
        Seconds after which it is an error.

    Raises
    ------
    AssertionError
        When it did not happen.
    """
    end = time.monotonic() + patience
    while not (answer := happened()):
        if time.monotonic() > end:
            raise AssertionError(f"not seen within {patience:g} s: {what}")
        time.sleep(0.02)
    return answer


def processes_with(environment: Mapping[str, str]) -> list[int]:
    """Return the processes, other than this one, that were started with all these variables.

    Only what a user started can be seen by that user; root sees all. A zombie has no environment left.
    """
    wanted = {f"{name}={value}".encode() for name, value in environment.items()}
    return [pid for pid, entries in _environments() if wanted <= entries and pid != os.getpid()]


def end_processes(environment: Mapping[str, str], besides: Collection[int] = ()) -> None:
    """Kill all processes that were started with these variables, and those which they start meanwhile."""

    def none_left() -> bool:
        left = [pid for pid in processes_with(environment) if pid not in besides]
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    wait_until(none_left, f"the end of all processes with {dict(environment)}")


def _environments() -> Iterator[tuple[int, set[bytes]]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            # It may end while we look, or belong to somebody else.
            with suppress(OSError):
                yield int(folder.name), set((folder / "environ").read_bytes().split(b"\0"))
