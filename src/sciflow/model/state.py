"""The states of a task instance, in Slurm's words where it has one."""

from __future__ import annotations

from enum import Enum


class State(str, Enum):
    """What is known of a task instance."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    TIMEOUT = "TIMEOUT"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    NODE_FAIL = "NODE_FAIL"
    PREEMPTED = "PREEMPTED"
    CANCELLED = "CANCELLED"
    UPSTREAM_FAILED = "UPSTREAM_FAILED"
    CRITERIA_NOT_MET = "CRITERIA_NOT_MET"
    UNKNOWN = "UNKNOWN"

    def __str__(self) -> str:
        return self.value

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self not in (State.PENDING, State.RUNNING, State.UNKNOWN)

    @property
    def is_success(self) -> bool:
        """Whether the results may be used."""
        return self is State.COMPLETED

    @property
    def is_failure(self) -> bool:
        """Whether it ended, and its results may not be used."""
        return self.is_final and not self.is_success
