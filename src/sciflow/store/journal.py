"""What happened to a run, in order: JSON objects, one a line, only ever appended."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any


class Journal:
    """The journal of one run; one writer at a time.

    Parameters
    ----------
    path
        The file; it need not exist.
    clock
        Seconds since the epoch.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.clock = clock

    def append(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Append events, each with the time, in one write."""
        self._write(events)

    def commit(self, event: Mapping[str, Any]) -> None:
        """Append an event that must be on the disk before what follows it is done."""
        self._write([event], is_durable=True)

    def _write(self, events: Iterable[Mapping[str, Any]], is_durable: bool = False) -> None:
        now = round(self.clock(), 3)
        lines = [json.dumps({"time": now, **event}, ensure_ascii=False) + "\n" for event in events]
        if not lines:
            return
        # Texts from users' programs may hold half a surrogate pair, whose escape is JSON again.
        data = "".join(lines).encode(errors="backslashreplace")
        with self.path.open("ab+") as file:
            # A writer that was killed may have left half a line, which must not swallow the next one.
            if file.tell() and (file.seek(-1, 2), file.read(1))[1] != b"\n":
                data = b"\n" + data
            file.write(data)
            if is_durable:
                file.flush()
                os.fsync(file.fileno())

    def events(self) -> Iterator[dict[str, Any]]:
        """All events in order; torn lines are passed over."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            for line in file:
                try:
                    event = json.loads(line)
                except ValueError:
                    continue
                if isinstance(event, dict) and "event" in event:
                    yield event
