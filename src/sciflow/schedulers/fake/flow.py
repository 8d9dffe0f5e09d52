"""How time passes on a virtual cluster of which several threads want something, one at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING, Literal

from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.face import Call, answer
from sciflow.schedulers.fake.real import PAUSE, RealBody

if TYPE_CHECKING:
    from sciflow.transport.base import Answer

Pace = Literal["still", "fast", "real"]
PACES: tuple[Pace, ...] = ("still", "fast", "real")


class Turn:
    """A lock that who holds it can give away for a while, however often it was taken."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._depth, self._owner = 0, 0

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth, self._owner = self._depth + 1, threading.get_ident()

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        self._owner = self._owner if self._depth else 0
        self._lock.release()

    @contextmanager
    def given_away(self) -> Iterator[None]:
        """Let others have it while the block runs; nothing changes for who does not hold it."""
        depth = self._depth if self._owner == threading.get_ident() else 0
        for _ in range(depth):
            self.__exit__()
        try:
            yield
        finally:
            for _ in range(depth):
                self.__enter__()


class Flow:
    """A virtual cluster in time.

    Parameters
    ----------
    cluster
        The cluster.
    pace
        ``still``: time passes when somebody says so. ``fast``: the cluster goes on by itself from one event to the
        next, and as real time does while a job script really runs. ``real``: as real time does.

    Attributes
    ----------
    turn
        Who holds it may look at the cluster, and change it.
    """

    def __init__(self, cluster: VirtualCluster, pace: Pace = "still") -> None:
        self.cluster, self.pace = cluster, pace
        self.turn = Turn()
        self._news = threading.Event()
        self._is_over = False
        self._last = monotonic()
        self._body = cluster.body if isinstance(cluster.body, RealBody) else None
        if self._body is not None:
            self._body.pause = self._pause
        self._thread = threading.Thread(target=self._go_on, name="virtual cluster", daemon=True)
        if pace != "still":
            self._thread.start()

    def answer(self, call: Call) -> Answer:
        """What a command answers."""
        with self.changing():
            self._catch_up()
            return answer(self.cluster, call)

    @contextmanager
    def changing(self) -> Iterator[VirtualCluster]:
        """Change something about the cluster while the block runs; it goes on from there."""
        with self.turn:
            yield self.cluster
        self._news.set()

    def advance(self, seconds: float) -> None:
        """Let time pass; as long as job scripts really run, it is real time."""
        with self.turn:
            until = self.cluster.clock() + seconds
            while self.cluster.clock() < until:
                if not self._step(until):
                    self.cluster.clock.run_until(until)

    def run_until_idle(self, seconds: float = 3600.0) -> None:
        """Let time pass until all jobs have ended, or nothing will happen any more.

        Parameters
        ----------
        seconds
            How much real time that may take.

        Raises
        ------
        TimeoutError
            Naming the jobs that have not ended then.
        """
        until = monotonic() + seconds
        with self.turn:
            while self.cluster.queued() and self._step():
                if monotonic() > until:
                    names = sorted({job.name for job in self.cluster.jobs.values() if job.open})
                    raise TimeoutError(f"these jobs have not ended within {seconds:g} s: {', '.join(names)}")

    def close(self) -> None:
        """Let time stand still for ever."""
        self._is_over = True
        self._news.set()
        if self._thread.is_alive():
            self._thread.join()

    def _step(self, until: float = float("inf")) -> bool:
        """Let the next thing happen; whether there was one until then, or one that anybody waits for."""
        if self.pace == "real":
            self._pause(PAUSE)
            return self._is_busy() or not self.cluster.clock.is_quiet
        if self.cluster.body.wait(self.cluster):
            return True
        clock = self.cluster.clock
        if until == float("inf") and clock.is_quiet:
            return False
        return clock.next_event is not None and clock.next_event <= until and clock.step()

    def _go_on(self) -> None:
        """Let time pass until all is over, in a thread of its own."""
        while not self._is_over:
            with self.turn:
                if self.pace == "fast":
                    has_gone_on = bool(self.cluster.queued()) and self._step()
                    pause = 0.0 if has_gone_on else 3600.0
                else:
                    pause = PAUSE if self._is_busy() else self._until_event()
            if pause:
                self._news.wait(pause)
                self._news.clear()
            else:
                sleep(0)  # others have their turn

    def _is_busy(self) -> bool:
        """Let as much time pass as really has; whether a job script runs."""
        if self._body is not None:
            return self._body.poll(self.cluster, self._catch_up)
        self._catch_up()
        return False

    def _until_event(self) -> float:
        upcoming = self.cluster.clock.next_event
        return 3600.0 if upcoming is None else max(PAUSE, upcoming - self.cluster.clock())

    def _catch_up(self) -> None:
        """Let as much time pass as really has, where it flows so."""
        now = monotonic()
        if self.pace == "real":
            self.cluster.clock.run_until(self.cluster.clock() + now - self._last)
        self._last = now

    def _pause(self, seconds: float) -> None:
        """Let a little real time pass, in which others have their turn."""
        with self.turn.given_away():
            sleep(seconds)
