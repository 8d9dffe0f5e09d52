"""The shim of one array job, as the scheduler talks to it: here scripts that stand in for it."""

import json
import os
import selectors
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sciflow.schedulers.array_server import ArrayServer
from sciflow.schedulers.machine import Share

SHARE = Share((4, 5), 100, ("GPU-1",))


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., ArrayServer]]:
    """Return a function that starts a server whose script holds these lines."""
    started: list[ArrayServer] = []

    def start(*lines: str, keep_open: tuple[int, ...] = ()) -> ArrayServer:
        script = tmp_path / "array job.sh"
        script.write_text("\n".join(lines) + "\n")
        started.append(ArrayServer(script, tmp_path / "logs" / "shim.err", keep_open))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.process.kill()
        server.close()
        server.wait(0.0)


def heard(server: ArrayServer) -> list[Any]:
    """Wait until the server says something, and give that."""
    with selectors.DefaultSelector() as selector:
        selector.register(server.output, selectors.EVENT_READ)
        assert selector.select(30)
    return list(server.events())


def heard_to_the_end(server: ArrayServer) -> list[Any]:
    """Give all that the server says until it has gone."""
    events: list[Any] = []
    while not events or events[-1] is not None:
        events += heard(server)
    return events


def test_a_start_says_what_the_index_holds(serve: Callable[..., ArrayServer], tmp_path: Path) -> None:
    """Index, attempt, cores and GPUs go to the shim as one line of JSON."""
    server = serve("read -r line", f"printf '%s' \"$line\" > '{tmp_path}/request'")
    server.start(17, 2, SHARE)
    assert server.running == {17}
    assert heard_to_the_end(server) == [None]
    request = json.loads((tmp_path / "request").read_text())
    assert request == {"do": "start", "index": 17, "attempt": 2, "cores": [4, 5], "gpus": ["GPU-1"]}


def test_an_index_that_has_ended_runs_no_more(serve: Callable[..., ArrayServer]) -> None:
    """Events are passed on as they are said; the index is forgotten when it has ended."""
    server = serve('read -r line; echo \'{"event": "started", "index": 3}\'', 'echo \'{"event": "ended", "index": 3}\'')
    server.start(3, 1, SHARE)
    assert not server.has_spoken
    assert heard_to_the_end(server) == [{"event": "started", "index": 3}, {"event": "ended", "index": 3}, None]
    assert server.running == set()
    assert server.has_spoken
    assert server.wait(5.0) == 0


def test_an_event_that_comes_in_two_parts_is_one(serve: Callable[..., ArrayServer]) -> None:
    """Half a line is kept until the other half is there."""
    server = serve('printf \'{"event": "started", \'', "read -r line", "echo '\"index\": 3}'")
    assert heard(server) == []
    server.cancel(3)
    assert [one for one in heard_to_the_end(server) if one] == [{"event": "started", "index": 3}]


def test_a_server_that_has_gone_takes_no_requests(serve: Callable[..., ArrayServer]) -> None:
    """Whoever talks to a dead shim learns of its end where its output is read, not by an error."""
    server = serve("exit 3")
    assert heard_to_the_end(server) == [None]
    server.process.wait()
    server.start(1, 1, SHARE)
    server.cancel(1)
    server.close()
    assert server.wait(0.0) == 3
    assert not server.has_spoken


def test_what_the_shim_complains_of_is_kept(serve: Callable[..., ArrayServer]) -> None:
    """Its standard error is a file, of which the end is shown."""
    server = serve("echo 'no such module' >&2; exit 1")
    assert heard_to_the_end(server) == [None]
    assert server.wait(5.0) == 1
    assert server.complaint() == "no such module"
    assert server.errors.exists()


def test_an_empty_complaint_leaves_no_file(serve: Callable[..., ArrayServer]) -> None:
    """A shim that went well leaves nothing but its records."""
    server = serve("exit 0")
    assert heard_to_the_end(server) == [None]
    server.wait(5.0)
    assert not server.errors.exists()
    assert server.complaint() == ""


def test_a_server_that_does_not_go_is_killed(serve: Callable[..., ArrayServer]) -> None:
    """Patience ends, and the shim with it."""
    server = serve("trap '' TERM", 'echo \'{"event": "started", "index": 1}\'', "while true; do read -r line; done")
    heard(server)
    server.close()
    assert server.wait(0.0) == -signal.SIGKILL


def test_a_server_holds_what_it_is_to_keep_open(serve: Callable[..., ArrayServer], tmp_path: Path) -> None:
    """Descriptors that it is given are open in it; it has a session of its own."""
    reading, writing = os.pipe()
    server = serve(f'echo kept >&{writing}; echo "{{\\"event\\": \\"$(ps -o sid= $$)\\"}}"', keep_open=(writing,))
    events = heard_to_the_end(server)
    os.close(writing)
    assert os.read(reading, 100) == b"kept\n"
    os.close(reading)
    assert int(events[0]["event"]) == server.process.pid
