"""`python -m sciflow_shim RUN ARRAY INDEX` runs one index; with `--serve`, those that standard input asks for."""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys
from typing import Any

from sciflow_shim.array import Array, last_attempt
from sciflow_shim.environment_record import ensure_captured
from sciflow_shim.supervisor import Supervisor

USAGE = "usage: python -m sciflow_shim RUN_DIRECTORY ARRAY (INDEX | --serve)"
EXIT_CODES = {"COMPLETED": 0, "CANCELLED": 143, "TIMEOUT": 124, "OUT_OF_MEMORY": 137}


def main(arguments: list[str]) -> int:
    """Run one index, or serve.

    Returns
    -------
    int
        0 when the index is completed; 1 when it failed; 2 for wrong usage.
    """
    if len(arguments) != 3 or not (arguments[2] == "--serve" or arguments[2].isdigit()):
        sys.stderr.write(USAGE + "\n")
        return 2
    try:
        array = Array(os.path.abspath(arguments[0]), arguments[1])
    except (OSError, ValueError) as error:
        sys.stderr.write(f"sciflow_shim: {error}\n")
        return 2
    return _serve(array) if arguments[2] == "--serve" else _run_one(array, int(arguments[2]))


def _run_one(array: Array, index: int) -> int:
    ended: dict[str, Any] = {}
    supervisor = Supervisor(array, lambda event: ended.update(event) if event["event"] == "ended" else None)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.cancel(index, message="stopped by a signal"))
    supervisor.environment = ensure_captured(array.run)
    try:
        supervisor.start(index, last_attempt(array.run, array.name, index) + 1, [], None)
    except IndexError as error:
        sys.stderr.write(f"sciflow_shim: {error}\n")
        return 2
    while not ended:
        supervisor.step()
    if ended["error"]:
        sys.stderr.write(f"{array.name}[{index}] {ended['state']}: {ended['error']}\n")
    return EXIT_CODES.get(ended["state"], 1)


def _serve(array: Array) -> int:
    # The one who asks may close the pipe at any time; what was asked for last is then stopped and recorded.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)

    def report(event: dict[str, Any]) -> None:
        try:
            answers.write(json.dumps(event) + "\n")
        except (BrokenPipeError, ValueError):
            pass  # nobody listens any more; the record says it all

    supervisor = Supervisor(array, report, keep_function=True)
    supervisor.environment = ensure_captured(array.run)
    service = _Service(supervisor)
    supervisor.selector.register(0, selectors.EVENT_READ, service.hear)
    signal.signal(signal.SIGTERM, lambda *_: service.stop())
    while not service.stopping or supervisor.running:
        supervisor.step()
    supervisor.close()
    return 0


class _Service:
    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.stopping = False
        self._pending = b""

    def hear(self) -> None:
        data = os.read(0, 1 << 16)
        if not data:
            self.stop()
            return
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            request = json.loads(line)
            if request["do"] == "start" and not self.stopping:
                self.supervisor.start(request["index"], request["attempt"], request["cores"], request["gpus"])
            elif request["do"] == "cancel":
                self.supervisor.cancel(request["index"])

    def stop(self) -> None:
        if not self.stopping:
            self.stopping = True
            if 0 in self.supervisor.selector.get_map():
                self.supervisor.selector.unregister(0)
            for index in list(self.supervisor.running):
                self.supervisor.cancel(index, message="the run was stopped")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
