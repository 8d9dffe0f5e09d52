"""Cancels what is not over of a run: all of it, or some indices."""

from __future__ import annotations

from collections.abc import Mapping

from sciflow.errors import RunError
from sciflow.model.plan import ArrayJob, Plan
from sciflow.run.intents import resolve
from sciflow.run.status import RunStatus, companions
from sciflow.run.terms import Connect
from sciflow.run.track import observe
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.lock import hold
from sciflow.store.submissions import CANCELLED
from sciflow_shim import files


def cancel(
    run: RunDirectory, plan: Plan, connect: Connect, places: dict[str, set[int]] | None = None
) -> dict[str, list[int]]:
    """Cancel what is not over: all of a run, or some indices by array job; gives what was cancelled.

    What waits for a cancelled index ends as well, and what is fused with it is cancelled with it. What was not
    submitted yet never will be.

    Raises
    ------
    RunError, SchedulerError, TransportError
        As for `submit`.
    """
    with hold(run.lock) as lock:
        scheduler = connect((lock,))
        journal = Journal(run.journal)
        status = observe(run, plan)
        resolve(status, scheduler, journal)
        status = observe(run, plan)
        meant = {array.name: set(status.indices[array.name]) for array in plan.arrays} if places is None else places
        left = {
            array.name: {index for index in meant.get(array.name, ()) if not status.indices[array.name][index].is_over}
            for array in plan.arrays
        }
        for array in plan.arrays:
            for index in left[array.name]:
                for name in _after(status, array, index, left):
                    left[name].add(index)
        chosen = {array: sorted(indices) for array, indices in left.items() if indices}
        elements = {array: _whole_elements(status, plan.array(array), set(chosen[array])) for array in chosen}
        for array, indices in chosen.items():
            journal.commit({"event": CANCELLED, "array": array, "indices": files.format_ranges(indices)})
        told: set[tuple[str, frozenset[int]]] = set()
        for array in chosen:
            for one in status.submissions.holding(array):
                hit = one.indices.intersection(elements[array])
                if one.job and hit and (one.job, hit) not in told:
                    told.add((one.job, hit))
                    scheduler.cancel(one.job, None if hit == one.indices else sorted(hit))
        return chosen


def _after(status: RunStatus, array: ArrayJob, index: int, chosen: Mapping[str, set[int]]) -> list[str]:
    """The array jobs that are fused with one, and whose same index is not over and comes after its own.

    Raises
    ------
    RunError
        Where something comes before it in the same job that was not chosen: a scheduler cannot cancel a part.
    """
    before, after = companions(status, array, index)
    left = [one for one in before if not status.indices[one][index].is_over and index not in chosen[one]]
    if left:
        raise RunError(
            f"{array.name}[{index}] runs after {left[0]}[{index}] in the same array index, which is not over",
            hint=f"cancel them together: --only '{left[0]}[{index}]'",
        )
    return [one for one in after if not status.indices[one][index].is_over]


def _whole_elements(status: RunStatus, array: ArrayJob, chosen: set[int]) -> set[int]:
    """The scheduler's indices in which the chosen ones run.

    Raises
    ------
    RunError
        Where one of them runs together with others that were not chosen: a scheduler cannot cancel a part.
    """
    elements = {array.element(index) for index in chosen}
    for element in elements:
        left = [i for i in array.of_element(element) if i not in chosen and not status.indices[array.name][i].is_over]
        if left:
            together = array.of_element(element)
            raise RunError(
                f"{array.name}[{left[0]}] runs in one array index with others that are to be cancelled",
                hint=f"cancel them together: {array.name}[{together[0]}-{together[-1]}]",
            )
    return elements
