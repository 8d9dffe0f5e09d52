"""What bounds how much of a run may run at once: the clock, others who wait, nodes that are up, and core-hours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sciflow.model.load import Load
from sciflow.model.manners import Manners
from sciflow.model.plan import ArrayJob
from sciflow.model.profile import ClusterProfile
from sciflow.planning.working_hours import is_day, next_change
from sciflow.run.portions import Bound, Claim


@dataclass(frozen=True)
class Bounds:
    """What bounds how much of a run may run at once.

    Parameters
    ----------
    manners, profile
        The site's customs, and what there is.
    load
        How busy the cluster is; None where that is not known.
    notes
        Takes up what cannot be kept.
    """

    manners: Manners
    profile: ClusterProfile
    load: Load | None
    notes: list[str]

    def of(self, claims: list[Claim], moment: float) -> Iterator[Bound]:
        """The bounds of what runs at the same time from a moment on."""
        manners = self.manners
        yield from self._clock(claims, moment)
        if (most := self.profile.limits.running_indices) is not None:
            yield from (Bound(most, {i: 1.0}, "`limits.running_indices`") for i in range(len(claims)))
        if manners.core_hours is not None:
            yield Bound(
                manners.core_hours,
                {i: one.array.resources.core_hours for i, one in enumerate(claims) if one.array.resources.core_hours},
                f"no more than {manners.core_hours:g} core-hours at once",
            )
            for name in dict.fromkeys(one.array.name for one in claims if not one.array.resources.core_hours):
                self.notes.append(f"{name} asks for no walltime, so that `core_hours` does not bound it")
        if manners.needs_load:
            yield from self._others(claims)
            yield from self._shares(claims)

    def _clock(self, claims: list[Claim], moment: float) -> Iterator[Bound]:
        manners = self.manners
        if manners.has_clock:
            zone = self.profile.timezone
            day = is_day(manners, zone, moment)
            most = manners.running_by_day if day else manners.running_by_night
            if most is not None:
                until = next_change(manners, zone, moment)
                yield Bound(most, dict.fromkeys(range(len(claims)), 1.0), "by day" if day else "by night", until)

    def _others(self, claims: list[Claim]) -> Iterator[Bound]:
        most = self.manners.running_when_others_wait
        if most is None or self.load is None:  # whoever looked has said so
            return
        hit: dict[int, float] = {}
        names: dict[str, None] = {}
        for i, claim in enumerate(claims):
            for name in self._partitions(claim.array):
                waiting = self.load.partitions[name].waiting
                if waiting is None:
                    self._note("whether others wait cannot be seen here: `running_when_others_wait` is not kept")
                elif waiting:
                    hit[i], names[name or "the queue"] = 1.0, None
        if hit:
            yield Bound(most, hit, f"others wait for {' and '.join(names)}")

    def _shares(self, claims: list[Claim]) -> Iterator[Bound]:
        share = self.manners.share
        if share is None:
            return
        groups: dict[str, dict[int, float]] = {}
        for i, claim in enumerate(claims):
            groups.setdefault(self._meant(claim.array), {})[i] = float(claim.array.resources.all_cores)
        for partition, weights in groups.items():
            cores = self._cores(claims[next(iter(weights))].array)
            if cores is None:
                self._note(f"how many cores {partition or 'the partition'} has is not known: `share` is not kept")
            else:
                yield Bound(share * cores, weights, f"{share * 100:g} % of {cores} cores")

    def _cores(self, array: ArrayJob) -> int | None:
        """The cores that are up where an array job goes, or that the profile promises; None where nobody knows."""
        if self.load is not None and (names := self._partitions(array)):
            return max(self.load.partitions[name].up for name in names)
        known = self.profile.partitions
        names = self._meant(array).split(",")
        found = [known[name] for name in names if name in known]
        return max((one.cpu_cores * one.nodes for one in found if one.cpu_cores and one.nodes), default=None)

    def _partitions(self, array: ArrayJob) -> list[str]:
        """The partitions of the load to which it may go; nodes that are no queue's own stand under no name."""
        assert self.load is not None
        known = self.load.partitions
        return [name for name in self._meant(array).split(",") if name in known] or ([""] if "" in known else [])

    def _meant(self, array: ArrayJob) -> str:
        """The partition that is named, or else the default of the profile, or of the cluster."""
        default = self.load.default if self.load is not None else ""
        return array.options.partition or self.profile.default_partition or default

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)
