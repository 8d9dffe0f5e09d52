"""What of a run can be submitted now: elements of array jobs that no scheduler has yet, by what they wait for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sciflow.model.plan import ArrayJob
from sciflow.model.state import State
from sciflow.run.status import IndexStatus, RunStatus
from sciflow.run.variants import NEXT, next_of, read_variant
from sciflow.schedulers.base import After, QueueScheduler
from sciflow.store.layout import RunDirectory
from sciflow.store.rounds import Round
from sciflow_shim.files import FUSED


@dataclass(frozen=True)
class Part:
    """Elements of an array job that wait for the same jobs and the same time.

    Attributes
    ----------
    array
        The array job, under the request and with the variant that its script is of.
    elements
        Which of the scheduler's indices.
    variant, link
        The request under which it is tried again, and which link of a chain this is.
    is_ahead
        Whether these are canaries.
    begin
        When they may begin, as it was planned.
    """

    array: ArrayJob
    elements: tuple[int, ...]
    after: tuple[After, ...] = ()
    variant: str = ""
    link: int = 1
    is_ahead: bool = False
    begin: datetime | None = None


def unsubmitted(
    run: RunDirectory, status: RunStatus, scheduler: QueueScheduler, waiting: list[str], canaries: int = 0
) -> Iterator[Part]:
    """The parts that can be submitted, in order; each relies on those before having been taken in by `status`.

    Parameters
    ----------
    run, status, scheduler
        What is looked at, and who cuts lists that are too long for one call.
    waiting
        Names of the array jobs that were found not to fit meanwhile; those that come after them are added to it.
    canaries
        How many of an array job run ahead of the others.
    """
    for array in status.plan.arrays:
        if array.rides in waiting:
            waiting.append(array.name)
            continue
        for link in range(1, array.links + 1):
            wanted = _wanted(status, array, link)
            if not wanted:
                continue
            if link == 1 and any(one.array in waiting for one in array.after):
                waiting.append(array.name)  # it would not wait for what is not there yet
            if array.name in waiting:
                break
            for variant, elements in wanted.items():
                given = _given(run, array, variant, link)
                yield from _parts(status, scheduler, given, variant, link, elements, canaries)


def missing(status: RunStatus, array: ArrayJob) -> list[int]:
    """The elements of an array job of which something is to be submitted."""
    found: dict[int, None] = {}
    for link in range(1, array.links + 1):
        for elements in _wanted(status, array, link).values():
            found.update(dict.fromkeys(elements))
    return list(found)


def _given(run: RunDirectory, array: ArrayJob, variant: str, link: int) -> ArrayJob:
    if variant == FUSED:
        return array.submitted_first
    if not variant:
        return array if link == 1 else replace(array, variant=NEXT)
    known = read_variant(run, array, variant)
    return known if link == 1 else replace(known, variant=next_of(variant))


def _parts(
    status: RunStatus,
    scheduler: QueueScheduler,
    array: ArrayJob,
    variant: str,
    link: int,
    elements: list[int],
    canaries: int,
) -> Iterator[Part]:
    is_whole = len(elements) == array.elements
    if is_whole and link == 1 and variant in ("", FUSED) and 0 < 2 * canaries < array.elements:
        ahead = spread(canaries, array.elements)
        yield from _by_dependency(status, scheduler, array, variant, link, ahead, is_ahead=True)
        elements = [element for element in elements if element not in set(ahead)]
    yield from _by_dependency(status, scheduler, array, variant, link, elements)


def _by_dependency(
    status: RunStatus,
    scheduler: QueueScheduler,
    array: ArrayJob,
    variant: str,
    link: int,
    elements: list[int],
    is_ahead: bool = False,
) -> Iterator[Part]:
    whole = _whole(status, array) if link == 1 else []
    ahead = _ahead(status, array) if link == 1 and not is_ahead else []
    groups: dict[tuple[datetime | None, tuple[After, ...]], list[int]] = {}
    for element in elements:
        own = _link_before(status, array, element) if link > 1 else _same_index(status, array, element)
        canaries = ahead if _is_new(status, array, element) else []
        begin = array.begin if is_ahead else array.begin_of(element)
        groups.setdefault((begin, (*own, *whole, *canaries)), []).append(element)
    for (begin, after), some in groups.items():
        for part in scheduler.parts(some) if len(some) < array.elements else [some]:
            yield Part(array, tuple(part), after, variant, link, is_ahead, begin)


def dependencies(status: RunStatus, array: ArrayJob, elements: Sequence[int]) -> tuple[After, ...]:
    """All that elements of an array job wait for now."""
    own = dict.fromkeys(after for element in elements for after in _same_index(status, array, element))
    return (*own, *_whole(status, array))


def _wanted(status: RunStatus, array: ArrayJob, link: int) -> dict[str, list[int]]:
    """Variant → the elements of which this link is to be submitted."""
    submissions = status.submissions
    wanted: dict[str, dict[int, None]] = {}
    for index, known in status.indices[array.name].items():
        if (array.name, index) in submissions.cancelled:
            continue
        element = array.element(index)
        retry = submissions.due(array.name, element)
        if retry is not None and index in retry.indices:
            if link == 1:
                wanted.setdefault(retry.variant, {})[element] = None
        elif known.state is not State.COMPLETED:
            found = submissions.round_of(array.name, element, index)
            if found is None:
                variant = _first_variant(status, array, index, link)
            else:
                variant = _next_variant(array, found, known, link)
            if variant is not None:
                wanted.setdefault(variant, {})[element] = None
    return {variant: list(elements) for variant, elements in wanted.items()}


def _first_variant(status: RunStatus, array: ArrayJob, index: int, link: int) -> str | None:
    """Under which variant an index is to be submitted that never was; None where it runs in the index of another."""
    if link > 1:
        return None
    if array.rides:
        before = status.submissions.round_of(array.rides, index)
        # What is completed, since it was taken over or run by hand, and what is tried again take nobody along.
        is_left = before is not None or status.indices[array.rides][index].state is State.COMPLETED
        return "" if is_left else None
    return FUSED if array.riders else ""


def _next_variant(array: ArrayJob, found: Round, known: IndexStatus, link: int) -> str | None:
    """Under which variant a link of an index is to be submitted after some that were; None where it is not."""
    if found.array != array.name:
        return None  # it is up to the one in whose index it runs
    if link > 1 and known.is_over:
        return None  # there is nothing to go on from
    if link <= len(found.links):
        return found.links[link - 1].variant if not found.links[link - 1].job else None
    return found.links[0].variant if link == len(found.links) + 1 and found.last_job else None


def _is_done(status: RunStatus, array: ArrayJob, element: int) -> bool:
    """Whether all that runs in an element is completed."""
    known = status.indices[array.name]
    return all(known[index].state is State.COMPLETED for index in array.of_element(element))


def _whole(status: RunStatus, array: ArrayJob) -> list[After]:
    """The jobs of which all must have ended; those of which all is completed are not waited for."""
    found: dict[After, None] = {}
    for one in array.after:
        if one.kind == "whole":
            earlier = status.plan.array(one.array)
            for element in range(earlier.elements):
                submitted = status.submissions.round_of(one.array, element)
                if submitted is not None and submitted.last_job and not _is_done(status, earlier, element):
                    found[After(submitted.last_job, "whole")] = None
    return list(found)


def _same_index(status: RunStatus, array: ArrayJob, element: int) -> list[After]:
    """The jobs whose same element is waited for."""
    found = []
    for one in array.after:
        if one.kind == "element" and not _is_done(status, status.plan.array(one.array), element):
            submitted = status.submissions.round_of(one.array, element)
            if submitted is not None and submitted.last_job:
                found.append(After(submitted.last_job, "element"))
    return found


def _link_before(status: RunStatus, array: ArrayJob, element: int) -> list[After]:
    submitted = status.submissions.round_of(array.name, element)
    assert submitted is not None
    return [After(submitted.last_job, "element")]


def _ahead(status: RunStatus, array: ArrayJob) -> list[After]:
    """The canaries for which the others of an array job wait."""
    return [After(one.job, "whole") for one in status.submissions.of_array(array.name) if one.is_ahead and one.job]


def _is_new(status: RunStatus, array: ArrayJob, element: int) -> bool:
    """Whether an element was never in the hands of the scheduler."""
    found = status.submissions.round_of(array.name, element)
    return found is None or (found.before is None and not found.last_job)


def spread(count: int, length: int) -> list[int]:
    """So many numbers below a length, as far from each other as can be."""
    if count == 1:
        return [0]
    return sorted({round(i * (length - 1) / (count - 1)) for i in range(count)})
