"""What an index is given when it is tried again: by what it and its neighbours used, within what the site has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import NamedTuple

from sciflow.model.cause import Cause
from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.profile import ClusterProfile
from sciflow.model.units import format_duration, format_memory
from sciflow.planning.caps import longest_walltime, most_memory
from sciflow.planning.estimate import more_memory, more_time
from sciflow.run.measured import MEMORY, SECONDS, Measured
from sciflow.run.needs import Place
from sciflow.run.status import RunStatus
from sciflow.store.layout import RunDirectory


class Ask(NamedTuple):
    """What one index is given: bytes of memory and seconds of walltime; 0 where nothing is said."""

    memory: int = 0
    seconds: int = 0


UNSAID = Ask()
CLOSE = 0.1  # of what was given: what was refused is not worth another question if it is less than so much more
MIB = 1024**2


class Sizing:
    """Sizes requests of indices that are tried again.

    Parameters
    ----------
    run, plan, status
        What has been measured so far, and asked for.
    profile
        What the site has.
    """

    def __init__(self, run: RunDirectory, plan: Plan, status: RunStatus, profile: ClusterProfile) -> None:
        self.run, self.plan, self.status, self.profile = run, plan, status, profile
        self._given: dict[Place, Ask] = {}
        for retry in status.submissions.retries:
            self._given.update({(retry.array, index): Ask(retry.memory, retry.seconds) for index in retry.indices})

    def given(self, place: Place) -> Ask:
        """What an index was given the last time."""
        resources = self._array(place).resources
        own = Ask(resources.memory_bytes, -(-resources.runtime_seconds // self._array(place).pack))
        return self._given.get(place, own)

    def scaled(self, place: Place, scale: Mapping[str, float], cause: Cause | None = None) -> Ask:
        """What it was given times factors for ``memory`` and ``runtime``, as far as the site has that.

        Where nothing was said, what it used is what it was given only if it has failed for that; else nothing is said.
        """
        given = asked = self.given(place)
        if (factor := scale.get("memory", 1.0)) != 1.0:
            own = self._measured.own(*place)
            base = given.memory or ((own.limit or own.memory) if cause is Cause.OUT_OF_MEMORY else 0)
            asked = asked._replace(memory=_scaled(base, factor, self.most_memory(place)))
        if (factor := scale.get("runtime", 1.0)) != 1.0:
            base = given.seconds or (self._measured.own(*place).seconds if cause is Cause.TIMEOUT else 0)
            asked = asked._replace(seconds=_scaled(base, factor, self.longest(place)))
        return asked

    def unscaled(self, scale: Mapping[str, float], ask: Ask) -> str:
        """Say which of the factors has nothing to apply to."""
        said = {"memory": ask.memory, "runtime": ask.seconds}
        left = [what for what, factor in scale.items() if factor != 1.0 and not said[what]]
        return f"it asks for no {' and no '.join(left)} that could be scaled" if left else ""

    def more_memory(self, place: Place) -> Ask | None:
        """More memory, by what it and its completed neighbours used; None where it has the most already."""
        given, own = self.given(place), self._measured.own(*place)
        peaks = [int(peak) for peak in self._measured.neighbours(*place, MEMORY)]
        found = more_memory(given.memory or own.limit, own.memory, peaks, self._cap(place, is_memory=True))
        return None if found is None else given._replace(memory=found)

    def more_time(self, place: Place) -> Ask | None:
        """More walltime, likewise."""
        given, own = self.given(place), self._measured.own(*place)
        neighbours = self._measured.neighbours(*place, SECONDS)
        found = more_time(given.seconds, own.seconds, neighbours, self._cap(place, is_memory=False))
        return None if found is None else given._replace(seconds=found)

    def most_memory(self, place: Place) -> int | None:
        """The most memory that it can be given."""
        array = self._array(place)
        return most_memory(array.options, self.profile, array.resources.nodes)

    def longest(self, place: Place) -> int | None:
        """The longest walltime that it can be given; one of several in an array index shares it with these."""
        array = self._array(place)
        longest = longest_walltime(array.options, self.profile)
        return None if longest is None else longest // array.pack

    def _cap(self, place: Place, is_memory: bool) -> int | None:
        """The most that it is given by itself: less than what the scheduler has refused it, half-way from what it had.

        Where these are close to each other, nothing is left in between.
        """
        most = self.most_memory(place) if is_memory else self.longest(place)
        found = self._refused(place, is_memory)
        if found is None:
            return most
        base, (refused, _) = self._base(place, is_memory), found
        unit = MIB if is_memory else 60
        halfway = int(base + refused) // 2 // unit * unit
        cap = int(base) if refused - base < CLOSE * base or halfway <= base else halfway
        return cap if most is None else min(cap, most)

    def _base(self, place: Place, is_memory: bool) -> float:
        """What it had: what was asked for, or what it had at the end where nothing was."""
        given, own = self.given(place), self._measured.own(*place)
        return (given.memory or own.limit or own.memory) if is_memory else (given.seconds or own.seconds)

    def _refused(self, place: Place, is_memory: bool) -> tuple[int, str] | None:
        """The least that the scheduler has refused it, of what is more than it had, and the answer."""
        base = self._base(place, is_memory)
        amounts = (
            (one.memory if is_memory else one.seconds, one.error)
            for one in self.status.submissions.refusals.get(place, ())
        )
        return min((one for one in amounts if one[0] > base), default=None)

    def limit(self, place: Place, is_memory: bool) -> str:
        """Say that it has the most that there is, or that nobody knows what it has."""
        if (found := self._refused(place, is_memory)) is not None:
            refused, error = found
            amount = format_memory(refused) if is_memory else format_duration(refused)
            what = "memory" if is_memory else "runtime"
            return (
                f"{amount} were refused: {error}; `--scale {what}=1.3` asks for another amount, and `partitions` "
                "in the profile say what there is"
            )
        where = self._array(place).options.partition or self.profile.default_partition
        site = f"partition `{where}`" if where else f"profile `{self.profile.name}`"
        most = self.most_memory(place) if is_memory else self.longest(place)
        shown = "" if most is None else f" of {format_memory(most) if is_memory else format_duration(most)}"
        what = "memory" if is_memory else "walltime"
        given, own = self.given(place), self._measured.own(*place)
        if not ((given.memory or own.limit or own.memory) if is_memory else (given.seconds or own.seconds)):
            return f"it asks for no {what}, and what it used was not measured: say in the workflow what it needs"
        return f"it was given the most {what}{shown} that {site} has"

    def change(self, place: Place, ask: Ask) -> str:
        """Say what is asked for that was not before: ``2 GB → 3 GB``."""
        given = self.given(place)
        return ", ".join(
            f"{spell(old) if old else 'unsaid'} → {spell(new)}" for old, new, spell in _pairs(given, ask) if old != new
        )

    def _array(self, place: Place) -> ArrayJob:
        return self.plan.array(place[0])

    @cached_property
    def _measured(self) -> Measured:
        return Measured(self.run, self.plan, self.status)


def _pairs(given: Ask, ask: Ask) -> list[tuple[int, int, Callable[[int], str]]]:
    return [(given.memory, ask.memory, format_memory), (given.seconds, ask.seconds, format_duration)]


def _scaled(given: float, factor: float, most: int | None) -> int:
    wanted = max(1, round(given * factor)) if given else 0  # 0 would be no limit
    return wanted if most is None else min(wanted, most)
