"""Hands a run to a scheduler with a queue: every array job exactly once, whenever the submitter is killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from sciflow.errors import QueueFullError, RunError, SchedulerError
from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.profile import Limits
from sciflow.model.state import State
from sciflow.run.seal import unseal
from sciflow.run.status import RunStatus
from sciflow.run.track import observe
from sciflow.schedulers.base import After, QueueScheduler, Submission
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.lock import hold
from sciflow.store.submissions import CANCELLED, INTENT, REFUSED, SUBMITTED, Submitted
from sciflow_shim import files

Connect = Callable[[Sequence[int]], QueueScheduler]
SMALLEST_FEED = 10  # a tenth of what a site allows is worth a submission of its own


@dataclass
class Handed:
    """What a call of `submit` has done.

    Attributes
    ----------
    jobs
        Job id → array job and how many of its indices, of those submitted now.
    found
        The job ids of submissions that were cut off and had reached the scheduler all the same.
    waiting
        Array jobs that have indices which did not fit yet.
    failed
        How many indices were submitted before and have ended without success: they are not submitted again.
    """

    jobs: dict[str, tuple[str, int]] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    failed: int = 0


@dataclass(frozen=True)
class Part:
    """The scheduler's indices of an array job that wait for the same jobs."""

    array: ArrayJob
    indices: tuple[int, ...]
    after: tuple[After, ...]


def submit(run: RunDirectory, plan: Plan, connect: Connect, limits: Limits) -> Handed:
    """Submit what has not been submitted, as far as the site takes it.

    Before each call of the scheduler the intent, with a unique name, is on the disk; after it, the job id. An intent
    without an id is looked up by its name before anything is submitted again.

    Parameters
    ----------
    run, plan
        What to submit.
    connect
        Gives the scheduler; its commands hold the file descriptors given, so that nobody submits while one of a
        submitter that was killed still runs.
    limits
        What the site takes.

    Raises
    ------
    RunError
        When another process is at it, or the disk is full.
    SchedulerError, TransportError
        Where the scheduler refuses or does not answer; what was submitted before stays, and the next call goes on.
    """
    with hold(run.lock) as lock:
        scheduler = connect((lock,))
        journal = Journal(run.journal)
        status = observe(run, plan)
        handed = Handed(found=resolve(status, scheduler, journal))
        if handed.found:
            status = observe(run, plan)
        handed.failed = sum(one.is_over and not one.state.is_success for one in status.everyone())
        if _is_anything_left(status):
            unseal(run)
        room = _room(scheduler, limits) if _is_anything_left(status) else None
        for part in unsubmitted(status, scheduler, handed.waiting):
            if part.array.name in handed.waiting:
                continue
            taken = _what_fits(part, room, limits)
            if len(taken) < len(part.indices):
                handed.waiting.append(part.array.name)
            if not taken:
                continue
            try:
                job = _submit_part(run, status, scheduler, journal, Part(part.array, taken, part.after))
            except QueueFullError:
                if not status.submissions.jobs:
                    raise
                handed.waiting.append(part.array.name)
                room = 0
                continue
            handed.jobs[job] = (part.array.name, len(taken))
            room = None if room is None else room - len(taken)
        return handed


def unsubmitted(status: RunStatus, scheduler: QueueScheduler, waiting: list[str]) -> Iterator[Part]:
    """The parts that can be submitted, in order.

    `waiting` names the array jobs that were found not to fit meanwhile; those that come after them are added to it.
    """
    for array in status.plan.arrays:
        missing = _missing(status, array)
        if not missing:
            continue
        if any(one.array in waiting for one in array.after):
            waiting.append(array.name)  # it would not wait for what is not there yet
            continue
        whole = _whole(status, array)
        groups: dict[tuple[After, ...], list[int]] = {}
        for index in missing:
            groups.setdefault((*_same_index(status, array, index), *whole), []).append(index)
        for after, indices in groups.items():
            for part in scheduler.parts(indices) if len(indices) < array.elements else [indices]:
                yield Part(array, tuple(part), after)


def _missing(status: RunStatus, array: ArrayJob) -> list[int]:
    """The scheduler's indices that it does not have and that hold something that is still wanted."""
    submitted, cancelled = status.submissions.latest(array.name), status.submissions.cancelled
    wanted = {
        array.element(index): None
        for index, known in status.indices[array.name].items()
        if known.state is not State.COMPLETED and (array.name, index) not in cancelled
    }
    return [element for element in wanted if not (element in submitted and submitted[element].job)]


def _is_done(status: RunStatus, array: ArrayJob, element: int) -> bool:
    """Whether all that runs in one of the scheduler's indices is completed."""
    known = status.indices[array.name]
    return all(known[index].state is State.COMPLETED for index in array.of_element(element))


