"""Factors: the independent dimensions of a parameter space, and how their positions make raw positions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sciflow.errors import WorkflowError
from sciflow.model.axes import Axis, check_distinct
from sciflow.model.sampling import SampleDesign, draw
from sciflow.model.values import unknown_name

LARGEST_RAW_SIZE = 2**63 - 1


class Factor:
    """One independent dimension: an axis, axes that move together, or sampled points.

    Parameters
    ----------
    names
        The axes of this factor.
    columns
        For each of them its value at every position.
    listed
        How many positions multiply with the other factors; those after them are only used by included combinations.
        By default all.

    Attributes
    ----------
    stride : int
        Position = ``raw // stride % len(factor)``; set by `strided`.
    """

    __slots__ = ("_columns", "_first", "listed", "names", "stride")

    def __init__(self, names: Sequence[str], columns: Sequence[Sequence[Any]], listed: int | None = None) -> None:
        self.names = tuple(names)
        self._columns = dict(zip(names, map(tuple, columns), strict=True))
        self.listed = len(self) if listed is None else listed
        self.stride = 1
        self._first: dict[tuple[str, ...], dict[tuple[Any, ...], int]] = {}

    def __len__(self) -> int:
        return len(self._columns[self.names[0]])

    def __repr__(self) -> str:
        return f"<Factor {', '.join(self.names)}: {len(self)} positions>"

    def values(self, name: str) -> tuple[Any, ...]:
        """The value of one axis at every position; may repeat where axes move together."""
        return self._columns[name]

    def first_positions(self, names: tuple[str, ...]) -> dict[tuple[Any, ...], int]:
        """For the values of some axes of this factor, the first position that has them."""
        if names not in self._first:
            first: dict[tuple[Any, ...], int] = {}
            rows = zip(*(self._columns[name] for name in names), strict=True) if names else [()]
            for position, row in enumerate(rows):
                first.setdefault(row, position)
            self._first[names] = first
        return self._first[names]

    def extended(self, rows: Sequence[Mapping[str, Any]]) -> Factor:
        """Return this factor with more positions, for included combinations alone."""
        columns = [(*self._columns[name], *(row[name] for row in rows)) for name in self.names]
        return Factor(self.names, columns, self.listed)


def make_factors(
    axes: Mapping[str, Axis], zip_groups: Sequence[tuple[str, ...]], design: SampleDesign | None, where: str
) -> tuple[tuple[Factor, ...], tuple[str, ...]]:
    """Arrange axes into factors, in the order of the first axis of each.

    Returns
    -------
    factors, notes
        Without strides; and what a reader should know of the sample.

    Raises
    ------
    WorkflowError
        For axes that cannot move together, distributions without a sample, or a sample without distributions.
    """
    drawn = tuple(name for name, axis in axes.items() if axis.distribution)
    if bool(drawn) != bool(design):
        raise _no_sample(drawn, where)
    group_of = _groups(axes, zip_groups, where)
    factors: list[Factor] = []
    notes: tuple[str, ...] = ()
    done: set[str] = set()
    for name, axis in axes.items():
        if name in done:
            continue
        names = drawn if axis.distribution else group_of.get(name, (name,))
        if axis.distribution and design:
            columns, notes = draw([axes[one].distribution for one in drawn], design)  # pyright: ignore
        else:
            columns = _listed_columns(axes, names, where)
        factors.append(Factor(names, columns))
        done.update(names)
    return tuple(factors), notes


def _no_sample(drawn: tuple[str, ...], where: str) -> WorkflowError:
    if drawn:
        return WorkflowError(
            f"{where}: axis `{drawn[0]}` is a distribution, but nothing says how to sample it",
            hint="add sample: {method: sobol, count: 256}, or list its values",
        )
    return WorkflowError(
        f"{where}: `sample` is given, but no axis is a distribution", hint="write an axis as {uniform: [low, high]}"
    )


def _groups(axes: Mapping[str, Axis], zip_groups: Sequence[tuple[str, ...]], where: str) -> dict[str, tuple[str, ...]]:
    group_of: dict[str, tuple[str, ...]] = {}
    for group in zip_groups:
        for name in group:
            if name not in axes:
                raise unknown_name(name, axes, f"{where}: `zip`")
            if axes[name].distribution:
                raise WorkflowError(
                    f"{where}: axis `{name}` is drawn from a distribution and cannot be zipped",
                    hint="sampled axes move together already",
                )
            if name in group_of:
                raise WorkflowError(f"{where}: axis `{name}` is zipped twice", hint="write one longer group")
            group_of[name] = group
    return group_of


def _listed_columns(axes: Mapping[str, Axis], names: tuple[str, ...], where: str) -> list[tuple[Any, ...]]:
    columns = [axes[name].values or () for name in names]
    for name, column in zip(names, columns, strict=True):
        if len(column) != len(columns[0]):
            raise WorkflowError(
                f"{where}: zipped axes have different lengths: "
                f"`{names[0]}` has {len(columns[0])} values, `{name}` has {len(column)}"
            )
    if len(names) == 1:
        check_distinct(columns[0], f"{where}: axis `{names[0]}`")
    else:
        check_distinct(list(zip(*columns, strict=True)), f"{where}: the zipped axes {', '.join(names)}")
    return columns


def strided(factors: Iterable[Factor], where: str) -> int:
    """Give each factor its stride, the last one varying fastest, and return the raw size.

    Raises
    ------
    WorkflowError
        Where the raw positions are more than 64 bits can number.
    """
    size = 1
    for factor in reversed(list(factors)):
        factor.stride = size
        size *= len(factor)
    if size > LARGEST_RAW_SIZE:
        raise WorkflowError(f"{where}: {size} combinations are more than can be numbered", hint="sample the space")
    return size
