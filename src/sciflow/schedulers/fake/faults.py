"""What goes wrong between a cluster and its users: silence, lost replies, refusals."""

from __future__ import annotations

from collections.abc import Callable

from sciflow.model.statement import CONTROLLER
from sciflow.transport.base import Answer

NO_CONTROLLER = "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)"
LOST = "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation"
NO_DATABASE = "Problem talking to the database: Connection refused"
REFUSED = "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified"


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
        self._refusals: list[str] = []

    def silence(self, witness: str, seconds: float) -> None:
        """Let the controller or accounting not answer for so long from now."""
        self._silent_until[witness] = self._clock() + seconds

    def is_silent(self, witness: str) -> bool:
        """Whether it does not answer now."""
        return self._clock() < self._silent_until.get(witness, 0.0)

    def lose_replies(self, count: int = 1) -> None:
        """Let the replies to the next submissions be lost: they are taken, and nobody learns of it."""
        self._lost += count

    def refuse(self, words: str = REFUSED, count: int = 1) -> None:
        """Refuse the next submissions, in words as `sbatch` prints them."""
        self._refusals += [words] * count

    def before_submission(self) -> Answer | None:
        """The answer to a submission that is not taken; None for one that is."""
        if self.is_silent(CONTROLLER):
            return Answer(1, "", NO_CONTROLLER)
        return Answer(1, "", self._refusals.pop(0)) if self._refusals else None

    def after_submission(self, answer: Answer) -> Answer:
        """What reaches the submitter of the answer to a submission that was taken."""
        if self._lost:
            self._lost -= 1
            return Answer(1, "", LOST)
        return answer
