"""What a plan comes to on nodes that are made up, in words: `plan --simulate`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from sciflow.cli.output import emit, table
from sciflow.cli.waves import zone_of_start_times
from sciflow.model.units import format_duration

if TYPE_CHECKING:
    from sciflow.simulation.outcome import Outcome, Part
    from sciflow.simulation.simulate import Simulation

_HOUR = 3600.0
_MOST_WAITS = 3
_MOST_ARRAYS = 4


def show_simulation(
    obj: dict[str, Any],
    workflow: str,
    profile: str,
    strict: bool,
    nodes: str,
    runtimes: tuple[str, ...],
    load: float,
    learn_from: str | None,
    as_json: bool,
) -> None:
    """Simulate a workflow, and print what it comes to."""
    from sciflow.engine import Engine
    from sciflow.loading import load_workflow

    pairs = [text.partition("=") for text in runtimes]
    for task, equals, runtime in pairs:
        if not equals or not runtime.strip():
            raise click.UsageError(f"--runtime {task} says nothing: write it like --runtime throw='20 min'.")
    said = {task.strip(): runtime for task, _, runtime in pairs}
    if len(said) < len(pairs):
        twice = next(task for task in said if sum(one.strip() == task for one, _, _ in pairs) > 1)
        raise click.UsageError(f"--runtime {twice} is said more than once: say it once for each task.")
    engine = Engine(profile, obj["runs"], strict=strict, learn_from=learn_from)
    simulation = engine.simulate(load_workflow(workflow), nodes, said, load=load)
    document = {**simulation.plan.to_document(), "simulation": simulation.to_document()}
    emit(as_json, document, describe(simulation))


def describe(simulation: Simulation) -> str:
    """Say what a plan comes to: when, how well the nodes are used, what waits for what, and what else could be done."""
    plan, outcome = simulation.plan, simulation.outcome
    zone = zone_of_start_times(plan) or (ZoneInfo(simulation.zone) if simulation.zone else None)
    where = " + ".join(kind.describe() for kind in simulation.kinds)
    lines = [
        plan.describe(),
        f"on {where}: done in {_taken(outcome.seconds)}, {_date(outcome.end, zone, '%a ')}",
        "",
        table(
            ("array", "indices", "at once", "first start", "last end", "hours from now", "waits on average for"),
            [_row(one, outcome, zone) for one in _parts(outcome)],
        ),
        "",
        *_use(simulation, zone),
    ]
    if len(simulation.outcomes) > 1:
        lines += ["", _variants(simulation, zone)]
    lines += ["", *(f"note: {note}" for note in simulation.notes)]
    lines += [f"warning: {text}" for text in plan.warnings]
    return "\n".join(lines)


def _parts(outcome: Outcome) -> Iterator[Part]:
    """Every array job, or the task where it has many of them."""
    for task in outcome.tasks:
        arrays = [one for one in outcome.arrays if one.task == task.task]
        if len(arrays) > _MOST_ARRAYS:
            last = arrays[-1].name.rpartition(".")[2]
            yield replace(task, name=f"{task.name}.0-{last}")
        else:
            yield from arrays


def _row(one: Part, outcome: Outcome, zone: tzinfo | None) -> tuple[Any, ...]:
    hours = f"{_hours(one.start - outcome.now)} - {_hours(one.end - outcome.now)}"
    waits = [f"{name} {_taken(seconds)}" for name, seconds in one.waits.items() if seconds >= 1]
    shown = ", ".join(waits[:_MOST_WAITS]) + ", …" * (len(waits) > _MOST_WAITS)
    return one.name, one.indices, one.at_once, _date(one.start, zone), _date(one.end, zone), hours, shown or "-"


def _use(simulation: Simulation, zone: tzinfo | None) -> Iterator[str]:
    outcome = simulation.outcome
    took = _taken(outcome.end - outcome.start)
    yield (
        f"cores: {_amount(outcome.core_hours)} of {_amount(outcome.available)} core-hours used, "
        f"{_part_of(outcome.used)}, in the {took} from the first start to the end; "
        f"at most {outcome.cores_at_once:,} of {simulation.cores:,} at once"
    )
    if outcome.gpu_hours:
        part = outcome.gpu_hours / outcome.gpus_available
        hours = f"{_amount(outcome.gpu_hours)} of {_amount(outcome.gpus_available)}"
        yield f"GPUs: {hours} GPU-hours used, {_part_of(part)}"
    if outcome.end - outcome.soonest < 1:
        yield "no other order on these nodes ends sooner"
    else:
        yield (
            f"no order on these nodes could end before {_date(outcome.soonest, zone)}, "
            f"{_taken(outcome.end - outcome.soonest)} sooner: {_part_of(outcome.packing)} of a perfect packing"
        )
    if outcome.off_peak is not None:
        yield f"preferred hours: {_part_of(outcome.off_peak)} of the core-hours run in them"


def _variants(simulation: Simulation, zone: tzinfo | None) -> str:
    has_hours = simulation.outcome.off_peak is not None
    header = ("variant", "done in", "done", "cores used", "at once", "starts")
    rows = [
        (
            title,
            _taken(one.seconds),
            _date(one.end, zone, "%a "),
            _part_of(one.used),
            one.at_once,
            one.starts,
            *([_part_of(one.off_peak)] if one.off_peak is not None else []),
        )
        for title, one in simulation.outcomes.items()
    ]
    return table((*header, "preferred hours") if has_hours else header, rows)


def _date(seconds: float, zone: tzinfo | None, day: str = "") -> str:
    """A moment for people; the offset is said where it is one of a zone that was asked for."""
    moment = datetime.fromtimestamp(round(seconds), zone).astimezone(zone)
    return f"{moment.strftime(day)}{moment.isoformat(sep=' ', timespec='minutes')[: None if zone else 16]}"


def _taken(seconds: float) -> str:
    """Seconds for people; nobody plans a day by seconds."""
    return format_duration(round(seconds / 60) * 60 if seconds >= _HOUR else seconds)


def _hours(seconds: float) -> str:
    hours = seconds / _HOUR
    return f"{hours:.1f}" if hours < 1000 else f"{hours:,.0f}"


def _amount(hours: float) -> str:
    return f"{hours:.4g}" if hours < 1000 else f"{hours:,.0f}"


def _part_of(share: float) -> str:
    """A share as per cent, rounded; 100% is all of it."""
    return f"{min(math.floor(100 * share + 0.5), 100 if share > 1 - 1e-9 else 99)}%"
