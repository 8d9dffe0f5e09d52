"""A law as an expression over parameters, as workflow files have them under `resources`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sciflow.analysis.advice.law import Law
from sciflow.analysis.advice.terms import Levels, Power, Term, is_number
from sciflow.model.expressions import Expression

_DIGITS = 3


def formula_of(law: Law, chance: float, points: Sequence[Mapping[str, Any]], unit: float, least: float) -> str:
    """An expression that gives at least what a law says suffices, at each of some points.

    Exponents are rounded to what they may well be; the factors before them make up for that.

    Parameters
    ----------
    law, chance
        What suffices, and with which chance.
    points
        Parameters of instances.
    unit
        Bytes, or seconds, of what the expression is in.
    least
        The least that it gives, in that unit; 0 for none.

    Returns
    -------
    str
        Empty where a parameter of an instance has no value that could stand in it.
    """
    powers = [term for term in law.terms if isinstance(term, Power)]
    if any(not is_number(point.get(term.name)) for term in powers for point in points):
        return ""
    base, factor, rest = _parts(law, unit)
    wanted = [law.most(point, chance) / unit for point in points]
    for more in (1.0, 1.001, 1.01):  # digits are rounded, and what rounds up a base need not be enough for the rest
        raw = Expression(_text(base, factor, rest, 0.0))
        scale = more * max(most / raw.evaluate(point) for most, point in zip(wanted, points, strict=True))
        text = _text(_up(base * scale), _up(factor * scale), rest, least)
        found = Expression(text)
        if all(found.evaluate(point) >= most * (1 - 1e-9) for most, point in zip(wanted, points, strict=True)):
            return text
    return ""


def _parts(law: Law, unit: float) -> tuple[float, float, str]:
    """The base, the factor, and what that is multiplied with."""
    logarithm, parts, place = float(law.coefficients[0]), [], 1
    for term in law.terms:
        own = [float(one) for one in law.coefficients[place : place + term.columns]]
        place += term.columns
        if isinstance(term, Levels):
            parts.append(_levels(term, [1.0, *map(math.exp, own)]))
        elif term.is_curved:
            first, second = own[0] - 2 * own[1] * term.middle, own[1]
            logarithm += own[1] * term.middle**2 - own[0] * term.middle
            parts.append(f"{term.name}**({_up(first)} + {_up(second)} * log({term.name}))")
        else:
            exponent = rounded_exponent(law, term)
            logarithm -= exponent * term.middle
            parts.append(term.name if exponent == 1 else f"{term.name}**{exponent:g}")
    base = math.exp(float(law.coefficients[-1])) / unit if law.has_base else 0.0
    return base, math.exp(logarithm) / unit, " * ".join(parts)


def rounded_exponent(law: Law, term: Power) -> float:
    """A whole or half exponent where it may well be that, else two digits."""
    value, low, high = law.exponent(term)
    for step in (1, 2):
        if low <= (near := round(value * step) / step) <= high:
            return near
    return round(value, 2)


def _levels(term: Term, effects: Sequence[float]) -> str:
    assert isinstance(term, Levels)
    are_numbers = all(map(is_number, term.values))
    pairs = [(value, _up(effect)) for value, effect in zip(term.values, effects, strict=True)]
    last = pairs[-1][1] if are_numbers else max(effect for _, effect in pairs)
    compare = "<=" if are_numbers else "=="
    chosen = [f"{effect:g} if {term.name} {compare} {value!r} else" for value, effect in pairs if effect != last]
    if are_numbers:
        chosen = [f"{effect:g} if {term.name} <= {value!r} else" for value, effect in pairs[:-1]]
    return f"({' '.join([*chosen, f'{last:g}'])})"


def _text(base: float, factor: float, rest: str, least: float) -> str:
    grown = f"{factor!r} * {rest}" if factor else rest
    text = f"{base!r} + {grown}" if base else grown
    return f"max({least!r}, {text})" if least else text


def _up(value: float) -> float:
    """A number of few digits that is not less."""
    if value == 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(value))) - _DIGITS + 1)
    return float(f"{math.ceil(value / step * (1 - 1e-12)) * step:.{_DIGITS + 1}g}")
