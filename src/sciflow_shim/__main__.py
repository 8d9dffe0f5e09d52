"""`python -m sciflow_shim RUN ARRAY INDEX` runs one index; with `--serve`, those that standard input asks for."""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys

from sciflow_shim import files
from sciflow_shim.array import Array, last_attempt
from sciflow_shim.environment_record import ensure_captured
from sciflow_shim.leftovers import kill_marked
from sciflow_shim.supervisor import STOPPED, Supervisor

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from typing import Any

USAGE = "usage: python -m sciflow_shim RUN_DIRECTORY ARRAY (INDEX | --serve)"
EXIT_CODES = {"COMPLETED": 0, "CANCELLED": 143, "TIMEOUT": 124, "OUT_OF_MEMORY": 137}
CAPTURE_PATIENCE = 30.0  # seconds for which one index waits for the capture of its environment


def main(arguments: list[str]) -> int:
    """Run one index, or serve.

    Returns
    -------
    int
        0 when the index is completed; 1 when it failed; 2 for wrong usage.
    """
    if len(arguments) != 3 or not (arguments[2] == "--serve" or arguments[2].isdecimal()):
        sys.stderr.write(USAGE + "\n")
        return 2
    try:
        array = Array(os.path.abspath(arguments[0]), arguments[1])
        grace = files.grace_seconds()
        if arguments[2] == "--serve":
            return _serve(array, grace)
        array.line(int(arguments[2]))
    except (OSError, ValueError, IndexError) as error:
        sys.stderr.write(f"sciflow_shim: {error}\n")
        return 2
    return _run_one(array, int(arguments[2]), grace)


def _remove_empty_output(run: str) -> None:
    """Remove the file that a scheduler has opened for what the job script prints, if it is of the run and empty."""
    try:
        path = os.readlink("/proc/self/fd/1")
        if path.startswith(os.path.realpath(run) + os.sep) and path.endswith(".job") and not os.fstat(1).st_size:
            os.unlink(path)
    except OSError:  # no file, or gone already
        pass


class _Stop:
    """Notes that a signal has asked to stop; the signal also wakes the supervisor."""

    def __init__(self, *numbers: int) -> None:
        self.is_asked = False
        for number in numbers:
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: Any) -> None:
        self.is_asked = True


def _run_one(array: Array, index: int, grace: float) -> int:
    ended: dict[str, Any] = {}
    stop = _Stop(signal.SIGTERM, signal.SIGINT)
    supervisor = Supervisor(array, lambda e: ended.update(e) if e["event"] == "ended" else None, grace=grace)
    supervisor.is_stopping = lambda: stop.is_asked
    supervisor.environment, supervisor.capture = ensure_captured(array.run)
    attempt = last_attempt(array.run, array.name, index) + 1
    # Whoever has started here left a record or a log; looking through all processes is for where that was so.
    if attempt > 1 or os.path.exists(array.path(files.log(array.name, index, attempt))):
        kill_marked(f"{array.run}/{array.name}/{index}.")
    supervisor.start(index, attempt, [], None)
    while not ended:
        if stop.is_asked:
            supervisor.cancel(index, message=STOPPED)
        supervisor.step()
    supervisor.close()
    if ended["error"]:
        sys.stderr.write(f"{array.name}[{index}] {ended['state']}: {ended['error']}\n")
        sys.stderr.flush()
    until = supervisor.clock() + CAPTURE_PATIENCE
    while supervisor.capture and not stop.is_asked and supervisor.clock() < until:
        supervisor.step(until - supervisor.clock())  # a job that ends takes all its processes with it
    _remove_empty_output(array.run)
    return EXIT_CODES.get(ended["state"], 1)


def _serve(array: Array, grace: float) -> int:
    # The one who asks may close the pipe at any time; what was asked for last is then stopped and recorded.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop = _Stop(signal.SIGTERM)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)

    def report(event: dict[str, Any]) -> None:
        try:
            answers.write(json.dumps(event) + "\n")
        except (BrokenPipeError, ValueError):
            pass  # nobody listens any more; the record says it all

    supervisor = Supervisor(array, report, keep_function=True, grace=grace)
    supervisor.environment, supervisor.capture = ensure_captured(array.run)
    kill_marked(f"{array.run}/{array.name}/")
    service = _Service(supervisor)
    supervisor.selector.register(0, selectors.EVENT_READ, service.hear)
    while True:
        if stop.is_asked:
            service.stop()
        if service.stopping and not supervisor.running:
            break
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
            self.supervisor.selector.unregister(0)
            for index in list(self.supervisor.running):
                self.supervisor.cancel(index, message="the run was stopped")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
