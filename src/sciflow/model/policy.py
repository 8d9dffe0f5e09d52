"""When work may start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, field_validator, model_validator
from typing_extensions import Self

from sciflow.model.applies import AppliesTo
from sciflow.model.periods import Zone, as_texts, check_year, read_days, read_period
from sciflow.model.tariff import check_rows
from sciflow.model.validation import Value

_WINDOW = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-4]):([0-5]\d)")
_BELONGS = {
    "immediate": {"blackouts"},
    "off_peak": {
        *("preferred_hours", "weekend_preferred", "holidays", "blackouts"),
        *("max_wait_hours", "deadline", "applies_to"),
    },
    "not_before": {"not_before", "deadline", "blackouts", "applies_to"},
    "deadline": {"deadline", "blackouts"},
    "cheapest": {"tariff", "max_wait_hours", "deadline", "blackouts", "applies_to"},
}

Moment = Annotated[datetime, AfterValidator(check_year)]
FileName = Annotated[str, StringConstraints(min_length=1)]
Texts = Annotated[FileName | tuple[str, ...], BeforeValidator(as_texts)]


class SchedulingPolicy(Value):
    """When the array jobs of a workflow may start.

    `off_peak` prefers windows of the day (``"22:00-08:00"``, or a list of them), weekends and holidays; `cheapest`
    starts when the expected run costs least by a tariff; both wait no longer than `max_wait_hours`, or than a
    `deadline` allows. `not_before` and `deadline` take a date and time; `immediate` starts at once. Nothing starts in
    `blackouts`. Array jobs that `applies_to` does not mean start at once.

    `holidays`, `blackouts` and `tariff` may name a file; the rows of a tariff are prices by the hour, or pairs of a
    moment and a price.
    """

    policy: Literal["immediate", "off_peak", "not_before", "deadline", "cheapest"] = "immediate"
    preferred_hours: str | list[str] | None = None
    weekend_preferred: bool = False
    holidays: Texts | None = None
    blackouts: Texts | None = None
    tariff: FileName | tuple[float, ...] | tuple[tuple[str, float], ...] | None = None
    max_wait_hours: float | None = Field(default=None, gt=0, le=87_600, allow_inf_nan=False)
    not_before: Moment | None = None
    deadline: Moment | None = None
    timezone: Zone = None
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

    @field_validator("holidays")
    @classmethod
    def _are_days(cls, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        if isinstance(value, tuple):
            for text in value:
                read_days(text)
        return value

    @field_validator("blackouts")
    @classmethod
    def _are_periods(cls, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        if isinstance(value, tuple):
            for text in value:
                read_period(text)
        return value

    @field_validator("tariff")
    @classmethod
    def _is_a_tariff(cls, value: Any) -> Any:
        return check_rows(value) if isinstance(value, tuple) else value

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
        if self.policy == "cheapest" and self.tariff is None:
            raise ValueError("`cheapest` needs a `tariff`, a CSV file of prices by the hour")
        if self.policy == "cheapest" and self.max_wait_hours is None and self.deadline is None:
            raise ValueError("`cheapest` needs `max_wait_hours` or a `deadline`: how long it may wait")
        return self

    def files(self) -> dict[str, str]:
        """What is still to be read, and from which file."""
        named = {name: getattr(self, name) for name in ("holidays", "blackouts", "tariff")}
        return {name: file for name, file in named.items() if isinstance(file, str)}

    def filled(self, **read: Any) -> SchedulingPolicy:
        """The same with what was read, or found out."""
        said = {name: getattr(self, name) for name in self.model_fields_set}
        return type(self).model_validate({**said, **read})

    def describe(self) -> str:
        """Say the policy in one line."""
        bounds = [f"waiting {self.max_wait_hours:g} h at most"] if self.max_wait_hours else []
        if self.deadline and self.policy != "deadline":
            bounds.append(f"done by {self.deadline.isoformat(sep=' ', timespec='minutes')}")
        kind = "immediate"
        if self.policy == "off_peak":
            windows = [self.preferred_hours] if isinstance(self.preferred_hours, str) else self.preferred_hours or []
            parts = [*windows, *(["weekends"] if self.weekend_preferred else [])]
            parts += ["holidays"] if self.holidays else []
            return f"off-peak ({', '.join([' and '.join(parts), *bounds])})"
        if self.policy == "cheapest":
            return f"cheapest ({', '.join(bounds)})"
        if self.policy in ("not_before", "deadline"):
            kind = f"{self.policy.replace('_', ' ')} {getattr(self, self.policy).isoformat(sep=' ')}"
        return f"{kind} ({', '.join(bounds)})" if bounds else kind


@dataclass(frozen=True)
class Policies:
    """The scheduling policy of a workflow, and those that tasks have of their own."""

    general: SchedulingPolicy = field(default_factory=SchedulingPolicy)
    tasks: Mapping[str, SchedulingPolicy] = field(default_factory=dict)

    def of(self, task: str) -> SchedulingPolicy:
        """The policy that holds for a task."""
        return self.tasks.get(task, self.general)
