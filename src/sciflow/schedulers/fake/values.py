"""What people say about a virtual cluster, checked where it comes in: nonsense would let a test pass for nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from sciflow.errors import SciflowError
from sciflow.model.nearest import nearest

MOST_GIB = 1e9  # more memory has no node, and no infinite number is a number of bytes


def whole(name: str, value: object, least: int = 0) -> int:
    """A whole number that is not too small.

    Raises
    ------
    SciflowError
        Where it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SciflowError(f"`{name}` is {value!r}", hint=f"give a whole number, {least} or more")
    return value


def number(name: str, value: object, *, is_zero: bool = True, most: float = float("inf")) -> float:
    """A number that is not negative, nor, where it is said so, zero; a share is 1 at most.

    Raises
    ------
    SciflowError
        Where it is none.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # `nan` is in no order with anything.
    if not (is_number and 0 <= value <= most and (is_zero or value > 0)):  # type: ignore[operator]
        least = "0 or more" if is_zero else "more than 0"
        up_to = "" if most == float("inf") else f", {most:g} at most"
        raise SciflowError(f"`{name}` is {value!r}", hint=f"give a number, {least}{up_to}")
    return value  # type: ignore[return-value]


def one_of(name: str, value: object, known: Iterable[str]) -> None:
    """Refuse what is none of those that there are.

    Raises
    ------
    SciflowError
        Naming those that there are.
    """
    known = list(known)
    if value not in known:
        near = nearest(value, known) if isinstance(value, str) else ""
        raise SciflowError(f"`{name}` is {value!r}", hint=near or f"there are {', '.join(f'`{one}`' for one in known)}")


def settings(kind: type, given: dict[str, Any]) -> None:
    """Refuse what a dataclass has no field for, and numbers that its field cannot mean.

    Raises
    ------
    SciflowError
        For the first of them.
    """
    known = {one.name: str(one.type) for one in fields(kind)}
    for name, value in given.items():
        if name not in known:
            raise SciflowError(f"there is no `{name}`", hint=nearest(name, known))
        types = known[name].split(" | ")
        if value is None and "None" in types:
            continue
        if "int" in types:
            whole(name, value)
        elif "float" in types:
            number(name, value)
        elif "bool" in types and not isinstance(value, bool):
            raise SciflowError(f"`{name}` is {value!r}", hint="give True or False")
