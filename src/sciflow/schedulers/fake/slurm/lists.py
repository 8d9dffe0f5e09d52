"""Lists of indices as Slurm writes and reads them: ``0-3,7,10-20:5%2``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

FEWEST_WITH_STEP = 7  # indices; fewer are written one by one


def read_list(text: str) -> list[int]:
    """The indices of ``[2-4,7,10-20:5%3]``, in order and each once."""
    found: set[int] = set()
    for part in text.strip("[]").partition("%")[0].split(","):
        bounds, _, step = part.partition(":")
        first, dash, last = bounds.partition("-")
        found.update(range(int(first), int(last if dash else first) + 1, int(step or 1)))
    return sorted(found)


def write_list(indices: Sequence[int], steps: bool = True) -> str:
    """Sorted indices as ``2-4,7``, or with a step where all are evenly spaced."""
    spaces = {later - one for one, later in pairwise(indices)}
    if steps and len(indices) >= FEWEST_WITH_STEP and len(spaces) == 1 and spaces != {1}:
        return f"{indices[0]}-{indices[-1]}:{spaces.pop()}"
    return ",".join(_ranges(indices))


def _ranges(indices: Sequence[int]) -> Iterator[str]:
    begin = 0
    for place in range(1, len(indices) + 1):
        if place == len(indices) or indices[place] != indices[place - 1] + 1:
            first, last = indices[begin], indices[place - 1]
            yield str(first) if first == last else f"{first}-{last}"
            begin = place
