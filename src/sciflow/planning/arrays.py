"""Task instances to array jobs, within the site's limits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sciflow.model.plan import ArrayJob, Dependency
from sciflow.model.profile import Limits
from sciflow.planning.layout import Layout
from sciflow.planning.projection import Ints, Relation


class Placement:
    """Where the instances of a task went: which array job, and which index of it.

    Parameters
    ----------
    task
        Its name.
    layout
        Which request each of its instances has, and in which order they are.
    limits
        What the site accepts of one array job.

    Attributes
    ----------
    arrays : list of ArrayJob
        In order; indices start at 0 in each.
    members : list of (count,) array
        The instances of each array job, by index.
    array_of, index_of : (instances,) array
        The other way round.
    """

    def __init__(self, task: str, layout: Layout, limits: Limits) -> None:
        self.arrays: list[ArrayJob] = []
        self.members: list[Ints] = []
        self.array_of = np.empty(len(layout.codes), dtype=np.int32)
        self.index_of = np.empty(len(layout.codes), dtype=np.int32)
        for code, pack in enumerate(layout.packs):
            same = layout.having(code)
            longest = chunk_length(limits) * pack
            for start in range(0, len(same), longest or max(1, len(same))):
                chunk = same[start : start + longest] if longest else same
                self.array_of[chunk] = len(self.arrays)
                self.index_of[chunk] = np.arange(len(chunk))
                together = min(pack, len(chunk))
                name = f"{task}.{len(self.arrays)}"
                self.arrays.append(ArrayJob(name, task, len(chunk), layout.request_of(code, together), pack=together))
                self.members.append(chunk)

    def where(self, instances: Ints) -> list[tuple[str, NDArray[np.int32]]]:
        """Array jobs and indices of some instances, in the order given, neighbours together."""
        arrays, indices = self.array_of[instances], self.index_of[instances]
        breaks = np.flatnonzero(np.diff(arrays)) + 1
        parts = zip(np.split(arrays, breaks), np.split(indices, breaks), strict=True)
        return [(self.arrays[part[0]].name, places) for part, places in parts if len(part)]


def chunk_length(limits: Limits) -> int:
    """How many indices one array job may have; 0 for any number.

    The site limits the highest *index*, from which follows a count, and may limit the count below that; more than a
    user may have queued can never be submitted at once.
    """
    counts = [limits.highest_index + 1] if limits.highest_index is not None else []
    counts += [most for most in (limits.indices_per_array, limits.submitted_indices) if most is not None]
    return min(counts, default=0)


def same_index(later: Ints, relation: Relation, earlier: Placement) -> str:
    """The array job whose index i is all that index i of `later` needs, for every i; empty if there is none."""
    twin = _twin(later, relation, earlier)
    return twin.name if twin else ""


def _twin(later: Ints, relation: Relation, earlier: Placement) -> ArrayJob | None:
    if relation.many:
        return None
    needed = relation.needed_by(later)
    array = int(earlier.array_of[needed[0]])
    twin = earlier.members[array]
    return earlier.arrays[array] if len(twin) == len(needed) and np.array_equal(twin, needed) else None


def dependency(later: Ints, relation: Relation, earlier: Placement, pack: int = 1) -> tuple[Dependency, ...]:
    """What the array job with the instances `later`, so many of them packed together, waits for."""
    twin = _twin(later, relation, earlier)
    if twin is not None and twin.pack == pack:
        return (Dependency(twin.name, "element"),)
    arrays = np.unique(earlier.array_of[relation.needed_by(later)])
    return tuple(Dependency(earlier.arrays[number].name, "whole") for number in arrays)
