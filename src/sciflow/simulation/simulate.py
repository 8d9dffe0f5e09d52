"""A compiled plan on nodes that are made up: what it comes to, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sciflow.errors import PlanError
from sciflow.model.plan import Plan
from sciflow.model.units import format_duration
from sciflow.planning.calendar import deadline
from sciflow.planning.compiled import Compiled
from sciflow.planning.continuation import useful_seconds
from sciflow.simulation.durations import Durations, Runtime, durations_of
from sciflow.simulation.machines import OF_THE_PROFILE, NodeKind, nodes_of, parse_nodes
from sciflow.simulation.others import left_by_others
from sciflow.simulation.outcome import Outcome
from sciflow.simulation.throttles import manners_note
from sciflow.simulation.variants import AS_PLANNED, Setting, variants

MOST_VARIED = 20_000  # indices; of larger plans only the plan itself is played
MOST_LOOKS = 20_000_000  # indices × nodes: each that ends lets the scheduler look at all nodes; the same of more


@dataclass(frozen=True)
class Simulation:
    """What a plan comes to on some nodes.

    Attributes
    ----------
    plan
        What was simulated.
    kinds
        The nodes.
    durations
        How long everything runs: what was said of it, or what is asked for.
    outcomes
        What it comes to: ``as planned``, and in other ways by their names.
    notes
        What the figures rest on.
    load
        Which share of the cores others use.
    left
        What they leave of the nodes.
    zone
        The time zone of its schedule, or of the site; None for that of this machine.
    """

    plan: Plan
    kinds: tuple[NodeKind, ...]
    durations: Durations
    outcomes: Mapping[str, Outcome]
    notes: tuple[str, ...]
    load: float
    left: tuple[NodeKind, ...]
    zone: str | None = None

    @property
    def outcome(self) -> Outcome:
        """What it comes to as planned."""
        return self.outcomes[AS_PLANNED]

    @property
    def cores(self) -> int:
        """The cores of all nodes that others do not use."""
        return _cores(self.left)

    def to_document(self) -> dict[str, Any]:
        """The simulation as JSON has it."""
        return {
            "nodes": [asdict(kind) for kind in self.kinds],
            "load": self.load,
            "left": [asdict(kind) for kind in self.left],
            "runtimes": {
                task: _said(one) if isinstance(one, timedelta) else one for task, one in self.durations.given.items()
            },
            "without_walltime": list(self.durations.unsaid),
            "outcomes": {title: outcome.to_document() for title, outcome in self.outcomes.items()},
            "notes": list(self.notes),
        }


def simulate(
    compiled: Compiled,
    nodes: str,
    runtimes: Mapping[str, Runtime] | None = None,
    now: datetime | None = None,
    load: float = 0.0,
    is_varied: bool = True,
) -> Simulation:
    """Play a compiled plan in virtual time; nothing is written, and nothing submitted.

    Parameters
    ----------
    compiled
        What would run.
    nodes
        Where: ``16x64c``, ``16x64c,256g,4gpu``, several kinds joined by ``+``, or ``profile`` for those of the profile.
    runtimes
        Task → how long an instance of it runs: hours, a duration with a unit, or an expression over parameters.
    now
        The present moment; by default now.
    load
        Which share of the cores others use all the time, from 0 to less than 1.
    is_varied
        Whether other ways are played as well.

    Raises
    ------
    PlanError, ExpressionError
        For nodes or runtimes that are none, and what fits on no node.
    """
    now = (now or datetime.now()).astimezone()
    durations = durations_of(compiled, runtimes)
    kinds = _nodes(compiled, nodes)
    left = left_by_others(kinds, load)
    setting = Setting.of(compiled, durations, left, now)
    as_planned = _played(setting, load)
    outcomes = {AS_PLANNED: as_planned}
    notes = [*_notes(compiled, durations, kinds, left), *_chains(compiled.plan), *_fused(compiled.plan)]
    notes += manners_note(compiled.profile)
    elements = sum(array.elements for array in compiled.plan.arrays)
    looks = elements * sum(min(kind.count, elements) for kind in left)
    if is_varied and elements <= MOST_VARIED and looks <= MOST_LOOKS:
        tried = {title: other.play() for title, other in variants(setting, as_planned)}
        outcomes |= {title: one for title, one in tried.items() if _differs(one, as_planned)}
    elif is_varied and elements > MOST_VARIED:
        notes.append(f"other ways are left out for more than {MOST_VARIED:,} array indices: there are {elements:,}")
    elif is_varied:
        notes.append(f"other ways are left out for so many nodes and array indices: there are {elements:,} indices")
    if end := deadline(compiled.workflow.policy):
        notes.insert(0, _deadline(end, outcomes))
    zone = compiled.workflow.policy.timezone or compiled.profile.timezone
    return Simulation(compiled.plan, kinds, durations, outcomes, tuple(notes), load, left, zone)


def _nodes(compiled: Compiled, nodes: str) -> tuple[NodeKind, ...]:
    is_of_the_profile = isinstance(nodes, str) and nodes.strip().removeprefix("nodes=") == OF_THE_PROFILE
    return nodes_of(compiled.profile, compiled.plan.arrays) if is_of_the_profile else parse_nodes(nodes)


def _played(setting: Setting, load: float) -> Outcome:
    try:
        return setting.play()
    except PlanError as error:
        if not load:
            raise
        raise PlanError(
            f"{error.message}, where others use {load:g} of the cores", hint="give a smaller share, or more nodes"
        ) from None


def _cores(kinds: Sequence[NodeKind]) -> int:
    return sum(kind.count * kind.cores for kind in kinds)


def _differs(one: Outcome, other: Outcome) -> bool:
    """Whether anything that is shown of two ways differs."""
    return any(getattr(one, name) != getattr(other, name) for name in ("end", "used", "at_once", "starts", "off_peak"))


def _deadline(end: datetime, outcomes: Mapping[str, Outcome]) -> str:
    """Whether the deadline is kept; and where it is not, in which other ways it would be."""
    when, late = f"the deadline {end:%Y-%m-%d %H:%M}", outcomes[AS_PLANNED].end - end.timestamp()
    if late <= 0:
        return f"{when} is kept, with {format_duration(-late)} to spare"
    kept = [title for title, one in outcomes.items() if one.end <= end.timestamp()]
    ways = f"kept by: {'; '.join(kept)}" if kept else "by all of these ways" if len(outcomes) > 1 else "as planned"
    return f"{when} is missed by {format_duration(late)}, {ways}"


def _chains(plan: Plan) -> Iterator[str]:
    """What is lost between the links of chains."""
    for task in plan.tasks:
        links = [array for array in plan.arrays if array.task == task and array.links > 1]
        if links:
            walltime = links[0].resources.runtime_seconds
            yield (
                f"`{task}` goes on in up to {max(one.links for one in links)} links; the last "
                f"{format_duration(walltime - useful_seconds(walltime))} of each before the last count as lost"
            )


def _fused(plan: Plan) -> Iterator[str]:
    """What is counted with another task, as it runs in the same array indices."""
    pairs = dict.fromkeys((one.task, plan.array(one.rides).task) for one in plan.arrays if one.rides)
    yield from (f"`{task}` counts with `{first}`, in whose array indices it runs" for task, first in pairs)


def _notes(compiled: Compiled, durations: Durations, kinds: Sequence[NodeKind], left: Sequence[NodeKind]) -> list[str]:
    """What the figures rest on."""
    told = []
    if durations.given:
        runs = ", ".join(f"`{task}` runs {_said(runtime)}" for task, runtime in durations.given.items())
        told.append(f"{runs}, as was said")
    if durations.learned and compiled.advice is not None:
        names = ", ".join(f"`{task}`" for task in durations.learned)
        verb = "runs" if len(durations.learned) == 1 else "run"
        told.append(f"{names} {verb} as long as was learned from run `{compiled.advice.run}`")
    asked = "every index runs as long as it asks for: an upper bound"
    if told:
        asked = f"{'; '.join(told)}; all else runs as long as it asks for"
    alone = "nobody else is on these nodes, and nothing fails"
    if held := _cores(kinds) - _cores(left):
        alone = (
            f"others use {held:,} of {_cores(kinds):,} cores all the time, close together; what is left is all for "
            f"this plan: {' + '.join(kind.describe() for kind in left)}. Nothing fails"
        )
    notes = [asked, alone]
    if durations.unsaid:
        names = ", ".join(f"`{task}`" for task in durations.unsaid)
        verb = "asks for no walltime and counts" if len(durations.unsaid) == 1 else "ask for no walltime and count"
        notes.append(f"{names} {verb} as taking no time: `--runtime {durations.unsaid[0]}='20 min'` says more")
    for task, count in durations.late.items():
        notes.append(
            f"{count} instance{'s' * (count > 1)} of `{task}` would take longer than asked for: "
            f"the scheduler ends them when their time is up"
        )
    return notes


def _said(runtime: Runtime) -> str:
    if isinstance(runtime, timedelta):
        return format_duration(runtime.total_seconds())
    return runtime if isinstance(runtime, str) else f"{runtime:g} h"
