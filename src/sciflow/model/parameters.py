"""The parameter space: the numbered combinations of what is varied.

Combinations are in the order of `itertools.product`: the first axis varies slowest, the last one fastest. Axes that
move together count as one, at the place of the first of them; so do all sampled axes. Included combinations come last.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, SupportsIndex

from sciflow.errors import WorkflowError
from sciflow.model.definition import Definition, read_axes, read_definition
from sciflow.model.dependencies import Dependencies, Reading
from sciflow.model.factors import Factor, make_factors, strided
from sciflow.model.formulas import read_formula
from sciflow.model.lookup import not_found, positions_of, with_included
from sciflow.model.survivors import Sieve, listed_to_raw
from sciflow.model.values import checked_name, checked_value, combination_id, unknown_name

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Factor", "ParameterSpace", "combination_id"]


class ParameterSpace:
    """An immutable set of numbered combinations, none of which is built before it is asked for.

    Made by `from_document` or `from_table`. What the constraints leave is searched for once, when the first
    combination, the length or an index is asked for; errors of constraints show then.

    Attributes
    ----------
    names : tuple of str
        The axes in the order given, then the derived parameters.
    factors : tuple of Factor
        The independent dimensions behind the raw positions, slowest first.
    raw_size : int
        How many raw positions there are: the product of the factors' sizes.
    notes : tuple of str
        What a reader should know of how the space was made.

    Examples
    --------
    >>> space = ParameterSpace.from_document({"size": [16, 32], "seed": [1, 2, 3]}, constraints=["size > 16"])
    >>> len(space), space[0]
    (3, {'size': 32, 'seed': 1})
    """

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._where = definition.where
        self._dependencies = Dependencies(definition.axes, definition.derived, self._where)
        factors, self.notes = make_factors(definition.axes, definition.zip_groups, definition.design, self._where)
        self.factors, included = with_included(definition.include, factors, self._dependencies, self._where)
        self.raw_size = strided(self.factors, self._where)
        self.names = definition.names
        # Rows that say the same thing are one.
        self._included = list(dict.fromkeys(map(tuple, included)))
        self._is_extended = any(factor.listed < len(factor) for factor in self.factors)
        self._readings: dict[tuple[str, ...], Reading] = {}
        self._at = self._reading(self.names).at
        self._survivors: np.ndarray | None = None
        self._extra: list[int] | None = None
        self._main_size = 0

    @classmethod
    def from_document(
        cls,
        axes: Mapping[str, object],
        *,
        zip_groups: Iterable[Iterable[str]] = (),
        sample: Mapping[str, Any] | None = None,
        constraints: str | Callable[..., Any] | Iterable[str | Callable[..., Any]] = (),
        derived: Mapping[str, str | Callable[..., Any]] | None = None,
        include: Iterable[Mapping[str, Any]] = (),
        exclude: Iterable[Mapping[str, Any]] = (),
        where: str = "parameters",
    ) -> ParameterSpace:
        """Read a space as it is written in a workflow file or in Python.

        Parameters
        ----------
        axes
            Name → values, or a form such as ``{linspace: [first, last, count]}``; see `read_axis`.
        zip_groups
            Groups of axes of equal length that move together.
        sample
            ``{method: random, lhs or sobol, count: n, seed: s}`` for the axes that are distributions.
        constraints
            Expressions or functions of parameters; combinations for which one is false are removed.
        derived
            Name → expression or function of parameters.
        include
            Complete combinations of axes that are added, whatever the constraints say; known ones are left out.
        exclude
            Partial combinations; all that match one are removed.
        where
            Where this was written, for messages.

        Raises
        ------
        WorkflowError
            Naming what is wrong.
        """
        return cls(read_definition(axes, zip_groups, sample, constraints, derived, include, exclude, where))

    @classmethod
    def from_table(
        cls, names: Sequence[str], rows: Iterable[Sequence[Any]], where: str = "parameters"
    ) -> ParameterSpace:
        """Make a space whose combinations are the rows of a table.

        Raises
        ------
        WorkflowError
            For an empty table, rows of another length than `names`, or equal rows.
        """
        table = list(rows)
        if not table or (not names and len(table) > 1):
            raise WorkflowError(f"{where}: a table of {len(table)} rows and {len(names)} names has no combinations")
        for number, row in enumerate(table):
            if len(row) != len(names):
                raise WorkflowError(f"{where}: row {number} has {len(row)} values for {len(names)} names")
        axes = {name: [row[i] for row in table] for i, name in enumerate(names)}
        if len(axes) != len(names):
            raise WorkflowError(f"{where}: a name occurs twice among {', '.join(names)}")
        return cls.from_document(axes, zip_groups=[list(names)] if len(names) > 1 else (), where=where)

    def with_axes(self, axes: Mapping[str, object]) -> ParameterSpace:
        """Return a space with more axes; one whose name is there already is replaced in its place."""
        read = read_axes(axes, self._where)
        return self._changed(axes={**self._definition.axes, **read})

    def with_constraint(self, rule: str | Callable[..., Any]) -> ParameterSpace:
        """Return a space with one more constraint, after those it has."""
        constraints = self._definition.constraints
        formula = read_formula(rule, f"{self._where}: constraint {len(constraints) + 1}")
        return self._changed(constraints=(*constraints, formula))

    def with_derived(self, name: str, rule: str | Callable[..., Any]) -> ParameterSpace:
        """Return a space with one more derived parameter; one of that name is replaced."""
        name = checked_name(name, self._where)
        formula = read_formula(rule, f"{self._where}: derived parameter `{name}`")
        return self._changed(derived={**self._definition.derived, name: formula})

    @property
    def axis_names(self) -> tuple[str, ...]:
        """The axes, in the order given."""
        return tuple(self._definition.axes)

    @property
    def derived_names(self) -> tuple[str, ...]:
        """The derived parameters, in the order given."""
        return tuple(self._definition.derived)

    @property
    def roles(self) -> dict[str, Any]:
        """What who reads results has to know: which parameters repeat, are sampled, or follow from which axes."""
        axes, design = self._definition.axes, self._definition.design
        return {
            "repeats": [name for name, axis in axes.items() if axis.is_repeat],
            "sampled": [name for name, axis in axes.items() if axis.distribution is not None],
            "design": design.method if design else None,
            "derived": {name: sorted(self.value_depends(name)) for name in self.derived_names},
        }

    @property
    def is_declarative(self) -> bool:
        """Whether `to_document` says it all: no function, and no sample whose numbers depend on a library."""
        return self._definition.is_declarative

    def to_document(self) -> dict[str, Any]:
        """Write the space for JSON, with the arguments of `from_document`; functions are only described."""
        return self._definition.to_document()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ParameterSpace):
            return NotImplemented
        return self._text() == other._text()

    def __hash__(self) -> int:
        return hash(self._text())

    def __repr__(self) -> str:
        return f"<ParameterSpace of {', '.join(self.names) or 'nothing'}: {self.raw_size} raw positions>"

    def __len__(self) -> int:
        return self._search() + len(self._extra or ())

    def __getitem__(self, index: SupportsIndex) -> dict[str, Any]:
        number = operator.index(index)
        main = self._main_size or self._search()
        if 0 <= number < main:
            return self._at(self._main_raw(number))
        size = len(self)
        if not -size <= number < size:
            raise IndexError(f"combination {number} of {size}")
        number %= size
        return self._at(self._main_raw(number) if number < main else (self._extra or [])[number - main])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        main = self._search()
        for number in range(main):
            yield self._at(self._main_raw(number))
        for raw in self._extra or ():
            yield self._at(raw)

    def raw_positions(self) -> np.ndarray:
        """The raw position of each combination, in order, as an array of 64-bit integers."""
        import numpy as np

        main = self._search()
        if self._survivors is not None:
            positions = self._survivors
        else:
            positions = listed_to_raw(np.arange(main, dtype=np.int64), self.factors)
        return np.concatenate([positions, np.array(self._extra, dtype=np.int64)]) if self._extra else positions

    def values_at(self, raw: int, names: Iterable[str]) -> dict[str, Any]:
        """The values of some parameters at a raw position, without working out the others.

        Raises
        ------
        WorkflowError
            For a name that is no parameter.
        """
        return self._reading(tuple(names)).at(int(raw))

    def value_depends(self, name: str) -> frozenset[str]:
        """The axes that the value of a parameter depends on, itself among them if it is one.

        Raises
        ------
        WorkflowError
            For a name that is no parameter.
        """
        self._check_known((name,))
        return self._dependencies.axes_of[name]

    def index_of(self, combination: Mapping[str, Any]) -> int:
        """The number of the combination with these values.

        Parameters
        ----------
        combination
            A value for every axis; derived parameters may be left out, and must agree where they are not.

        Raises
        ------
        WorkflowError
            Where there is none, saying what is nearest.
        """
        self._check_known(combination)
        for name in self.axis_names:
            if name not in combination:
                raise WorkflowError(f"{self._where}: {dict(combination)!r} does not say `{name}`")
        positions = positions_of(combination, self.factors, self._dependencies)
        found = [position for position in positions if position is not None]
        number = self._number_of(found) if len(found) == len(positions) else None
        if number is None:
            raise not_found(combination, positions, self.factors, self._where)
        there = self[number]
        for name in self.derived_names:
            if name in combination and combination[name] != there[name]:
                raise WorkflowError(
                    f"{self._where}: {dict(combination)!r} is not in the space",
                    hint=f"`{name}` is {there[name]!r} there",
                )
        return number

    def completed(self, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """What values for all axes would be as a combination, whether it is one of the space or not.

        Inactive axes are None there, and derived parameters have their values.

        Returns
        -------
        dict or None
            None where a constraint or an exclusion removes it.

        Raises
        ------
        WorkflowError
            Where a rule cannot be evaluated.
        """
        inactive = self._dependencies.inactive(values)
        whole = {name: None if name in inactive else values[name] for name in self.axis_names}
        for name, formula in self._dependencies.derived:
            whole[name] = checked_value(formula.evaluate(whole), f"{self._where}: derived parameter `{name}`")
        for row in self._definition.exclude:
            if all(whole[name] == value for name, value in row.items()):
                return None
        for formula in self._definition.constraints:
            if not formula.evaluate(whole):
                return None
        return {name: whole[name] for name in self.names}

    def _search(self) -> int:
        """Find what survives, once, and return how many combinations come before the included ones."""
        if self._extra is None:
            definition, dependencies = self._definition, self._dependencies
            if definition.constraints or definition.exclude or dependencies.conditions:
                sieve = Sieve(self.factors, dependencies, definition.exclude, definition.constraints, self._where)
                self._survivors = sieve.survivors(may_be_empty=bool(self._included))
                self._survivors.flags.writeable = False
                self._main_size = len(self._survivors)
            else:
                self._main_size = math.prod(factor.listed for factor in self.factors)
            unlisted = [positions for positions in self._included if self._main_number(positions) is None]
            self._extra = [self._raw_of(positions) for positions in unlisted]
        return self._main_size

    def _main_raw(self, number: int) -> int:
        if self._survivors is not None:
            return int(self._survivors[number])
        return listed_to_raw(number, self.factors) if self._is_extended else number

    def _main_number(self, positions: Sequence[int]) -> int | None:
        if self._survivors is not None:
            raw = self._raw_of(positions)
            number = int(self._survivors.searchsorted(raw))
            return number if number < len(self._survivors) and self._survivors[number] == raw else None
        number = 0
        for position, factor in zip(positions, self.factors, strict=True):
            if position >= factor.listed:
                return None
            number = number * factor.listed + position
        return number

    def _number_of(self, positions: Sequence[int]) -> int | None:
        main, number = self._search(), self._main_number(positions)
        if number is None and self._extra:
            raw = self._raw_of(positions)
            number = main + self._extra.index(raw) if raw in self._extra else None
        return number

    def _changed(self, **parts: Any) -> ParameterSpace:
        return ParameterSpace(replace(self._definition, **parts).checked())

    def _text(self) -> str:
        # The order of axes numbers the combinations, so it belongs to the value.
        return json.dumps(self.to_document())

    def _raw_of(self, positions: Sequence[int]) -> int:
        return sum(position * factor.stride for position, factor in zip(positions, self.factors, strict=True))

    def _check_known(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self._dependencies.axes_of:
                raise unknown_name(name, self.names, f"{self._where}: a question")

    def _reading(self, names: tuple[str, ...]) -> Reading:
        if names not in self._readings:
            self._check_known(names)
            self._readings[names] = Reading(names, self.factors, self._dependencies, self._where)
        return self._readings[names]
