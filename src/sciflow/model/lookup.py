"""Finding combinations by their values: in which position of each factor a written-out combination lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sciflow.errors import WorkflowError
from sciflow.model.dependencies import Dependencies
from sciflow.model.factors import Factor
from sciflow.model.values import nearest_values


def positions_of(values: Mapping[str, Any], factors: Sequence[Factor], dependencies: Dependencies) -> list[int | None]:
    """Find the position in each factor that has a combination's values, or None where there is none.

    Parameters
    ----------
    values
        A value for every axis; None for inactive ones.
    factors
        Of the space.
    dependencies
        Of the space.
    """
    inactive = dependencies.inactive(values)
    if any(values[name] is not None for name in inactive):
        return [None] * len(factors)
    positions = []
    for factor in factors:
        names = tuple(name for name in factor.names if name not in inactive)
        positions.append(factor.first_positions(names).get(tuple(values[name] for name in names)))
    return positions


def with_included(
    rows: Sequence[Mapping[str, Any]], factors: Sequence[Factor], dependencies: Dependencies, where: str
) -> tuple[tuple[Factor, ...], list[list[int]]]:
    """Give the factors more positions where included combinations have values of their own.

    Returns
    -------
    factors, positions
        The factors without strides, and for each row its position in each factor.

    Raises
    ------
    WorkflowError
        For a row that gives a value to an inactive axis.
    """
    new: list[dict[tuple[Any, ...], Mapping[str, Any]]] = [{} for _ in factors]
    for row in rows:
        for name in sorted(dependencies.inactive(row)):
            if row[name] is not None:
                raise WorkflowError(
                    f"{where}: included combination {row!r} has a value for `{name}`, whose condition is false there",
                    hint=f"write `{name}: null` (None in Python)",
                )
        for i, position in enumerate(positions_of(row, factors, dependencies)):
            if position is None:
                new[i].setdefault(tuple(row[name] for name in factors[i].names), row)
    extended = tuple(
        factor.extended(list(more.values())) if more else factor for factor, more in zip(factors, new, strict=True)
    )
    # Looked up again, so that a later question for the same combination ends at the same positions.
    found = [positions_of(row, extended, dependencies) for row in rows]
    return extended, [[position for position in positions if position is not None] for positions in found]


def not_found(
    combination: Mapping[str, Any], positions: Sequence[int | None], factors: Sequence[Factor], where: str
) -> WorkflowError:
    """Say what keeps a combination with a value for every axis from being in the space, and what is nearest."""
    shown = dict(combination)
    for factor, position in zip(factors, positions, strict=True):
        if position is not None:
            continue
        for name in factor.names:
            if combination[name] not in factor.values(name):
                return WorkflowError(
                    f"{where}: {shown!r} is not in the space: `{name}` has no value {combination[name]!r}",
                    hint=nearest_values(combination[name], factor.values(name)),
                )
        together = ", ".join(f"`{name}`" for name in factor.names)
        partners = [
            dict(zip(factor.names, row, strict=True))
            for row in zip(*(factor.values(name) for name in factor.names), strict=True)
            if row[0] == combination[factor.names[0]]
        ]
        return WorkflowError(
            f"{where}: {shown!r} is not in the space: {together} do not occur together so",
            hint=f"there is {', '.join(map(repr, partners[:3]))}",
        )
    return WorkflowError(
        f"{where}: {shown!r} is not in the space: a constraint or exclusion removes it",
        hint="to run it all the same, add it to `include`",
    )
