"""What each instance of a task is to ask for: what was learned of it, and as the workflow says where nothing was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sciflow.model.advice import Advice
from sciflow.model.options import Options
from sciflow.model.parameters import ParameterSpace
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import Resources
from sciflow.model.units import format_duration, format_memory
from sciflow.planning.caps import longest_walltime, most_cores, most_memory
from sciflow.planning.layout import Layout
from sciflow.planning.projection import Ints, Projection
from sciflow.planning.unseen import unseen_of
from sciflow.planning.uses import TaskUse

MEMORY_STEP, TIME_STEP = 64 * 1024**2, 300
_FINEST = 64  # an amount has at least half as many steps: rounding adds 3 % at most
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Wants:
    """What the instances of a task are to ask for, each.

    Attributes
    ----------
    memory, seconds
        Bytes, rounded up, and seconds as they are; no more than there is.
    knows_memory, knows_seconds
        Of which these were learned.
    expected, chance
        How long they run in the middle, 0 where nobody knows; and the chance that what was learned is enough, NaN where
        it is a guess.
    is_cut
        Which get less than they should, as there is no more.
    others, kinds
        Which of some requests without memory and time each has.
    longest
        The longest walltime; None for any.
    warnings
        What is to be said of all that.
    """

    memory: Ints
    seconds: Ints
    knows_memory: NDArray[np.bool_]
    knows_seconds: NDArray[np.bool_]
    expected: Floats
    chance: Floats
    is_cut: NDArray[np.bool_]
    others: Ints
    kinds: tuple[Resources, ...]
    longest: int | None
    warnings: tuple[str, ...] = ()


def wants(
    use: TaskUse,
    projection: Projection,
    space: ParameterSpace,
    layout: Layout,
    may_set_cores: bool,
    options: Options,
    profile: ClusterProfile,
    advice: Advice,
) -> Wants:
    """Join what was learned of a task with what its workflow asks for.

    Parameters
    ----------
    use, projection, space
        The task and its instances.
    layout
        What it asks for.
    may_set_cores
        Whether the workflow says nothing of cores, so that what was learned counts.
    options, profile
        Where it goes, and what there is.
    advice
        What was learned.
    """
    task = use.task.name
    table = _table(use, projection, space, advice)
    unseen = unseen_of(task, projection, advice if table.any() else Advice(advice.run))
    table[unseen.is_unknown] = 0.0
    asked = np.array([(one.memory_bytes, one.runtime_seconds) for one in layout.requests])[layout.codes]
    walltime = None if use.task.checkpoints else longest_walltime(options, profile)
    nodes = np.array([one.nodes for one in layout.requests])[layout.codes]
    memory_on_one = most_memory(options, profile)
    knows_memory, knows_seconds = table[:, 0] > 0, table[:, 1] > 0
    wished = rounded_up(table[:, 0], MEMORY_STEP), np.ceil(table[:, 1]).astype(np.int64)
    memory = wished[0] if memory_on_one is None else np.minimum(wished[0], memory_on_one * nodes)
    seconds = wished[1] if walltime is None else np.minimum(wished[1], walltime)
    cores = np.array([one.cpu_cores for one in layout.requests])[layout.codes]
    if may_set_cores:
        most = most_cores(options, profile)
        learned = table[:, 2].astype(np.int64)
        cores = np.where(learned > 0, learned if most is None else np.minimum(learned, most), cores)
    pairs, others = np.unique(np.stack([layout.codes, cores]), axis=1, return_inverse=True)
    kinds = tuple(
        layout.requests[code]._replace(cpu_cores=int(count), memory_bytes=0, runtime_seconds=0)
        for code, count in pairs.T.tolist()
    )
    where = f"partition `{name}`" if (name := options.partition or profile.default_partition) else profile.name
    over = [
        f"{int(beyond.sum())} of {len(beyond)} instances of `{task}` should ask for up to {spell(most)}, but {where} "
        f"has {spell(there)}: they get that, which may not be enough"
        for beyond, most, there, spell in (
            (wished[0] > memory, int(wished[0].max()), int(memory.max()), format_memory),
            (wished[1] > seconds, int(wished[1].max()), int(seconds.max()), format_duration),
        )
        if beyond.any()
    ]
    return Wants(
        memory=np.where(knows_memory, memory, asked[:, 0]),
        seconds=np.where(knows_seconds, seconds, asked[:, 1]),
        knows_memory=knows_memory,
        knows_seconds=knows_seconds,
        expected=table[:, 3],
        chance=np.where(unseen.is_guess, np.nan, table[:, 4]),
        is_cut=(wished[0] > memory) | (wished[1] > seconds),
        others=others.reshape(-1),
        kinds=kinds,
        longest=walltime,
        warnings=(*over, *_remarks(use, advice), *unseen.warnings),
    )


def rounded_up(amounts: Floats, step: int) -> Ints:
    """Amounts as multiples of a step, which is twice as large for each doubling of what is large already."""
    steps = np.ceil(amounts / step)
    coarse = 2.0 ** np.ceil(np.log2(np.maximum(steps / _FINEST, 1)))
    return (np.ceil(amounts / (step * coarse)) * step * coarse).astype(np.int64)


def _table(use: TaskUse, projection: Projection, space: ParameterSpace, advice: Advice) -> Floats:
    """A row for each instance, with what was learned of it; zeros where nothing was."""
    task = use.task.name
    advise = advice.tasks.get(task)
    if advise is None or _strange(use, advice):
        return np.zeros((len(projection), 5))
    names = advice.names.get(task, use.names)
    groups = Projection(space, tuple(name for name in use.names if name in names))
    rows = np.empty((len(groups), 5))
    everyone = np.arange(len(groups), dtype=np.int64)
    for group, codes in enumerate(groups.rows(everyone)):
        parameters = {column.name: column.values[code] for column, code in zip(groups.columns, codes, strict=True)}
        one = advise(parameters)
        rows[group] = one.memory_bytes, one.runtime_seconds, one.cpu_cores, one.expected_seconds, one.chance
    return rows[groups.of_combination[projection.first]]


def _strange(use: TaskUse, advice: Advice) -> str:
    """A parameter that the run's task depends on, and this one does not; empty if there is none."""
    return next((name for name in advice.names.get(use.task.name, ()) if name not in use.names), "")


def _remarks(use: TaskUse, advice: Advice) -> Iterator[str]:
    """Say what keeps a task from being learned of."""
    task = use.task.name
    if strange := _strange(use, advice):
        yield (
            f"in run `{advice.run}` the task `{task}` depends on `{strange}`, which here it does not: nothing is "
            "learned of it"
        )
        return
    yield from (f"in run `{advice.run}` {text}" for text in advice.remarks.get(task, ()))
