"""What is to be said of start times: what was cut into waves, what does not keep its hours, and what nobody knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sciflow.model.policy import Policies
from sciflow.model.profile import ClusterProfile
from sciflow.planning.placing import Placed
from sciflow.planning.room import UNLIMITED
from sciflow.planning.waves import MOST_WINDOWS, Kept


def wave_warnings(placed: Sequence[Placed]) -> Iterator[str]:
    """Say what is more than all windows hold that are planned."""
    for task, count in _counted(placed, "beyond").items():
        yield (
            f"task `{task}` takes more than {MOST_WINDOWS} windows of preferred hours: the last {count:,} of its array "
            f"indices begin with the last of these and may end at any time; more at once, or shorter ones, would help"
        )


def wave_notes(placed: Sequence[Placed], policies: Policies, profile: ClusterProfile) -> Iterator[str]:
    """Say what was cut, what does not keep its hours, and what is not known."""
    bound = [one for one in placed if one.is_bound]
    yield from _cut_notes(bound, "ends inside preferred hours")
    yield from _cut_notes([one for one in placed if not one.is_bound], "is over before a blackout, or begins after it")
    told: dict[str, dict[str, None]] = {}
    for one in placed:
        if one.why:
            told.setdefault(one.why, {})[one.array.task] = None
    for why, named in told.items():
        yield f"{', '.join(f'`{task}`' for task in named)}: {why}"
    bound = [one for one in bound if not one.why]
    for task, count in _counted(bound, "wait").items():
        wait = policies.of(task).max_wait_hours
        yield f"task `{task}`: {_begin(count)} when the longest wait of {wait:g} h is over, in preferred hours or not"
    for task, count in _counted(bound, "deadline").items():
        yield f"task `{task}`: {_begin(count)} when the deadline asks for it, in preferred hours or not"
    for task in dict.fromkeys(one.array.task for one in bound if one.ahead and one.ahead.kept == "too long"):
        yield f"the canaries of task `{task}` take longer than any window: they start as one opens"
    for task, count in _counted(bound, "too long").items():
        yield f"task `{task}`: {_begin(count)} as a window opens, since none that holds it comes in time"
    yield from _unknown(bound, profile)


def _begin(count: int) -> str:
    return f"{count:,} array {'index begins' if count == 1 else 'indices begin'}"


def _cut_notes(placed: Sequence[Placed], aim: str) -> Iterator[str]:
    for task in dict.fromkeys(one.array.task for one in placed if one.is_cut):
        mine = [one for one in placed if one.array.task == task]
        begins = sorted({piece.begin for one in mine for piece in one.pieces})
        at_once = sorted({min(one.work.at_once, one.work.elements) for one in mine if one.is_cut})
        most = f"{at_once[0]:,}" if len(at_once) == 1 else f"{at_once[0]:,} to {at_once[-1]:,}"
        is_kept = all(piece.kept == "window" for one in mine for piece in one.pieces)
        why = f", so that all of it {aim}" if is_kept else ""
        yield (
            f"task `{task}` begins at {len(begins)} times{why}: "
            f"{most} array {'index runs' if most == '1' else 'indices run'} at once"
        )


def _unknown(bound: Sequence[Placed], profile: ClusterProfile) -> Iterator[str]:
    unsaid = dict.fromkeys(one.array.task for one in bound if not one.work.seconds)
    if unsaid:
        names = ", ".join(f"`{task}`" for task in unsaid)
        which = f"task {names} asks for no runtime" if len(unsaid) == 1 else f"tasks {names} ask for no runtime"
        yield f"{which}: nobody knows whether the preferred hours hold all of it"
    if any(one.work.seconds and one.work.elements > 1 and one.work.at_once >= UNLIMITED for one in bound):
        yield (
            f"profile `{profile.name}` does not say how many array indices run at once: start times are planned as if "
            f"all did; `limits: {{running_indices: …}}`, or `nodes` and `cpu_cores` of a partition, would tell"
        )
    for task in dict.fromkeys(one.array.task for one in bound if one.array.links > 1):
        yield f"task `{task}` goes on in links: those after the first start as the one before ends, at any hour"
    most = profile.limits.submitted_indices
    if most is not None and any(one.is_cut for one in bound) and sum(one.array.elements for one in bound) > most:
        yield (
            f"the site takes {most:,} array indices of a user at a time: what is submitted later than it was to begin "
            f"starts with the next preferred hours"
        )


def _counted(placed: Sequence[Placed], kept: Kept) -> dict[str, int]:
    """Task → how many of its array indices begin when they do for a reason."""
    found: dict[str, int] = {}
    for one in placed:
        count = sum(piece.count for piece in one.pieces if piece.kept == kept)
        if count:
            found[one.array.task] = found.get(one.array.task, 0) + count
    return found
