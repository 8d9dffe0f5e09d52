"""A plan by what an earlier run has measured: strata with requests of their own, packs, the longest first.

Tasks that follow each other instance by instance are laid out alike, so that index 17 of one still waits for index 17
of the other alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sciflow.model.advice import Advice
from sciflow.model.options import Options
from sciflow.model.profile import ClusterProfile
from sciflow.model.request import ResourceRequest
from sciflow.model.resources import Resources
from sciflow.model.units import format_duration, format_memory
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.layout import Layout
from sciflow.planning.packing import SHORT, at_once, best_pack
from sciflow.planning.projection import Ints, Projection, Relation
from sciflow.planning.strata import Need, strata
from sciflow.planning.uses import TaskUse
from sciflow.planning.wanted import TIME_STEP, Floats, Wants, rounded_up, wants

_ALIKE = 1.1  # what differs by less than this factor counts as equally long, and stays in the space's order


@dataclass(frozen=True)
class Learned:
    """How tasks are laid out by what was learned.

    Attributes
    ----------
    layouts
        Task → its layout.
    expected
        Task → seconds that each of its instances takes in the middle, 0 where nobody knows; of those that something is
        known of.
    warnings, notes
        What is to be said of it.
    """

    layouts: Mapping[str, Layout]
    expected: Mapping[str, Floats] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def learned(
    workflow: ExperimentalWorkflow,
    profile: ClusterProfile,
    uses: Mapping[str, TaskUse],
    projections: Mapping[str, Projection],
    relations: Mapping[tuple[str, str], Relation],
    layouts: Mapping[str, Layout],
    options: Mapping[str, Options],
    advice: Advice,
) -> Learned:
    """Lay the tasks of a workflow out by what was learned of them.

    Parameters
    ----------
    workflow, profile
        What is planned, and where it goes.
    uses, projections, relations
        Its tasks in running order, their instances, and who needs whom.
    layouts, options
        Task → its layout by what the workflow asks for, and where it goes.
    advice
        What was learned.
    """
    requests = {task: workflow.resources.get(task, ResourceRequest()) for task in uses}
    wanted = {
        task: wants(
            use,
            projections[task],
            workflow.space,
            layouts[task],
            requests[task].cpu_cores is None,
            options[task],
            profile,
            advice,
        )
        for task, use in uses.items()
    }
    is_known = {task: bool((one.knows_memory | one.knows_seconds).any()) for task, one in wanted.items()}
    made = dict(layouts)
    for chain in _chains(uses, relations):
        if any(is_known[task] for task in chain):
            said = {task: n for task in chain if (n := requests[task].combinations_per_index)}
            is_single = any(uses[task].task.checkpoints or uses[task].task.fuse for task in chain)
            may_pack = profile.has_queue and not said and not is_single
            room = {task: at_once(wanted[task].kinds[0], options[task], profile) for task in chain if may_pack}
            made.update(_laid_out({task: wanted[task] for task in chain}, layouts, room))
    return Learned(
        made,
        {task: one.expected for task, one in wanted.items() if one.expected.any()},
        tuple(text for one in wanted.values() for text in one.warnings),
        tuple(_notes(wanted, layouts, made, advice.run)),
    )


def _chains(uses: Mapping[str, TaskUse], relations: Mapping[tuple[str, str], Relation]) -> list[list[str]]:
    """The tasks, those together of which each instance needs the one with the same number of another."""
    chain_of: dict[str, list[str]] = {task: [task] for task in uses}
    for task, use in uses.items():
        for earlier in use.task.depends_on:
            one, other = chain_of[task], chain_of[earlier]
            if one is not other and relations[task, earlier].is_same:
                other += one
                chain_of.update(dict.fromkeys(one, other))
    return list({id(chain): chain for chain in chain_of.values()}.values())


def _laid_out(
    wanted: Mapping[str, Wants], layouts: Mapping[str, Layout], room: Mapping[str, int]
) -> Iterator[tuple[str, Layout]]:
    """The layouts of the tasks of a chain, with the same strata, order and packs.

    `room` tells how many indices may run at once, of tasks that may be packed; others are packed as the workflow says.
    """
    codes, order = _arranged(list(wanted.values()))
    groups = [order[codes[order] == code] for code in range(int(codes.max()) + 1)]
    packs = [min((_pack(wanted[task], group, n) for task, n in room.items()), default=1) for group in groups]
    for task, one in wanted.items():
        chosen = packs if room else [layouts[task].packs[0]] * len(groups)
        made = [_request(one, group, pack) for group, pack in zip(groups, chosen, strict=True)]
        yield task, Layout(codes, [request for request, _ in made], chosen, order, [walltime for _, walltime in made])


def _arranged(wanted: Sequence[Wants]) -> tuple[Ints, Ints]:
    """Which stratum each instance is in, those that take longest first, and the order of the instances."""
    asked = [
        (one.others, _unless(one.knows_memory, one.memory), _unless(one.knows_seconds, one.seconds)) for one in wanted
    ]
    _, kinds = np.unique(np.concatenate([np.stack(columns) for columns in asked]), axis=1, return_inverse=True)
    kinds = kinds.reshape(-1)
    codes, count = np.empty(len(kinds), dtype=np.int64), 0
    for kind in range(int(kinds.max()) + 1):
        alike = np.flatnonzero(kinds == kind)
        needs = list(_needs(wanted, alike))
        found = strata(needs) if needs and len(alike) > 1 else np.zeros(len(alike), dtype=np.int64)
        codes[alike] = count + found
        count += int(found.max()) + 1
    seconds = np.sum([one.seconds for one in wanted], axis=0)
    expected = np.maximum(np.sum([one.expected for one in wanted], axis=0), 1e-3)
    longest = np.array([(expected[codes == code].max(), seconds[codes == code].max()) for code in range(count)])
    rank = np.empty(count, dtype=np.int64)
    rank[np.lexsort(-longest.T)] = np.arange(count)
    order = np.argsort(-np.round(np.log(expected) / np.log(_ALIKE)), kind="stable")
    return rank[codes], order


def _unless(is_known: NDArray[np.bool_], asked: Ints) -> Ints:
    """What the workflow asks for, where nothing is known: that stays as it is, and is mixed with nothing else."""
    return np.where(is_known, -1, asked)


def _needs(wanted: Sequence[Wants], alike: Ints) -> Iterator[Need]:
    """Memory for as long as it is held, and time of all cores, of the tasks of a chain."""
    for one in wanted:
        expected, seconds = one.expected[alike], one.seconds[alike].astype(float)
        if one.knows_memory[alike[0]]:
            held = np.where(expected > 0, expected, np.maximum(seconds, 1.0))
            yield Need(one.memory[alike].astype(float), held, "memory")
        if one.knows_seconds[alike[0]]:
            cores = np.array([kind.all_cores for kind in one.kinds], dtype=float)[one.others[alike]]
            yield Need(rounded_up(seconds, TIME_STEP).astype(float), cores, "time")


def _pack(one: Wants, group: Ints, room: int) -> int:
    """How many instances of a stratum are to share an array index, where so many indices can run at once."""
    each, longest = float(one.expected[group].mean()), int(one.seconds[group].max())
    if not 0 < each < SHORT or not one.knows_seconds[group[0]]:
        return 1
    most = len(group) if one.longest is None else one.longest // longest
    return best_pack(each, float(one.expected.sum()) / each, room, min(most, len(group)))


def _request(one: Wants, group: Ints, pack: int) -> tuple[Resources, int]:
    """What an instance of a stratum asks for, and the walltime of so many of them one after another.

    It is enough for each, and for all that share an index: their times are added up as they are, which is enough even
    where all of them are slow together.
    """
    request = one.kinds[one.others[group[0]]]._replace(memory_bytes=int(one.memory[group].max()))
    most = int(one.seconds[group].max())
    if not one.knows_seconds[group[0]]:
        return request._replace(runtime_seconds=most), most * pack
    starts = np.arange(0, len(group), pack)
    sums = np.add.reduceat(one.seconds[group], starts)
    counts = np.diff(np.append(starts, len(group)))
    each = int((-(-sums // counts)).max())
    walltime = int(rounded_up(np.array([float(sums.max())]), TIME_STEP)[0])
    if one.longest is not None:
        walltime = max(int(sums.max()), min(walltime, one.longest))
    return request._replace(runtime_seconds=walltime if pack == 1 else each), walltime


def _notes(
    wanted: Mapping[str, Wants], before: Mapping[str, Layout], after: Mapping[str, Layout], run: str
) -> Iterator[str]:
    """Say what each task asks for now, and what it asked for."""
    for task, one in wanted.items():
        parts = [
            f"{what} {_range(_said(before[task], field), spell)} → {_range(_said(after[task], field), spell)}"
            for what, field, spell, is_known in (
                ("memory", "memory_bytes", format_memory, one.knows_memory),
                ("walltime", "runtime_seconds", format_duration, one.knows_seconds),
                ("cores", "cpu_cores", str, one.knows_memory | one.knows_seconds),
            )
            if is_known.any() and _said(before[task], field) != _said(after[task], field)
        ]
        known = one.knows_memory | one.knows_seconds
        if not known.any():
            yield f"run `{run}` tells nothing of `{task}`: it asks for what the workflow says"
            continue
        what = ", ".join(parts) or "as before"
        count = len(after[task].requests)
        groups = f" in {count} strata" if count > 1 else ""
        others = int((~known).sum())
        verb = "instance asks" if others == 1 else "instances ask"
        left = f"; {others} {verb} for what the workflow says" if others else ""
        enough = _chance(one.chance[known], one.is_cut[known])
        yield f"`{task}` asks for what run `{run}` has learned: {what}{groups}{enough}{left}"
    if any(one.expected.any() and np.ptp(one.expected) > 0 for one in wanted.values()):
        yield "array indices are in the order of how long they should take, the longest first"


def _chance(chances: Floats, is_cut: NDArray[np.bool_]) -> str:
    """The chance of what is neither a guess nor less than it should be: that of all together, as they were measured."""
    measured = chances[~np.isnan(chances) & ~is_cut]
    if not len(measured):
        return "; whether that is enough cannot be said"
    least = (
        f"; enough with a chance of at least {np.floor(100 * measured.min()) / 100:g} over the mix that was measured"
    )
    guesses, cut = int((np.isnan(chances) & ~is_cut).sum()), int(is_cut.sum())
    least += f"; {guesses} {'is' if guesses == 1 else 'are'} guessed" if guesses else ""
    return least + (f"; {cut} {'gets' if cut == 1 else 'get'} less than that" if cut else "")


def _said(layout: Layout, field: str) -> list[int]:
    return sorted({getattr(request, field) for request in layout.requests})


def _range(amounts: Sequence[int], spell: Callable[[int], str]) -> str:
    least, most = (spell(one) if one else "unsaid" for one in (amounts[0], amounts[-1]))
    return least if least == most else f"{least} to {most}"
