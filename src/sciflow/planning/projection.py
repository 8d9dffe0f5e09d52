"""Which combinations each task really needs: task instances, and what they need of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sciflow.model.parameters import ParameterSpace
from sciflow.model.values import canonical_text

Ints = NDArray[np.int64]
_LARGEST_KEY = 2**62
_BLOCK = 8192


class Column:
    """One parameter over all combinations: its values, and which of them each combination has.

    Attributes
    ----------
    values : list
        What the codes mean; zipped and derived parameters may have the same value several times.
    texts : list of str
        The same as canonical JSON.
    codes : callable
        Numbers of combinations → codes of their values.
    """

    def __init__(self, name: str, values: Iterable[Any], codes: Callable[[Ints], Ints]) -> None:
        self.name = name
        self.values = list(values)
        self.texts = [canonical_text(value) for value in self.values]
        self.codes = codes

    @cached_property
    def classes(self) -> Ints:
        """Code → number of its value, the same for equal values."""
        numbers: dict[str, int] = {}
        return np.array([numbers.setdefault(text, len(numbers)) for text in self.texts], dtype=np.int64)


class Projection:
    """The distinct values that some parameters take together, in the order in which they first appear.

    Attributes
    ----------
    names : tuple of str
        The parameters.
    first : (count,) array
        The combination in which each instance first appears.
    of_combination : (combinations,) array
        The instance to which each combination belongs.
    """

    def __init__(self, space: ParameterSpace, names: tuple[str, ...]) -> None:
        self.names = names
        self.columns = [_column(name, space) for name in names]
        if names and set(space.axis_names) <= set(names):
            # No two combinations are the same, so there is nothing to search for.
            self.first = self.of_combination = np.arange(len(space), dtype=np.int64)
        else:
            self.first, self.of_combination = _grouped(self.columns, len(space))

    def __len__(self) -> int:
        return len(self.first)

    def parameters(self, instance: int) -> dict[str, Any]:
        """The parameters of one instance."""
        ordinal = self.first[instance : instance + 1]
        return {column.name: column.values[int(column.codes(ordinal)[0])] for column in self.columns}

    def rows(self, instances: Ints) -> Iterator[tuple[int, ...]]:
        """For each of some instances, the code of each of its parameters."""
        for start in range(0, len(instances), _BLOCK):
            ordinals = self.first[instances[start : start + _BLOCK]]
            if self.columns:
                yield from zip(*(column.codes(ordinals).tolist() for column in self.columns), strict=True)
            else:
                yield from (() for _ in ordinals)


class Relation:
    """Which instances of an earlier task each instance of a task needs.

    Parameters
    ----------
    later, earlier
        The projections of both tasks.
    """

    def __init__(self, later: Projection, earlier: Projection) -> None:
        self.many = not set(earlier.names) <= set(later.names)
        self._earlier = len(earlier)
        if not self.many:
            self._needed = earlier.of_combination[later.first]
            self._starts = np.arange(len(later) + 1, dtype=np.int64)
        else:
            pairs = np.unique(later.of_combination * len(earlier) + earlier.of_combination)
            self._needed = pairs % len(earlier)
            self._starts = np.searchsorted(pairs // len(earlier), np.arange(len(later) + 1))

    @property
    def is_same(self) -> bool:
        """Whether every instance needs the one with its own number, and nothing else."""
        return not self.many and np.array_equal(self._needed, np.arange(self._earlier))

    def needed(self, instance: int) -> Ints:
        """The earlier instances that one instance needs, in the space's order."""
        return self._needed[self._starts[instance] : self._starts[instance + 1]]

    def needed_by(self, instances: Ints) -> Ints:
        """The earlier instances that some instances need: one each, or the distinct ones where it is many."""
        if not self.many:
            return self._needed[instances]
        wanted = np.zeros(len(self._starts) - 1, dtype=bool)
        wanted[instances] = True
        return np.unique(self._needed[np.repeat(wanted, np.diff(self._starts))])


def _column(name: str, space: ParameterSpace) -> Column:
    if space.value_depends(name) == {name}:
        return _listed(name, space)
    # Derived and conditional parameters are worked out once for each distinct set of what they depend on.
    axes = [axis for axis in space.axis_names if axis in space.value_depends(name)]
    first, of_combination = _grouped([_listed(axis, space) for axis in axes], len(space))
    raw = space.raw_positions()
    values = (space.values_at(int(raw[one]), (name,))[name] for one in first)
    return Column(name, values, lambda ordinals: of_combination[ordinals])


def _listed(name: str, space: ParameterSpace) -> Column:
    factor = next(one for one in space.factors if name in one.names)
    raw, stride, length = space.raw_positions(), factor.stride, len(factor)
    return Column(name, factor.values(name), lambda ordinals: (raw[ordinals] // stride) % length)


def _grouped(columns: Iterable[Column], combinations: int) -> tuple[Ints, Ints]:
    """First combination of each group of equal values, and the group of each combination."""
    everyone = np.arange(combinations, dtype=np.int64)
    key, size = np.zeros(combinations, dtype=np.int64), 1
    for column in columns:
        width = int(column.classes.max()) + 1
        if size * width > _LARGEST_KEY:
            key = np.unique(key, return_inverse=True)[1].astype(np.int64)
            size = combinations
        key = key * width + column.classes[column.codes(everyone)]
        size *= width
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return first[order].astype(np.int64), rank[inverse.reshape(-1)]
