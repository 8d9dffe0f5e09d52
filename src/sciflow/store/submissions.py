"""What a run has handed to a scheduler, from its journal: intents, job ids, refusals, cancellations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sciflow_shim import files

INTENT, SUBMITTED, REFUSED, CANCELLED = "intent", "submitted", "refused", "cancel"


@dataclass
class Submitted:
    """One submission: an array job, or some of its indices.

    Attributes
    ----------
    name
        The unique name under which the scheduler knows it.
    job
        The job id; empty while that is not known.
    since
        When it was intended, in seconds since the epoch.
    error
        Why the scheduler refused it the last time.
    """

    array: str
    name: str
    indices: frozenset[int]
    since: float
    job: str = ""
    error: str = ""


@dataclass
class Submissions:
    """All submissions of a run, and what was cancelled.

    Attributes
    ----------
    by_name : dict
        Unique name → submission, in order.
    cancelled : dict
        (array, index) → when somebody cancelled it.
    """

    by_name: dict[str, Submitted] = field(default_factory=dict)
    cancelled: dict[tuple[str, int], float] = field(default_factory=dict)
    _latest: dict[str, dict[int, Submitted]] = field(default_factory=dict, repr=False)

    def hear(self, event: Mapping[str, Any]) -> bool:
        """Take in one event of the journal; whether it was about a submission."""
        kind = event["event"]
        if kind == INTENT:
            indices = frozenset(files.parse_ranges(event["indices"]))
            known = self.by_name.get(event["name"])
            since = known.since if known else event["time"]
            self.add(Submitted(event["array"], event["name"], indices, since))
        elif kind == SUBMITTED and event["name"] in self.by_name:
            self.by_name[event["name"]].job = event["job"]
            self.by_name[event["name"]].error = ""
        elif kind == REFUSED and event["name"] in self.by_name:
            self.by_name[event["name"]].error = event["error"]
        elif kind == CANCELLED:
            places = files.parse_ranges(event["indices"])
            self.cancelled.update({(event["array"], index): event["time"] for index in places})
        else:
            return False
        return True

    @property
    def open(self) -> list[Submitted]:
        """Those whose job ids are not known."""
        return [one for one in self.by_name.values() if not one.job]

    @property
    def jobs(self) -> dict[str, str]:
        """Job id → unique name."""
        return {one.job: one.name for one in self.by_name.values() if one.job}

    def latest(self, array: str) -> dict[int, Submitted]:
        """Index → its last submission."""
        if array not in self._latest:
            self._latest[array] = {index: one for one in self.of_array(array) for index in one.indices}
        return self._latest[array]

    def add(self, submission: Submitted) -> None:
        """Take in a submission."""
        self.by_name[submission.name] = submission
        self._latest.pop(submission.array, None)

    def of_array(self, array: str) -> list[Submitted]:
        """The submissions of one array job, in order."""
        return [one for one in self.by_name.values() if one.array == array]
