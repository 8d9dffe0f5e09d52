"""Axes: how the values of one parameter are written down."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sciflow.errors import WorkflowError
from sciflow.model.expressions import Expression
from sciflow.model.sampling import DISTRIBUTIONS, LARGEST_SEED, Distribution, read_distribution
from sciflow.model.values import is_number, read_value, value_document, whole_number

MOST_VALUES = 10_000_000
_SIGNIFICANT_DIGITS = 14


class Axis(NamedTuple):
    """One parameter that is varied: listed values or a distribution, and the condition under which it is used."""

    name: str
    values: tuple[Any, ...] | None
    distribution: Distribution | None = None
    when: Expression | None = None
    is_repeat: bool = False

    def to_document(self) -> Any:
        """Write the axis as it may be read again, with its values listed."""
        if self.distribution:
            document: dict[str, Any] = self.distribution.to_document()
        else:
            values = [value_document(value) for value in self.values or ()]
            if self.when is None:
                return values
            document = {"values": values}
        return document if self.when is None else {**document, "when": self.when.text}


def read_axis(name: str, written: Any, where: str) -> Axis:
    """Read an axis: a list of values, or one of the forms ``{linspace: [first, last, count]}``.

    Parameters
    ----------
    name
        The parameter's name.
    written
        A list, tuple, range, one-dimensional array or series; or a dict with one of ``values``, ``linspace``,
        ``logspace``, ``range``, ``repeat``, ``uniform``, ``loguniform``, ``integers``, ``choice``, and maybe ``when``.
    where
        What is being read, for messages.

    Raises
    ------
    WorkflowError
        Naming the axis, the position and the value.
    """
    place = f"{where}: axis `{name}`"
    if not isinstance(written, Mapping):
        return Axis(name, listed_values(written, place))
    form = dict(written)
    condition = form.pop("when", None)
    when = None if condition is None else Expression(condition, where=f"{place}: `when`")
    seed = form.pop("seed", None) if "repeat" in form else None
    kinds = [*_FORMS, *DISTRIBUTIONS]
    if len(form) != 1 or next(iter(form)) not in kinds:
        raise WorkflowError(
            f"{place} has the keys {', '.join(f'`{key}`' for key in written)}",
            hint=f"give a list of values, or exactly one of {', '.join(kinds)}, and maybe `when`",
        )
    kind, details = form.popitem()
    if kind in DISTRIBUTIONS:
        return Axis(name, None, read_distribution(kind, details, place), when)
    values = _repeat(details, seed, place) if kind == "repeat" else _FORMS[kind](details, place)
    return Axis(name, listed_values(values, place), None, when, kind == "repeat")


def listed_values(written: Any, place: str) -> tuple[Any, ...]:
    """Read the values of a list, tuple, range, one-dimensional array or series.

    Raises
    ------
    WorkflowError
        For anything else, an empty one, or a value that is not allowed.
    """
    dimensions = getattr(written, "ndim", None)
    if isinstance(dimensions, int) and dimensions:
        if dimensions != 1:
            raise WorkflowError(f"{place} has {dimensions} dimensions; an axis has one")
        # Without this, NumPy would make the integers of a date column look like numbers.
        plain = getattr(written.dtype, "kind", "O") in "biufU"
        items: Sequence[Any] = written.tolist() if plain else list(written)
    elif isinstance(written, Sequence) and not isinstance(written, (str, bytes, bytearray)):
        items = written
    else:
        raise _no_list(written, place)
    if not items[:1]:
        raise WorkflowError(f"{place} has no values", hint="give it at least one, or leave the axis out")
    # Not asked by `len`, which fails for a range longer than memory.
    if items[MOST_VALUES : MOST_VALUES + 1]:
        raise _too_many(place)
    return tuple(read_value(item, f"{place}: value {position}") for position, item in enumerate(items))


def check_distinct(values: Sequence[Any], place: str) -> None:
    """Refuse equal values, which would be the same combination twice.

    Raises
    ------
    WorkflowError
        Naming both positions.
    """
    seen: dict[Any, int] = {}
    for position, value in enumerate(values):
        first = seen.setdefault(value, position)
        if first != position:
            raise WorkflowError(
                f"{place} has equal values at positions {first} and {position}: {values[first]!r} and {value!r}",
                hint="write each value once; to run the same thing again, add an axis `{repeat: n}`",
            )


def _no_list(written: Any, place: str) -> WorkflowError:
    if isinstance(written, (set, frozenset)):
        return WorkflowError(f"{place} is a set, which has no order", hint="write `sorted(...)` around it")
    if written is None or isinstance(written, (str, int, float, bytes)) or hasattr(written, "dtype"):
        return WorkflowError(f"{place} is the single value {written!r}", hint=f"write a list of one: [{written!r}]")
    return WorkflowError(f"{place} is {type(written).__name__}", hint="write a list of values")


def _too_many(place: str) -> WorkflowError:
    return WorkflowError(f"{place} has more than {MOST_VALUES} values")


def _numbers(details: Any, count: tuple[int, ...], form: str, place: str) -> list[Any]:
    numbers = list(details) if isinstance(details, (list, tuple)) else []
    numbers = [read_value(number, f"{place}: `{form}`") for number in numbers]
    if len(numbers) not in count or not all(is_number(number) for number in numbers):
        raise WorkflowError(f"{place} has {details!r}", hint=f"write {form}, in numbers")
    return numbers


def _count(number: Any, place: str) -> int:
    return whole_number(number, 1, MOST_VALUES, f"{place}: the number of values")


def _tidy(number: float) -> float:
    """Take 0.3 for 0.30000000000000004: the decimal that was meant, where rounding alone made the difference."""
    decimal = float(f"{number:.{_SIGNIFICANT_DIGITS}g}")
    return decimal if abs(decimal - number) <= 4 * math.ulp(number) else number


def _linspace(details: Any, place: str) -> list[float]:
    first, last, count = _numbers(details, (3,), "linspace: [first, last, count]", place)
    steps = _count(count, place) - 1
    inner = [_tidy(first * ((steps - i) / steps) + last * (i / steps)) for i in range(1, steps)]
    return [float(first), *inner, float(last)] if steps else [float(first)]


def _logspace(details: Any, place: str) -> list[float]:
    first, last, count = _numbers(details, (3,), "logspace: [first, last, count]", place)
    if first <= 0 or last <= 0:
        raise WorkflowError(
            f"{place} has the logarithmic range {details!r}", hint="give first and last themselves, above 0"
        )
    steps = _count(count, place) - 1
    low, high = math.log10(first), math.log10(last)
    inner = [_tidy(10 ** (low + (high - low) * i / steps)) for i in range(1, steps)]
    return [float(first), *inner, float(last)] if steps else [float(first)]


def _range(details: Any, place: str) -> Sequence[Any]:
    numbers = _numbers(details, (1, 2, 3), "range: [start, stop, step]", place)
    start, stop, step = {1: [0, *numbers, 1], 2: [*numbers, 1], 3: numbers}[len(numbers)]
    if step == 0:
        raise WorkflowError(f"{place} has the range {details!r} with a step of 0")
    if all(isinstance(number, int) for number in numbers):
        return range(start, stop, step)
    steps = (stop - start) / step
    if steps > MOST_VALUES:
        raise _too_many(place)
    # The tolerance keeps a stop that is a whole number of steps away out, whichever way it was rounded.
    count = max(0, math.ceil(steps - 1e-9 * max(1.0, abs(steps))))
    return [_tidy(start + i * step) for i in range(count)]


def _repeat(count: Any, seed: Any, place: str) -> Sequence[Any]:
    if isinstance(count, (list, tuple)):
        if seed is not None:
            raise WorkflowError(f"{place} repeats the seeds {count!r} and has a `seed`", hint="leave one of them out")
        return count
    from numpy.random import SeedSequence

    number = _count(count, place)
    seed = whole_number(0 if seed is None else seed, 0, LARGEST_SEED, f"{place}: `seed`")
    seeds: dict[int, None] = {}
    for i in range(number):
        # Two seeds may meet by chance; later words of the same sequence keep the ones before as they are.
        words = SeedSequence(seed, spawn_key=(i,)).generate_state(8) & 0x7FFFFFFF
        seeds[next(word for word in words.tolist() if word not in seeds)] = None
    return list(seeds)


def repeated(count: int) -> Sequence[int]:
    """The first values of an axis `{repeat: n}`, of which nobody has said a seed: they are the same for every *n*."""
    return _repeat(count, None, "repeat")


_FORMS: dict[str, Callable[[Any, str], Sequence[Any]]] = {
    "values": listed_values,
    "linspace": _linspace,
    "logspace": _logspace,
    "range": _range,
    "repeat": lambda count, place: _repeat(count, None, place),
}
