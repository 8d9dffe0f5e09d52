"""Starts, samples, limits and ends the user's programs, and writes their records."""

from __future__ import annotations

import json
import os
import resource
import selectors
import signal
import socket
import time
from typing import Any, Callable

from sciflow_shim import child, fork_server
from sciflow_shim.array import Array
from sciflow_shim.attempt import Attempt
from sciflow_shim.child import Launch
from sciflow_shim.outcome import read_outcome
from sciflow_shim.sampler import ProcessTree, next_interval
from sciflow_shim.upstream import Upstream

GRACE = 10.0  # seconds between the polite signal and the other
WARNING = 60.0  # seconds before the time limit, at most a tenth of it
INTERIM = 5.0  # age at which a program gets its first interim record; it doubles from there


class Running:
    """An attempt whose program runs."""

    def __init__(self, attempt: Attempt, launch: Launch, now: float) -> None:
        self.attempt = attempt
        self.launch = launch
        self.pid = 0
        self.tree: ProcessTree | None = None
        self.started = now
        self.next_sample = now + next_interval(0.0)
        self.next_interim = now + INTERIM
        self.gathering = False
        self.warned = False
        self.kill_at: float | None = None


class Supervisor:
    """Runs indices of one array job, several at once if asked, each with a record of its own.

    Parameters
    ----------
    array
        The array job.
    report
        Called with an event, a plain dict, when an index has started or ended.
    keep_function
        Load a function once and fork for each index, instead of loading it in each child.
    clock
        Monotonic seconds.
    """

    def __init__(
        self,
        array: Array,
        report: Callable[[dict[str, Any]], None],
        keep_function: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.array = array
        self.report = report
        self.clock = clock
        self.environment = ""
        self.running: dict[int, Running] = {}
        self.prctl = child.load_prctl()
        self.prctl(child.PR_SET_CHILD_SUBREAPER, 1)
        self.selector = selectors.DefaultSelector()
        woken, wake = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self.selector.register(woken, selectors.EVENT_READ, lambda: os.read(woken, 4096))
        self.link: socket.socket | None = None
        self.server = 0
        self._pending = b""
        request = array.header["request"]
        self.limit: float = request["runtime_seconds"] or float("inf")
        self.memory: float = request["memory_bytes"] or float("inf")
        self.keep_function = keep_function and array.task["kind"] == "function"

    def start(self, index: int, attempt: int, cores: list[int], gpus: list[str] | None) -> None:
        """Start one attempt of one index, or record why it cannot start."""
        one = Attempt(self.array, index, attempt)
        one.environment = self.environment
        for path in (one.log, one.outcome_path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        if self._is_held_back(one):
            self._finish(one)
            return
        launch = Launch(
            index=index,
            line=one.line,
            facts=one.facts,
            work=one.work,
            log=one.log,
            outcome=one.outcome_path,
            cores=cores,
            variables=child.share_of_machine(self.array.header["request"]["cpu_cores"], gpus),
        )
        self.running[index] = running = Running(one, launch, self.clock())
        if self.keep_function:
            self._serve(launch.variables)
            assert self.link is not None
            self.link.sendall(json.dumps(vars(launch)).encode() + b"\n")
        else:
            self._fork(running, lambda: child.become(self.array, launch, self.prctl))

    def cancel(self, index: int, state: str = "CANCELLED", message: str = "cancelled") -> None:
        """Ask a running index to end, and end it if it does not."""
        running = self.running.get(index)
        if running and running.kill_at is None:
            running.attempt.state = state
            running.attempt.error = {"message": message}
            running.kill_at = self.clock() + (0.0 if state == "OUT_OF_MEMORY" else GRACE)
            self._signal(running, signal.SIGTERM)

    def step(self, timeout: float | None = None) -> None:
        """Wait for the next thing to happen, and do what is due."""
        due = min((self._due(one) for one in self.running.values()), default=float("inf"))
        wait = max(0.0, due - self.clock())
        if timeout is not None:
            wait = min(wait, timeout)
        for key, _ in self.selector.select(None if wait == float("inf") else wait):
            key.data()
        self._reap()
        now = self.clock()
        for running in list(self.running.values()):
            if running.pid and now >= self._due(running):
                self._attend(running, now)

    def close(self) -> None:
        """Let the fork server go."""
        if self.link is not None:
            self.selector.unregister(self.link)
            self.link.close()
            self.link = None
            try:
                os.waitpid(self.server, 0)  # it holds what the supervisor holds, a lock among others
            except ChildProcessError:
                pass  # it was killed, and reaped with its children

    def _is_held_back(self, one: Attempt) -> bool:
        inputs = Upstream(self.array, one.line, one.index)
        failures = inputs.failures()
        if not failures:
            return False
        shown = ", ".join(f"{where} is {state}" for where, state in failures[:5])
        if self.array.task["missing"] == "skip":
            one.outcome.notes["skipped"] = f"{len(failures)} upstream: {shown}"
            return False
        one.state = "UPSTREAM_FAILED"
        one.error = {"message": shown + (f" and {len(failures) - 5} more" if len(failures) > 5 else "")}
        return True

    def _serve(self, variables: dict[str, str]) -> None:
        if self.link is not None:
            return
        mine, theirs = socket.socketpair()
        self.server = os.fork()
        if self.server == 0:
            self.prctl(child.PR_SET_PDEATHSIG, signal.SIGKILL)
            self.selector.close()
            mine.close()
            fork_server.serve(self.array, theirs, self.prctl, variables)
        theirs.close()
        self.link, self._pending = mine, b""
        self.selector.register(mine, selectors.EVENT_READ, self._hear)

    def _fork(self, running: Running, program: Callable[[], None]) -> None:
        pid = os.fork()
        if pid == 0:
            program()
        self._has_started(running, pid)

    def _has_started(self, running: Running, pid: int) -> None:
        running.pid = pid
        running.tree = ProcessTree(pid)
        if running.kill_at is not None:  # cancelled between request and start
            self._signal(running, signal.SIGTERM)
        if not running.gathering:
            self.report({"event": "started", "index": running.attempt.index, "attempt": running.attempt.attempt})

    def _hear(self) -> None:
        assert self.link is not None
        try:
            data = self.link.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        if not data:
            self._server_has_died()
            return
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            event = json.loads(line)
            running = self.running.get(event["index"])
            if running is None:
                continue
            if "status" in event:
                self._has_ended(running, event["status"], resource.struct_rusage(event["usage"]))
            else:
                self._has_started(running, event["pid"])

    def _server_has_died(self) -> None:
        self.close()
        for running in list(self.running.values()):
            running.attempt.error = {"message": "the process that held its function was killed"}
            running.attempt.state = "FAILED"
            self._finish(running.attempt)

    def _reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            # Looked up anew each time: the end of one child starts another, which may end right away.
            running = next((one for one in self.running.values() if one.pid == pid), None)
            if running is not None and not self.keep_function:
                self._has_ended(running, status, usage)

    def _has_ended(self, running: Running, status: int, usage: resource.struct_rusage) -> None:
        attempt = running.attempt
        self._signal(running, signal.SIGKILL)  # whatever it left running
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        if not running.gathering:
            attempt.resources.finish(usage, self.clock() - running.started)
            attempt.exit_code, attempt.signal = code, number
            if self._must_gather(attempt, code):
                running.gathering = True
                running.pid = 0
                self._fork(running, lambda: child.gather(self.array, running.launch))
                return
        try:
            outcome = read_outcome(attempt.outcome_path)
        except ValueError:  # torn: the program was killed while it wrote
            outcome = None
        attempt.outcome = _with_notes(outcome, attempt) if outcome else attempt.outcome
        if outcome is None and code == 0 and attempt.state == "RUNNING":
            attempt.error = attempt.outcome.error = {"type": "", "message": "it ended without leaving a result"}
        attempt.judge(attempt.exit_code if running.gathering else code, number)
        self._finish(attempt)

    def _must_gather(self, attempt: Attempt, code: int | None) -> bool:
        if self.array.task["kind"] != "command" or code != 0 or attempt.state != "RUNNING":
            return False
        return not os.path.exists(attempt.outcome_path)  # there is one already if the command never started

    def _finish(self, attempt: Attempt) -> None:
        self.running.pop(attempt.index, None)
        attempt.end = time.time()
        attempt.write()
        self.report(
            {
                "event": "ended",
                "index": attempt.index,
                "attempt": attempt.attempt,
                "state": attempt.state,
                "error": (attempt.error.get("type", "") + ": " + attempt.error.get("message", "")).strip(": "),
                "seconds": round(attempt.end - attempt.start, 6),
            }
        )

    def _due(self, running: Running) -> float:
        times = [running.next_sample]
        if running.kill_at is not None:
            times.append(running.kill_at)
        else:
            times.append(running.started + self.limit)
        return min(times)

    def _attend(self, running: Running, now: float) -> None:
        age = now - running.started
        if running.kill_at is not None and now >= running.kill_at:
            self._signal(running, signal.SIGKILL)
            running.kill_at = now + GRACE
        elif running.kill_at is None and age >= self.limit:
            self.cancel(running.attempt.index, "TIMEOUT", f"ran longer than the {self.limit:g} s it asked for")
        elif running.kill_at is None and not running.warned and age >= self.limit - min(WARNING, self.limit / 10):
            running.warned = True
            if self.array.task["kind"] == "function":  # which ignores it unless it asked for the context
                self._signal(running, signal.SIGUSR1)
        if now >= running.next_sample:
            self._sample(running, now, age)

    def _sample(self, running: Running, now: float, age: float) -> None:
        assert running.tree is not None
        sample = running.tree.sample(now)
        running.attempt.resources.add(sample)
        running.attempt.series.append(sample)
        running.next_sample = now + next_interval(age, sample.rss_bytes / self.memory, running.tree.cost)
        if sample.rss_bytes > self.memory:
            used = f"used {sample.rss_bytes / 2**30:.2f} GB of the {self.memory / 2**30:.2f} GB it asked for"
            self.cancel(running.attempt.index, "OUT_OF_MEMORY", used)
        if now >= running.next_interim:
            running.next_interim = now + 2 * age
            running.attempt.write()

    def _signal(self, running: Running, number: int) -> None:
        if not running.pid:
            return
        try:
            os.killpg(running.pid, number)
        except ProcessLookupError:
            pass  # it ended by itself in between
        except PermissionError:
            os.kill(running.pid, number)  # it has not made its own group yet


def _with_notes(outcome: Any, attempt: Attempt) -> Any:
    outcome.notes = {**attempt.outcome.notes, **outcome.notes}
    return outcome
