"""The shim of one array job on this machine: told what to start, it says what has started and ended."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sciflow.schedulers.machine import Share


class ArrayServer:
    """A running ``bash scripts/<array>.sh --serve``.

    Parameters
    ----------
    script
        The array job's script.
    errors
        Where the shim's own complaints go.
    keep_open
        File descriptors that it holds as long as it lives.
    """

    def __init__(self, script: Path, errors: Path, keep_open: Sequence[int] = ()) -> None:
        errors.parent.mkdir(parents=True, exist_ok=True)
        self.errors = errors
        self.running: set[int] = set()
        self.has_spoken = False
        self._pending = b""
        with errors.open("wb") as log:
            # In a session of its own, so that Ctrl-C reaches the driver alone, which then ends things in order.
            self.process = subprocess.Popen(
                ["bash", str(script), "--serve"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                pass_fds=keep_open,
            )
        assert self.process.stdout is not None
        self.output = self.process.stdout.fileno()
        os.set_blocking(self.output, False)

    def start(self, index: int, attempt: int, share: Share) -> None:
        """Ask for an index to be started."""
        self.running.add(index)
        request = {"do": "start", "index": index, "attempt": attempt, "cores": share.cores, "gpus": share.gpus}
        self._say(request)

    def cancel(self, index: int) -> None:
        """Ask for an index to be stopped."""
        self._say({"do": "cancel", "index": index})

    def events(self) -> Iterator[dict[str, Any] | None]:
        """What it has said since the last call; None when it has gone."""
        while True:
            try:
                data = os.read(self.output, 1 << 16)
            except BlockingIOError:
                return
            if not data:
                yield None
                return
            self.has_spoken = True
            *lines, self._pending = (self._pending + data).split(b"\n")
            for line in lines:
                event = json.loads(line)
                if event["event"] == "ended":
                    self.running.discard(event["index"])
                yield event

    def close(self) -> None:
        """Ask it to stop what still runs, and to go."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has gone already
            self.process.stdin.close()

    def wait(self, timeout: float) -> int:
        """Wait until it has gone, and kill it if it does not go; gives its exit code."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.close()
        if self.errors.exists() and not self.errors.stat().st_size:
            self.errors.unlink()
        return code

    def complaint(self) -> str:
        """The last it complained of."""
        text = self.errors.read_text(encoding="utf-8", errors="replace") if self.errors.exists() else ""
        return text.strip()[-2_000:]

    def _say(self, request: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has gone; its end is noticed where its output is read
