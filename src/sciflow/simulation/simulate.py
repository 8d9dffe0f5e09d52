"""A compiled plan on nodes that are made up: what it comes to, and what would change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sciflow.errors import PlanError
from sciflow.model.plan import Plan
from sciflow.model.units import format_duration
from sciflow.planning.build import Compiled
from sciflow.simulation.durations import Durations, Runtime, durations_of
from sciflow.simulation.machines import OF_THE_PROFILE, NodeKind, nodes_of, parse_nodes
from sciflow.simulation.outcome import Outcome
from sciflow.simulation.variants import AS_PLANNED, Setting, variants

_DRAWS = 3  # ways in which others might come
MOST_VARIED = 20_000  # indices; of larger plans only the plan itself is played


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
    """

    plan: Plan
    kinds: tuple[NodeKind, ...]
    durations: Durations
    outcomes: Mapping[str, Outcome]
    notes: tuple[str, ...]
    load: float = 0.0

    @property
    def outcome(self) -> Outcome:
        """What it comes to as planned."""
        return self.outcomes[AS_PLANNED]

    @property
    def cores(self) -> int:
        """The cores of all nodes."""
        return sum(kind.count * kind.cores for kind in self.kinds)

    def to_document(self) -> dict[str, Any]:
        """The simulation as JSON has it."""
        return {
            "nodes": [asdict(kind) for kind in self.kinds],
            "load": self.load,
            "runtimes": dict(self.durations.given),
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
        Which share of the cores others use on average, from 0 to less than 1.
    is_varied
        Whether other ways are played as well.

    Raises
    ------
    PlanError, ExpressionError
        For nodes or runtimes that are none, and what fits on no node.
    """
    now = (now or datetime.now()).astimezone()
    durations = durations_of(compiled, runtimes)
    text = nodes.strip().removeprefix("nodes=")
    kinds = nodes_of(compiled.profile, compiled.plan.arrays) if text == OF_THE_PROFILE else parse_nodes(text)
    if not 0 <= load < 1:
        raise PlanError(f"others cannot use {load:g} of the cores", hint="write a share of them, like `0.7`")
    setting = Setting.of(compiled, durations, kinds, now, load)
    drawn = sorted(((setting, setting.play()) for setting in _draws(setting)), key=lambda one: one[1].end)
    setting, as_planned = drawn[len(drawn) // 2]
    outcomes = {AS_PLANNED: as_planned}
    notes = _notes(durations, load, [outcome.seconds for _, outcome in drawn])
    elements = sum(array.elements for array in compiled.plan.arrays)
    if is_varied and elements <= MOST_VARIED:
        outcomes |= {title: other.play() for title, other in variants(setting, as_planned)}
    elif is_varied:
        notes.append(f"other ways are left out for more than {MOST_VARIED:,} array indices: there are {elements:,}")
    return Simulation(compiled.plan, kinds, durations, outcomes, tuple(notes), load)


def _draws(setting: Setting) -> list[Setting]:
    """The same among others who come in several ways, if there are others."""
    return [replace(setting, seed=seed) for seed in range(_DRAWS)] if setting.load else [setting]


def _notes(durations: Durations, load: float, seconds: Sequence[float]) -> list[str]:
    """What the figures rest on."""
    given = ", ".join(
        f"`{task}` runs {text if isinstance(text, str) else f'{text:g} h'}" for task, text in durations.given.items()
    )
    asked = "every index runs as long as it asks for: an upper bound"
    if given:
        asked = f"{given}, as was said; all else runs as long as it asks for"
    alone = "nobody else is on these nodes, and nothing fails"
    if load:
        shortest, longest = (format_duration(round(one / 60) * 60) for one in (min(seconds), max(seconds)))
        alone = (
            f"others use about {load:.0%} of the cores; in {len(seconds)} ways in which they might come, it takes "
            f"from {shortest} to {longest}: shown is the middle one. Nothing fails"
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
