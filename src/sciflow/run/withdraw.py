"""Takes back decisions to try something again that the scheduler has refused, and those about what needs it."""

from __future__ import annotations

from typing import Any

from sciflow.model.plan import ArrayJob
from sciflow.run.needs import Place, needed
from sciflow.run.status import RunStatus
from sciflow.run.track import observe
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.submissions import REFUSED, WITHDRAWN
from sciflow.store.submitted import Submitted
from sciflow_shim import files


def refused(run: RunDirectory, status: RunStatus, journal: Journal, one: Submitted, error: str) -> None:
    """Note that the scheduler has refused a submission for good.

    Where that was to try something again, the decision did not come to pass: all is as it was before, and whoever
    decides next knows what was refused. What was never submitted stays to be submitted.
    """
    array = status.plan.array(one.array)
    events: list[dict[str, Any]] = [{"event": REFUSED, "array": one.array, "name": one.name, "error": error}]
    places = [index for element in sorted(one.indices) for index in array.of_element(element)]
    tried = [index for index in places if _is_tried_in(status, array, one, index)]
    if tried:
        retry = status.submissions.last_retry(one.array, tried[0])
        assert retry is not None
        events.append(
            {
                **_withdrawal(array, tried, error),
                "name": one.name,
                "memory": retry.memory,
                "seconds": retry.seconds,
                "is_refused": True,
            }
        )
        events += _what_needs(run, status, {(one.array, index) for index in tried})
    journal.append(events)
    fresh = observe(run, status.plan)
    status.indices, status.submissions = fresh.indices, fresh.submissions


def _is_tried_in(status: RunStatus, array: ArrayJob, one: Submitted, index: int) -> bool:
    """Whether an index is tried again in a submission; links of a chain after the first are only that."""
    if one.link > 1 or status.submissions.last_retry(array.name, index) is None:
        return False
    found = status.submissions.round_of(array.name, array.element(index), index)
    return found is not None and one in found.links


def _what_needs(run: RunDirectory, status: RunStatus, gone: set[Place]) -> list[dict[str, Any]]:
    """The withdrawals of what is to be tried again together with what is not; all that shares its element as well."""
    events: list[dict[str, Any]] = []
    for array in status.plan.arrays:
        due: dict[int, frozenset[int]] = {}
        for element in range(array.elements):
            retry = status.submissions.due(array.name, element)
            if retry is not None:
                due[element] = retry.indices & frozenset(array.of_element(element))
        if not due:
            continue
        elements = {
            array.element(index)
            for index, upstream in needed(run, array)
            if index in due.get(array.element(index), ()) and any(place in gone for place in upstream)
        }
        indices = sorted(index for element in elements for index in due[element])
        if indices:
            gone.update((array.name, index) for index in indices)
            text = "what it needs was refused"
            events.append({**_withdrawal(array, indices, text), "is_refused": False})
    return events


def _withdrawal(array: ArrayJob, indices: list[int], error: str) -> dict[str, Any]:
    return {
        "event": WITHDRAWN,
        "array": array.name,
        "indices": files.format_ranges(indices),
        "elements": files.format_ranges(sorted({array.element(index) for index in indices})),
        "error": error,
    }
