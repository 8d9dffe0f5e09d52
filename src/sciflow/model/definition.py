"""The definition of a parameter space: what was written, read and checked part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sciflow.errors import WorkflowError
from sciflow.model.axes import Axis, read_axis
from sciflow.model.formulas import Formula, FunctionFormula, formula_document, read_formula
from sciflow.model.sampling import SampleDesign, read_design
from sciflow.model.values import checked_name, nearest_values, read_value, unknown_name, value_document

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Definition:
    """All that a parameter space follows from."""

    axes: Mapping[str, Axis] = field(default_factory=dict)
    zip_groups: tuple[tuple[str, ...], ...] = ()
    design: SampleDesign | None = None
    constraints: tuple[Formula, ...] = ()
    derived: Mapping[str, Formula] = field(default_factory=dict)
    include: tuple[Row, ...] = ()
    exclude: tuple[Row, ...] = ()
    where: str = "parameters"

    @property
    def names(self) -> tuple[str, ...]:
        """Axes, then derived parameters."""
        return (*self.axes, *self.derived)

    @property
    def is_declarative(self) -> bool:
        """Whether the document says it all: no function, and no sample whose numbers depend on a library."""
        formulas = (*self.constraints, *self.derived.values())
        return self.design is None and not any(isinstance(formula, FunctionFormula) for formula in formulas)

    def to_document(self) -> dict[str, Any]:
        """Write the definition for JSON, with the keys that `read_definition` takes."""
        document: dict[str, Any] = {
            "axes": {name: axis.to_document() for name, axis in self.axes.items()},
            "zip_groups": [list(group) for group in self.zip_groups],
            "sample": self.design.to_document() if self.design else None,
            "constraints": [formula_document(formula) for formula in self.constraints],
            "derived": {name: formula_document(formula) for name, formula in self.derived.items()},
            "include": [_row_document(row) for row in self.include],
            "exclude": [_row_document(row) for row in self.exclude],
        }
        return {key: part for key, part in document.items() if part or key == "axes"}

    def checked(self) -> Definition:
        """Return the definition with its formulas bound to its parameters, or say which part names what is not there.

        Raises
        ------
        WorkflowError
            For a name that is not known or is used twice, or a row that is not of this space.
        """
        for name in self.derived:
            if name in self.axes:
                raise WorkflowError(f"{self.where}: `{name}` is an axis and a derived parameter", hint="rename one")
        known = frozenset(self.names)
        constraints = tuple(_bound(formula, known) for formula in self.constraints)
        for formula in constraints:
            for name in sorted(formula.names - known):
                raise unknown_name(name, self.names, f"{self.where}: constraint `{formula.text}`")
        for row in self.include:
            self._check_include(row)
        for row in self.exclude:
            self._check_exclude(row)
        derived = {name: _bound(formula, known - {name}) for name, formula in self.derived.items()}
        return Definition(
            self.axes, self.zip_groups, self.design, constraints, derived, self.include, self.exclude, self.where
        )

    def _check_include(self, row: Row) -> None:
        for name in row:
            if name not in self.axes:
                raise unknown_name(name, self.axes, f"{self.where}: included combination {row!r}")
        missing = [name for name in self.axes if name not in row]
        if missing:
            raise WorkflowError(
                f"{self.where}: included combination {row!r} does not say `{missing[0]}`",
                hint="give every axis a value",
            )

    def _check_exclude(self, row: Row) -> None:
        for name, value in row.items():
            if name not in self.names:
                raise unknown_name(name, self.names, f"{self.where}: exclusion {row!r}")
            axis = self.axes.get(name)
            values = axis.values if axis else None
            if axis and values and value not in values and not (value is None and axis.when):
                raise WorkflowError(
                    f"{self.where}: exclusion {row!r} matches nothing: `{name}` has no value {value!r}",
                    hint=nearest_values(value, values),
                )


def read_definition(
    axes: Mapping[str, object],
    zip_groups: Iterable[Iterable[str]],
    sample: Mapping[str, Any] | None,
    constraints: str | Callable[..., Any] | Iterable[str | Callable[..., Any]],
    derived: Mapping[str, str | Callable[..., Any]] | None,
    include: Iterable[Mapping[str, Any]],
    exclude: Iterable[Mapping[str, Any]],
    where: str,
) -> Definition:
    """Read all parts of a definition; see `ParameterSpace.from_document`.

    Raises
    ------
    WorkflowError
        For the first part that is wrong.
    """
    if not isinstance(axes, Mapping):
        raise WorkflowError(f"{where}: {axes!r} is no mapping of axes", hint="write {name: [value, value]}")
    rules = [constraints] if isinstance(constraints, str) or callable(constraints) else list(constraints or ())
    return Definition(
        axes=read_axes(axes, where),
        zip_groups=tuple(_read_group(group, where) for group in zip_groups or ()),
        design=read_design(sample, where) if sample is not None else None,
        constraints=tuple(read_formula(rule, f"{where}: constraint {i}") for i, rule in enumerate(rules, 1)),
        derived={
            checked_name(name, where): read_formula(rule, f"{where}: derived parameter `{name}`")
            for name, rule in (derived or {}).items()
        },
        include=tuple(_read_row(row, f"{where}: included combination") for row in include or ()),
        exclude=tuple(_read_row(row, f"{where}: exclusion") for row in exclude or ()),
        where=where,
    ).checked()


def read_axes(axes: Mapping[str, object], where: str) -> dict[str, Axis]:
    """Read axes by name; see `read_axis`.

    Raises
    ------
    WorkflowError
        For a name or an axis that is wrong, or two names that Python takes for one.
    """
    read: dict[str, Axis] = {}
    for written, values in axes.items():
        name = checked_name(written, where)
        if name in read:
            raise WorkflowError(f"{where}: there are two axes that Python reads as `{name}`", hint="rename one")
        read[name] = read_axis(name, values, where)
    return read


def _bound(formula: Formula, known: frozenset[str]) -> Formula:
    return formula.bound_to(known) if isinstance(formula, FunctionFormula) else formula


def _read_group(group: object, where: str) -> tuple[str, ...]:
    if not isinstance(group, (list, tuple)) or not group:
        raise WorkflowError(f"{where}: `zip` has the group {group!r}", hint="write lists of axes: [[size, sweeps]]")
    return tuple(checked_name(name, f"{where}: `zip`") for name in group)


def _read_row(row: object, place: str) -> Row:
    if not isinstance(row, Mapping) or not row:
        raise WorkflowError(f"{place} is {row!r}", hint="write {name: value, name: value}")
    return {checked_name(name, place): read_value(value, f"{place}: `{name}`") for name, value in row.items()}


def _row_document(row: Row) -> dict[str, Any]:
    return {name: value_document(value) for name, value in row.items()}