def _whole(status: RunStatus, array: ArrayJob) -> list[After]:
    """The jobs of which all must have ended; those of which all is completed are not waited for."""
    found: dict[After, None] = {}
    for one in array.after:
        if one.kind == "whole":
            earlier = status.plan.array(one.array)
            for element, submitted in status.submissions.latest(one.array).items():
                if submitted.job and not _is_done(status, earlier, element):
                    found[After(submitted.job, "whole")] = None
    return list(found)


def _same_index(status: RunStatus, array: ArrayJob, element: int) -> list[After]:
    """The jobs whose same index is waited for."""
    found = []
    for one in array.after:
        if one.kind == "element" and not _is_done(status, status.plan.array(one.array), element):
            submitted = status.submissions.latest(one.array).get(element)
            if submitted is not None and submitted.job:
                found.append(After(submitted.job, "element"))
    return found


def _submit_part(run: RunDirectory, status: RunStatus, scheduler: QueueScheduler, journal: Journal, part: Part) -> str:
    array, submissions = part.array, status.submissions
    indices = frozenset(part.indices)
    same = [one for one in submissions.open if one.array == array.name and one.indices == indices]
    name = same[0].name if same else f"{array.name}.{run.run_id}.{len(submissions.by_name) + 1}"
    known_indices = status.indices[array.name]
    attempts = {
        element: max(known_indices[index].attempt for index in array.of_element(element)) + 1
        for element in part.indices
    }
    intent = {"event": INTENT, "array": array.name, "name": name, "indices": files.format_ranges(part.indices)}
    try:
        (run / files.logs(array.name)).mkdir(parents=True, exist_ok=True)  # without it jobs end before they begin
        journal.commit(intent)
    except OSError as error:
        raise RunError(
            f"`{run.path}` cannot be written: {error.strerror}", hint="nothing more was submitted"
        ) from error
    known = Submitted(array.name, name, indices, journal.clock())
    submissions.add(known)
    try:
        job = scheduler.submit(Submission(array, run.script(array.name), attempts, name, part.after))
    except SchedulerError as error:
        journal.append([{"event": REFUSED, "array": array.name, "name": name, "error": error.message}])
        raise
    known.job = job
    journal.commit({"event": SUBMITTED, "array": array.name, "name": name, "job": job})
    return job


def calls(run: RunDirectory, status: RunStatus, scheduler: QueueScheduler) -> list[str]:
    """The calls of the scheduler that `submit` would make now; for jobs to come stand the names of their array jobs."""
    found = []
    for part in unsubmitted(status, scheduler, []):
        name = f"{part.array.name}.{run.run_id}.{len(status.submissions.by_name) + 1}"
        attempts = dict.fromkeys(part.indices, 1)
        found.append(scheduler.call(Submission(part.array, run.script(part.array.name), attempts, name, part.after)))
        status.submissions.add(Submitted(part.array.name, name, frozenset(part.indices), 0.0, part.array.name))
    return found


def resolve(status: RunStatus, scheduler: QueueScheduler, journal: Journal) -> list[str]:
    """Find out what became of intents without a job id: by their names, and by the records that jobs have left."""
    names = {one.name: one.since for one in status.submissions.open}
    if not names:
        return []
    found = _by_records(status)
    left = {name: since for name, since in names.items() if name not in found}
    found |= scheduler.find(left) if left else {}
    for name, job in found.items():
        array = status.submissions.by_name[name].array
        journal.commit({"event": SUBMITTED, "array": array, "name": name, "job": job})
    return list(found.values())


def _by_records(status: RunStatus) -> dict[str, str]:
    """Name → job id, of open intents whose indices have records of jobs that the journal does not know of."""
    known = status.submissions.jobs
    found: dict[str, str] = {}
    for one in status.submissions.open:
        array = status.plan.array(one.array)
        for index in (index for element in one.indices for index in array.of_element(element)):
            record = status.indices[one.array][index].record
            if record is not None and record.job and record.job not in known:
                found[one.name] = record.job
    return found


def _is_anything_left(status: RunStatus) -> bool:
    return any(_missing(status, array) for array in status.plan.arrays)


def _room(scheduler: QueueScheduler, limits: Limits) -> int | None:
    """How many more indices this user may queue; None for any number."""
    return max(0, limits.submitted_indices - scheduler.queued()) if limits.submitted_indices else None


def _what_fits(part: Part, room: int | None, limits: Limits) -> tuple[int, ...]:
    if room is None or room >= len(part.indices):
        return part.indices
    worth_while = max(1, (limits.submitted_indices or 0) // SMALLEST_FEED)
    return part.indices[:room] if room >= worth_while else ()


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
