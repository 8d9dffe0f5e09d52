"""What must not be built upon: records that are not as they were written, and what was made without some upstream."""

from __future__ import annotations

from sciflow.model.state import State
from sciflow.run.needs import Place, needed
from sciflow.run.status import RunStatus
from sciflow.store.layout import RunDirectory
from sciflow.store.records import has_broken_seal


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
        (array, index) for array, indices in status.indices.items() for index, one in indices.items() if one.skipped
    }
    if not found:
        return found
    for array in status.plan.arrays:  # those upstream come first
        for index, upstream in needed(run, array):
            if any(place in found for place in upstream):
                found.add((array.name, index))
    return found
