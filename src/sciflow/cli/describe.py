"""A run's status in words and as a document."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sciflow.cli.failures import (
    describe_decisions,
    describe_failures,
    failures_document,
    failures_of,
    failures_to_see,
    next_after_failures,
)
from sciflow.cli.output import shortened, table
from sciflow.cli.waiting_groups import waiting_groups
from sciflow.model.state import State
from sciflow.model.units import format_duration
from sciflow.run.causes import FailureGroup
from sciflow.run.forecast import seconds_left
from sciflow.run.status import RunStatus
from sciflow.store.layout import RunDirectory
from sciflow_shim.files import format_ranges

if TYPE_CHECKING:
    from sciflow.run.decide import Decision

_MOST_GROUPS = 8


def status_document(run: RunDirectory, status: RunStatus) -> dict[str, Any]:
    """A run's status as JSON has it."""
    return {
        "run": run.run_id,
        "path": str(run.path),
        "workflow": status.plan.workflow,
        "is_driven": status.is_driven,
        "tasks": {
            task: {state.value: n for state, n in sorted(status.counts(task).items())} for task in status.plan.tasks
        },
        "arrays": {
            array.name: {state.value: text for state, text in _ranges(status, array.name).items()}
            for array in status.plan.arrays
        },
        "failures": failures_document(failures_of(run, status)),
        "waiting": [one.to_document() for one in waiting_groups(status)],
        "throttles": throttles(status),
        "seconds_left": None if status.is_finished else seconds_left(status, time.time()),
        "notes": status.notes,
    }


def describe_status(run: RunDirectory, status: RunStatus, decisions: Sequence[Decision] = ()) -> str:
    """A run's status in words: counts, index ranges, why things failed, what would be done, what to type next."""
    until = status.last_event if status.is_finished or not status.is_queued else time.time()
    took = (until or 0) - (status.first_event or 0)
    time_taken = f"it took {format_duration(took)}" if status.is_finished else f"{format_duration(took)} so far"
    groups = failures_of(run, status)
    lines = [f"run {run.run_id} of {status.plan.workflow} {_going(status, groups)}; {time_taken}"]
    rows = []
    for array in status.plan.arrays:
        for state, indices in _ranges(status, array.name).items():
            count = sum(one.state is state for one in status.indices[array.name].values())
            rows.append((array.name, state.value, count, shortened(indices)))
    lines.append(table(("array", "state", "count", "indices"), rows))
    lines += describe_failures(groups) + _refused(status) + describe_decisions(decisions)
    lines += _waiting(status) + [describe_throttle(one) for one in throttles(status)]
    lines += [f"note: {note}" for note in status.notes]
    if (left := _left(status)) is not None:
        lines.append(left)
    lines += _next(run, status, groups)
    return "\n".join(lines)


def _refused(status: RunStatus) -> list[str]:
    """What was to be tried again, and was refused."""
    groups: dict[tuple[str, str], list[int]] = {}
    for (array, index), error in status.submissions.withdrawn.items():
        groups.setdefault((array, error), []).append(index)
    return [
        f"{len(indices)} × {status.plan.array(array).task} was not tried again: {error}  "
        f"[{array}[{shortened(format_ranges(sorted(indices)))}]]"
        for (array, error), indices in groups.items()
    ][:_MOST_GROUPS]


def _waiting(status: RunStatus) -> list[str]:
    """Why what waits in a queue waits."""
    found = [one.describe() for one in waiting_groups(status)]
    return found[:_MOST_GROUPS] + ([f"… and {len(found) - _MOST_GROUPS} more"] if len(found) > _MOST_GROUPS else [])


def throttles(status: RunStatus) -> list[dict[str, Any]]:
    """The jobs of which no more than so many indices may run at once by the run's manners, as JSON has them."""
    found = []
    for array in status.plan.arrays:
        known = status.indices[array.name]
        for one in status.submissions.of_array(array.name):
            left = sum(any(not known[i].is_over for i in array.of_element(element)) for element in one.indices)
            most = one.throttle.at_once
            if one.job and one.array == array.name and most is not None and most < left:
                facts = {"why": one.throttle.why, "until": one.throttle.until}
                found.append({"array": array.name, "job": one.job, "at_once": most, "left": left, **facts})
    return found


def describe_throttle(one: Mapping[str, Any]) -> str:
    """Say in one line how many indices of a job may run at once, until when, and why."""
    until = f" until {time.strftime('%a %H:%M', time.localtime(one['until']))}" if one["until"] is not None else ""
    of = f"{one['at_once']} of {one['left']} that are left"
    return f"{one['array']} (job {one['job']}) is throttled to {of}{until}: {one['why']}"


def _left(status: RunStatus) -> str | None:
    if status.is_finished or not (status.is_queued or status.is_driven):
        return None
    now = time.time()
    left = seconds_left(status, now)
    if left is None:
        return None
    changes = [one["until"] for one in throttles(status) if one["until"] is not None]
    is_throttled = any(until < now + left for until in changes)  # how many may run then, its manners say only then
    return f"about {format_duration(left)} left{', if no more may run at once than now' if is_throttled else ''}"


def _going(status: RunStatus, groups: list[FailureGroup]) -> str:
    if status.is_driven:
        return "is running"
    if status.is_complete:
        return "is complete"
    if not status.is_finished:
        return "is in the queue" if status.is_queued else "is not running and not finished"
    return "has ended, with failures" if failures_to_see(groups) else "was stopped"


def _ranges(status: RunStatus, array: str) -> dict[State, str]:
    found: dict[State, list[int]] = {}
    for index, one in status.indices[array].items():
        found.setdefault(one.state, []).append(index)
    return {state: format_ranges(found[state]) for state in State if state in found}


def _next(run: RunDirectory, status: RunStatus, groups: list[FailureGroup]) -> list[str]:
    if lines := next_after_failures(run, status, groups):
        return lines
    if any(one.is_refused for one in status.submissions.open):
        return ["next: the same `sciflow submit …` hands it over once that is mended"]
    if status.is_queued:
        return [] if status.is_complete or not status.is_finished else [f"next: sciflow collect {run.name_here}"]
    if not status.is_complete and not status.is_driven:
        return ["next: the same `sciflow run …` goes on with it"]
    return []
