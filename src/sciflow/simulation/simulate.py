"""A compiled plan on nodes that are made up: what it comes to, and what would change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sciflow.model.plan import Plan
from sciflow.planning.build import Compiled
from sciflow.simulation.durations import Durations, Runtime, durations_of
from sciflow.simulation.machines import OF_THE_PROFILE, NodeKind, nodes_of, parse_nodes
from sciflow.simulation.outcome import Outcome
from sciflow.simulation.variants import AS_PLANNED, Setting, variants

MOST_VARIED = 20_000  # indices; of larger plans only the plan itself is played


@dataclass(frozen=True)
class Simulation:
    """What a plan comes to on some nodes.

    Attributes
    ----------
    plan
        What was simulated.
    kinds
        The nodes; nobody else is on them.
    durations
        How long everything runs: what was said of it, or what is asked for.
    outcomes
        What it comes to: ``as planned``, and in other ways by their names.
    notes
        What the figures rest on.
    """

    plan: Plan
    kinds: tuple[NodeKind, ...]
    durations: Durations
    outcomes: Mapping[str, Outcome]
    notes: tuple[str, ...]

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
    setting = Setting.of(compiled, durations, kinds, now)
    outcomes = {AS_PLANNED: setting.play()}
    notes = list(_notes(durations))
    elements = sum(array.elements for array in compiled.plan.arrays)
    if is_varied and elements <= MOST_VARIED:
        outcomes |= {title: other.play() for title, other in variants(setting, outcomes[AS_PLANNED])}
    elif is_varied:
        notes.append(f"other ways are left out for more than {MOST_VARIED:,} array indices: there are {elements:,}")
    return Simulation(compiled.plan, kinds, durations, outcomes, tuple(notes))


def _notes(durations: Durations) -> list[str]:
    """What the figures rest on."""
    given = ", ".join(
        f"`{task}` runs {text if isinstance(text, str) else f'{text:g} h'}" for task, text in durations.given.items()
    )
    asked = "every index runs as long as it asks for: an upper bound"
    if given:
        asked = f"{given}, as was said; all else runs as long as it asks for"
    notes = [asked, "nobody else is on these nodes, and nothing fails"]
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
