"""What goes wrong between a cluster and its users: silence, lost replies, refusals."""

from __future__ import annotations

from collections.abc import Callable

from sciflow.schedulers.fake.request import Refused, Why


class Faults:
    """Faults by script: how the next calls go, and how long who does not answer.

    Parameters
    ----------
    clock
        Seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._silent_until: dict[str, float] = {}
        self._lost = 0
        self._refusals: list[Why] = []

    def silence(self, witness: str, seconds: float) -> None:
        """Let the controller or accounting not answer for so long from now."""
        self._silent_until[witness] = self._clock() + seconds

    def is_silent(self, witness: str) -> bool:
        """Whether it does not answer now."""
        return self._clock() < self._silent_until.get(witness, 0.0)

    def lose_replies(self, count: int = 1) -> None:
        """Let the replies to the next submissions be lost: they are taken, and nobody learns of it."""
        self._lost += count

    def refuse(self, why: Why = "account", count: int = 1) -> None:
        """Refuse the next submissions."""
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
        return is_lost
