"""Which figures somebody asks for: by name, by kind, or by nothing at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast, get_args

from sciflow.analysis.observations import Observations
from sciflow.errors import ResultError
from sciflow.figures.automatic import automatic, name_of
from sciflow.figures.gallery import Wish, declared
from sciflow.figures.numbers import Source
from sciflow.model.nearest import nearest
from sciflow.model.validation import validated
from sciflow.model.values import nearest_values
from sciflow.model.visualization import KINDS, Kind, Visualization, needs_of


def asked(source: Source, names: Sequence[str] = ()) -> tuple[list[Wish], dict[str, str]]:
    """The figures with some names, those declared where none is given, and where none is declared, chosen ones.

    Parameters
    ----------
    source
        A whole run.
    names
        Of declared figures, or kinds.

    Returns
    -------
    tuple
        What is wanted, and name → why it cannot be, of declared figures that cannot be understood.

    Raises
    ------
    ResultError
        For a name that is neither, and a kind that must be told more.
    """
    wishes, missing = declared(source.whole("set of figures"))
    if not names:
        return (wishes, missing) if wishes or missing else (automatic(source), {})
    found: dict[str, Wish] = {}
    wrong: dict[str, str] = {}
    for name in names:
        if name in missing:
            wrong[name] = missing[name]
            continue
        for one in _named(name, source, wishes, [*missing]):
            found[one.name] = one
    return list(found.values()), wrong


def _named(name: str, source: Source, wishes: Sequence[Wish], others: Sequence[str]) -> list[Wish]:
    if by_name := [one for one in wishes if one.name == name]:
        return by_name
    if name not in get_args(Kind):
        known = [*(one.name for one in wishes), *others, *KINDS]
        raise ResultError(
            f"`{name}` is no run, no figure of this workflow, and no kind of figure", hint=nearest(name, known)
        )
    kind = cast(Kind, name)
    if of_kind := [one for one in wishes if one.wanted.type == kind]:
        return of_kind
    if not needs_of(kind):
        return [Wish(kind, Visualization(type=kind))]
    if chosen := [one for one in automatic(source) if one.wanted.type == kind]:
        return chosen
    needed = ", ".join(f"`{one}`" for one in needs_of(kind))
    raise ResultError(
        f"a {kind} needs {needed}, and the workflow declares none",
        hint=f"say them: `sciflow plot --type {kind} …`, or declare one below `visualizations`",
    )


def wished(options: Mapping[str, Any]) -> Wish:
    """One figure by its options, under a name that tells what it is.

    Raises
    ------
    ResultError
        For options that do not fit.
    """
    said = {name: one for name, one in options.items() if one not in (None, (), {}, [])}
    wanted = validated(Visualization, said, f"a {said.get('type', 'figure')}", ResultError)
    return Wish(name_of(wanted), wanted)


def selection(observations: Observations, texts: Iterable[str]) -> dict[str, Any]:
    """What `NAME=VALUE` texts choose: parameter → its values as the run has them; a name may come several times.

    Raises
    ------
    ResultError
        For a text without `=`, a name that is no parameter, and a value that it never has.
    """
    found: dict[str, list[Any]] = {}
    for text in texts:
        name, equals, said = text.partition("=")
        if not equals:
            raise ResultError(f"`{text}` chooses nothing", hint="write a parameter and a value: `size=16`")
        levels = observations.parameter(name.strip()).levels
        said = said.strip()
        matching = [one for one in levels if str(one) == said] or [one for one in levels if _is_number(one, said)]
        if not matching:
            raise ResultError(f"`{name}` is never `{said}` in these results", hint=nearest_values(said, levels))
        found.setdefault(name.strip(), []).append(matching[0])
    return dict(found)


def _is_number(level: Any, said: str) -> bool:
    if isinstance(level, bool) or not isinstance(level, int | float):
        return False
    try:
        return float(said) == level
    except ValueError:
        return False
