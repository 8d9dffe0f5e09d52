"""What a run has handed to a scheduler, from its journal: intents, job ids, refusals, cancellations, second tries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sciflow.store.retries import Refusal, Retry
from sciflow.store.rounds import Round, Rounds
from sciflow.store.submitted import Submitted, read_throttle
from sciflow_shim import files

INTENT, SUBMITTED, REFUSED, CANCELLED, RETRY = "intent", "submitted", "refused", "cancel", "retry"
WITHDRAWN = "withdrawn"  # a decision to try something again that did not come to pass
THROTTLED = "throttled"  # another number of a job's indices may run at once, or was refused
EXCLUDED, INCLUDED = "exclude", "include"
AUTONOMOUS = "autonomous"  # a run is to be tended by itself, or not any more
TEND = "tend"  # stands for an array job in the events about jobs that tend the run


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
    _rounds: Rounds = field(default_factory=Rounds, repr=False)

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
        found = self._rounds.of(array, element)
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
            self._rounds.add(submission, array, self._due.get(array, {}))

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
            self._rounds.take_back(void)
        kept: list[Retry] = []
        for retry in reversed(self.retries):
            gone = retry.indices & left if retry.array == array else frozenset[int]()
            left -= gone
            if retry.indices - gone:
                kept.append(replace(retry, indices=retry.indices - gone) if gone else retry)
        self.retries = kept[::-1]
