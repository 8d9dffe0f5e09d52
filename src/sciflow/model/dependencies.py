"""What the value of each parameter depends on, and how values are worked out at a raw position."""

from __future__ import annotations

import graphlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sciflow.errors import WorkflowError
from sciflow.model.axes import Axis
from sciflow.model.factors import Factor
from sciflow.model.formulas import Formula
from sciflow.model.values import checked_value, unknown_name


class Dependencies:
    """The order in which conditions and derived parameters are worked out, and the axes behind each parameter.

    Parameters
    ----------
    axes, derived
        By name.
    where
        For messages.

    Attributes
    ----------
    axes_of : dict of str to frozenset of str
        The axes that the value of each parameter depends on.
    conditions : tuple of (str, Expression)
        Conditional axes, each after those that its condition looks at.
    derived : tuple of (str, Formula)
        Derived parameters, each after those that it looks at.

    Raises
    ------
    WorkflowError
        For a name that is not known, and for a circle, shown with its path.
    """

    def __init__(self, axes: Mapping[str, Axis], derived: Mapping[str, Formula], where: str) -> None:
        conditions = {name: axis.when for name, axis in axes.items() if axis.when is not None}
        for name, when in conditions.items():
            for needed in sorted(when.names - set(axes)):
                raise unknown_name(needed, axes, f"{where}: `when` of axis `{name}`")
        known = {**axes, **derived}
        for name, formula in derived.items():
            for needed in sorted(formula.names - set(known)):
                raise unknown_name(needed, known, f"{where}: derived parameter `{name}`")
        condition_names = {name: conditions[name].names if name in conditions else frozenset() for name in axes}
        axis_order = _ordered(condition_names, f"{where}: conditions of axes")
        derived_order = _ordered(
            {name: formula.names & set(derived) for name, formula in derived.items()}, f"{where}: derived parameters"
        )
        self.axes_of: dict[str, frozenset[str]] = {}
        for name in axis_order:
            self.axes_of[name] = self.axes_behind(condition_names[name]) | {name}
        for name in derived_order:
            self.axes_of[name] = self.axes_behind(derived[name].names)
        self.conditions = tuple((name, conditions[name]) for name in axis_order if name in conditions)
        self.derived = tuple((name, derived[name]) for name in derived_order)

    def axes_behind(self, names: Iterable[str]) -> frozenset[str]:
        """The axes that the values of all these parameters depend on."""
        return frozenset[str]().union(*(self.axes_of[name] for name in names))

    def derived_behind(self, names: Collection[str]) -> list[tuple[str, Formula]]:
        """The derived parameters among these and behind them, in working order."""
        wanted = set(names)
        chosen = []
        for name, formula in reversed(self.derived):
            if name in wanted:
                wanted |= formula.names
                chosen.append((name, formula))
        return chosen[::-1]

    def inactive(self, values: Mapping[str, Any]) -> frozenset[str]:
        """The axes whose conditions are false, given the values of all axes."""
        seen, inactive = dict(values), set[str]()
        for name, when in self.conditions:
            if not when.evaluate(seen):
                seen[name] = None
                inactive.add(name)
        return frozenset(inactive)


class Reading:
    """The way to the values of some parameters at a raw position.

    Parameters
    ----------
    names
        The parameters.
    factors
        With their strides.
    dependencies
        Of the space.
    where
        For messages.
    """

    __slots__ = ("_as_read", "_columns", "_conditions", "_derived", "_names")

    def __init__(self, names: Sequence[str], factors: Iterable[Factor], dependencies: Dependencies, where: str) -> None:
        needed = dependencies.axes_behind(names)
        columns = {
            name: (name, factor.values(name), factor.stride, len(factor))
            for factor in factors
            for name in factor.names
            if name in needed
        }
        # The asked ones first and in order, so that most readings need no second dict.
        order = [*(name for name in names if name in columns), *(name for name in columns if name not in set(names))]
        self._columns = tuple(columns[name] for name in order)
        self._conditions = tuple((name, when) for name, when in dependencies.conditions if name in needed)
        self._derived = tuple(
            (name, formula, f"{where}: derived parameter `{name}`")
            for name, formula in dependencies.derived_behind(names)
        )
        self._names = tuple(names)
        self._as_read = (*order, *(name for name, _, _ in self._derived)) == self._names

    def at(self, raw: int) -> dict[str, Any]:
        """The values at a raw position, which may be one that does not survive.

        Raises
        ------
        WorkflowError
            Where a condition or derived parameter cannot be evaluated, or gives a value that is not allowed.
        """
        values = {name: column[raw // stride % length] for name, column, stride, length in self._columns}
        for name, when in self._conditions:
            if not when.evaluate(values):
                values[name] = None
        for name, formula, place in self._derived:
            value = formula.evaluate(values)
            try:
                values[name] = checked_value(value, place)
            except WorkflowError as error:
                used = ", ".join(f"{one} = {values[one]!r}" for one in sorted(formula.names))
                raise WorkflowError(f"{error.message}, with {used}", hint=error.hint) from None
        return values if self._as_read else {name: values[name] for name in self._names}


def _ordered(needs: Mapping[str, Collection[str]], what: str) -> list[str]:
    graph = graphlib.TopologicalSorter[str]()
    for name, needed in needs.items():
        graph.add(name, *sorted(needed))
    try:
        return list(graph.static_order())
    except graphlib.CycleError as error:
        path = " → ".join(f"`{name}`" for name in reversed(error.args[1]))
        raise WorkflowError(f"{what} need each other in a circle: {path}") from None
