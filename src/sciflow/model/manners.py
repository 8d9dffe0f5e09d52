"""What colleagues on a shared cluster call good manners: how much of it one run takes, and when."""

from __future__ import annotations

from pydantic import Field, ValidationError, model_validator
from typing_extensions import Self

from sciflow.model.policy import SchedulingPolicy
from sciflow.model.validation import Value

LOWEST_NICE = 2_147_483_645  # Slurm's own bound; PBS knows 1,024 steps


class Manners(Value):
    """How much of a shared cluster one run takes.

    `running_by_day` and `running_by_night` are how many array indices run at once; `day` is when it is day on weekdays,
    in the site's time zone, and all else is night. `running_when_others_wait` holds while jobs of
    others wait for room in the same partition. `share` is the part of a partition's cores that are up, `core_hours` the
    requested core-hours of all that runs at once, and `nice` by how much its jobs let others go first.
    """

    running_by_day: int | None = Field(default=None, ge=1)
    running_by_night: int | None = Field(default=None, ge=1)
    day: str | list[str] = "08:00-18:00"
    running_when_others_wait: int | None = Field(default=None, ge=1)
    share: float | None = Field(default=None, gt=0, le=1)
    core_hours: float | None = Field(default=None, gt=0)
    nice: int | None = Field(default=None, ge=1, le=LOWEST_NICE)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        """Refuse hours that are none, and those that nothing depends on."""
        if not self.day:
            raise ValueError("`day` is an empty list; write its hours like `08:00-18:00`")
        try:
            SchedulingPolicy(policy="off_peak", preferred_hours=self.day)
        except ValidationError as problem:
            [first, *_] = problem.errors(include_url=False)
            raise ValueError(f"`day`: {first['msg'].removeprefix('Value error, ')}") from None
        if self.day != type(self).model_fields["day"].default and not self.has_clock:
            raise ValueError("`day` has no meaning without `running_by_day` or `running_by_night`")
        return self

    @property
    def has_clock(self) -> bool:
        """Whether anything changes from day to night."""
        return self.running_by_day is not None or self.running_by_night is not None

    @property
    def needs_load(self) -> bool:
        """Whether what others do counts, and how many nodes are up."""
        return self.share is not None or self.running_when_others_wait is not None

    @property
    def throttles(self) -> bool:
        """Whether any of it bears on how many array indices run at once."""
        return self.has_clock or self.needs_load or self.core_hours is not None

    def describe(self) -> str:
        """Say them in one line."""
        hours = self.day if isinstance(self.day, str) else " and ".join(self.day)
        said = {
            f"{self.running_by_day} indices at once by day ({hours} on weekdays)": self.running_by_day,
            f"{self.running_by_night} indices at once by night": self.running_by_night,
            f"{self.running_when_others_wait} indices at once while others wait": self.running_when_others_wait,
            f"{(self.share or 0) * 100:g} % of a partition's cores": self.share,
            f"{self.core_hours or 0:g} core-hours at once": self.core_hours,
            f"nice {self.nice}": self.nice,
        }
        return ", ".join(text for text, value in said.items() if value is not None)
