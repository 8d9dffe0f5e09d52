"""What must not be built upon: records that are not as they were written, and what was made without some upstream."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sciflow.model.plan import ArrayJob
from sciflow.model.state import State
from sciflow.run.status import RunStatus
from sciflow.store.layout import RunDirectory, read_document
from sciflow.store.records import has_broken_seal
from sciflow_shim import files

Place = tuple[str, int]  # array, index


def with_broken_seals(status: RunStatus) -> list[Place]:
    """The completed indices whose records are not as they were written; this reads every byte of them."""
    paths = {one.path for one in status.everyone() if one.state is State.COMPLETED}
    broken = {path for path in paths if has_broken_seal(path)}
    return [
        (array, index)
        for array, indices in status.indices.items()
        for index, one in indices.items()
        if one.state is State.COMPLETED and one.path in broken
    ]


def built_on_skips(run: RunDirectory, status: RunStatus) -> set[Place]:
    """The indices that went on without some of their upstream, and all that were made from these."""
    found = {
        (array, index) for array, indices in status.indices.items() for index, one in indices.items() if one.has_skipped
    }
    if not found:
        return found
    for array in status.plan.arrays:  # those upstream come first
        for index, upstream in _upstream(run, array):
            if any(place in found for place in upstream):
                found.add((array.name, index))
    return found


def _upstream(run: RunDirectory, array: ArrayJob) -> Iterator[tuple[int, Iterator[Place]]]:
    """Each index of an array job, with the places that it needs."""
    tasks = read_document(run.header(array.name))["upstream"]
    twins = [facts["array"] for facts in tasks.values() if facts["array"]]
    named = [task for task, facts in tasks.items() if not facts["array"]]
    with run.lines(array.name).open("rb") as lines:
        for index, text in enumerate(lines):
            yield index, _places(index, twins, [json.loads(text)["upstream"][task] for task in named] if named else [])


def _places(index: int, twins: list[str], named: list[list[list[str]]]) -> Iterator[Place]:
    yield from ((twin, index) for twin in twins)
    for upstream in named:
        for array, text in upstream:
            yield from ((array, place) for place in files.parse_ranges(text))
