"""Which raw positions of a parameter space survive its conditions, exclusions and constraints."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sciflow.errors import WorkflowError
from sciflow.model.dependencies import Dependencies, Reading
from sciflow.model.factors import Factor
from sciflow.model.formulas import Formula

if TYPE_CHECKING:
    import numpy as np

CHUNK = 1 << 16
LARGEST_MEMORY = 1 << 24
LARGEST_SEARCH = 10**9


class _Test:
    """A yes or no about raw positions that depends on some factors only.

    It is asked where something is alive, and once for each choice of those factors' positions; so a constraint never
    sees what the ones before it removed, and one over two axes of five costs the product of two.
    """

    def __init__(self, names: Iterable[str], judge: Callable[[dict[str, Any]], Any], space: Sieve) -> None:
        import numpy as np

        ordered = sorted(names)
        axes = space.dependencies.axes_behind(ordered)
        self._factors = [factor for factor in space.factors if axes.intersection(factor.names)]
        self._judge = judge
        self._reading = Reading(ordered, space.factors, space.dependencies, space.where)
        size = math.prod(len(factor) for factor in self._factors)
        self._answers: np.ndarray | None = None
        if size <= LARGEST_MEMORY and len(self._factors) < len(space.factors):
            self._answers = np.full(size, -1, dtype=np.int8)

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        """Answer for each raw position."""
        import numpy as np

        if self._answers is None:
            return self._ask(raw)
        place = np.zeros(len(raw), dtype=np.int64)
        for factor in self._factors:
            place = place * len(factor) + raw // factor.stride % len(factor)
        unknown = np.flatnonzero(self._answers[place] < 0)
        places, first = np.unique(place[unknown], return_index=True)
        self._answers[places] = self._ask(raw[unknown[first]])
        return self._answers[place] == 1

    def _ask(self, raw: np.ndarray) -> np.ndarray:
        import numpy as np

        at, judge = self._reading.at, self._judge
        return np.fromiter((bool(judge(at(one))) for one in raw.tolist()), dtype=bool, count=len(raw))


class Sieve:
    """The rules that remove raw positions.

    Parameters
    ----------
    factors
        With their strides.
    dependencies
        Of the space.
    excludes
        Partial combinations; all that match one are removed.
    constraints
        Those for which one is false are removed.
    where
        For messages.
    """

    def __init__(
        self,
        factors: Sequence[Factor],
        dependencies: Dependencies,
        excludes: Sequence[Mapping[str, Any]],
        constraints: Sequence[Formula],
        where: str,
    ) -> None:
        self.factors = factors
        self.dependencies = dependencies
        self.where = where
        self._active = {name: _Test(when.names, when.evaluate, self) for name, when in dependencies.conditions}
        self._excludes = [(row, _Test(row, _matcher(row), self)) for row in excludes]
        self._constraints = [(rule, _Test(rule.names, rule.evaluate, self)) for rule in constraints]

    def survivors(self, may_be_empty: bool) -> np.ndarray:
        """Find the raw positions that survive, in order, as an array of 64-bit integers.

        Parameters
        ----------
        may_be_empty
            Whether there is something else in the space.

        Raises
        ------
        WorkflowError
            Where nothing survives, saying what removed how many; where an exclusion matches nothing; and where there
            are too many raw positions to go through.
        """
        import numpy as np

        total = 0
        matched, removed = [0] * len(self._excludes), [0] * len(self._constraints)
        kept: list[np.ndarray] = []
        for chunk in self._raw_chunks():
            raw = self._distinct(chunk)
            total += len(raw)
            alive = np.ones(len(raw), dtype=bool)
            for i, (_, test) in enumerate(self._excludes):
                hit = test(raw)
                matched[i] += int(hit.sum())
                alive &= ~hit
            raw = raw[alive]
            for i, (_, test) in enumerate(self._constraints):
                passed = test(raw)
                removed[i] += len(raw) - int(passed.sum())
                raw = raw[passed]
            kept.append(raw)
        self._check_excludes(matched)
        if not may_be_empty and not any(map(len, kept)):
            raise self._nothing_left(total, matched, removed)
        return np.concatenate(kept)

    def _raw_chunks(self) -> Iterator[np.ndarray]:
        import numpy as np

        size = math.prod(factor.listed for factor in self.factors)
        if size > LARGEST_SEARCH:
            raise WorkflowError(
                f"{self.where}: {size} combinations are too many to search for those that the constraints leave",
                hint="shorten the axes, or sample the space",
            )
        for start in range(0, size, CHUNK):
            yield listed_to_raw(np.arange(start, min(size, start + CHUNK), dtype=np.int64), self.factors)

    def _distinct(self, raw: np.ndarray) -> np.ndarray:
        """Keep one of those positions that differ only in the values of inactive axes: the first."""
        import numpy as np

        for factor in self.factors:
            names = [name for name in factor.names if name in self._active]
            if not names:
                continue
            pattern = np.zeros(len(raw), dtype=np.int64)
            for name in names:
                pattern = pattern * 2 + self._active[name](raw)
            position = raw // factor.stride % len(factor)
            keep = np.zeros(len(raw), dtype=bool)
            for one in np.unique(pattern).tolist():
                inactive = {name for i, name in enumerate(reversed(names)) if not one >> i & 1}
                first = factor.first_positions(tuple(name for name in factor.names if name not in inactive))
                keep |= (pattern == one) & np.isin(position, list(first.values()))
            raw = raw[keep]
        return raw

    def _check_excludes(self, matched: Sequence[int]) -> None:
        for (row, _), count in zip(self._excludes, matched, strict=True):
            if not count:
                raise WorkflowError(
                    f"{self.where}: the exclusion {dict(row)!r} matches no combination",
                    hint="take it out, or correct its values",
                )

    def _nothing_left(self, total: int, matched: Sequence[int], removed: Sequence[int]) -> WorkflowError:
        excludes = [f"exclusion {row!r}" for row, _ in self._excludes]
        constraints = [f"constraint `{rule.text}`" for rule, _ in self._constraints]
        blame = zip([*excludes, *constraints], [*matched, *removed], strict=True)
        said = ", ".join(f"{label} removes {count}" for label, count in blame if count)
        return WorkflowError(f"{self.where}: no combination is left of {total}: {said}")


def listed_to_raw(number: Any, factors: Sequence[Factor]) -> Any:
    """Turn numbers that count the listed positions alone into raw positions, in the same order.

    The two differ where factors have positions for included combinations.

    Parameters
    ----------
    number
        An integer or an array of them.
    factors
        With their strides.
    """
    if all(factor.listed == len(factor) for factor in factors):
        return number
    raw = 0
    for factor in reversed(factors):
        raw = raw + number % factor.listed * factor.stride
        number = number // factor.listed
    return raw


def _matcher(row: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool]:
    return lambda values: all(values[name] == value for name, value in row.items())
