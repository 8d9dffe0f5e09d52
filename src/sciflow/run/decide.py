"""What is done about each failure: again, with more of something, from its checkpoint, or nothing, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from sciflow.errors import RunError
from sciflow.model.cause import Cause
from sciflow.model.nearest import nearest
from sciflow.model.recovery import RecoveryPolicy
from sciflow.model.state import State
from sciflow.run.causes import Failure
from sciflow.run.needs import Place, needed
from sciflow.run.sizing import UNSAID, Ask, Sizing
from sciflow.run.status import RunStatus
from sciflow.store.brakes import Brake
from sciflow.store.layout import RunDirectory
from sciflow.store.submissions import Retry

SCALED = ("memory", "runtime")
_OF_THE_PROGRAM = (Cause.APPLICATION_ERROR, Cause.RESULT_MISSING, Cause.CRITERIA_NOT_MET)
# What is no failure of an index, and so does not count towards how often it may fail.
_UNCOUNTED = (Cause.PREEMPTED, Cause.CANCELLED, Cause.HELD, Cause.UPSTREAM_FAILED)


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

    @property
    def is_retry(self) -> bool:
        """Whether it is tried again."""
        return self not in (Action.NOT_YET, Action.LEFT, Action.GIVEN_UP)


@dataclass(frozen=True)
class Wish:
    """What of a run is to be tried again, and how.

    Attributes
    ----------
    only
        These causes; None for all that are tried again by themselves.
    places
        These indices; None for all.
    scale
        Factors for what is asked for: ``memory``, ``runtime``.
    is_forced
        Whether also what would be given up is tried again.
    is_released
        Whether array jobs that a brake holds back go on.
    trusted
        Nodes that are used again although they were avoided.
    """

    only: frozenset[Cause] | None = None
    places: Mapping[str, set[int]] | None = None
    scale: Mapping[str, float] = field(default_factory=dict)
    is_forced: bool = False
    is_released: bool = False
    trusted: tuple[str, ...] = ()

    @property
    def is_partial(self) -> bool:
        """Whether not everything is meant."""
        return self.only is not None or self.places is not None

    def names(self, cause: Cause, place: Place) -> bool:
        """Whether something is asked for that is otherwise left alone."""
        return (self.only is not None and cause in self.only) or (self.places is not None and self.wants(place))

    def wants(self, place: Place) -> bool:
        """Whether an index is among those that are meant."""
        return self.places is None or place[1] in self.places.get(place[0], ())


def make_wish(
    only: str | Iterable[str] | None = None,
    places: Mapping[str, set[int]] | None = None,
    scale: Iterable[str] | Mapping[str, float] = (),
    is_forced: bool = False,
    is_released: bool = False,
    trusted: Iterable[str] = (),
) -> Wish:
    """Read a wish as it is typed: ``out_of_memory,timeout`` and ``memory=2``.

    Raises
    ------
    RunError
        For a cause that there is not, or a factor that is none.
    """
    causes = None
    if only is not None:
        words = only.split(",") if isinstance(only, str) else list(only)
        causes = frozenset(_cause(word.strip()) for word in words)
    pairs = scale.items() if isinstance(scale, Mapping) else [_pair(text) for text in scale]
    factors = {what: _factor(what, text) for what, text in pairs}
    return Wish(causes, places, factors, is_forced, is_released, tuple(trusted))


def _cause(word: str) -> Cause:
    known = [cause.value for cause in Cause]
    if word not in known:
        raise RunError(f"`{word}` is no cause of a failure", hint=nearest(word, known))
    return Cause(word)


def _pair(text: str) -> tuple[str, str]:
    what, _, factor = text.partition("=")
    return what, factor


def _factor(what: str, text: str | float) -> float:
    if what not in SCALED:
        raise RunError(f"`{what}` cannot be scaled", hint=f"write {' or '.join(f'`{one}=2`' for one in SCALED)}")
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise RunError(f"`{text}` is no factor for `{what}`", hint=f"write it like `{what}=2`")
    return factor


@dataclass(frozen=True)
class Decision:
    """What is done about the failure of one index, and why."""

    place: Place
    cause: Cause
    error: str
    action: Action
    why: str = ""
    ask: Ask = UNSAID

    @property
    def counts(self) -> bool:
        """Whether that was a failure of the index."""
        return self.cause not in _UNCOUNTED and self.action is not Action.GO_ON


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
        self._history: dict[Place, list[Retry]] = {}
        for retry in status.submissions.retries:
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
        others = array.of_element(array.element(place[1]))
        if array.pack > 1 and not all(known[index].is_over and known[index].is_settled for index in others):
            return f"others in its array index are not over: {array.name}[{others[0]}-{others[-1]}]"
        return ""

    def _left_alone(self, place: Place, failure: Failure) -> str:
        if self.wish.only is not None and failure.cause not in self.wish.only:
            return "it is not asked for"
        if place[0] in self.on and not self.wish.is_released:
            return f"{self.on[place[0]].reason}; `--release` lets its array job go on"
        if failure.cause is Cause.CANCELLED and not self.wish.names(failure.cause, place):
            by = f" by {failure.by}" if failure.by else ""
            return f"it was cancelled{by}; `--only cancelled` tries it again"
        return ""

    def _enough(self, place: Place, failure: Failure) -> str:
        """Why it is not tried again, if it has failed too often."""
        if failure.cause in _UNCOUNTED or self._goes_on(place):
            return ""
        counted = [one for one in self._history.get(place, ()) if one.counts]
        if len(counted) + 1 >= self.recovery.max_attempts:
            return f"it has failed {len(counted) + 1} times (`max_attempts`)"
        if failure.cause in _OF_THE_PROGRAM:
            own = [one for one in counted if one.cause in _OF_THE_PROGRAM]
            if any(one.error == failure.signature for one in own):
                return "it failed twice with the same error"
            most = self.retries.get(self.status.plan.array(place[0]).task, self.recovery.retries)
            if len(own) >= most:
                return f"its program has been tried again {len(own)} times (`retries`)"
        return ""

    def _goes_on(self, place: Place) -> bool:
        """Whether it ended for its time, and has come further than the attempt before."""
        known = self.status.indices[place[0]][place[1]]
        return known.state is State.TIMEOUT and known.record is not None and known.record.has_progressed

    def _sized(self, one: Decision) -> Decision:
        action, ask = Action.AGAIN, self.sizing.scaled(one.place, self.wish.scale)
        if one.cause is Cause.OUT_OF_MEMORY and "memory" not in self.wish.scale:
            action, ask = Action.MORE_MEMORY, self.sizing.more_memory(one.place)
        elif one.cause is Cause.TIMEOUT and self._goes_on(one.place):
            action = Action.GO_ON
        elif one.cause is Cause.TIMEOUT and "runtime" not in self.wish.scale:
            action, ask = Action.MORE_TIME, self.sizing.more_time(one.place)
        elif one.cause in (Cause.OUT_OF_MEMORY, Cause.TIMEOUT):
            action = Action.MORE_MEMORY if one.cause is Cause.OUT_OF_MEMORY else Action.MORE_TIME
        if ask is None:
            return self._given_up(one, self.sizing.limit(one.place, action is Action.MORE_MEMORY))
        return Decision(one.place, one.cause, one.error, action, self.sizing.change(one.place, ask), ask)

    def _downstream(self, decided: dict[Place, Decision]) -> Iterator[Decision]:
        """What waits for others runs with them, where all that it waits for is done, goes on or is tried again."""
        again = {place for place, one in decided.items() if one.action.is_retry}
        for array in self.status.plan.arrays:
            for index, places in needed(self.run, array):
                known = self.status.indices[array.name][index]
                place = (array.name, index)
                is_short = known.state is State.COMPLETED and known.has_skipped
                if not (known.state is State.UPSTREAM_FAILED or is_short) or not self._may_follow(place):
                    continue
                upstream = list(places)
                follows = any(one in again for one in upstream)
                if not follows and (is_short or self.wish.is_partial):
                    continue
                why, action = "", Action.WITH_UPSTREAM
                if is_short:
                    why = "it went on without some of its upstream"
                elif not all(one in again or self._will_be_there(one) for one in upstream):
                    why, action = "something that it needs is not tried again", Action.LEFT
                if action.is_retry:
                    again.add(place)
                yield Decision(place, Cause.UPSTREAM_FAILED, "", action, why, self.sizing.given(place))

    def _may_follow(self, place: Place) -> bool:
        return not self._not_yet(place) and (place[0] not in self.on or self.wish.is_released)

    def _will_be_there(self, place: Place) -> bool:
        known = self.status.indices[place[0]][place[1]]
        return known.state is State.COMPLETED or not known.is_over
