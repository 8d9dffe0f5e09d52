"""`python -m sciflow_shim RUN ARRAY[@VARIANT] INDEX` runs one index; with `--serve`, those that are asked for."""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys

from sciflow_shim import files
from sciflow_shim.array import Array
from sciflow_shim.attempt import claim_attempt
from sciflow_shim.fingerprint import ensure_captured
from sciflow_shim.leftovers import kill_marked
from sciflow_shim.supervisor import STOPPED, Supervisor

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

USAGE = "usage: python -m sciflow_shim RUN_DIRECTORY ARRAY[@VARIANT] (INDEX | --serve)"
EXIT_CODES = {"COMPLETED": 0, "CANCELLED": 143, "TIMEOUT": 124, "OUT_OF_MEMORY": 137}
CAPTURE_PATIENCE = 30.0  # seconds for which one index waits for the capture of its environment


def main(arguments: list[str]) -> int:
    """Run one index, or serve.

    Returns
    -------
    int
        0 when the index is completed, or the next job goes on from its checkpoint; 1 when it failed; 2 for wrong
        usage; 75 when a brake holds it back.
    """
    if len(arguments) != 3 or not (arguments[2] == "--serve" or arguments[2].isdecimal()):
        sys.stderr.write(USAGE + "\n")
        return 2
    try:
        array = Array(os.path.abspath(arguments[0]), arguments[1])
        grace = files.grace_seconds()
        if arguments[2] == "--serve":
            return _serve(array, grace)
        index = int(arguments[2])
        array.of_element(index)
        following = [array.follower(name) for name in array.then]
    except (OSError, ValueError, IndexError) as error:
        sys.stderr.write(f"sciflow_shim: {error}\n")
        return 2
    told = _Told(signal.SIGTERM, signal.SIGINT), _Told(signal.SIGUSR1)
    code = _run_unless_done(array, index, grace, told)
    for one in following:
        if code or told[0].is_so:
            break  # what comes after something that has not completed could not start either
        code = _run_unless_done(one, index, grace, told)
    _remove_empty_output(array.run)
    _remove_twin()
    return code


def _run_unless_done(array: Array, index: int, grace: float, told: tuple[_Told, _Told]) -> int:
    """Run one index, unless it is not to start; gives its exit code."""
    code = code_without_start(array, array.of_element(index), os.environ)
    return _run_one(array, index, grace, told) if code is None else code


def code_without_start(array: Array, indices: range, environ: Mapping[str, str]) -> int | None:
    """The exit code of what is not to start, which leaves nothing behind; None for what is."""
    # PBS does not say that it starts a job again.
    may_be_again = environ.get("SLURM_RESTART_COUNT", "0") != "0" or "PBS_JOBID" in environ
    if may_be_again and array.pack == 1 and _has_completed(array, indices[0], environ):
        return 0  # it had done all, when its node was lost or taken from it
    if array.rides and _has_completed(array, indices[0], None):
        return 0  # it was taken over from another run
    if array.goes_on:
        from sciflow_shim import chain  # few array jobs are one

        code = chain.code_without_start(array, indices[0])
        if code is not None:
            return code
    held_back = array.held_back()
    if not held_back:
        return None
    sys.stderr.write(f"{array.name}[{files.format_ranges(indices)}] {held_back}\n")
    return files.HELD_CODE


def _has_completed(array: Array, index: int, environ: Mapping[str, str] | None) -> bool:
    """Whether an index is completed: by the same job, before it was put back into the queue, or by any."""
    found = array.shelf.find(array.name, index)
    if found is None or found.state != "COMPLETED" or not array.shelf.is_sealed(found):
        return False
    name = "PBS_JOBID" if environ is not None and "PBS_JOBID" in environ else "SLURM_ARRAY_JOB_ID"
    return environ is None or found.facts.get(name) == environ.get(name)


def _remove_empty_output(run: str) -> None:
    """Remove the file that a scheduler has opened for what the job script prints, if it is of the run and empty."""
    try:
        path = os.readlink("/proc/self/fd/1")
        if path.startswith(os.path.realpath(run) + os.sep) and path.endswith(".job") and not os.fstat(1).st_size:
            os.unlink(path)
    except OSError:  # no file, or gone already
        pass


