"""Which combinations of a package are run again: all, a sample, or those that somebody names."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from sciflow.analysis.choice import is_same
from sciflow.errors import ExpressionError, PackageError
from sciflow.model.expressions import Expression
from sciflow.model.nearest import nearest
from sciflow.model.values import nearest_values
from sciflow.package.again.compare import OUTCOMES
from sciflow.package.again.recorded import RecordedRun

Wanted = str | Mapping[str, Any]


def chosen(there: RecordedRun, sample: int | None, seed: int, wanted: Sequence[Wanted]) -> list[dict[str, Any]]:
    """The combinations that are run again, in the package's order.

    Parameters
    ----------
    there
        The packaged run.
    sample, seed
        How many are drawn, by which seed, of those that came to something there; the same seed draws the same.
    wanted
        Which of them: each an expression over parameters, or values of some of them; one is enough. By default any.

    Raises
    ------
    PackageError
        For what is no parameter, no value of one, or leaves no combination.
    """
    table, names = there.tables.combinations, there.tables.parameters
    rows = list(range(table.count))
    if wanted:
        fits = [_fits(one, there) for one in wanted]
        rows = [row for row in rows if any(one[row] for one in fits)]
        if not rows:
            raise PackageError(f"no combination of the package is one of {', '.join(map(in_words, wanted))}")
    if sample is not None:
        rows = [row for row in rows if table["state"][row] in OUTCOMES]
        if not 0 < sample <= len(rows):
            way_out = f"`--sample` with 1 to {len(rows)}" if rows else "there is nothing that could be compared"
            raise PackageError(f"a sample of {sample} cannot be drawn of {len(rows)} combinations", hint=way_out)
        rows = sorted(random.Random(seed).sample(rows, sample))  # noqa: S311  # nothing secret
    return [{name: table[name][row] for name in names} for row in rows]


def in_words(wanted: Wanted) -> str:
    """What somebody has asked for, as it is told."""
    if isinstance(wanted, str):
        return f"`{wanted}`"
    return f"`{', '.join(f'{name}={value!r}' for name, value in wanted.items())}`"


def _fits(wanted: Wanted, there: RecordedRun) -> list[bool]:
    """Whether what was asked for is true, for each combination."""
    table, known = there.tables.combinations, there.tables.parameters
    if isinstance(wanted, str):
        try:
            expression = Expression(wanted, where="where")
            _check_names(expression.names, known, in_words(wanted))
            columns = {name: table[name] for name in sorted(expression.names)}
            rows = range(table.count)
            return [bool(expression.evaluate({name: values[row] for name, values in columns.items()})) for row in rows]
        except ExpressionError as error:
            raise PackageError(error.message, error.hint) from None
    _check_names(wanted, known, in_words(wanted))
    for name, value in wanted.items():
        if not any(is_same(value, one) for one in table[name]):
            hint = nearest_values(value, list(dict.fromkeys(table[name])))
            raise PackageError(f"parameter `{name}` never is {value!r} in the package", hint=hint)
    return [all(is_same(value, table[name][row]) for name, value in wanted.items()) for row in range(table.count)]


def _check_names(names: Any, known: Sequence[str], said: str) -> None:
    for name in names:
        if name not in known:
            raise PackageError(f"{said} names `{name}`, which is no parameter of the package", nearest(name, known))
