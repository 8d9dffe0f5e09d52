"""Whether an array index may start, by what it waits for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from sciflow.schedulers.fake.jobs import Index, Job
from sciflow.schedulers.fake.request import Condition, Dependency

HOPELESS = "DependencyNeverSatisfied"


class Wait(Enum):
    """How it stands with what is waited for."""

    MET = "met"
    WAITS = "waits"
    NEVER = "can never be met"


@dataclass(frozen=True)
class Customs:
    """What a scheduler makes of jobs that are waited for and have no plain end.

    Attributes
    ----------
    unknown
        What is made of one that the controller does not know, since it was never there or was forgotten.
    is_by_last
        Whether an array job has ended as that index of it did which ended last, and not by all of its indices.
    passes_on
        Whether who waits for one that was removed as hopeless is hopeless as well, whatever it waits for.
    is_stuck
        Whether who waits for one that is cancelled before it starts waits for ever.
    """

    unknown: Wait = Wait.MET
    is_by_last: bool = False
    passes_on: bool = False
    is_stuck: bool = False


PLAIN = Customs()


def of_job(job: Job, customs: Customs, now: float, namesakes: Iterable[Job] = ()) -> Wait:
    """What holds for all indices of a job: whatever it does not wait for index by index.

    Parameters
    ----------
    job
        The job that waits.
    customs
        What is made of ends that are none.
    now
        The time.
    namesakes
        The jobs of the same name and user that have not ended.
    """
    found = (_of(one, job, customs, now, namesakes) for one in job.dependency.conditions if not _is_each(one))
    return _together(job, list(found))


def of_index(job: Job, number: int, customs: Customs) -> Wait:
    """What holds for one index besides: the same index of other jobs must have ended well."""
    return _together(job, [_twin(one, job, number, customs) for one in job.dependency.conditions if _is_each(one)])


def waits_for(dependency: Dependency) -> Iterator[str]:
    """The ids of the jobs that are waited for."""
    return (one.job for one in dependency.conditions if one.job)


def is_each(job: Job) -> bool:
    """Whether some of its conditions hold index by index."""
    return any(_is_each(one) for one in job.dependency.conditions)


def delays(job: Job, other: Job) -> Iterator[float]:
    """How long after a start of the other job it may be that the first one may start."""
    return (one.delay for one in job.dependency.conditions if one.kind == "after" and one.job == other.id)


def is_behind(job: Job, other: Job) -> bool:
    """Whether a job waits for another one, perhaps through others."""
    seen: set[int] = set()
    stack = [job]
    while stack:
        one = stack.pop()
        if one is other:
            return True
        if one.order not in seen:
            seen.add(one.order)
            stack.extend(one.upstream)
    return False


def _is_each(condition: Condition) -> bool:
    return condition.kind == "aftercorr"


def _together(job: Job, found: list[Wait]) -> Wait:
    if not found or (job.dependency.is_any and Wait.MET in found):
        return Wait.MET
    if job.dependency.is_any:
        return Wait.WAITS if Wait.WAITS in found else Wait.NEVER
    if Wait.NEVER in found:
        return Wait.NEVER
    return Wait.WAITS if Wait.WAITS in found else Wait.MET


def _of(condition: Condition, job: Job, customs: Customs, now: float, namesakes: Iterable[Job]) -> Wait:
    if condition.kind == "singleton":
        return Wait.WAITS if any(one.open and one.order < job.order for one in namesakes) else Wait.MET
    other = job.tied.get(condition.job)
    if other is None:
        return customs.unknown
    if customs.is_by_last and condition.kind != "after":
        return _by_last(condition, other, customs, condition.job in job.late)
    if condition.index is None:
        return _has_started(other, condition, now) if condition.kind == "after" else _whole(condition, other)
    index = other.indices.get(condition.index)
    if condition.kind == "after":
        is_due = index is None or (index.began is not None and index.began + condition.delay <= now)
        return Wait.MET if is_due else Wait.WAITS
    return Wait.MET if index is None or index.has_vanished else _single(condition, index)


def _has_started(other: Job, condition: Condition, now: float) -> Wait:
    """All of a job has started or was cancelled, so many seconds ago."""
    return Wait.MET if not other.unstarted and other.last_start + condition.delay <= now else Wait.WAITS


def _whole(condition: Condition, other: Job) -> Wait:
    if other.open:
        return Wait.WAITS
    return _outcome(condition, not other.failed)


def _single(condition: Condition, index: Index) -> Wait:
    return _outcome(condition, index.word == "COMPLETED") if index.is_over else Wait.WAITS


def _outcome(condition: Condition, is_well: bool) -> Wait:
    if condition.kind == "afterany":
        return Wait.MET
    return Wait.MET if is_well == (condition.kind != "afternotok") else Wait.NEVER


def _by_last(condition: Condition, other: Job, customs: Customs, is_late: bool) -> Wait:
    """How it stands with a job whose end is that of one of its indices.

    Who comes late finds what was left in the record of the job: the end of its last index that has run, and where
    none has, nothing that says that it did not end well.
    """
    if other.open:
        return Wait.WAITS
    ran = [one for one in other.indices.values() if one.start is not None]
    first = next(iter(other.indices.values()))
    if not ran and not is_late and customs.passes_on and first.reason == HOPELESS:
        return Wait.NEVER
    if not ran and not is_late and customs.is_stuck and not other.is_array:
        return Wait.WAITS
    if is_late:
        is_well = not ran or max(ran, key=lambda one: one.number).word == "COMPLETED"
    else:
        is_well = other.last is not None and other.last.word == "COMPLETED"
    return _outcome(condition, is_well)


def _twin(condition: Condition, job: Job, number: int, customs: Customs) -> Wait:
    other = job.tied.get(condition.job)
    if other is None:
        return customs.unknown
    twin = other.indices.get(number)
    # Without one of the same number, all of it must have ended well.
    return _whole(condition, other) if twin is None else _single(condition, twin)