def _remove_twin() -> None:
    """Remove the other name of that file, by which a scheduler would say why it ends a job: there is nothing to say."""
    twin = os.environ.get("SCIFLOW_LOG_TWIN", "")
    try:
        if twin:
            os.unlink(twin)
    except OSError:  # gone already
        pass


class _Told:
    """Notes that a signal has come; it also wakes the supervisor."""

    def __init__(self, *numbers: int) -> None:
        self.is_so = False
        for number in numbers:
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: Any) -> None:
        self.is_so = True


def _run_one(array: Array, index: int, grace: float, told: tuple[_Told, _Told]) -> int:
    ended: dict[str, Any] = {}
    stop, late = told

    def report(event: dict[str, Any]) -> None:
        if event["event"] == "ended":
            ended.update(event)
            if event["error"]:
                sys.stderr.write(f"{array.name}[{event['index']}] {event['state']}: {event['error']}\n")
                sys.stderr.flush()

    supervisor = Supervisor(array, report, keep_function=array.pack > 1, grace=grace)
    supervisor.is_stopping = lambda: stop.is_so
    supervisor.environment, supervisor.capture = ensure_captured(array.run, array.commands)
    attempt = claim_attempt(array.run, array.name, index)
    if attempt > 1:  # looking through all processes is for where something of it may still run
        kill_marked(f"{array.run}/{array.name}/{index}.")
    if array.pack > 1:
        from sciflow_shim.packed import Pack  # not for those who run alone

        code = Pack(array, index, attempt, supervisor.environment).run(
            supervisor, lambda: stop.is_so, lambda: late.is_so
        )
    else:
        supervisor.start(index, attempt, [], None)
        supervisor.record_start()
        while not ended:
            if stop.is_so:
                supervisor.cancel(index, message=STOPPED)
            elif late.is_so:
                supervisor.warn()
            supervisor.step()
        supervisor.close()
        code = exit_code(array, index, ended["state"])
    until = supervisor.clock() + CAPTURE_PATIENCE
    while supervisor.capture and not stop.is_so and supervisor.clock() < until:
        supervisor.step(until - supervisor.clock())  # a job that ends takes all its processes with it
    return code


def exit_code(array: Array, index: int, state: str) -> int:
    """The exit code that tells how an index has ended."""
    if state == "TIMEOUT" and array.links > 1:
        from sciflow_shim import chain  # few array jobs are one

        if chain.leaves_checkpoint(array, index):
            return 0  # the next one waits for this one to have ended well
    return EXIT_CODES.get(state, 1)


def _serve(array: Array, grace: float) -> int:
    # The one who asks may close the pipe at any time; what was asked for last is then stopped and recorded.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop = _Told(signal.SIGTERM)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)

    def report(event: dict[str, Any]) -> None:
        try:
            answers.write(json.dumps(event) + "\n")
        except (BrokenPipeError, ValueError):
            pass  # nobody listens any more; the record says it all

    supervisor = Supervisor(array, report, keep_function=True, grace=grace)
    supervisor.environment, supervisor.capture = ensure_captured(array.run, array.commands)
    kill_marked(f"{array.run}/{array.name}/")
    service = _Service(supervisor)
    supervisor.selector.register(0, selectors.EVENT_READ, service.hear)
    while True:
        if stop.is_so:
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
                self._start(**request)
            elif request["do"] == "cancel":
                self.supervisor.cancel(request["index"])

    def _start(self, index: int, attempt: int, cores: list[int], gpus: list[str] | None, **_: Any) -> None:
        held_back = self.supervisor.array.held_back()
        if not held_back:
            self.supervisor.start(index, attempt, cores, gpus)
            return
        ended = {"event": "ended", "index": index, "attempt": attempt, "state": "CANCELLED", "error": held_back}
        self.supervisor.report({**ended, "seconds": 0.0})

    def stop(self) -> None:
        if not self.stopping:
            self.stopping = True
            self.supervisor.selector.unregister(0)
            for index in list(self.supervisor.running):
                self.supervisor.cancel(index, message="the run was stopped")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
