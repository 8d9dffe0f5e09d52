"""How much of what was asked for was used, in the ratios of `seff`: of each task, and of a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from sciflow.analysis.advice.needed import DONE
from sciflow.analysis.attempts import Tried, attempts_of
from sciflow.analysis.table import RunTable
from sciflow.model.resources import GIB
from sciflow.model.state import State

_HOUR = 3600.0


@dataclass(frozen=True)
class Lost:
    """Attempts that ended in one state without success.

    Attributes
    ----------
    attempts
        How many.
    core_hours
        The core-hours that they held for nothing.
    """

    attempts: int
    core_hours: float


@dataclass(frozen=True)
class Efficiency:
    """What attempts used of what they held. A ratio is NaN where it is not known.

    Attributes
    ----------
    attempts, completed
        How many attempts there are, and how many of them completed.
    cpu
        CPU time used / (cores × time).
    memory
        Most memory used / memory asked for, the mean weighted by how long each was held.
    memory_most
        The largest such ratio of one attempt.
    walltime, walltime_most
        Time / walltime asked for; the largest one.
    gpu
        Mean utilisation of GPUs, weighted by GPUs and time.
    core_hours, cpu_hours
        Held, and used; NaN where no CPU time was measured.
    gigabyte_hours, gigabyte_hours_used
        Memory asked for × time, and most memory used × time, of those that asked for memory.
    gpu_hours
        GPUs × time.
    cores, seconds, memory_bytes
        The most cores of one attempt, the time of all together, and the most memory of one.
    asked_memory_bytes, asked_seconds
        The most that one attempt was given; 0 where nothing was asked for.
    lost
        State → what was lost to attempts that ended so; what went on from a checkpoint later is not lost.
    """

    attempts: int
    completed: int
    cpu: float
    memory: float
    memory_most: float
    walltime: float
    walltime_most: float
    gpu: float
    core_hours: float
    cpu_hours: float
    gigabyte_hours: float
    gigabyte_hours_used: float
    gpu_hours: float
    cores: int
    seconds: float
    memory_bytes: float
    asked_memory_bytes: float
    asked_seconds: float
    lost: Mapping[State, Lost]

    @property
    def idle_core_hours(self) -> float:
        """The core-hours that were held and not used, of the attempts whose CPU time was measured; NaN if none was."""
        return max(0.0, self.cpu_hours / self.cpu - self.cpu_hours) if self.cpu > 0 else math.nan

    @property
    def lost_core_hours(self) -> float:
        """The core-hours that were held by attempts that came to nothing."""
        return sum(one.core_hours for one in self.lost.values())


@dataclass(frozen=True)
class RunEfficiency:
    """How much was used of what was asked for.

    Attributes
    ----------
    run
        The run's id.
    tasks
        Task → its efficiency; in running order, without those of which no attempt has left a record.
    total
        That of all attempts.
    """

    run: str
    tasks: Mapping[str, Efficiency]
    total: Efficiency


def efficiency(results: RunTable) -> RunEfficiency:
    """How much of what was asked for was used."""
    found = attempts_of(results)
    tasks = {task: efficiency_of(tried) for task, tried in found.items() if tried}
    everything = [one for tried in found.values() for one in tried]
    return RunEfficiency(results.run.run_id, tasks, efficiency_of(everything))


def efficiency_of(tried: Sequence[Tried]) -> Efficiency:
    """The efficiency of some attempts, those of an index in order."""
    ran = [one for one in tried if one.seconds > 0]
    timed = [one for one in ran if one.cpu_seconds > 0]
    sized = [one for one in ran if one.held.memory and one.memory > 0]
    limited = [one for one in ran if one.given.seconds]
    watched = [one for one in ran if one.held.gpus and not math.isnan(one.gpu_percent)]
    return Efficiency(
        attempts=len(tried),
        completed=sum(one.state is State.COMPLETED for one in tried),
        cpu=_share(timed, lambda one: one.cpu_seconds, lambda one: one.core_seconds),
        memory=_share(sized, lambda one: one.memory * one.seconds, lambda one: one.held.memory * one.seconds),
        memory_most=max((one.memory / one.held.memory for one in sized), default=math.nan),
        walltime=_share(limited, lambda one: one.seconds, lambda one: one.given.seconds),
        walltime_most=max((one.seconds / one.given.seconds for one in limited), default=math.nan),
        gpu=_share(
            watched,
            lambda one: one.gpu_percent / 100 * one.held.gpus * one.seconds,
            lambda one: one.held.gpus * one.seconds,
        ),
        core_hours=sum(one.core_seconds for one in ran) / _HOUR,
        cpu_hours=sum(one.cpu_seconds for one in timed) / _HOUR if timed else math.nan,
        gigabyte_hours=sum(one.held.memory * one.seconds for one in sized) / GIB / _HOUR,
        gigabyte_hours_used=sum(one.memory * one.seconds for one in sized) / GIB / _HOUR,
        gpu_hours=sum(one.held.gpus * one.seconds for one in ran) / _HOUR,
        cores=max((one.held.cores for one in tried), default=0),
        seconds=sum(one.seconds for one in ran),
        memory_bytes=max((one.memory for one in tried), default=0.0),
        asked_memory_bytes=max((one.held.memory for one in tried), default=0),
        asked_seconds=max((one.given.seconds for one in tried), default=0.0),
        lost=_lost(tried),
    )


def _lost(tried: Sequence[Tried]) -> dict[State, Lost]:
    found: dict[State, Lost] = {}
    for one, following in zip_longest(tried, tried[1:]):
        is_same = following is not None and (following.array, following.index) == (one.array, one.index)
        if one.state in DONE or (not one.state.is_final and not is_same):
            continue  # the last attempt of an index of which no end is known may still run
        if is_same and following is not None and following.goes_on:
            continue  # what it had done was not in vain
        known = found.get(one.state, Lost(0, 0.0))
        found[one.state] = Lost(known.attempts + 1, known.core_hours + one.core_seconds / _HOUR)
    return found


def _share(tried: Iterable[Tried], part: Callable[[Tried], float], whole: Callable[[Tried], float]) -> float:
    tried = list(tried)
    held = sum(map(whole, tried))
    return sum(map(part, tried)) / held if held > 0 else math.nan
