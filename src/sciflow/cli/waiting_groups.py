"""What of a run waits in a queue, by task and reason, and when it begins where it waits for that."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sciflow.cli.output import shortened
from sciflow.cli.waves import shown
from sciflow.model.state import State
from sciflow.run.start_times import start_times
from sciflow_shim.files import format_ranges

if TYPE_CHECKING:
    from sciflow.run.status import RunStatus

_MOST_TIMES = 4  # start times that are told in one line; of more, the first ones and the last


@dataclass
class WaitingGroup:
    """Indices of a task that wait for the same.

    Attributes
    ----------
    task, reason
        Whose they are, and why they wait.
    places
        Array job → its indices.
    begins
        Start time → how many begin then, where they wait for that.
    """

    task: str
    reason: str
    places: dict[str, list[int]] = field(default_factory=dict)
    begins: dict[datetime, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many they are."""
        return sum(map(len, self.places.values()))

    @property
    def indices(self) -> str:
        """Which they are, as people write them."""
        return "; ".join(f"{array}[{format_ranges(found)}]" for array, found in self.places.items())

    def describe(self) -> str:
        """Say it in one line."""
        return f"{self.count} × {self.task} {self.reason}{self.when()}  [{shortened(self.indices)}]"

    def when(self) -> str:
        """Say when they begin; nothing where nobody knows."""
        times = list(self.begins.items())
        few = times if len(times) <= _MOST_TIMES else times[: _MOST_TIMES - 2]
        told = [f"{count} begin{'s' * (count == 1)} {shown(begin)}" for begin, count in few]
        if between := times[len(few) : -1]:
            told.append(f"{sum(count for _, count in between)} at {len(between)} times after that")
            told.append(f"the last {times[-1][1]} {shown(times[-1][0])}")
        return f": {', '.join(told)}" if told else ""

    def to_document(self) -> dict[str, Any]:
        """The same as JSON has it."""
        begins = [{"begin": begin.isoformat(), "count": count} for begin, count in self.begins.items()]
        return {
            "task": self.task,
            "reason": self.reason,
            "count": self.count,
            "indices": self.indices,
            **({"begins": begins} if begins else {}),
        }


def waiting_groups(status: RunStatus) -> list[WaitingGroup]:
    """What waits in a queue; nothing of a run that is in none."""
    groups: dict[tuple[str, str], WaitingGroup] = {}
    for array in status.plan.arrays if status.is_queued else ():
        for index, one in status.indices[array.name].items():
            if one.state is State.PENDING and one.reason:
                group = groups.setdefault((array.task, one.reason), WaitingGroup(array.task, one.reason))
                group.places.setdefault(array.name, []).append(index)
    for group in groups.values():
        for name, indices in group.places.items():
            for begin, count in start_times(status, status.plan.array(name), indices).items():
                group.begins[begin] = group.begins.get(begin, 0) + count
        group.begins = dict(sorted(group.begins.items()))
    return list(groups.values())
