"""Other requests for what waits, and when each of them would start: shorter, smaller, elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from sciflow.errors import SciflowError
from sciflow.model.plan import ArrayJob
from sciflow.model.profile import ClusterProfile, Partition
from sciflow.model.resources import GIB, Resources
from sciflow.model.state import State
from sciflow.run.measured import Measured
from sciflow.run.status import RunStatus
from sciflow.schedulers.waiting import Explainer, Gap, Outlook, Variant
from sciflow.store.layout import RunDirectory

MARGIN = 1.2  # what was measured, with a fifth more
WORTH_WHILE = 0.8  # what is no smaller than that is not worth a trial
_LOOKED_AT = 20  # records that are read for what they have needed
_MOST = 5  # questions
_SHORTEST = 120.0  # seconds: a gap that is shorter is none
_MIB = 1024**2


@dataclass(frozen=True)
class Tried:
    """One request, and when it would start.

    Attributes
    ----------
    variant
        What is different, and all that it asks for.
    start
        When it would start, in seconds since the epoch; None where that is not known.
    source
        Who says so: ``test-only`` for the scheduler's estimate, ``gap`` for what is free now.
    refusal
        Why it would not be taken.
    is_as_it_is
        Whether it is the request with which it waits now.
    """

    variant: Variant
    start: float | None
    source: str
    refusal: str = ""
    is_as_it_is: bool = False


@dataclass
class Found:
    """What trials have found, the best first, and what did not answer."""

    rows: list[Tried] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def tried(
    run: RunDirectory,
    status: RunStatus,
    array: ArrayJob,
    element: int,
    explainer: Explainer,
    profile: ClusterProfile,
    outlook: Outlook,
    now: float,
) -> Found:
    """Ask when one index would start with other requests.

    Parameters
    ----------
    run, status
        The run, and what is known of it.
    array, element
        What waits, under the request with which it does.
    explainer, outlook
        Who is asked, and what was seen of the queue.
    profile, now
        The site, and the time.
    """
    found = Found()
    here = next((one.partition for one in outlook.standings if one.partition), array.options.partition)
    as_it_is = Variant("as it is", array.resources)
    others = list(variants(run, status, array, profile, here))[: _MOST - 1]
    for variant in (as_it_is, *others) if explainer.estimates else ():
        try:
            trial = explainer.try_out(array, element, variant)
        except SciflowError as error:
            found.notes.append(f"{variant.label}: {error.message}")
            continue
        found.rows.append(Tried(variant, trial.start, "test-only", trial.refusal, variant is as_it_is))
    for name in here.split(","):
        if name in outlook.gaps:
            found.rows += in_gap(array.resources, outlook.gaps[name], now)
    found.rows.sort(key=lambda one: (bool(one.refusal), one.start or math.inf, not one.is_as_it_is))
    return found


def variants(
    run: RunDirectory, status: RunStatus, array: ArrayJob, profile: ClusterProfile, here: str
) -> Iterator[Variant]:
    """Other requests that are worth a question: as measured, shorter, smaller, and in other partitions."""
    own = array.resources
    seconds, memory = needed(run, status, array)
    shorter = own.runtime_seconds // 2
    if seconds and math.ceil(seconds * MARGIN) < WORTH_WHILE * own.runtime_seconds:
        shorter = max(60, 60 * math.ceil(seconds * array.pack * MARGIN / 60))
        if shorter < own.runtime_seconds:
            yield Variant("the walltime as measured, and a fifth", own._replace(runtime_seconds=shorter))
    elif shorter >= 60:
        yield Variant("half the walltime", own._replace(runtime_seconds=shorter))
    if own.cpu_cores > 1:
        yield Variant("half the cores", own._replace(cpu_cores=own.cpu_cores // 2))
    if memory and memory * MARGIN < WORTH_WHILE * own.memory_bytes:
        less = _MIB * math.ceil(memory * MARGIN / _MIB)
        yield Variant("the memory as measured, and a fifth", own._replace(memory_bytes=less))
    for name, partition in profile.partitions.items():
        if name not in here.split(",") and (here or not partition.default) and takes(partition, own):
            yield Variant(f"partition `{name}`", own, name)


def needed(run: RunDirectory, status: RunStatus, array: ArrayJob) -> tuple[float, float]:
    """The most seconds and bytes that completed instances of a task have needed; 0 where none has said so."""
    measured, seconds, memory, seen = Measured(run, status.plan, status), 0.0, 0.0, 0
    for one in status.arrays(array.task):
        for index, known in status.indices[one.name].items():
            if known.state is State.COMPLETED:
                seconds = max(seconds, known.seconds)
                if seen < _LOOKED_AT:
                    seen += 1
                    memory = max(memory, float(measured.own(one.name, index).memory))
    return seconds, memory


def takes(partition: Partition, asked: Resources) -> bool:
    """Whether a partition can take a request, as far as the profile tells."""
    bounds = (
        (partition.cpu_cores, -(-asked.all_cores // max(1, asked.nodes))),
        (partition.memory_gb, asked.memory_per_node / GIB),
        (partition.nodes, asked.nodes),
        (partition.runtime_seconds, asked.runtime_seconds),
    )
    has_gpus = not asked.gpus or (partition.gpus is None or partition.gpus >= asked.gpus_per_node)
    return has_gpus and all(most is None or wanted <= most for most, wanted in bounds)


def in_gap(own: Resources, gap: Gap, now: float) -> Iterator[Tried]:
    """What could start at once, if it is over before the first that comes before it is to start."""
    seconds = gap.until - now
    if own.nodes > 1 or own.gpus or seconds < _SHORTEST or own.memory_bytes > (gap.memory or math.inf):
        return
    cores = min(own.all_cores, gap.cores)
    if own.mpi_tasks and cores < own.all_cores:
        return
    fitting = min(own.runtime_seconds or seconds, 60 * (int(seconds) // 60))
    asked = own._replace(runtime_seconds=int(fitting))
    if not own.mpi_tasks:
        asked = asked._replace(cpu_cores=cores)
    if asked != own:
        yield Tried(Variant("fits into the gap that is free now", asked), now, "gap")
