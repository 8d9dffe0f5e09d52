"""The user's program of one attempt while it runs: its process, its signals and its times."""

from __future__ import annotations

import os
import signal

from sciflow_shim.attempt import Attempt
from sciflow_shim.child import Launch
from sciflow_shim.kernel_files import read_file
from sciflow_shim.sampler import ProcessTree, next_interval

INTERIM = 5.0  # age at which a program gets its first interim record; the next ones when that has doubled
LONGEST_INTERIM = 600.0  # seconds; what has been sampled since is lost with a node


def interim_interval(age: float) -> float:
    """Seconds from one interim record to the next: as long as the program has run, but not longer than ten minutes."""
    return min(max(age, INTERIM), LONGEST_INTERIM)


class Running:
    """An attempt whose program runs, or is about to.

    Attributes
    ----------
    pid
        The program's process, which leads a session of its own; 0 until it has been forked.
    is_late
        Whether somebody has said that the time limit is near.
    warned
        Whether one of its processes has been told so.
    gathering
        Whether the program has ended and its outputs are being taken.
    kill_at
        When it is killed, once it has been asked to end.
    """

    def __init__(self, attempt: Attempt, launch: Launch, now: float) -> None:
        self.attempt = attempt
        self.launch = launch
        self.pid = 0
        self.tree: ProcessTree | None = None
        self.started = now
        self.next_sample = now + next_interval(0.0)
        self.next_interim = now + interim_interval(0.0)
        self.gathering = False
        self.is_late = False
        self.warned = False
        self.kill_at: float | None = None

    def due(self, limit: float) -> float:
        """When something is to be done about it next; nothing can be sampled before it is a process."""
        end = self.started + limit if self.kill_at is None else self.kill_at
        return min(end, self.next_sample) if self.pid else end

    def has_process(self, pid: int) -> None:
        """Note the process that was forked for it."""
        self.pid = pid
        self.tree = ProcessTree(pid)
        if self.kill_at is not None:  # cancelled between request and fork
            self.signal(signal.SIGTERM)

    def signal(self, number: int) -> None:
        """Send a signal to the program and all of its group."""
        if self.pid and not self._signal_group(number):
            try:
                os.kill(self.pid, number)  # it has not made its own group yet
            except ProcessLookupError:  # it ended by itself in between
                pass

    def warn(self) -> None:
        """Say that the time limit is near to those of its processes that listen; others it would end."""
        if self.warned or self.tree is None or self.kill_at is not None:
            return
        for pid in {self.pid, *self.tree.members}:
            for line in (read_file(f"/proc/{pid}/status") or b"").splitlines():
                if line.startswith(b"SigCgt:") and int(line.split()[1], 16) >> (signal.SIGUSR1 - 1) & 1:
                    try:
                        os.kill(pid, signal.SIGUSR1)
                        self.warned = True
                    except ProcessLookupError:
                        pass

    def kill_group(self) -> None:
        """Kill what an ended program has left in its group."""
        if self.pid:
            self._signal_group(signal.SIGKILL)

    def owns(self, pid: int) -> bool:
        """Whether a process is known to be of this program."""
        try:
            return self.tree is not None and (os.getsid(pid) == self.pid or pid in self.tree.members)
        except ProcessLookupError:
            return False

    def _signal_group(self, number: int) -> bool:
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return False
        return True
