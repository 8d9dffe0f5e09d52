"""What is done about each failure: again, with more of something, from its checkpoint, or nothing, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from sciflow.model.cause import Cause
from sciflow.model.recovery import RecoveryPolicy
from sciflow.model.state import State
from sciflow.run.causes import Failure
from sciflow.run.needs import Place, needed
from sciflow.run.sizing import UNSAID, Ask, Sizing
from sciflow.run.soundness import first_changed
from sciflow.run.status import RunStatus, companions
from sciflow.run.wish import Wish
from sciflow.store.brakes import Brake
from sciflow.store.layout import RunDirectory
from sciflow.store.retries import Retry

_OF_THE_PROGRAM = (Cause.APPLICATION_ERROR, Cause.RESULT_MISSING, Cause.CRITERIA_NOT_MET)
# What is no failure of an index, and so does not count towards how often it may fail.
_UNCOUNTED = (Cause.PREEMPTED, Cause.CANCELLED, Cause.HELD, Cause.UPSTREAM_FAILED, Cause.FILE_CHANGED)


class Action(str, Enum):
    """What is done about a failure."""

    AGAIN = "again"
    MORE_MEMORY = "with more memory"
    MORE_TIME = "with more time"
    GO_ON = "from its checkpoint"
    WITH_UPSTREAM = "with its upstream"
    NOT_YET = "not yet"
    LEFT = "left alone"
    GIVEN_UP = "given up"
    REFUSED = "refused"

    @property
    def is_retry(self) -> bool:
        """Whether it is tried again."""
        return self not in (Action.NOT_YET, Action.LEFT, Action.GIVEN_UP, Action.REFUSED)


@dataclass(frozen=True)
class Decision:
    """What is done about the failure of one index, and why.

    Attributes
    ----------
    is_released
        Whether a brake is released with it: what was tried before that is not counted.
    """

    place: Place
    cause: Cause
    error: str
    action: Action
    why: str = ""
    ask: Ask = UNSAID
    is_released: bool = False

    @property
    def counts(self) -> bool:
        """Whether that was a failure of the index."""
        return self.cause not in _UNCOUNTED and self.action is not Action.GO_ON and not self.is_released


class Decider:
    """Decides about all failures of a run; see `decide`."""

    def __init__(
        self,
        run: RunDirectory,
        status: RunStatus,
        failures: Mapping[Place, Failure],
        recovery: RecoveryPolicy,
        retries: Mapping[str, int],
        brakes: Mapping[str, list[Brake]],
        sizing: Sizing,
        wish: Wish,
    ) -> None:
        self.run, self.status, self.failures, self.wish = run, status, failures, wish
        self.recovery, self.retries, self.sizing = recovery, retries, sizing
        self.on = {array: one for array, known in brakes.items() for one in known if one.released is None}
        self._left = recovery.most_retries(sum(status.plan.instances.values())) - sum(
            len(one.indices) for one in status.submissions.retries if one.counts
        )
        self._changed: dict[str, str] = {}
        self._history: dict[Place, list[Retry]] = {}
        releases = {array: max(one.released or 0.0 for one in known) for array, known in brakes.items()}
        for retry in status.submissions.retries:
            if self._is_released(retry.array) or retry.time <= releases.get(retry.array, 0.0):
                continue
            for index in retry.indices:
                self._history.setdefault((retry.array, index), []).append(retry)

    def all(self) -> Iterator[Decision]:
        """All decisions; those about what waits for others come after these."""
        decided: dict[Place, Decision] = {}
        for place, failure in self.failures.items():
            if failure.cause is not Cause.UPSTREAM_FAILED and self.wish.wants(place):
                decided[place] = self._within_bounds(self._about(place, failure))
                yield decided[place]
        yield from self._downstream(decided)

    def _within_bounds(self, decision: Decision) -> Decision:
        if not (decision.action.is_retry and decision.counts) or self.wish.is_forced:
            return decision
        if self._left <= 0:
            most = self.recovery.most_retries(sum(self.status.plan.instances.values()))
            return self._given_up(decision, f"the run has had all of its {most} retries (`max_retries`)")
        self._left -= 1
        return decision

    def _given_up(self, one: Decision, why: str) -> Decision:
        return Decision(one.place, one.cause, one.error, Action.GIVEN_UP, why)

    def _about(self, place: Place, failure: Failure) -> Decision:
        one = Decision(place, failure.cause, failure.signature, Action.AGAIN, ask=self.sizing.given(place))
        if why := self._not_yet(place):
            return Decision(place, one.cause, one.error, Action.NOT_YET, why)
        if why := self._left_alone(place, failure):
            return Decision(place, one.cause, one.error, Action.LEFT, why)
        if not self.wish.is_forced and (why := self._enough(place, failure)):
            return self._given_up(one, why)
        return self._sized(one)

    def _not_yet(self, place: Place) -> str:
        known = self.status.indices[place[0]]
        if not known[place[1]].is_settled:
            return "it may still become known what became of it"
        array = self.status.plan.array(place[0])
        together = companions(self.status, array, place[1]) if self.status.is_queued else ((), ())
        for name in (*together[0], *together[1]):
            other = self.status.indices[name][place[1]]
            if not (other.is_over and other.is_settled):
                return f"{name}[{place[1]}] is not over, which runs in the same array index"
        others = array.of_element(array.element(place[1]))
        if array.pack > 1 and not all(known[index].is_over and known[index].is_settled for index in others):
            return f"others in its array index are not over: {array.name}[{others[0]}-{others[-1]}]"
        return ""

    def _left_alone(self, place: Place, failure: Failure) -> str:
        if self.wish.only is not None and failure.cause not in self.wish.only:
            return "it is not asked for"
        if why := self._held(place):
            return why
        if failure.cause is Cause.FILE_CHANGED and (path := self._changed_file(place)):
            return f"`{Path(path).name}` is still not what the run was planned with"
        # On this machine only whoever drove the run can have stopped it.
        is_by_others = failure.cause is Cause.CANCELLED and self.status.is_queued
        if is_by_others and not self.wish.names(failure.cause, place):
            by = f" by {failure.by}" if failure.by else ""
            return f"it was cancelled{by}; `--only cancelled` tries it again"
        return ""

    def _changed_file(self, place: Place) -> str:
        task = self.status.plan.array(place[0]).task
        if task not in self._changed:
            self._changed[task] = first_changed(self.run, task)
        return self._changed[task]

    def _held(self, place: Place) -> str:
        if place[0] in self.on and not self.wish.is_released:
            return f"{self.on[place[0]].reason}; `--release` lets its array job go on"
        return ""

    def _is_released(self, array: str) -> bool:
        """Whether a brake of an array job is released now."""
        return array in self.on and self.wish.is_released

    def _enough(self, place: Place, failure: Failure) -> str:
        """Why it is not tried again, if it has failed too often."""
        if failure.cause in _UNCOUNTED or self._goes_on(place):
            return ""
        counted = [one for one in self._history.get(place, ()) if one.counts]
        if len(counted) + 1 >= self.recovery.max_attempts:
            return f"it has failed {_times(len(counted) + 1)} (`max_attempts`)"
        if failure.cause in _OF_THE_PROGRAM:
            own = [one for one in counted if one.cause in _OF_THE_PROGRAM]
            if any(one.error == failure.signature for one in own):
                return "it failed twice with the same error"
            most = self.retries.get(self.status.plan.array(place[0]).task, self.recovery.retries)
            if len(own) >= most:
                return f"its program has been tried again {_times(len(own))} (`retries`)"
        return ""

    def _goes_on(self, place: Place) -> bool:
        """Whether it ended for its time, and has come further than the attempt before."""
        known = self.status.indices[place[0]][place[1]]
        return known.state is State.TIMEOUT and known.record is not None and known.record.has_progressed

    def _sized(self, one: Decision) -> Decision:
        action, ask = Action.AGAIN, self.sizing.scaled(one.place, self.wish.scale, one.cause)
        is_at_most, is_memory = False, one.cause is Cause.OUT_OF_MEMORY
        if one.cause is Cause.TIMEOUT and self._goes_on(one.place):
            action = Action.GO_ON
        elif one.cause in (Cause.OUT_OF_MEMORY, Cause.TIMEOUT):
            action = Action.MORE_MEMORY if is_memory else Action.MORE_TIME
            ask, is_at_most = self._with_more(one.place, ask, is_memory)
            if ask[0 if is_memory else 1] < self.sizing.given(one.place)[0 if is_memory else 1]:
                action = Action.AGAIN  # somebody wants it with less
        if is_at_most and not self.wish.is_forced:
            return self._given_up(one, self.sizing.limit(one.place, is_memory))
        action = Action.AGAIN if is_at_most else action
        why = self.sizing.change(one.place, ask) or self.sizing.unscaled(self.wish.scale, ask)
        is_released = self._is_released(one.place[0])
        return Decision(one.place, one.cause, one.error, action, why, ask, is_released)

    def _with_more(self, place: Place, ask: Ask, is_memory: bool) -> tuple[Ask, bool]:
        """What to ask for where memory or time was used up, and whether there is no more to be had."""
        given = self.sizing.given(place)
        if ("memory" if is_memory else "runtime") in self.wish.scale:
            is_less = self.wish.scale["memory" if is_memory else "runtime"] <= 1
            return ask, not is_less and (ask.memory == given.memory if is_memory else ask.seconds == given.seconds)
        more = self.sizing.more_memory(place) if is_memory else self.sizing.more_time(place)
        if more is None:
            return ask, True
        return (ask._replace(memory=more.memory) if is_memory else ask._replace(seconds=more.seconds)), False

    def _downstream(self, decided: dict[Place, Decision]) -> Iterator[Decision]:
        """What waits for others runs with them, where all that it waits for is done, goes on or is tried again.

        What was made without some of its upstream is made anew once that is there, or tried again, and so is what was
        made from that. What was cancelled goes with its upstream that was.
        """
        again = {place for place, one in decided.items() if one.action.is_retry}
        cancelled = {place for place in again if decided[place].cause is Cause.CANCELLED}
        anew: set[Place] = set()
        for array in self.status.plan.arrays:
            for index, upstream in needed(self.run, array):
                place, places = (array.name, index), list(upstream)
                known = self.status.indices[array.name][index]
                follows = any(one in again for one in places)
                is_old = known.state is State.COMPLETED and (
                    known.skipped > self._lacking(places, again) or any(one in anew for one in places)
                )
                is_meant = follows or not self.wish.is_partial or self.wish.names(Cause.UPSTREAM_FAILED, place)
                is_with = known.state is State.CANCELLED and place not in decided and not cancelled.isdisjoint(places)
                if not (is_old or is_with or (known.state is State.UPSTREAM_FAILED and is_meant)):
                    continue
                one = self._about_downstream(place, places, again, is_old)
                if one.action.is_retry:
                    again.add(place)
                    cancelled.update([place] if is_with else [])
                    anew.update([place] if is_old else [])
                yield one

    def _about_downstream(self, place: Place, upstream: list[Place], again: set[Place], is_old: bool) -> Decision:
        why, action = "", Action.WITH_UPSTREAM
        if text := self._not_yet(place):
            why, action = text, Action.NOT_YET
        elif text := self._held(place):
            why, action = text, Action.LEFT
        elif is_old:
            why = "it was made without some of its upstream"
        elif self._lacking(upstream, again):
            why, action = "something that it needs is not tried again", Action.LEFT
        return Decision(place, Cause.UPSTREAM_FAILED, "", action, why, self.sizing.given(place))

    def _lacking(self, places: Iterable[Place], again: set[Place]) -> int:
        """How many of these are not there, do not go on, and are not tried again."""
        return sum(not (one in again or self._will_be_there(one)) for one in places)

    def _will_be_there(self, place: Place) -> bool:
        known = self.status.indices[place[0]][place[1]]
        return known.state is State.COMPLETED or not known.is_over


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
