"""Hands a run to a scheduler with a queue: every array job exactly once, whenever the submitter is killed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from sciflow.errors import QueueFullError, RunError, SchedulerError, UnreadableAnswerError
from sciflow.model.plan import Plan
from sciflow.model.profile import Limits
from sciflow.run.intents import event_of, intended, open_intent, resolve
from sciflow.run.manners import Kept, keep
from sciflow.run.parts import Part, missing, unsubmitted
from sciflow.run.seal import unseal
from sciflow.run.status import RunStatus
from sciflow.run.terms import Connect, Given, Terms, portions_now
from sciflow.run.track import observe
from sciflow.run.withdraw import refused
from sciflow.schedulers.base import QueueScheduler, Submission
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.lock import hold
from sciflow.store.submissions import REFUSED, SUBMITTED
from sciflow.store.submitted import Submitted
from sciflow_shim import files

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
    refused
        What the scheduler has refused: array job, its elements, and the scheduler's answer.
    kept
        What was done about throttles.
    """

    jobs: dict[str, tuple[str, int]] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    failed: int = 0
    refused: list[tuple[str, tuple[int, ...], SchedulerError]] = field(default_factory=list)
    kept: Kept = field(default_factory=Kept)

    def check(self) -> None:
        """Stop where something was refused, after all else has been submitted.

        Raises
        ------
        SchedulerError
            The scheduler's first answer of the kind.
        """
        if self.refused:
            raise self.refused[0][2]


