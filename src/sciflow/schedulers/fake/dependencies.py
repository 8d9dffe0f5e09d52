"""Whether an array index may start, by what it waits for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from sciflow.schedulers.fake.jobs import Index, Job
from sciflow.schedulers.fake.request import Condition

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


def of_job(job: Job, customs: Customs, now: float, others: Iterable[Job] = ()) -> Wait:
    """What holds for all indices of a job: whatever it does not wait for index by index.

    Parameters
    ----------
    job
        The job that waits.
    customs
        What is made of ends that are none.
    now
        The time.
    others
        All jobs before it, for those that wait for their own name.
    """
    found = (_of(one, job, customs, now, others) for one in job.dependency.conditions if not _is_each(one))
    return _together(job, list(found))


def of_index(job: Job, number: int, customs: Customs) -> Wait:
    """What holds for one index besides: the same index of other jobs must have ended well."""
    return _together(job, [_twin(one, job, number, customs) for one in job.dependency.conditions if _is_each(one)])


def waits_for(job: Job) -> Iterator[str]:
    """The ids of the jobs that a job waits for."""
    return (one.job for one in job.dependency.conditions if one.job)


def is_each(job: Job) -> bool:
    """Whether some of its conditions hold index by index."""
    return any(_is_each(one) for one in job.dependency.conditions)


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


def _of(condition: Condition, job: Job, customs: Customs, now: float, others: Iterable[Job]) -> Wait:
    if condition.kind == "singleton":
        earlier = (one for one in others if one.name == job.name and one is not job and one.order < job.order)
        return Wait.WAITS if any(one.open for one in earlier) else Wait.MET
    other = job.tied.get(condition.job)
    if other is None:
        return customs.unknown
    if condition.kind == "after":
        return _has_started(other, condition, now)
    if customs.is_by_last:
        return _by_last(condition, other, customs, condition.job in job.late)
    if condition.index is not None:
        index = other.indices.get(condition.index)
        return Wait.MET if index is None or index.has_vanished else _outcome(condition, [index])
    return _outcome(condition, other.indices.values(), other.open)


def _has_started(other: Job, condition: Condition, now: float) -> Wait:
    """All of a job, or one index of it, has started or was cancelled, so many seconds ago."""
    chosen = [one for one in other.indices.values() if condition.index in (None, one.number)]
    since = [one.start if one.start is not None else one.end for one in chosen]
    started = [one for one in since if one is not None]
    is_due = len(started) == len(chosen) and (not started or max(started) + condition.delay <= now)
    return Wait.MET if is_due else Wait.WAITS


def _outcome(condition: Condition, indices: Iterable[Index], waiting: int | None = None) -> Wait:
    if waiting or (waiting is None and not all(one.is_over for one in indices)):
        return Wait.WAITS
    if condition.kind == "afterany":
        return Wait.MET
    is_well = all(one.word == "COMPLETED" for one in indices)
    return Wait.MET if is_well == (condition.kind == "afterok") else Wait.NEVER


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
    if condition.kind == "afterany":
        return Wait.MET
    if is_late:
        is_well = not ran or max(ran, key=lambda one: one.number).word == "COMPLETED"
    else:
        is_well = other.last is not None and other.last.word == "COMPLETED"
    return Wait.MET if is_well == (condition.kind == "afterok") else Wait.NEVER


def _twin(condition: Condition, job: Job, number: int, customs: Customs) -> Wait:
    other = job.tied.get(condition.job)
    if other is None:
        return customs.unknown
    twin = other.indices.get(number)
    if twin is None:  # without one of the same number, all of it must have ended well
        return _outcome(Condition("afterok"), other.indices.values(), other.open)
    if not twin.is_over:
        return Wait.WAITS
    return Wait.MET if twin.word == "COMPLETED" else Wait.NEVER
