"""What a run has handed to a scheduler, from its journal: intents, job ids, refusals, cancellations, second tries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sciflow_shim import files

INTENT, SUBMITTED, REFUSED, CANCELLED, RETRY = "intent", "submitted", "refused", "cancel", "retry"
WITHDRAWN = "withdrawn"  # a decision to try something again that did not come to pass
THROTTLED = "throttled"  # another number of a job's indices may run at once, or was refused
EXCLUDED, INCLUDED = "exclude", "include"
AUTONOMOUS = "autonomous"  # a run is to be tended by itself, or not any more
TEND = "tend"  # stands for an array job in the events about jobs that tend the run


@dataclass(frozen=True)
class Throttle:
    """How many indices of a job may run at once.

    Attributes
    ----------
    at_once
        How many; None for any number.
    why, until
        Why no more, and until when at least that holds, in seconds since the epoch; None where that is not known.
    refused, refused_at
        The number to which the scheduler last refused to change it, 0 for any number, and when.
    """

    at_once: int | None = None
    why: str = ""
    until: float | None = None
    refused: int | None = None
    refused_at: float = 0.0


@dataclass
class Submitted:
    """One submission: an array job, or some of its elements, which are the scheduler's indices.

    Attributes
    ----------
    name
        The unique name under which the scheduler knows it.
    job
        The job id; empty while that is not known.
    since
        When it was intended, in seconds since the epoch.
    error
        Why the scheduler refused it the last time.
    variant
        The request under which it is tried again; empty for that of the plan.
    link
        Which link of a chain it is.
    is_ahead
        Whether it holds the canaries of the array job, which run ahead of the others.
    is_refused
        Whether that was no matter of room: the same will be refused again unless something is mended.
    is_void
        Whether it was refused for good: its indices are as they were before.
    riders
        The array jobs that are fused with it: the same indices of these run in the same job.
    begin
        When it may begin, in seconds since the epoch, where that was noted.
    throttle
        How many of its indices may run at once, and why.
    is_timed
        Whether it is a job that tends the run at its `begin`, whatever ends before.
    """

    array: str
    name: str
    indices: frozenset[int]
    since: float
    job: str = ""
    error: str = ""
    variant: str = ""
    link: int = 1
    is_ahead: bool = False
    is_refused: bool = False
    is_void: bool = False
    riders: tuple[str, ...] = ()
    begin: float | None = None
    throttle: Throttle = field(default_factory=lambda: Throttle())
    is_timed: bool = False


@dataclass(frozen=True)
class Refusal:
    """What a scheduler has refused an index that was to be tried again.

    Attributes
    ----------
    memory, seconds
        What it was to be given: bytes, and seconds of walltime; 0 where nothing was said.
    error
        The scheduler's answer.
    """

    memory: int
    seconds: int
    error: str


@dataclass(frozen=True)
class Retry:
    """The decision to try indices of an array job again.

    Attributes
    ----------
    indices
        Those that are run again: of a packed element perhaps not all.
    elements
        The scheduler's indices in which they run; None where these are the same.
    variant
        The request under which that is done; empty for that of the plan.
    memory, seconds
        What each of them is given: bytes, and seconds of walltime; 0 where nothing is said.
    cause, error
        What they had failed of, and the normalised error.
    counts
        Whether that was a failure; who was preempted, or goes on from a checkpoint, has not failed.
    time
        When it was decided, in seconds since the epoch.
    """

    array: str
    indices: frozenset[int]
    elements: frozenset[int] | None
    variant: str
    memory: int
    seconds: int
    cause: str
    error: str
    counts: bool
    time: float


@dataclass(frozen=True)
class Round:
    """The submissions of one element that belong together: one, or the links of a chain.

    Attributes
    ----------
    only
        The indices that are run in it; None for all of the element.
    before
        The round before this one.
    """

    links: tuple[Submitted, ...]
    only: frozenset[int] | None = None
    before: Round | None = None

    def of_index(self, index: int) -> Round | None:
        """The last round, of this one and those before, in which an index was run."""
        found: Round | None = self
        while found is not None and found.only is not None and index not in found.only:
            found = found.before
        return found

    def since(self, job: str) -> list[Submitted]:
        """Its submissions that have job ids, from the one of a job on; all of them where that is none of these."""
        links = [one for one in self.links if one.job]
        return links[next((i for i, one in enumerate(links) if one.job == job), 0) :]

    @property
    def array(self) -> str:
        """The array job in whose indices it runs: its own, or the one with which it is fused."""
        return self.links[0].array

    @property
    def last_job(self) -> str:
        """The job id of its last submission that has one."""
        return next((one.job for one in reversed(self.links) if one.job), "")


@dataclass
class Submissions:
    """All submissions of a run, and what was cancelled.

    Attributes
    ----------
    by_name : dict
        Unique name → submission, in order.
    cancelled : dict
        (array, index) → when somebody cancelled it, unless it was tried again since.
    retries : list
        All decisions to try something again, in order; those that did not come to pass are none.
    refusals : dict
        (array, index) → what of this kind the scheduler has refused so far, in order.
    withdrawn : dict
        (array, index) → why the last decision to try it again did not come to pass.
    avoided : dict
        Node → until when nothing is submitted to it, in seconds since the epoch.
    trusted : set
        Nodes that somebody uses again although they were avoided.
    """

    by_name: dict[str, Submitted] = field(default_factory=dict)
    cancelled: dict[tuple[str, int], float] = field(default_factory=dict)
    retries: list[Retry] = field(default_factory=list)
    refusals: dict[tuple[str, int], list[Refusal]] = field(default_factory=dict)
    withdrawn: dict[tuple[str, int], str] = field(default_factory=dict)
    avoided: dict[str, float] = field(default_factory=dict)
    trusted: set[str] = field(default_factory=set)
    _due: dict[str, dict[int, Retry]] = field(default_factory=dict, repr=False)
    _lifted: dict[tuple[str, int], float] = field(default_factory=dict, repr=False)
    _rounds: dict[str, dict[int, Round]] = field(default_factory=dict, repr=False)

    def hear(self, event: Mapping[str, Any]) -> bool:
        """Take in one event of the journal; whether it was about a submission."""
        kind = event["event"]
        if kind == INTENT:
            self._hear_intent(event)
        elif kind == SUBMITTED and event["name"] in self.by_name:
            self.by_name[event["name"]].job = event["job"]
            self.by_name[event["name"]].error, self.by_name[event["name"]].is_refused = "", False
        elif kind == REFUSED and event["name"] in self.by_name:
            one = self.by_name[event["name"]]
            one.error, one.is_refused = event["error"], event.get("is_for_good", True)
        elif kind == CANCELLED:
            places = files.parse_ranges(event["indices"])
            self.cancelled.update({(event["array"], index): event["time"] for index in places})
        elif kind == RETRY:
            self._hear_retry(event)
        elif kind == WITHDRAWN:
            self._hear_withdrawal(event)
        elif kind == THROTTLED:
            self._hear_throttle(event)
        elif kind == EXCLUDED:
            self.avoided[event["node"]] = event["until"]
        elif kind == INCLUDED:
            self.avoided.pop(event["node"], None)
            self.trusted.add(event["node"])
        else:
            return False
        return True

    @property
    def open(self) -> list[Submitted]:
        """Those whose job ids are not known, and that may have reached the scheduler or are to do so."""
        return [one for one in self.by_name.values() if not (one.job or one.is_void)]

    @property
    def jobs(self) -> dict[str, str]:
        """Job id → unique name."""
        return {one.job: one.name for one in self.by_name.values() if one.job}

    def round_of(self, array: str, element: int, index: int | None = None) -> Round | None:
        """The last round of submissions of an element, or the last in which an index of it was run."""
        found = self._rounds.get(array, {}).get(element)
        return found if found is None or index is None else found.of_index(index)

    def due(self, array: str, element: int) -> Retry | None:
        """The decision to try an element again that has not been carried out yet."""
        return self._due.get(array, {}).get(element)

    def carry_out(self, array: str, element: int) -> None:
        """Take note that an element has been tried again by who needs no submission for that."""
        self._due.get(array, {}).pop(element, None)

    @property
    def has_due(self) -> bool:
        """Whether something is to be tried again and was not submitted yet."""
        return any(self._due.values())

    def last_retry(self, array: str, index: int) -> Retry | None:
        """The last decision to try an index again."""
        return next((one for one in reversed(self.retries) if one.array == array and index in one.indices), None)

    def variants(self) -> dict[tuple[str, int], str]:
        """(array, index) → the variant under which it was tried again last, or is to be."""
        return {(one.array, index): one.variant for one in self.retries for index in one.indices}

    def add(self, submission: Submitted) -> None:
        """Take in a submission."""
        self.by_name[submission.name] = submission
        for array in (submission.array, *submission.riders):
            self._add_rounds(submission, array)

    def _add_rounds(self, submission: Submitted, array: str) -> None:
        rounds = self._rounds.setdefault(array, {})
        due = self._due.get(array, {})
        shared: dict[tuple[int, int], Round] = {}  # neighbours have the same rounds: they are held once
        for element in submission.indices:
            retry = due.pop(element, None)
            before = rounds.get(element)
            key = (id(before), id(retry))
            if key not in shared:
                shared[key] = _next_round(submission, retry, before)
            rounds[element] = shared[key]

    def errands(self, is_timed: bool = False) -> list[Submitted]:
        """The jobs that tend the run, in order: those that wait for other jobs, or those that wait for a time."""
        return [one for one in self.of_array(TEND) if one.is_timed is is_timed]

    def of_array(self, array: str) -> list[Submitted]:
        """The submissions of one array job, in order."""
        return [one for one in self.by_name.values() if one.array == array]

    def holding(self, array: str) -> list[Submitted]:
        """The submissions in which indices of an array job run: its own, and those in whose indices it rides."""
        return [one for one in self.by_name.values() if one.array == array or array in one.riders]

    def _hear_intent(self, event: Mapping[str, Any]) -> None:
        known = self.by_name.get(event["name"])
        if known is not None:  # it was refused or cut off, and is tried once more under the same name
            if known.error:
                known.since = event["time"]  # the scheduler, which may have been asked since, has had nothing of it
            known.begin, known.throttle = event.get("begin"), read_throttle(event)
            return
        indices = frozenset(files.parse_ranges(event["indices"]))
        self.add(
            Submitted(
                event["array"],
                event["name"],
                indices,
                event["time"],
                variant=event.get("variant", ""),
                link=event.get("link", 1),
                is_ahead=event.get("is_ahead", False),
                riders=tuple(event.get("riders", ())),
                begin=event.get("begin"),
                throttle=read_throttle(event),
                is_timed=event.get("is_timed", False),
            )
        )

    def _hear_throttle(self, event: Mapping[str, Any]) -> None:
        for one in self.of_array(event["array"]):
            if one.job == event["job"]:
                refused = replace(one.throttle, refused=event.get("at_once", 0), refused_at=event["time"])
                one.throttle = refused if "error" in event else read_throttle(event)

    def _hear_retry(self, event: Mapping[str, Any]) -> None:
        indices = frozenset(files.parse_ranges(event["indices"]))
        retry = Retry(
            event["array"],
            indices,
            frozenset(files.parse_ranges(event["elements"])) if "elements" in event else None,
            event["variant"],
            event["memory"],
            event["seconds"],
            event["cause"],
            event["error"],
            event["counts"],
            event["time"],
        )
        self.retries.append(retry)
        due = self._due.setdefault(retry.array, {})
        for element in retry.elements or indices:
            other = due.get(element)
            if other is not None and retry.elements is not None and other.variant == retry.variant:
                # Of a packed element some have failed of this and some of that.
                due[element] = replace(retry, indices=indices | other.indices)
            else:
                due[element] = retry
        for index in indices:
            place = (retry.array, index)
            self._lifted.pop(place, None)
            self.withdrawn.pop(place, None)
            if place in self.cancelled:
                self._lifted[place] = self.cancelled.pop(place)

    def _hear_withdrawal(self, event: Mapping[str, Any]) -> None:
        """Let all be as it was before a decision; only what was refused is remembered."""
        array, left = event["array"], set(files.parse_ranges(event["indices"]))
        for index in left:
            place = (array, index)
            self.withdrawn[place] = event["error"]
            if event["is_refused"]:
                self.refusals.setdefault(place, []).append(Refusal(event["memory"], event["seconds"], event["error"]))
            if place in self._lifted:
                self.cancelled[place] = self._lifted.pop(place)
        for element in files.parse_ranges(event["elements"]):
            self._due.get(array, {}).pop(element, None)
        void = self.by_name.get(event.get("name", ""))
        if void is not None:
            void.is_void = True
            rounds = self._rounds[array]  # only what is tried again is withdrawn, and that rides nowhere
            for element in void.indices:
                found = rounds[element]
                if void in found.links:
                    if found.before is None:
                        del rounds[element]
                    else:
                        rounds[element] = found.before
        kept: list[Retry] = []
        for retry in reversed(self.retries):
            gone = retry.indices & left if retry.array == array else frozenset[int]()
            left -= gone
            if retry.indices - gone:
                kept.append(replace(retry, indices=retry.indices - gone) if gone else retry)
        self.retries = kept[::-1]


def read_throttle(event: Mapping[str, Any]) -> Throttle:
    """What an event says of how many indices may run at once."""
    return Throttle(event.get("at_once"), event.get("why", ""), event.get("until"))


def _next_round(submission: Submitted, retry: Retry | None, before: Round | None) -> Round:
    if retry is not None:
        return Round((submission,), None if retry.elements is None else retry.indices, before)
    if before is None or submission.link == 1:
        return Round((submission,), None, before)
    # One that was refused or cut off is not among them any more where others of its elements need none meanwhile.
    earlier = (one for one in before.links if one.link < submission.link)
    return Round((*earlier, submission), before.only, before.before)
