"""Cancels what is not over of a run: all of it, or some indices."""

from __future__ import annotations

from sciflow.errors import RunError
from sciflow.model.plan import ArrayJob, Plan
from sciflow.run.status import RunStatus
from sciflow.run.submit import Connect, resolve
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

    What waits for a cancelled index ends as well. What was not submitted yet never will be.

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
        chosen = {
            array.name: sorted(
                index
                for index, known in status.indices[array.name].items()
                if not known.is_over and (places is None or index in places.get(array.name, ()))
            )
            for array in plan.arrays
        }
        chosen = {array: indices for array, indices in chosen.items() if indices}
        elements = {array: _whole_elements(status, plan.array(array), set(chosen[array])) for array in chosen}
        for array, indices in chosen.items():
            journal.commit({"event": CANCELLED, "array": array, "indices": files.format_ranges(indices)})
        for array in chosen:
            for one in status.submissions.of_array(array):
                hit = one.indices.intersection(elements[array])
                if one.job and hit:
                    scheduler.cancel(one.job, None if hit == one.indices else sorted(hit))
        return chosen


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
