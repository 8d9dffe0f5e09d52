"""What goes wrong between a cluster and its users, and on its nodes: by script, or by seeded chance."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from sciflow.model.statement import ACCOUNTING, CONTROLLER
from sciflow.schedulers.fake import values
from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.jobs import Index
from sciflow.schedulers.fake.request import Refused, Why

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

HOUR, DAY = 3_600.0, 86_400.0


@dataclass(frozen=True)
class Chances:
    """How often what goes wrong by chance; each that is 0 never.

    Attributes
    ----------
    node_dies, node_away
        How often a day a node dies, and for how many seconds it is away on average.
    job_killed, out_of_memory
        How often an hour what runs is killed, by somebody or by the kernel for its memory.
    controller_down, accounting_down, down_for
        How often a day each of these does not answer, and for how many seconds on average.
    lost_reply
        The share of submissions that are taken and whose reply is lost.
    truncated
        The share of answers to queries that break off somewhere.
    calls_per_minute
        How many calls a minute are answered; for more one is asked to slow down. 0 for any number.
    """

    node_dies: float = 0.0
    node_away: float = HOUR
    job_killed: float = 0.0
    out_of_memory: float = 0.0
    controller_down: float = 0.0
    accounting_down: float = 0.0
    down_for: float = 300.0
    lost_reply: float = 0.0
    truncated: float = 0.0
    calls_per_minute: int = 0

    def __post_init__(self) -> None:
        values.settings(Chances, vars(self))
        values.number("lost_reply", self.lost_reply, most=1)
        values.number("truncated", self.truncated, most=1)
        values.number("node_away", self.node_away, is_zero=False)
        values.number("down_for", self.down_for, is_zero=False)


class Faults:
    """Faults by script: how the next calls go, and how long who does not answer; and by chance.

    Parameters
    ----------
    clock
        Virtual time.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._silent_until: dict[str, float] = {}
        self._lost = self._broken = 0
        self._refusals: list[Why] = []
        self._chances = Chances()
        self._chance = random.Random(0)  # noqa: S311 - no secret is drawn
        self._calls: list[float] = []

    def silence(self, witness: str, seconds: float) -> None:
        """Let the controller or accounting not answer for so long from now."""
        values.one_of("witness", witness, (CONTROLLER, ACCOUNTING))
        values.number("seconds", seconds)
        until = self._clock() + seconds
        self._silent_until[witness] = max(until, self._silent_until.get(witness, 0.0))

    def is_silent(self, witness: str) -> bool:
        """Whether it does not answer now."""
        return self._clock() < self._silent_until.get(witness, 0.0)

    def lose_replies(self, count: int = 1) -> None:
        """Let the replies to the next submissions be lost: they are taken, and nobody learns of it."""
        self._lost += values.whole("count", count)

    def break_off(self, count: int = 1) -> None:
        """Let the answers to the next queries break off in the middle."""
        self._broken += values.whole("count", count)

    def refuse(self, why: Why = "account", count: int = 1) -> None:
        """Refuse the next submissions."""
        values.one_of("why", why, get_args(Why))
        values.whole("count", count)
        self._refusals.extend(why for _ in range(count))

    def check_submission(self) -> None:
        """Refuse a submission, if the next one is to be refused.

        Raises
        ------
        Refused
            As was said.
        """
        if self._refusals:
            raise Refused(self._refusals.pop(0))

    def takes_reply(self) -> bool:
        """Whether the reply to a submission that was taken is lost."""
        is_lost = self._lost > 0
        self._lost -= is_lost
        return is_lost or self._chance.random() < self._chances.lost_reply

    def cut(self, text: str) -> str:
        """The answer to a query as it arrives: all of it, or its beginning, up to the middle of some line.

        One that breaks off between two lines looks like a whole one to anybody, and does not happen here.
        """
        is_broken = self._broken > 0
        self._broken -= is_broken
        if is_broken:
            return _part(text, len(text) // 2)
        if self._chance.random() < self._chances.truncated:
            return _part(text, self._chance.randrange(len(text) + 1))
        return text

    def is_too_often(self) -> bool:
        """Whether one call more is too much for this minute."""
        most = self._chances.calls_per_minute
        if not most:
            return False
        now = self._clock()
        self._calls = [one for one in self._calls if now - one < 60.0]
        if len(self._calls) >= most:
            return True
        self._calls.append(now)
        return False

    def let_loose(self, cluster: VirtualCluster, chances: Chances, seed: int = 0) -> None:
        """Let things go wrong by chance from now on; the same seed brings the same."""
        self._chances, self._chance = chances, random.Random(seed)  # noqa: S311 - no secret is drawn
        for name in cluster.nodes:
            self._again(chances.node_dies / DAY, lambda name=name: self._kill_node(cluster, name))
        for witness, often in ((CONTROLLER, chances.controller_down), (ACCOUNTING, chances.accounting_down)):
            self._again(often / DAY, lambda witness=witness: self.silence(witness, self._draw(1 / chances.down_for)))
        if chances.job_killed or chances.out_of_memory:
            cluster.listeners.append(lambda what, index: self._endanger(cluster, what, index))

    def _draw(self, rate: float) -> float:
        return self._chance.expovariate(rate)

    def _again(self, rate: float, action: Callable[[], object]) -> None:
        """Let something happen so often a second, for ever."""

        def happen() -> None:
            action()
            self._again(rate, action)

        if rate:
            self._clock.after(self._draw(rate), happen, is_aside=True)

    def _kill_node(self, cluster: VirtualCluster, name: str) -> None:
        if cluster.nodes[name].is_up:
            cluster.kill_node(name)
            # Who waits for the node waits for this.
            self._clock.after(self._draw(1 / self._chances.node_away), lambda: cluster.revive_node(name))

    def _endanger(self, cluster: VirtualCluster, what: str, index: Index) -> None:
        """Draw when an index that has started would be killed, if it still runs then."""
        if what != "started":
            return
        run = index.run_of
        for rate, is_oom in ((self._chances.job_killed, False), (self._chances.out_of_memory, True)):
            if rate:
                self._clock.after(
                    self._draw(rate / HOUR), lambda oom=is_oom: self._kill(cluster, index, run, oom), True
                )

    def _kill(self, cluster: VirtualCluster, index: Index, run: tuple[int, int, int], is_oom: bool) -> None:
        if cluster.is_current(index, run):
            cluster.kill_job(index, is_oom)


def _part(text: str, length: int) -> str:
    """The beginning of a text, which does not end where a line does."""
    part = text[: max(1, length)].rstrip("\n")
    return part or text
