"""The verb `why`: why what waits of a run waits, and what would change it."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

import click

from sciflow.cli.output import emit, json_option, shortened, table

if TYPE_CHECKING:
    from sciflow.run.own_reasons import Waiting
    from sciflow.run.what_helps import Tried
    from sciflow.run.why import Explanation

_MINUTE = 60.0


@click.command()
@click.argument("run", required=False)
@click.option("--only", multiple=True, metavar="TASK[INDICES]", help="A task, or some of its indices; may be repeated.")
@json_option
@click.pass_obj
def why(obj: dict[str, Any], run: str | None, only: tuple[str, ...], as_json: bool) -> None:
    """Say why what waits of RUN waits, which limit binds, and when another request would start. Submits nothing."""
    from sciflow.execution import open_run
    from sciflow.run.inspect import locate_all

    opened = open_run(run, obj["runs"])
    places: dict[str, set[int]] = {}
    for text in only:
        for array, indices in locate_all(opened.directory, text).items():
            places.setdefault(array, set()).update(indices)
    found = opened.why(places if only else None)
    now = time.time()
    emit(as_json, _document(opened.run_id, found, now), _describe(opened.run_id, found, now))


def _describe(run: str, found: Explanation, now: float) -> str:
    lines = [f"run {run}: nothing waits" if not found.groups else f"run {run}"]
    for group in found.groups:
        lines += _group(group, now)
        if group.tried:
            lines += ["", "  what would change it:"]
            lines += [f"  {line}" for line in _trials(group, now).splitlines()]
            lines += [f"  next: {line}" for line in _next(group)]
    notes = [*([found.estimates] if found.estimates else []), *found.notes]
    return "\n".join([*lines, *(f"note: {note}" for note in notes)])


def _group(group: Waiting, now: float) -> Iterator[str]:
    from sciflow_shim.files import format_ranges

    listed = f"{group.array}[{shortened(format_ranges(group.indices))}]"
    job = f"  job {group.job}" if group.job else ""
    is_word = len(group.code) > 1 and " " not in group.code and group.code not in group.reason.text
    code = f" ({group.code})" if is_word else ""
    yield f"{len(group.indices)} × {group.task} {group.reason.text}{code}  [{listed}]{job}"
    for fact in group.facts:
        yield f"  {fact}"
    if group.start is not None:
        of = " for the last that is planned" if len(group.elements) > 1 and group.code else ""
        yield f"  expected start{of}: {_moment(group.start, now, group.zone)}"
    if group.reason.advice:
        yield f"  hint: {group.reason.advice}"


def _trials(group: Waiting, now: float) -> str:
    present = _present(group)
    rows = []
    for one in group.tried:
        start = one.refusal or (_moment(one.start, now, group.zone) if one.start is not None else "not told")
        rows.append((one.variant.label, one.variant.resources.describe(), start, _earlier(one, present)))
    return table(("variant", "asks for", "start", "against as it is"), rows)


def _earlier(one: Tried, present: float | None) -> str:
    from sciflow.model.units import format_duration

    if one.is_as_it_is or one.start is None or present is None:
        return ""
    if one.source == "gap":
        return "at once, if nobody comes first"
    gained = present - one.start
    if abs(gained) < _MINUTE:
        return "the same"
    return f"{format_duration(abs(gained))} {'sooner' if gained > 0 else 'later'}"


def _present(group: Waiting) -> float | None:
    """When it would start as it is: as planned, or as it is estimated, whichever comes first."""
    known = [one.start for one in group.tried if one.is_as_it_is]
    return min((one for one in (*known, group.start) if one is not None), default=None)


def _next(group: Waiting) -> Iterator[str]:
    """What would do that to what waits, and leave it its place in the queue."""
    from sciflow.model.units import format_duration

    as_it_is = next((one for one in group.tried if one.is_as_it_is), None)
    present = _present(group)
    best = next((one for one in group.tried if not one.is_as_it_is and not one.refusal and one.start), None)
    if as_it_is is None or best is None or present is None or (best.start or 0) > present - _MINUTE:
        return
    own, asked = as_it_is.variant.resources, best.variant.resources
    target = shlex.quote(group.queued)
    if best.variant.partition:
        yield f"scontrol update JobId={target} Partition={best.variant.partition}"
    elif asked._replace(runtime_seconds=own.runtime_seconds) == own:
        hours, rest = divmod(asked.runtime_seconds, 3600)
        yield f"scontrol update JobId={target} TimeLimit={hours:02d}:{rest // 60:02d}:{rest % 60:02d}"
    else:
        yield f"cancel it, ask for {asked.describe()} in the workflow, and submit it again"
    if asked.runtime_seconds < own.runtime_seconds:
        yield f"… which stops what runs for more than {format_duration(asked.runtime_seconds)}"


def _moment(seconds: float, now: float, zone: tzinfo | None) -> str:
    from sciflow.model.units import format_duration

    left = seconds - now
    when = datetime.fromtimestamp(seconds, zone).astimezone(zone).isoformat(sep=" ", timespec="minutes")
    return "now" if left < _MINUTE else f"{when} (in {format_duration(left)})"


def _document(run: str, found: Explanation, now: float) -> dict[str, Any]:
    from sciflow_shim.files import format_ranges

    return {
        "run": run,
        "time": now,
        "waiting": [
            {
                "task": group.task,
                "array": group.array,
                "indices": format_ranges(group.indices),
                "count": len(group.indices),
                "job": group.job or None,
                "code": group.code or None,
                "reason": group.reason.text,
                "advice": group.reason.advice or None,
                "is_hopeless": group.reason.is_hopeless,
                "facts": group.facts,
                "expected_start": group.start,
                "variants": [
                    {
                        "label": one.variant.label,
                        "request": one.variant.resources._asdict(),
                        "partition": one.variant.partition or None,
                        "start": one.start,
                        "source": one.source,
                        "refusal": one.refusal or None,
                    }
                    for one in group.tried
                ],
            }
            for group in found.groups
        ],
        "estimates": found.estimates or None,
        "notes": found.notes,
    }
