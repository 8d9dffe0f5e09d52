"""How failures are met: how often something is tried again, and when all of it is stopped."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sciflow.model.validation import Value

FEWEST, MOST, SHARE = 10, 50, 20  # indices that act as canaries: a twentieth of the array job, within these
_LEAST_RETRIES = 20


class RecoveryPolicy(Value):
    """Bounds within which failures are met without asking.

    `retries` says how often a program that fails by itself is tried again; `max_attempts` how often an instance may
    fail, whatever the cause, and `max_retries` how many attempts beyond the first a run may have in all: as many as it
    has instances unless that is said. Being preempted, or put back into the queue, is no failure.

    `brake` says after how many ends an array job is held back where nearly all of these were failures: ``auto`` for a
    twentieth of it, at least 10 and at most 50; ``off`` for never. `canaries` of each array job run ahead of the
    others, which wait until these have ended.

    `exclude_hours` says how long a node is avoided on which more fails than chance explains; 0 for never.
    """

    retries: int = Field(default=1, ge=0)
    max_attempts: int = Field(default=5, ge=1)
    max_retries: int | None = Field(default=None, ge=0)
    brake: Annotated[int, Field(ge=1)] | Literal["auto", "off"] = "auto"
    canaries: int = Field(default=0, ge=0)
    exclude_hours: float = Field(default=24.0, ge=0)

    def brake_of(self, count: int) -> int:
        """After how many ends an array job of so many indices is judged; 0 for never."""
        if self.brake == "off":
            return 0
        if self.brake != "auto":
            return self.brake
        wanted = min(MOST, max(FEWEST, -(-count // SHARE)))
        return wanted if count >= 2 * wanted else 0

    def most_retries(self, instances: int) -> int:
        """How many attempts beyond the first a run of so many instances may have."""
        return max(_LEAST_RETRIES, instances) if self.max_retries is None else self.max_retries
