"""What was done about a run while it went on, for people: `recovery.md`, written from its journal."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from sciflow.model.cause import Cause
from sciflow.run.decide import Action, Decision
from sciflow.run.status import RunStatus
from sciflow.store.brakes import read_brakes
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.submissions import CANCELLED, EXCLUDED, INCLUDED, INTENT, REFUSED, RETRY, TEND, THROTTLED, WITHDRAWN
from sciflow_shim.files import format_ranges, parse_ranges

CHRONICLE = "recovery.md"


def chronicle(run: RunDirectory, status: RunStatus, decisions: Sequence[Decision]) -> str:
    """What happened to a run, what was tried again and why, and what was not.

    Parameters
    ----------
    run, status
        The run, and how it is now.
    decisions
        What was decided last about what has not completed.
    """
    counts = ", ".join(f"{count} {state}" for state, count in sorted(status.counts().items()))
    lines = [f"# Run {run.run_id} of {status.plan.workflow}", "", f"Now: {counts}.", "", "## What was done", ""]
    events = list(_events(run))
    lines += events or ["Nothing had to be tried again."]
    lines += ["", "## What was not tried again", ""]
    lines += list(_left(decisions)) or ["Nothing."]
    return "\n".join(lines) + "\n"


def _events(run: RunDirectory) -> Iterator[str]:
    for event in Journal(run.journal).events():
        text = _told(event)
        if text:
            yield f"- {_moment(event['time'])} {text}"
    for brakes in read_brakes(run).values():
        for brake in brakes:
            until = f", released {_moment(brake.released)}" if brake.released else ""
            yield f"- {_moment(brake.time)} `{brake.array}` was {brake.reason}{until}"


def _told(event: dict[str, Any]) -> str:
    kind = event["event"]
    if kind == RETRY:
        count = sum(1 for _ in parse_ranges(event["indices"]))
        error = f" ({event['error']})" if event["error"] else ""
        what = f"{Cause(event['cause']).words}{error}: {event['why']}"
        return f"{count} × `{event['array']}[{event['indices']}]` {what}"
    if kind == INTENT and event["array"] != TEND:
        return f"`{event['array']}[{event['indices']}]` was handed over as `{event['name']}`"
    if kind == REFUSED and event["array"] != TEND:
        return f"`{event['name']}` was refused: {event['error']}"
    if kind == WITHDRAWN:
        return f"`{event['array']}[{event['indices']}]` is not tried again: {event['error']}"
    if kind == CANCELLED:
        return f"`{event['array']}[{event['indices']}]` was cancelled"
    if kind == THROTTLED:
        number = event.get("at_once", "any number")
        why = f": {event['why']}" if event.get("why") else ""
        was = f"could not be throttled to {number}" if "error" in event else f"runs {number} at once from now on"
        return f"`{event['array']}` (job {event['job']}) {was}{why}{event.get('error', '') and ' – ' + event['error']}"
    if kind == EXCLUDED:
        return f"node `{event['node']}` is avoided until {_moment(event['until'])}: {event['why']}"
    if kind == INCLUDED:
        return f"node `{event['node']}` is used again"
    return ""


def _left(decisions: Sequence[Decision]) -> Iterator[str]:
    groups: dict[tuple[str, Cause, Action, str], list[int]] = {}
    for one in decisions:
        if not one.action.is_retry:
            groups.setdefault((one.place[0], one.cause, one.action, one.why), []).append(one.place[1])
    for (array, cause, action, why), indices in groups.items():
        reason = f": {why}" if why else ""
        yield f"- {len(indices)} × `{array}[{format_ranges(sorted(indices))}]` {cause.words}, {action.value}{reason}"


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
