"""What stands behind each command of a virtual cluster: ``client.py SOCKET COMMAND ARGUMENTS…``.

It hands its call to the server, and what that answers to its caller. It is run by its path, by a Python that loads
nothing else: a command must not take longer than the real one. What is said on the socket stands in `server.py`.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found] - `signal` loads `enum`
import _socket  # `socket` takes as long to load as Python to start
import os
import sys

_LOST = 70  # the exit code where the server is gone


def main(address: str, argv: list[str]) -> int:
    """Hand a call over; gives the exit code of the command."""
    line = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    heard = []
    try:
        line.connect(address)
        facts = [os.fsencode(one) for one in (str(len(argv)), *argv, os.getcwd())]  # noqa: PTH109 - `pathlib` is not loaded
        facts += [name + b"=" + value for name, value in os.environb.items()]
        _send(line, b"\0".join(facts))
        while not heard or heard[-1][0] != b"c":
            heard.append((receive(line, 1), receive(line)))
            if heard[-1][0] == b"i":
                _send(line, sys.stdin.buffer.read())
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: error: the virtual cluster is gone: {error}\n")
        return _LOST
    _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)  # as any command before `| head`
    for kind, said in heard:
        if said and kind in b"oe":
            stream = sys.stdout if kind == b"o" else sys.stderr
            stream.buffer.write(said)
            stream.flush()
    return int(heard[-1][1])


def _send(line: _socket.socket, message: bytes) -> None:
    line.sendall(len(message).to_bytes(8, "big") + message)


def receive(line: _socket.socket, count: int | None = None) -> bytes:
    """A message, or so many bytes.

    Raises
    ------
    OSError
        Where the other side has hung up.
    """
    wanted = int.from_bytes(receive(line, 8), "big") if count is None else count
    parts = []
    while wanted:
        part = line.recv(min(wanted, 1 << 20))
        if not part:
            raise ConnectionError("it has hung up")
        parts.append(part)
        wanted -= len(part)
    return b"".join(parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