def submit(run: RunDirectory, plan: Plan, connect: Connect, terms: Terms) -> Handed:
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
    terms
        What the site takes, and when.

    Raises
    ------
    RunError
        When another process is at it, or the disk is full.
    SchedulerError, TransportError
        Where the scheduler does not answer; what was submitted before stays, and the next call goes on. What it
        refuses stands in `refused`, and all else is submitted that does not depend on that.
    """
    with hold(run.lock) as lock:
        scheduler = connect((lock,))
        journal = Journal(run.journal)
        status = observe(run, plan)
        found = resolve(status, scheduler, journal)
        if found:
            status = observe(run, plan)
        handed = hand_over(run, status, scheduler, journal, terms)
        handed.found = found
        return handed


def hand_over(
    run: RunDirectory, status: RunStatus, scheduler: QueueScheduler, journal: Journal, terms: Terms
) -> Handed:
    """Submit what has not been submitted, for one who holds the lock; see `submit`."""
    handed = Handed(failed=sum(one.is_over and not one.state.is_success for one in status.everyone()))
    is_anything_left = any(missing(status, array) for array in status.plan.arrays)
    if is_anything_left:
        unseal(run)
        status.plan = terms.replan(status, journal.clock())
    room = _room(scheduler, terms) if is_anything_left else None
    portions = portions_now(run, status, scheduler, journal.clock(), terms) if is_anything_left else {}
    behind: list[str] = []  # what does not fit or was refused, and all that comes after that
    for part in unsubmitted(run, status, scheduler, behind, terms.canaries):
        if part.array.name in behind:
            continue
        taken = what_fits(part.elements, room, terms.limits)
        if len(taken) < len(part.elements):
            behind.append(part.array.name)
        if not taken:
            continue
        try:
            given = Given(terms, portions, journal.clock())
            job = _submit_part(run, status, scheduler, journal, replace(part, elements=taken), given)
        except QueueFullError:
            if not status.submissions.jobs:
                raise
            behind.append(part.array.name)
            room = 0
            continue
        except UnreadableAnswerError:
            raise
        except SchedulerError as error:
            handed.refused.append((part.array.name, taken, error))
            if part.array.name in blocked_arrays(status):  # what was tried again is as it was before
                behind.append(part.array.name)
            continue
        handed.jobs[job] = (part.array.name, len(taken))
        room = None if room is None else room - len(taken)
    blocked = blocked_arrays(status)
    handed.waiting = [name for name in behind if name not in blocked]
    if terms.conduct is not None:
        handed.kept = keep(run, status, scheduler, journal, terms.conduct)
    return handed


def blocked_arrays(status: RunStatus) -> set[str]:
    """The array jobs of which the scheduler has refused something for the first time, and all that wait for these."""
    blocked = {one.array for one in status.submissions.open if one.is_refused}
    for array in status.plan.arrays:
        if any(one.array in blocked for one in array.after):
            blocked.add(array.name)
    return blocked


def _submit_part(
    run: RunDirectory, status: RunStatus, scheduler: QueueScheduler, journal: Journal, part: Part, given: Given
) -> str:
    known = open_intent(status, part)
    if known is None:
        known = intended(run, status, part, journal.clock())
    known.begin, known.throttle = given.noted_begin(part), given.throttle(part)
    try:
        # Without the folder jobs end before they begin.
        (run / files.logs(part.array.name)).mkdir(parents=True, exist_ok=True)
        journal.commit(event_of(known))
    except OSError as error:
        raise RunError(
            f"`{run.path}` cannot be written: {error.strerror}", hint="nothing more was submitted"
        ) from error
    if known.name not in status.submissions.by_name:
        status.submissions.add(known)
    try:
        job = scheduler.submit(_submission(run, status, part, known, given))
    except (QueueFullError, UnreadableAnswerError) as error:  # later there is room, or it is known what became of it
        event = {"event": REFUSED, "array": known.array, "name": known.name, "error": error.message}
        journal.append([event | {"is_for_good": False}])
        raise
    except SchedulerError as error:
        refused(run, status, journal, known, error.message)
        raise
    known.job = job
    journal.commit({"event": SUBMITTED, "array": known.array, "name": known.name, "job": job})
    return job


def _submission(run: RunDirectory, status: RunStatus, part: Part, intended: Submitted, given: Given) -> Submission:
    array, known, now = part.array, status.indices[part.array.name], given.now
    attempts = {
        element: max(known[index].attempt for index in array.of_element(element)) + 1 for element in part.elements
    }
    avoided = tuple(sorted(node for node, until in status.submissions.avoided.items() if until > now))
    said, throttle = given.terms.limits.running_indices, intended.throttle.at_once
    return Submission(
        array,
        run.script(array.name_on_node),
        attempts,
        intended.name,
        part.after,
        avoided,
        given.begin(part),
        said,
        throttle if throttle != said else None,
    )


def calls(run: RunDirectory, status: RunStatus, scheduler: QueueScheduler, terms: Terms, now: float) -> list[str]:
    """The calls of the scheduler that `submit` would make now; for jobs to come stand the names of their array jobs."""
    status = replace(status, plan=terms.replan(status, now))
    given, found = Given(terms, portions_now(run, status, None, now, terms), now), []
    for part, known in to_submit(run, status, scheduler, terms):
        known.throttle = given.throttle(part)
        found.append(scheduler.call(_submission(run, status, part, known, given)))
    return found


def to_submit(
    run: RunDirectory, status: RunStatus, scheduler: QueueScheduler, terms: Terms
) -> Iterator[tuple[Part, Submitted]]:
    """The parts that `submit` would submit, with what would be noted of them, if the site takes all.

    Each is noted in `status`, as if it had been submitted, when the next one is asked for.
    """
    for part in unsubmitted(run, status, scheduler, [], terms.canaries):
        known = intended(run, status, part, 0.0)
        known.job = part.array.name
        yield part, known
        status.submissions.add(known)


def _room(scheduler: QueueScheduler, terms: Terms) -> int | None:
    """How many more indices this user may queue; None for any number."""
    most = terms.limits.submitted_indices
    if most is None:
        return None
    return max(0, most - min(terms.reserved, most - 1) - scheduler.queued())


def what_fits(elements: Sequence[int], room: int | None, limits: Limits) -> tuple[int, ...]:
    """The elements that are submitted where there is room for so many: all, or some if that is worth a submission."""
    if room is None or room >= len(elements):
        return tuple(elements)
    worth_while = max(1, (limits.submitted_indices or 0) // SMALLEST_FEED)
    return tuple(elements[:room]) if room >= worth_while else ()
