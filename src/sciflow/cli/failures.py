"""What has failed, in words and as a document: failures of the same kind together, and what to type next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sciflow.model.cause import Cause
from sciflow.run.causes import FailureGroup, classify, group
from sciflow.run.status import RunStatus
from sciflow.store.layout import RunDirectory
from sciflow_shim.files import format_ranges

if TYPE_CHECKING:
    from sciflow.model.plan import Plan
    from sciflow.run.decide import Decision

_MOST_GROUPS = 8
_LONGEST_EXAMPLE = 100
# What was stopped, or held back by something else, has printed nothing that could be looked at.
_BY_OTHERS = (Cause.CANCELLED, Cause.HELD, Cause.UPSTREAM_FAILED)


def failures_of(run: RunDirectory, status: RunStatus) -> list[FailureGroup]:
    """The failures of a run by task, cause and signature, the most frequent first."""
    return group(classify(run, status), status.plan)


def failures_document(groups: Sequence[FailureGroup]) -> list[dict[str, Any]]:
    """Failures as JSON has them."""
    return [
        {
            "task": one.task,
            "state": one.state.value,
            "cause": one.cause.value,
            "signature": one.signature,
            "error": one.error,
            "count": one.count,
            "indices": _places(one),
            "nodes": one.nodes,
            "by": one.by,
        }
        for one in groups
    ]


def describe_failures(groups: Sequence[FailureGroup]) -> list[str]:
    """A line for each kind of failure."""
    lines = []
    for one in groups[:_MOST_GROUPS]:
        text = _why(one)
        lines.append(f"{one.count} × {one.task} {one.state}{f': {text}' if text else ''}  [{_places(one)}]")
    if len(groups) > _MOST_GROUPS:
        more = len(groups) - _MOST_GROUPS
        lines.append(f"… and {more} more kind{'s' * (more > 1)} of failure (`--json` has all)")
    return lines


def describe_decisions(decisions: Sequence[Decision]) -> list[str]:
    """What `sciflow retry` would do, in one line; nothing where there is nothing to decide."""
    counts: dict[tuple[str, str, bool], int] = {}
    for one in decisions:
        key = (one.action.value, one.why, one.action.is_retry)
        counts[key] = counts.get(key, 0) + 1
    parts = [
        f"{count} {action}{f' ({why})' if why else ''}"
        for (action, why, _), count in sorted(counts.items(), key=lambda one: (not one[0][2], -one[1]))
    ]
    return [f"`sciflow retry` would do: {'; '.join(parts)}"] if parts else []


def decisions_document(decisions: Iterable[Decision], plan: Plan) -> list[dict[str, Any]]:
    """What is done about failures as JSON has it, of the same kind together."""
    groups: dict[tuple[str, ...], dict[str, list[int]]] = {}
    for one in decisions:
        task = plan.array(one.place[0]).task
        key = (task, one.cause.value, one.error, one.action.value, one.why)
        groups.setdefault(key, {}).setdefault(one.place[0], []).append(one.place[1])
    names = ("task", "cause", "error", "action", "why")
    return [
        {
            **dict(zip(names, key, strict=True)),
            "count": sum(map(len, places.values())),
            "indices": "; ".join(f"{array}[{format_ranges(sorted(found))}]" for array, found in places.items()),
        }
        for key, places in sorted(groups.items(), key=_order)
    ]


def _order(one: tuple[tuple[str, ...], dict[str, list[int]]]) -> tuple[bool, int]:
    (_, cause, *_), places = one
    return cause == Cause.UPSTREAM_FAILED.value, -sum(map(len, places.values()))


def failures_to_see(groups: Sequence[FailureGroup]) -> list[FailureGroup]:
    """Those of programs and jobs themselves."""
    return [one for one in groups if one.cause not in _BY_OTHERS]


def next_after_failures(run: RunDirectory, status: RunStatus, groups: Sequence[FailureGroup]) -> list[str]:
    """What to type next; nothing where nothing has failed by itself."""
    seen = failures_to_see(groups)
    held = any(one.cause is Cause.HELD for one in groups)
    if not seen:
        return [f"next: sciflow retry {run.name_here} --release"] if held else []
    array, indices = next(iter(seen[0].places.items()))
    first = indices.partition(",")[0].partition("-")[0]
    lines = [f"next: sciflow logs {run.name_here} '{array}[{first}]'"]
    if status.is_queued or not status.is_driven:
        lines.append(f"next: sciflow retry {run.name_here}{' --release' if held else ''} -n")
    return lines


def _why(one: FailureGroup) -> str:
    """What the failures of a group have in common, with an example where they differ."""
    if one.cause is Cause.UPSTREAM_FAILED:
        return ""
    kind, _, message = one.error.partition(": ")
    if not (kind and one.signature.startswith(f"{kind} in ")):  # else it is a place in the user's code
        return one.error if one.are_alike and one.error and not one.by else one.signature
    if one.are_alike:
        return f"{one.signature}: {message}" if message else one.signature
    example = message if len(message) <= _LONGEST_EXAMPLE else message[:_LONGEST_EXAMPLE] + "…"
    return f"{one.signature} (for example: {example})"


def _places(one: FailureGroup) -> str:
    return "; ".join(f"{array}[{indices}]" for array, indices in one.places.items())
