"""Keeps a run within its manners: divides what it may have of the cluster between its jobs, and changes throttles."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sciflow.errors import SchedulerError, SciflowError, TransportError
from sciflow.model.load import Load
from sciflow.model.manners import Manners
from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.profile import ClusterProfile
from sciflow.run.bounds import Bounds
from sciflow.run.portions import Claim, Key, Portion, divide, exceeded
from sciflow.run.status import RunStatus
from sciflow.run.track import observe
from sciflow.run.variants import read_variant
from sciflow.schedulers.base import QueueScheduler
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory, write_whole
from sciflow.store.lock import hold
from sciflow.store.submissions import THROTTLED
from sciflow.store.submitted import Submitted, Throttle
from sciflow_shim.files import FUSED

LOOK = 600.0  # seconds between two looks at the load: 12 questions an hour at most
AGAIN = 6 * 3600.0  # seconds after which it is tried once more what a scheduler has refused
WORTH_WHILE = 1.1  # a throttle is raised by a tenth at least: else one more might be let in at each look
Begin = Callable[[ArrayJob, datetime | None, float], float | None]


@dataclass(frozen=True)
class Change:
    """A throttle that was changed: how many of a job's indices may run at once, and why.

    Attributes
    ----------
    array, job
        The array job, and its job id.
    before
        What it was before.
    now
        What it is now; `at_once` is None where it holds nothing back any more.
    """

    array: str
    job: str
    before: Throttle
    now: Throttle

    def describe(self) -> str:
        """Say it in one line."""
        number = "any number" if self.now.at_once is None else str(self.now.at_once)
        instead = "any number" if self.before.at_once is None else str(self.before.at_once)
        why = f": {self.now.why}" if self.now.why else ""
        return f"{self.array} (job {self.job}) runs {number} at once now instead of {instead}{why}"


@dataclass
class Kept:
    """What was done to keep a run within its manners.

    Attributes
    ----------
    changes
        The throttles that were changed.
    notes
        What could not be done, or not be known.
    """

    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def described(self) -> list[str]:
        """All of it, a line each."""
        return [*(one.describe() for one in self.changes), *self.notes]


@dataclass(frozen=True)
class Conduct:
    """How a run behaves towards others.

    Parameters
    ----------
    manners, profile
        What the site's customs are, and what there is.
    begin
        When what is submitted now may begin; see `Terms.begin`.
    """

    manners: Manners
    profile: ClusterProfile
    begin: Begin = lambda _array, _planned, _now: None

    def portions(
        self, run: RunDirectory, status: RunStatus, load: Load | None, now: float, notes: list[str] | None = None
    ) -> dict[Key, Portion]:
        """How much may run at once of each job, and of what is to be submitted; see `Claim.key`.

        Parameters
        ----------
        run, status
            The run, and what is known of it.
        load
            How busy the cluster is; None where that is not known.
        now
            The present moment.
        notes
            Takes up what cannot be kept.
        """
        return self._divided(list(self._claims(run, status, now)), load, now, [] if notes is None else notes)

    def look(self, run: RunDirectory, scheduler: QueueScheduler, now: float, notes: list[str]) -> Load | None:
        """How busy the cluster is, asked every ten minutes at most; where nobody answers, as it was before.

        Gives None where nothing depends on it, or nobody has ever answered.
        """
        if not self.manners.needs_load:
            return None
        asked, known = _read_load(run)
        if 0.0 <= now - asked < LOOK:
            return known
        try:
            known = scheduler.load(self.manners.running_when_others_wait is not None)
        except SciflowError as error:
            notes.append(f"how busy the cluster is cannot be told: {error.message}")
        try:
            write_whole(run.load, json.dumps({"asked": now, "load": known.to_document() if known else None}) + "\n")
        except OSError as error:
            notes.append(f"`{run.load}` cannot be written: {error.strerror}")
        return known

    def wanted(
        self, run: RunDirectory, status: RunStatus, load: Load | None, now: float, notes: list[str]
    ) -> Iterator[Change]:
        """The throttles that are to be changed; what is not submitted takes nothing from what is."""
        jobs = {one.job: one for one in status.submissions.by_name.values() if one.job}
        claims = [one for one in self._claims(run, status, now) if one.job]
        for (array, job, _), portion in self._divided(claims, load, now, notes).items():
            if _is_to_change(jobs[job].throttle, portion, now):
                throttle = Throttle(portion.at_once, portion.why, portion.until)
                yield Change(array, job, jobs[job].throttle, throttle)

    def _divided(self, claims: list[Claim], load: Load | None, now: float, notes: list[str]) -> dict[Key, Portion]:
        bounds = Bounds(self.manners, self.profile, load, notes)
        found: dict[Key, Portion] = {}
        groups: dict[tuple[int, float | None], list[Claim]] = {}
        for claim in claims:
            groups.setdefault((claim.level, claim.begin), []).append(claim)
        for (_, begin), together in groups.items():
            given = list(bounds.of(together, now if begin is None else begin))
            portions = divide(together, given)
            found |= {one.key: portion for one, portion in zip(together, portions, strict=True)}
            notes += (text for text in exceeded(portions, given) if text not in notes)
        return found

    def _claims(self, run: RunDirectory, status: RunStatus, now: float) -> Iterator[Claim]:
        """What is not over, by the job in which it is, or the time at which it is planned to begin."""
        levels: dict[str, int] = {}
        found: dict[Key, _Wanted] = {}
        for array in status.plan.arrays:
            mine: set[Key] = set()
            for element in range(array.elements):
                place = _place(status, array, element)
                if place is not None:
                    # What is fused with another array job runs in a job of that one.
                    key = place.array, place.job, None if place.job else array.begin_of(element)
                    found.setdefault(key, _Wanted(place)).elements.add(element)
                    mine.add(key)
            if mine:
                wholes = {
                    one.array
                    for one in array.after
                    if not self.profile.waits_by_index and _is_one_job(one.array, mine, found)
                }
                levels[array.name] = level = _level(array, levels, wholes)
                has_ahead = any(found[key].place.is_ahead for key in mine)
                for key in mine:
                    found[key].level = min(found[key].level, level + (has_ahead and not found[key].place.is_ahead))
        for (name, job, planned), wanted in found.items():
            array, place = status.plan.array(name), wanted.place
            given = array.submitted_first if place.variant == FUSED else array
            if place.variant not in ("", FUSED):
                given = read_variant(run, array, place.variant)
            begin = self._begin(given, place, planned, now)
            yield Claim(given, job, len(wanted.elements), wanted.level, begin, planned)

    def _begin(self, array: ArrayJob, place: Submitted, planned: datetime | None, now: float) -> float | None:
        begin = place.begin
        if not place.job and planned is not None and self.profile.keeps_start_times:
            begin = self.begin(array, planned, now) or planned.timestamp()
        return begin if begin is not None and begin > now else None


def keep(
    run: RunDirectory,
    status: RunStatus,
    scheduler: QueueScheduler,
    journal: Journal,
    conduct: Conduct,
) -> Kept:
    """Change the throttles of a run's jobs that are to be another; for one who holds the lock.

    The scheduler is told before that is noted: killed in between, the same is said once more.
    """
    done, now = Kept(), journal.clock()
    load = conduct.look(run, scheduler, now, done.notes)
    for change in list(conduct.wanted(run, status, load, now, done.notes)):
        job, throttle = change.job, change.now
        number = throttle.at_once or status.plan.array(change.array).elements  # so many is any number
        event = {"event": THROTTLED, "array": change.array, "job": job, **document(throttle)}
        try:
            is_there = scheduler.throttle(job, number)
        except TransportError as error:
            done.notes.append(error.message)
            break  # it will not answer for the others either
        except SchedulerError as error:
            done.notes.append(error.message)
            event["error"] = error.message
            is_there = False
        else:
            if is_there:
                done.changes.append(change)
        if is_there or "error" in event:
            journal.commit(event)
            status.submissions.hear({"time": now, **event})
    return done


def keep_by_itself(
    run: RunDirectory,
    plan: Plan,
    connect: Callable[[Sequence[int]], QueueScheduler],
    conduct: Conduct,
    status: RunStatus,
) -> Kept:
    """As `keep`, for one who does not hold the lock, and takes it where something is to be changed only.

    Raises
    ------
    RunError
        When another process is at it.
    """
    journal, looked = Journal(run.journal), Kept()
    load = conduct.look(run, connect(()), journal.clock(), looked.notes)
    if not any(True for _ in conduct.wanted(run, status, load, journal.clock(), looked.notes)):
        return looked
    with hold(run.lock, patience=0.0) as lock:
        return keep(run, observe(run, plan), connect((lock,)), journal, conduct)


def document(throttle: Throttle) -> dict[str, object]:
    """What is said of a throttle in an event of the journal; nothing where there is none."""
    if throttle.at_once is None:
        return {}
    return {
        "at_once": throttle.at_once,
        "why": throttle.why,
        **({} if throttle.until is None else {"until": throttle.until}),
    }


@dataclass
class _Wanted:
    """The elements of a job that are not over, and how many others must be over before."""

    place: Submitted
    elements: set[int] = field(default_factory=set)
    level: int = sys.maxsize


def _is_to_change(before: Throttle, portion: Portion, now: float) -> bool:
    """Whether another number of indices would run at once."""
    present = min(before.at_once or portion.need, portion.need)
    wanted = min(portion.at_once or portion.need, portion.need)
    is_refused = before.refused == (portion.at_once or 0) and 0 <= now - before.refused_at < AGAIN
    if wanted == present or is_refused:
        return False
    is_small = present < wanted < min(WORTH_WHILE * present, portion.need)
    return not (is_small and before.why == portion.why)


def _level(array: ArrayJob, levels: Mapping[str, int], wholes: Collection[str]) -> int:
    """How many others must be over before it begins; what follows index by index runs beside what it follows.

    Where the scheduler knows no such order, that begins after all of it as well; of those that are in `wholes`.
    """
    after = (
        levels[one.array] + (one.kind == "whole" or one.array in wholes) for one in array.after if one.array in levels
    )
    return max(after, default=0)


def _is_one_job(earlier: str, mine: Collection[Key], found: Mapping[Key, _Wanted]) -> bool:
    """Whether all of what is left of an array job is in one job, for which all jobs of another one wait.

    What is tried again stands in a job of its own, beside which the others run.
    """
    jobs = [one for (name, _, _), one in found.items() if name == earlier]
    waiting = frozenset[int]().union(*(found[key].elements for key in mine))
    return len(jobs) == 1 and waiting <= jobs[0].place.indices | jobs[0].elements


def _place(status: RunStatus, array: ArrayJob, element: int) -> Submitted | None:
    """The submission in which an element is now, or one without a job where it is to be submitted; None for over."""
    known = status.indices[array.name]
    indices = [index for index in array.of_element(element) if not known[index].is_over]
    if not indices:
        return None
    retry, found = status.submissions.due(array.name, element), status.submissions.round_of(array.name, element)
    if retry is not None:
        return Submitted(array.name, "", frozenset(), 0.0, variant=retry.variant)
    if found is None and array.rides:
        return None  # it is submitted with that one
    record = known[indices[0]].record
    jobs = found.since(record.job if record is not None else "") if found is not None else []
    if not jobs:
        return Submitted(array.name, "", frozenset(), 0.0, variant=FUSED if array.riders else "")
    # Of a chain whose link has ended, the next one is on.
    is_next = len(jobs) > 1 and record is not None and record.state.is_final and record.job == jobs[0].job
    return jobs[1 if is_next else 0]


def _read_load(run: RunDirectory) -> tuple[float, Load | None]:
    """When the cluster was last asked how busy it is, and how busy it was."""
    try:
        document = json.loads(run.load.read_text(encoding="utf-8"))
        return float(document["asked"]), Load.from_document(document["load"]) if document["load"] else None
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return float("-inf"), None  # whatever else it holds, it is asked anew
