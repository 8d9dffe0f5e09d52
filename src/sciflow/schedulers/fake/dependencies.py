"""Whether an array index may start, by what it waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum

from sciflow.schedulers.base import After
from sciflow.schedulers.fake.jobs import Job

Find = Callable[[str], Job | None]


class Wait(Enum):
    """How it stands with what is waited for."""

    MET = "met"
    WAITS = "waits"
    NEVER = "can never be met"


def of_job(job: Job, find: Find) -> Wait:
    """What holds for all indices of a job: those that it waits for as a whole, or the first of several.

    A job that the controller does not know, since it was never there or was forgotten, counts as ended.
    """
    whole = [one for one in job.after if one.kind == "whole"]
    waits = [_ended(one.job, find) is Wait.WAITS for one in whole]
    if job.is_any:
        return Wait.WAITS if waits and all(waits) else Wait.MET
    return Wait.WAITS if any(waits) else Wait.MET


def of_index(job: Job, number: int, find: Find) -> Wait:
    """What holds for one index besides: the same index of other jobs must have ended well."""
    found = [_twin(one, number, find) for one in job.after if one.kind == "element"]
    if Wait.NEVER in found:
        return Wait.NEVER
    return Wait.WAITS if Wait.WAITS in found else Wait.MET


def waits_for(job: Job) -> Iterator[str]:
    """The ids of the jobs that a job waits for."""
    return (one.job for one in job.after)


def _twin(one: After, number: int, find: Find) -> Wait:
    other = find(one.job)
    if other is None:
        return Wait.MET
    twin = other.indices.get(number)
    if twin is None:
        return _ended(one.job, find)
    if not twin.is_over:
        return Wait.WAITS
    return Wait.MET if twin.word == "COMPLETED" else Wait.NEVER


def _ended(job: str, find: Find) -> Wait:
    other = find(job)
    return Wait.MET if other is None or not other.open else Wait.WAITS
