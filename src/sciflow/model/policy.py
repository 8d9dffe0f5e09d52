"""When work may start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from sciflow.model.applies import AppliesTo
from sciflow.model.validation import Value

_WINDOW = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-4]):([0-5]\d)")
_BELONGS = {
    "immediate": set(),
    "off_peak": {"preferred_hours", "weekend_preferred", "max_wait_hours", "applies_to"},
    "not_before": {"not_before", "applies_to"},
    "deadline": {"deadline"},
}


class SchedulingPolicy(Value):
    """When the array jobs of a workflow may start.

    `off_peak` prefers windows of the day (``"22:00-08:00"``, or a list of them) and weekends, and waits no longer
    than `max_wait_hours`; `not_before` and `deadline` take a date and time; `immediate` starts at once. Array jobs that
    `applies_to` does not mean start at once.
    """

    policy: Literal["immediate", "off_peak", "not_before", "deadline"] = "immediate"
    preferred_hours: str | list[str] | None = None
    weekend_preferred: bool = False
    max_wait_hours: float | None = Field(default=None, gt=0)
    not_before: datetime | None = None
    deadline: datetime | None = None
    timezone: str | None = None
    applies_to: AppliesTo | None = None

    @field_validator("preferred_hours")
    @classmethod
    def _are_windows(cls, value: str | list[str] | None) -> str | list[str] | None:
        for window in [value] if isinstance(value, str) else value or []:
            match = _WINDOW.fullmatch(window.strip())
            if not match or (match[3] == "24" and match[4] != "00"):
                raise ValueError(f"`{window}` is no window of the day; write it like `22:00-08:00`")
            if match[1].zfill(2) + match[2] == match[3].zfill(2) + match[4]:
                raise ValueError(f"`{window}` starts and ends at the same minute")
        return value

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ZoneInfo(value)
            except (KeyError, ValueError, OSError):
                raise ValueError(f"`{value}` is no time zone; write it like `Europe/Berlin`") from None
        return value

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        """Refuse what the chosen policy would ignore, and miss what it needs."""
        said = {name for name in self.model_fields_set - {"policy", "timezone"} if getattr(self, name)}
        if stray := sorted(said - _BELONGS[self.policy]):
            raise ValueError(f"`{stray[0]}` has no meaning for the policy `{self.policy}`")
        if self.policy == "off_peak" and not (self.preferred_hours or self.weekend_preferred):
            raise ValueError("`off_peak` needs `preferred_hours` or `weekend_preferred`")
        if self.policy in ("not_before", "deadline") and getattr(self, self.policy) is None:
            raise ValueError(f"the policy `{self.policy}` needs `{self.policy}`, a date and time")
        return self

    def describe(self) -> str:
        """Say the policy in one line."""
        if self.policy == "off_peak":
            windows = [self.preferred_hours] if isinstance(self.preferred_hours, str) else self.preferred_hours or []
            parts = [*windows, *(["weekends"] if self.weekend_preferred else [])]
            wait = f", waiting {self.max_wait_hours:g} h at most" if self.max_wait_hours else ""
            return f"off-peak ({' and '.join(parts)}{wait})"
        if self.policy in ("not_before", "deadline"):
            return f"{self.policy.replace('_', ' ')} {getattr(self, self.policy).isoformat(sep=' ')}"
        return "immediate"


@dataclass(frozen=True)
class Policies:
    """The scheduling policy of a workflow, and those that tasks have of their own."""

    general: SchedulingPolicy = field(default_factory=SchedulingPolicy)
    tasks: Mapping[str, SchedulingPolicy] = field(default_factory=dict)

    def of(self, task: str) -> SchedulingPolicy:
        """The policy that holds for a task."""
        return self.tasks.get(task, self.general)
