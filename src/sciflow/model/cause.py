"""Why an array index has not completed: what decides whether it is worth another try, and with what."""

from __future__ import annotations

from enum import Enum


class Cause(str, Enum):
    """Why an array index has ended without success; the values are as they are typed."""

    OUT_OF_MEMORY = "out_of_memory"
    TIMEOUT = "timeout"
    NODE_FAILURE = "node_failure"
    PREEMPTED = "preempted"
    LAUNCH_FAILURE = "launch_failure"
    CANCELLED = "cancelled"
    HELD = "held"
    FILE_CHANGED = "file_changed"
    APPLICATION_ERROR = "application_error"
    RESULT_MISSING = "result_missing"
    CRITERIA_NOT_MET = "criteria_not_met"
    UPSTREAM_FAILED = "upstream_failed"
    LOST = "lost"

    def __str__(self) -> str:
        return self.value

    @property
    def words(self) -> str:
        """The cause as people say it: ``out of memory``."""
        return self.value.replace("_", " ")
