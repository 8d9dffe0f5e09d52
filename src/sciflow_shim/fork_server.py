"""Loads a task's function once and forks a child for each array index, so that no index pays for imports."""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import json
import os
import selectors
import signal
import socket
import sys
import threading
import time
from typing import Any, Callable, NoReturn

from sciflow_shim import context, files  # noqa: F401  # what each child would import again
from sciflow_shim.array import Array
from sciflow_shim.child import POLITE, Launch, become
from sciflow_shim.function import load_function
from sciflow_shim.random_state import RandomWatch

_LAST_BREATH = 0.05  # seconds in which a thread that has ended leaves the kernel's list


def serve(array: Array, link: socket.socket, prctl: Callable[[int, int], Any], variables: dict[str, str]) -> NoReturn:
    """Fork a child for each line that comes in, and report each child that ends.

    Parameters
    ----------
    array
        The array job whose function is loaded.
    link
        To the supervisor: lines of JSON in, lines of JSON out.
    prctl
        Linux's prctl.
    variables
        Set before the function is loaded: libraries read their thread counts when they are imported.
    """
    # What the supervisor has open is closed here, and not in the children, who keep what the user's code opens.
    os.closerange(3, link.fileno())
    os.closerange(link.fileno() + 1, files.MOST_FILES)
    os.environ.update(variables)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # It goes when the supervisor lets it go: a signal to a whole job must leave its children time to end.
    signal.pthread_sigmask(signal.SIG_BLOCK, POLITE)
    server = _Server(array, link, prctl)
    server.load()
    if _has_threads():
        server.give_up()
    server.run()


class _Server:
    def __init__(self, array: Array, link: socket.socket, prctl: Callable[[int, int], Any]) -> None:
        self.array = array
        self.link = link
        self.prctl = prctl
        self.children: dict[int, int] = {}
        self.own: list[int] = [link.fileno()]
        self.random = RandomWatch()
        self.loaded: Callable[..., Any] | None = None

    def load(self) -> None:
        """Load the function; where that fails, every child finds it out for itself and says so in its record."""
        if os.path.isdir(self.array.task["directory"]):
            os.chdir(self.array.task["directory"])
        log = os.open(os.devnull, os.O_WRONLY)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        self.random.begin()
        if self.array.header["upstream"] and importlib.util.find_spec("numpy"):
            importlib.import_module("numpy")  # for the arrays that come; each child would import it again
        try:
            self.loaded = load_function(self.array)
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
        self.random.end()
        sys.stdout.flush()  # what modules print when imported is not each child's
        sys.stderr.flush()
        gc.collect()
        gc.freeze()  # children that collect garbage would otherwise copy every page they share

    def run(self) -> NoReturn:
        """Wait for requests and for children until the supervisor has gone."""
        woken, wake = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake)
        selector = selectors.DefaultSelector()
        selector.register(self.link, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        self.own += [woken, wake, selector.fileno()]
        pending = b""
        while True:
            for key, _ in selector.select():
                if key.fileobj is self.link:
                    data = self.link.recv(1 << 16)
                    if not data:
                        self._end()
                    *lines, pending = (pending + data).split(b"\n")
                    for line in lines:
                        self._fork(Launch(**json.loads(line)))
                else:
                    os.read(woken, 4096)
            self._reap()

    def give_up(self) -> NoReturn:
        """Say that children cannot be forked from here, and go when the supervisor has heard it."""
        self._say({"unfit": True})
        while self.link.recv(1 << 16):
            pass
        os._exit(0)

    def _fork(self, launch: Launch) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self.random.renew()
            become(self.array, launch, self.prctl, parent, self.own, self.loaded)
        self.children[pid] = launch.index
        self._say({"index": launch.index, "pid": pid})

    def _reap(self) -> None:
        while self.children:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            index = self.children.pop(pid, None)
            if index is not None:
                self._say({"index": index, "pid": pid, "status": status, "usage": list(usage)})

    def _say(self, event: dict[str, Any]) -> None:
        self.link.sendall(json.dumps(event).encode() + b"\n")

    def _end(self) -> NoReturn:
        for pid in self.children:
            _kill_group(pid)
        os._exit(0)


def _has_threads() -> bool:
    """Whether the loaded module runs threads that a fork would cut off, with whatever locks they hold."""
    if not os.path.isdir("/proc/self/task"):
        return threading.active_count() > 1
    if len(os.listdir("/proc/self/task")) == 1:
        return False
    # Libraries that are made for it, such as OpenBLAS, end their threads before a fork: what is left then is not.
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    until = time.monotonic() + _LAST_BREATH
    while len(os.listdir("/proc/self/task")) > 1:
        if time.monotonic() > until:
            return True
        time.sleep(0.001)
    return False


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
