"""A fork server as the supervisor sees it: a process of its own, and the socket over which the two speak."""

from __future__ import annotations

import json
import os
import signal
import socket
from typing import Any, Callable

from sciflow_shim import child, fork_server
from sciflow_shim.array import Array
from sciflow_shim.child import Launch


class ServerLink:
    """A fork server, forked from this process.

    Parameters
    ----------
    array
        The array job whose function it loads.
    prctl
        Linux's prctl.
    variables
        Set before the function is loaded.
    release
        Called in the new process, to close what only the supervisor may have open.
    """

    def __init__(
        self,
        array: Array,
        prctl: Callable[[int, int], Any],
        variables: dict[str, str],
        release: Callable[[], None],
    ) -> None:
        mine, theirs = socket.socketpair()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            child.die_with(parent, prctl)
            release()
            mine.close()
            fork_server.serve(array, theirs, prctl, variables)
        theirs.close()
        self.socket = mine
        self._pending = b""

    def ask(self, launch: Launch) -> None:
        """Ask for a child."""
        try:
            self.socket.sendall(json.dumps(vars(launch)).encode() + b"\n")
        except ConnectionError:
            pass  # it has died, which is noticed as the death of a process

    def events(self) -> tuple[list[dict[str, Any]], bool]:
        """What it has said since the last call, and whether it can say more."""
        try:
            data = self.socket.recv(1 << 16, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return [], True
        except ConnectionError:
            data = b""
        *lines, self._pending = (self._pending + data).split(b"\n")
        return [json.loads(line) for line in lines], bool(data)

    def kill(self) -> None:
        """Kill it, and with it all its children."""
        os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Let it go."""
        self.socket.close()
