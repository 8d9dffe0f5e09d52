"""Starts, samples, limits and ends the user's programs, and writes their records."""

from __future__ import annotations

import os
import resource
import selectors
import signal
import sys
import time

from sciflow_shim import child, files
from sciflow_shim.array import Array
from sciflow_shim.attempt import FAILURES, Attempt, how_it_ended
from sciflow_shim.cgroup import oom_kills
from sciflow_shim.child import Launch
from sciflow_shim.leftovers import MARK, adopted, kill_leftovers, kill_orphans
from sciflow_shim.outcome import read_outcome
from sciflow_shim.running import Running, interim_interval
from sciflow_shim.sampler import next_interval

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from typing import Any, Callable

    from sciflow_shim.server_link import ServerLink

KILLED = 128  # a shell whose program was killed ends with that and the signal's number
STOPPED = "stopped by a signal"
LAST_WAIT = 2.0  # seconds for killed processes to be gone
WARNING = 60.0  # seconds before the time limit, at most a tenth of it


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
    grace
        Seconds between the polite signal and the other.
    """

    def __init__(
        self,
        array: Array,
        report: Callable[[dict[str, Any]], None],
        keep_function: bool = False,
        clock: Callable[[], float] = time.monotonic,
        grace: float = files.GRACE,
    ) -> None:
        self.array = array
        self.report = report
        self.clock = clock
        self.grace = grace
        self.environment = ""
        self.capture = 0  # the process that captures the environment
        self.is_stopping: Callable[[], bool] = lambda: False
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
        self.link: ServerLink | None = None
        request = array.header["request"]
        self.limit: float = request["runtime_seconds"] / array.members or float("inf")
        self.memory: float = request["memory_bytes"] or float("inf")
        self.keep_function = keep_function and array.task["kind"] == "function"
        self.make_attempt: Callable[[Array, int, int], Attempt] = Attempt
        child.load_program(array.task["kind"], is_one_of_many=keep_function)
        if array.has_files:
            from sciflow_shim import inputs  # noqa: F401  # what children look at first, and the record at last
        self._is_alone = False
        self._oom_kills = oom_kills(os.getpid())

    def start(self, index: int, attempt: int, cores: list[int], gpus: list[str] | None) -> None:
        """Start one attempt of one index, or record why it cannot start."""
        one = self.make_attempt(self.array, index, attempt)
        one.environment = self.environment
        one.clear()
        place = f"{self.array.run}/{self.array.name}/"
        if attempt > 1 and not self._is_alone:
            kill_orphans(place)  # one that was started before may still have processes in the same directory
            self._is_alone = True
        if one.is_held_back():
            self._finish(one)
            return
        variables = child.share_of_machine(self.array.header["request"]["cpu_cores"], gpus)
        if devices := child.assigned_gpus(gpus, os.environ):
            from sciflow_shim.gpu_use import GpuUse  # most indices have none

            one.gpus = GpuUse(devices)
        launch = Launch(
            index=index,
            line=one.line,
            facts=one.facts,
            work=one.work,
            log=one.log,
            outcome=one.outcome_path,
            cores=cores,
            variables={**variables, MARK: f"{place}{one.mark}"},
        )
        one.variables = launch.variables
        self.running[index] = running = Running(one, launch, self.clock())
        if self.keep_function:
            self._serve(variables).ask(launch)
        else:
            self._start_alone(running)

    def cancel(self, index: int, state: str = "CANCELLED", message: str = "cancelled") -> None:
        """Ask a running index to end, and end it if it does not."""
        running = self.running.get(index)
        if running and running.kill_at is None:
            running.attempt.state = state
            running.attempt.error = {"message": message}
            running.kill_at = self.clock() + (0.0 if state == "OUT_OF_MEMORY" else self.grace)
            running.signal(signal.SIGTERM)

    def warn(self) -> None:
        """Tell all programs that their time is nearly up: those that listen now, and others once they do."""
        for running in self.running.values():
            running.is_late = True
            running.warn()

    def record_start(self) -> None:
        """Leave a first record of what runs, so that it is known even if all of it is killed right away."""
        for running in self.running.values():
            _write_interim(running.attempt)

    def step(self, timeout: float | None = None) -> None:
        """Wait for the next thing to happen, and do what is due."""
        due = min((one.due(self.limit) for one in self.running.values()), default=float("inf"))
        wait = max(0.0, due - self.clock())
        if timeout is not None:
            wait = min(wait, timeout)
        for key, _ in self.selector.select(None if wait == float("inf") else wait):
            key.data()
        self._reap()
        now = self.clock()
        for running in list(self.running.values()):
            if now >= running.due(self.limit):
                self._attend(running, now)

    def close(self) -> None:
        """Let the fork server go, and end what programs have left running."""
        if self.link is not None:
            self._stop_hearing()
            self.link.close()
            self.link = None
        until = self.clock() + LAST_WAIT
        while self._sweep() and self.clock() < until:
            self.step(until - self.clock())

    def _serve(self, variables: dict[str, str]) -> ServerLink:
        if self.link is None:
            from sciflow_shim.server_link import ServerLink  # a lone index has none, and loads none

            self.link = ServerLink(self.array, self.prctl, variables, self.selector.close)
            self.selector.register(self.link.socket, selectors.EVENT_READ, self._hear)
        return self.link

    def _fork(self, running: Running, program: Callable[[int], None]) -> None:
        parent = os.getpid()
        # A signal that comes before the child has put its own handlers in place waits until then.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, child.POLITE)
        pid = os.fork()
        if pid == 0:
            program(parent)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._has_started(running, pid)

    def _has_started(self, running: Running, pid: int) -> None:
        running.has_process(pid)
        if not running.gathering:
            self.report({"event": "started", "index": running.attempt.index, "attempt": running.attempt.attempt})

    def _hear(self) -> bool:
        """Take what the fork server says; whether it has said something."""
        assert self.link is not None
        events, is_open = self.link.events()
        for event in events:
            if "unfit" in event:
                self._do_without_server()
                return True
            running = self.running.get(event["index"])
            if running is None:
                continue
            if "status" in event:
                self._has_ended(running, event["status"], resource.struct_rusage(event["usage"]))
            else:
                self._has_started(running, event["pid"])
        if not is_open:
            self._stop_hearing()  # until its death comes, which says why
        return bool(events)

    def _do_without_server(self) -> None:
        """Let each child load the function for itself, where the one that has loaded it cannot be forked."""
        assert self.link is not None
        self._stop_hearing()
        self.link.close()
        self.link = None
        self.keep_function = False
        for running in self.running.values():
            self._start_alone(running)

    def _start_alone(self, running: Running) -> None:
        self._fork(running, lambda parent: child.become(self.array, running.launch, self.prctl, parent))

    def _stop_hearing(self) -> None:
        if self.link is not None and self.link.socket in self.selector.get_map():
            self.selector.unregister(self.link.socket)

    def _server_has_died(self, status: int) -> None:
        while self.link is not None and self._hear():
            pass  # what it said last still counts
        if self.link is None:
            return
        self._stop_hearing()
        self.link.close()
        self.link = None
        for running in list(self.running.values()):
            running.kill_group()
            attempt = running.attempt
            if attempt.state == "RUNNING":
                attempt.state = "FAILED"
                how = how_it_ended(*_code_and_signal(status))
                attempt.error = {"message": f"the process that holds its function {how}"}
            self._finish(attempt)

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
            if pid == self.capture:
                self.capture = 0
            elif self.link is not None and pid == self.link.pid:
                self._server_has_died(status)
            elif running is None:
                self._sweep()  # what was left behind may itself have left something behind
            elif not self.keep_function:
                self._has_ended(running, status, usage)

    def _sweep(self) -> bool:
        """Kill what ended programs have left behind; whether there was something."""
        own = [one.pid for one in self.running.values()]
        own += [self.capture, self.link.pid if self.link else 0]
        strangers = adopted(own)
        if strangers:
            kill_leftovers(strangers, self.running.values())
        return bool(strangers)

    def _has_ended(self, running: Running, status: int, usage: resource.struct_rusage) -> None:
        attempt = running.attempt
        running.kill_group()
        code, number = _code_and_signal(status)
        if not running.gathering:
            attempt.resources.finish(usage, self.clock() - running.started)
            attempt.exit_code, attempt.signal = code, number
            if self._must_gather(attempt, code):
                running.gathering = True
                running.pid = 0
                self._fork(running, lambda parent: child.gather(self.array, running.launch, self.prctl, parent))
                return
        was_killed = number == signal.SIGKILL or code == KILLED + signal.SIGKILL
        if was_killed and attempt.state == "RUNNING" and self._kernel_killed_for_memory():
            attempt.state = "OUT_OF_MEMORY"
            why = "because the memory was used up"
            whole = f"the kernel killed a process of it {why}: it {attempt.last_words(code, number)}"
            attempt.error = {"message": f"the kernel killed it {why}" if number else whole}
        try:
            outcome = read_outcome(attempt.outcome_path)
        except ValueError:  # torn: the program was killed while it wrote
            outcome = None
        attempt.outcome = _with_notes(outcome, attempt) if outcome else attempt.outcome
        was_stopped = number or (attempt.exit_code or 0) > KILLED or attempt.outcome.notes.get("stopped")
        if attempt.state == "RUNNING" and was_stopped and self.is_stopping():
            # Whoever stops a job may signal all of its processes at once, and the program was the first to end.
            attempt.state, attempt.error = "CANCELLED", {"message": STOPPED}
        if attempt.state == "RUNNING" and running.warned and attempt.exit_code and self.array.task["kind"] == "command":
            how = f"it was told that its time was nearly up, and ended with exit code {attempt.exit_code}"
            attempt.state, attempt.error = "TIMEOUT", {"message": f"{how}; the next attempt can go on"}
        if outcome is None and code == 0 and attempt.state == "RUNNING":
            attempt.error = attempt.outcome.error = {"type": "", "message": "it ended without leaving a result"}
        attempt.judge(attempt.exit_code if running.gathering else code, number)
        self._finish(attempt)

    def _kernel_killed_for_memory(self) -> bool:
        before, self._oom_kills = self._oom_kills, oom_kills(os.getpid())
        return self._oom_kills > before

    def _must_gather(self, attempt: Attempt, code: int | None) -> bool:
        if self.array.task["kind"] != "command" or code != 0 or attempt.state != "RUNNING":
            return False
        return not os.path.exists(attempt.outcome_path)  # there is one already if the command never started

    def _finish(self, attempt: Attempt) -> None:
        self.running.pop(attempt.index, None)
        self._sweep()
        attempt.close()
        if self.array.brake and attempt.state in FAILURES:
            attempt.apply_brake()
        self.report(
            {
                "event": "ended",
                "index": attempt.index,
                "attempt": attempt.attempt,
                "state": attempt.state,
                "error": attempt.complaint,
                "seconds": round(attempt.seconds, 6),
            }
        )

    def _attend(self, running: Running, now: float) -> None:
        age = now - running.started
        if running.kill_at is not None and now >= running.kill_at:
            if not running.pid and self.link is not None:
                self.link.kill()  # it hangs before it has forked, loading the function
            running.signal(signal.SIGKILL)
            running.kill_at = now + max(self.grace, 1.0)
        elif running.kill_at is None and age >= self.limit:
            self.cancel(running.attempt.index, "TIMEOUT", f"ran longer than the {self.limit:g} s it asked for")
        elif running.is_late or age >= self.limit - min(WARNING, self.limit / 10):
            running.warn()
        if running.pid and now >= running.next_sample:
            self._sample(running, now, age)

    def _sample(self, running: Running, now: float, age: float) -> None:
        assert running.tree is not None
        sample = running.tree.sample(now)
        running.attempt.resources.add(sample)
        gpus = running.attempt.gpus
        if gpus:
            gpus.sample(now, age)
        running.attempt.series.append(sample, gpus.latest if gpus else None)
        cost = running.tree.cost + (gpus.cost if gpus else 0.0)
        running.next_sample = now + next_interval(age, sample.rss_bytes / self.memory, cost)
        # Pages that processes share are in the memory of each; only their share of them is what they take.
        if sample.rss_bytes > self.memory and (taken := running.tree.proportional_bytes()) > self.memory:
            used = f"used {taken / 2**30:.2f} GB of the {self.memory / 2**30:.2f} GB it asked for"
            self.cancel(running.attempt.index, "OUT_OF_MEMORY", used)
        if now >= running.next_interim:
            running.next_interim = now + interim_interval(age)
            _write_interim(running.attempt)


def _write_interim(attempt: Attempt) -> None:
    try:
        attempt.write()
    except OSError as error:  # a full disk may have room again at the end
        sys.stderr.write(f"sciflow_shim: an interim record cannot be written: {error}\n")


def _code_and_signal(status: int) -> tuple[int | None, int | None]:
    if os.WIFSIGNALED(status):
        return None, os.WTERMSIG(status)
    return os.WEXITSTATUS(status), None


def _with_notes(outcome: Any, attempt: Attempt) -> Any:
    outcome.notes = {**attempt.outcome.notes, **outcome.notes}
    return outcome
