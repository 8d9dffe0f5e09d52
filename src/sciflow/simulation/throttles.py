"""How many indices of an array job run at once in a simulation: by what the site takes, and by its manners."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sciflow.model.manners import Manners
from sciflow.model.plan import ArrayJob
from sciflow.model.profile import Capacity, ClusterProfile, Limits
from sciflow.planning.pace import Pace, standing
from sciflow.simulation.machines import NodeKind


@dataclass(frozen=True)
class Throttles:
    """The throttles of array jobs, as the day goes on.

    Attributes
    ----------
    limits, manners, zone
        What the site takes, what it calls good manners, and its time zone.
    kinds, partitions
        The nodes, and array job → the partition in which it runs.
    """

    limits: Limits = field(default_factory=Limits)
    manners: Manners = field(default_factory=Manners)
    zone: str | None = None
    kinds: Sequence[NodeKind] = ()
    partitions: Mapping[str, str] = field(default_factory=dict)

    def at(self, array: ArrayJob, moment: float) -> int:
        """How many indices of an array job run at once at a moment, in seconds since the epoch; 0 for any number."""
        return min(self._bounds(array, moment), default=0)

    def change(self, moment: float) -> float | None:
        """When these are others, after a moment; None for never."""
        return Pace(self.manners, self.zone).change(moment) if self.manners.has_clock else None

    def _bounds(self, array: ArrayJob, moment: float) -> Iterator[int]:
        if self.limits.running_indices is not None:
            yield self.limits.running_indices
        mine = self.partitions.get(array.name, "")
        cores = sum(kind.count * kind.cores for kind in self.kinds if kind.partition in ("", mine))
        yield from standing(self.manners, array.resources, Capacity(nodes=1, cpu_cores=cores or None))
        by_clock = Pace(self.manners, self.zone).at(moment) if self.manners.has_clock else None
        if by_clock is not None:
            yield by_clock


def manners_note(profile: ClusterProfile) -> Iterator[str]:
    """Say how a simulation keeps manners, where there are any."""
    manners = profile.manners
    if not (profile.has_queue and manners.throttles):
        return
    left = "; `running_when_others_wait` is left out" if manners.running_when_others_wait is not None else ""
    yield (
        f"each array job keeps the manners of profile `{profile.name}` by itself, while those that run side by side "
        f"would share what these allow{left}"
    )
