"""The commands of a virtual cluster as programs, for whoever has their folder first on PATH.

A message is its length in eight bytes, and its text. A client sends one with all facts of its call, separated by NUL:
how many arguments there are, these, the current directory, and the environment. It is answered by messages with a
letter before each: ``i`` asks for the standard input, ``o`` is output, ``e`` is errors, and ``c`` is the exit code, the
last.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shlex
import shutil
import socket
import socketserver
import struct
import sys
import tempfile
import threading
import traceback
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from sciflow.schedulers.fake import absent, client
from sciflow.schedulers.fake.client import receive
from sciflow.schedulers.fake.face import Call, Face
from sciflow.schedulers.fake.flow import Flow
from sciflow.schedulers.fake.real import RealBody
from sciflow.transport.base import Answer

LONGEST_ADDRESS = 100  # bytes that surely fit into the address of a socket
PATIENCE = 60.0  # seconds for a client that says nothing
BROKEN = 70  # the exit code of a command of which the virtual cluster itself has failed


class _DistantCall(Call):
    """A call whose standard input is read when the command asks for it: what does not read must leave it alone."""

    def __init__(
        self, argv: tuple[str, ...], directory: Path, variables: dict[str, str], number: int, read: Callable[[], str]
    ) -> None:
        try:
            user = pwd.getpwuid(number).pw_name
        except KeyError:  # as in many a container
            user = str(number)
        facts = {"argv": argv, "directory": directory, "variables": variables, "user": user, "number": number}
        for name, value in facts.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_read", read)

    __repr__ = object.__repr__  # what is shown of it must not read

    @property
    def stdin(self) -> str:  # type: ignore[override]
        """What it can read from its standard input."""
        return self._read()  # type: ignore[attr-defined]


class _HungUp(Exception):
    """The client is gone."""


class _Handler(socketserver.BaseRequestHandler):
    """Answers one call."""

    server: _Listener  # type: ignore[assignment]
    request: socket.socket

    def handle(self) -> None:
        """Answer; who has hung up meanwhile hears nothing."""
        with suppress(_HungUp):
            said = self._answer(self._call())
            for kind, text in ((b"o", said.out), (b"e", said.err), (b"c", str(said.code))):
                self._send(kind, text.encode(errors="surrogateescape"))

    def _answer(self, call: Call) -> Answer:
        try:
            return self.server.flow.answer(call)
        except _HungUp:
            raise
        except Exception as error:
            self.server.errors.append(error)
            text = "".join(traceback.format_exception(error))
            return Answer(BROKEN, "", f"{call.argv[0]}: error: the virtual cluster has failed:\n{text}")

    def _call(self) -> Call:
        count, *facts = (os.fsdecode(one) for one in self._receive().split(b"\0"))
        argv, (directory, *pairs) = facts[: int(count)], facts[int(count) :]
        variables = dict(pair.split("=", 1) for pair in pairs)
        peer = self.request.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        number = struct.unpack("3i", peer)[1]
        return _DistantCall((argv[0].rpartition("/")[2], *argv[1:]), Path(directory), variables, number, self._read)

    def _read(self) -> str:
        self._send(b"i", b"")
        return self._receive().decode(errors="surrogateescape")

    def _send(self, kind: bytes, message: bytes) -> None:
        try:
            self.request.sendall(kind + len(message).to_bytes(8, "big") + message)
        except OSError as error:
            raise _HungUp from error

    def _receive(self) -> bytes:
        try:
            return receive(self.request)
        except OSError as error:
            raise _HungUp from error


class _Listener(socketserver.ThreadingUnixStreamServer):
    """Takes calls, and answers each in a thread of its own."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, address: str, flow: Flow) -> None:
        self.flow = flow
        self.errors: list[Exception] = []
        self._lines: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, str]:
        """Take a call; a client that says nothing for long is given up."""
        line, address = super().get_request()
        line.settimeout(PATIENCE)
        self._lines.add(line)
        return line, address

    def close_request(self, request: Any) -> None:
        """Hang up."""
        self._lines.discard(request)
        super().close_request(request)

    def hang_up(self) -> None:
        """Let nobody who calls be waited for."""
        for line in list(self._lines):
            with suppress(OSError):  # it has just ended by itself
                line.shutdown(socket.SHUT_RDWR)


class CommandServer:
    """Serves the commands of a virtual cluster, from threads of this process, until it is closed.

    Parameters
    ----------
    flow
        The cluster, and how time passes there.

    Attributes
    ----------
    commands
        The folder to be put first on PATH, with a program for each command.
    errors
        How commands have failed that the virtual cluster should have answered.
    """

    def __init__(self, flow: Flow) -> None:
        remove_abandoned()
        self._folder = _private_folder()
        self._lock = _lock(self._folder)
        self.commands = self._folder / "bin"
        address = str(self._folder / "socket")
        self._listener = _Listener(address, flow)
        self.errors = self._listener.errors
        _write_commands(self.commands, flow.cluster.face, address)
        self.serve(flow)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), name="commands", daemon=True)
        self._thread.start()
        self._close = weakref.finalize(self, self._end, self._listener, self._thread, self._folder, self._lock)

    def serve(self, flow: Flow) -> None:
        """Serve another cluster of the same face from now on, in place of the one until now."""
        self.flow = self._listener.flow = flow
        if isinstance(flow.cluster.body, RealBody):
            flow.cluster.body.commands = self.commands

    def close(self) -> None:
        """End: time stands still, all jobs are killed, and nothing is left."""
        self.flow.close()
        if isinstance(self.flow.cluster.body, RealBody):
            self.flow.cluster.body.close()
        self._close()

    @staticmethod
    def _end(listener: _Listener, thread: threading.Thread, folder: Path, lock: IO[bytes]) -> None:
        listener.shutdown()
        thread.join()
        listener.hang_up()
        listener.server_close()
        shutil.rmtree(folder, ignore_errors=True)
        lock.close()


def remove_abandoned() -> None:
    """Remove the folders of clusters whose process was killed: nobody holds their lock."""
    for lock in (path for place in {tempfile.gettempdir(), "/tmp"} for path in Path(place).glob("sciflow-*/lock")):  # noqa: S108 - where `_private_folder` makes them
        with suppress(OSError), lock.open("rb") as held:  # somebody else's, or one that is in use or just ends
            if lock.stat().st_uid == os.getuid():
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if (lock.parent / "socket").exists():  # else it is just being made
                    shutil.rmtree(lock.parent, ignore_errors=True)


def _lock(folder: Path) -> IO[bytes]:
    """Hold a folder as long as this process lives; before there is a socket in it."""
    lock = (folder / "lock").open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _private_folder() -> Path:
    """A folder of this user's own, with a name that is short enough for a socket in it."""
    folder = tempfile.mkdtemp(prefix="sciflow-")
    if len(os.fsencode(folder)) > LONGEST_ADDRESS - len("/socket"):
        Path(folder).rmdir()
        folder = tempfile.mkdtemp(prefix="sciflow-", dir="/tmp")
    return Path(folder)


def _write_commands(folder: Path, face: Face, address: str) -> None:
    """Write the programs; a shell starts Python, whose path may be longer than a first line can be."""
    folder.mkdir()
    python = shlex.join([sys.executable, "-ISE", client.__file__, address])
    programs = {name: absent.script(name, face.name) for name in absent.COMMANDS}
    programs |= {name: f'#!/bin/sh\nexec {python} {name} "$@"\n' for name in face.commands}
    for name, text in programs.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o700)
