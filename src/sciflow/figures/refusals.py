"""What a kind of figure has no place for, said instead of left out."""

from __future__ import annotations

from sciflow.errors import ResultError
from sciflow.model.visualization import Visualization

_HINTS = {
    "facet_by": "choose a part of the results by `select`",
    "series": "leave it out",
    "values": "name one `value`; `pairs` shows several",
}


def refuse(wanted: Visualization, *fields: str) -> None:
    """Say that a figure of this kind has no such thing.

    Raises
    ------
    ResultError
        Where one of these fields was given.
    """
    for name in fields:
        given = getattr(wanted, name)
        if given:
            told = given if isinstance(given, str) else ", ".join(map(str, given))
            raise ResultError(
                f"{wanted.type} has no `{name}`, and {told} was given for it", hint=_HINTS.get(name, "leave it out")
            )


def one_metric(wanted: Visualization) -> str:
    """The one metric that a figure shows.

    Raises
    ------
    ResultError
        Where several were named.
    """
    shown = list(wanted.shown)
    if len(shown) > 1:
        raise ResultError(
            f"a {wanted.type} shows one metric, not {', '.join(shown)}",
            hint="name one `value`; `pairs` and `parallel` show several",
        )
    return shown[0]
