"""Every attempt of a run that left a record: what it was given, what it used, and how it ended."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sciflow.analysis.table import RunTable
from sciflow.model.cause import Cause
from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.state import State
from sciflow.run.track import read_plan
from sciflow.store.columns import Table
from sciflow.store.journal import Journal
from sciflow.store.retries import Retry
from sciflow.store.submissions import Submissions

# The kernel counts page cache of a job as well, but drops it before it kills. Of what has filled up this share of its
# limit and came to no harm, what its processes held is all that is known.
CACHE_FILLS = 0.9
_CAUSES = {
    Cause.OUT_OF_MEMORY.value: State.OUT_OF_MEMORY,
    Cause.TIMEOUT.value: State.TIMEOUT,
    Cause.NODE_FAILURE.value: State.NODE_FAIL,
    Cause.PREEMPTED.value: State.PREEMPTED,
    Cause.CANCELLED.value: State.CANCELLED,
}


class Given(NamedTuple):
    """What one combination was given: cores, bytes, seconds of walltime and GPUs; 0 where nothing was asked for."""

    cores: int
    memory: int
    seconds: float
    gpus: int


@dataclass(frozen=True)
class Tried:
    """One attempt of one instance.

    Attributes
    ----------
    given, held
        What it asked for; and what its job held while it ran: of tasks that are fused, the most of any of them.
    memory
        The most bytes at a time that the kernel would count against a limit; 0 where nothing was measured.
    seconds, cpu_seconds
        How long it ran, as far as its record goes, and the CPU time that it used; 0 where that is not known.
    gpu_percent
        The mean utilisation of its GPUs; NaN where none was sampled.
    goes_on
        Whether it found a checkpoint, and went on from what earlier attempts had done.
    is_of_job
        Whether the memory is that of all of its job, and not only of the processes of the program.
    is_cached
        Whether its job filled up its limit with page cache, which is not counted.
    """

    array: str
    index: int
    attempt: int
    state: State
    given: Given
    held: Given
    memory: float
    seconds: float
    cpu_seconds: float
    gpu_percent: float = math.nan
    goes_on: bool = False
    is_of_job: bool = False
    is_cached: bool = False

    @property
    def core_seconds(self) -> float:
        """The core-seconds for which it held its cores."""
        return self.held.cores * self.seconds


def attempts_of(results: RunTable) -> dict[str, list[Tried]]:
    """Task → its attempts, those of an index in order.

    Raises
    ------
    RunError
        Where the plan of the run is missing, or of a newer format.
    """
    plan = read_plan(results.run)
    last = _last(results.tables.instances)
    found: dict[str, list[Tried]] = {task: [] for task in plan.tasks}
    for tried in _tried(results, plan, last):
        found[plan.array(tried.array).task].append(tried)
    for task in found.values():
        task.sort(key=lambda one: (one.array, one.index, one.attempt))
    return found


def _last(instances: Table) -> dict[tuple[str, int], tuple[int, State]]:
    """Place → its last attempt, and what became of it."""
    if not instances.count:
        return {}
    columns = (instances[name] for name in ("array", "index", "attempt", "state"))
    return {(array, index): (attempt, State(state)) for array, index, attempt, state in zip(*columns, strict=True)}


def _tried(results: RunTable, plan: Plan, last: dict[tuple[str, int], tuple[int, State]]) -> Iterator[Tried]:
    attempts, retries = results.tables.attempts, _Retries(results)
    own = (attempts[name] for name in ("array", "index", "attempt", "state", "start")) if attempts.count else ()
    names = ("seconds", "wall_seconds", "user_cpu_seconds", "system_cpu_seconds", "mean_gpu_utilisation_percent")
    used = zip(*(_numbers(attempts, name) for name in names), strict=True)
    memory = zip(
        *(_numbers(attempts, name) for name in ("peak_rss_bytes", "cgroup_peak_bytes", "memory_limit_bytes")),
        strict=True,
    )
    found = attempts["checkpoint_found"] if "checkpoint_found" in attempts else [None] * attempts.count
    for place, (seconds, wall, user, system, gpu), sizes, goes_on in zip(
        zip(*own, strict=True), used, memory, found, strict=True
    ):
        array, index, attempt, said, start = place
        if (array, index) not in last:
            continue
        final, state = last[array, index]
        before = retries.before(array, index, start)
        if attempt != final:
            state = State(said)
            if state in (State.RUNNING, State.FAILED):  # it was killed, all or only the program: somebody else says why
                after = retries.after(array, index, start)
                otherwise = State.UNKNOWN if state is State.RUNNING else state
                state = _CAUSES.get(after.cause, otherwise) if after is not None else otherwise
        given, held = _given(plan.array(array), before), _held(plan, plan.array(array), before)
        rss, cgroup, limit = (0.0 if math.isnan(one) else one for one in sizes)
        limit = limit or held.memory
        is_cached = state is not State.OUT_OF_MEMORY and bool(rss and limit) and cgroup >= CACHE_FILLS * limit
        peak = rss if is_cached else max(rss, cgroup)
        ran = seconds if not math.isnan(seconds) else 0.0 if math.isnan(wall) else wall
        cpu = 0.0 if math.isnan(user + system) else user + system
        is_of_job = not is_cached and cgroup > 0
        yield Tried(
            array,
            index,
            attempt,
            state,
            given,
            held,
            peak,
            max(0.0, ran),
            cpu,
            gpu,
            bool(goes_on),
            is_of_job,
            is_cached,
        )


def _numbers(table: Table, name: str) -> list[float]:
    if name not in table:
        return [math.nan] * table.count
    return [math.nan if value is None else float(value) for value in table[name]]


def _given(array: ArrayJob, retry: Retry | None) -> Given:
    own = array.resources
    memory, seconds = own.memory_bytes, own.runtime_seconds / array.pack
    if retry is not None:
        memory, seconds = retry.memory or memory, retry.seconds or seconds
    return Given(own.all_cores, memory, seconds, own.gpus)


def _held(plan: Plan, array: ArrayJob, retry: Retry | None) -> Given:
    """What the job of an attempt has: that of all that is fused, unless it runs again, which it does alone."""
    own = _given(array, retry)
    if retry is not None or not (array.rides or array.riders):
        return own
    job = plan.array(array.rides or array.name).submitted_first.resources
    return own._replace(cores=job.all_cores, memory=job.memory_bytes, gpus=job.gpus)


class _Retries:
    """The decisions to try an index again, by time."""

    def __init__(self, results: RunTable) -> None:
        submissions = Submissions()
        for event in Journal(results.run.journal).events():
            submissions.hear(event)
        self._of: dict[tuple[str, int], list[Retry]] = {}
        for retry in submissions.retries:
            for index in retry.indices:
                self._of.setdefault((retry.array, index), []).append(retry)

    def before(self, array: str, index: int, start: float) -> Retry | None:
        """The last one before an attempt started: under that it ran."""
        return next((one for one in reversed(self._of.get((array, index), ())) if one.time <= start), None)

    def after(self, array: str, index: int, start: float) -> Retry | None:
        """The first one after that: it says how the attempt ended."""
        return next((one for one in self._of.get((array, index), ()) if one.time > start), None)
