"""The figures of a report: those that a workflow declares, then those that show most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sciflow.analysis.observations import Observations
from sciflow.analysis.table import RunTable
from sciflow.figures.automatic import automatic
from sciflow.figures.gallery import Wish, declared, gallery_of
from sciflow.figures.numbers import Source
from sciflow.figures.picture import Picture
from sciflow.model.visualization import Visualization

MOST = 10


@dataclass(frozen=True)
class Titled:
    """A figure, what it is called, and why it was chosen; empty where it was asked for."""

    name: str
    title: str
    picture: Picture
    reason: str


@dataclass(frozen=True)
class Chosen:
    """Figures in order; and the names of those that could not be made, with why."""

    pictures: tuple[Titled, ...]
    missing: Mapping[str, str]


def chosen(results: RunTable, observations: Observations, most: int = MOST) -> Chosen:
    """The figures of a report, at most so many."""
    source = Source(observations, results)
    if most < 1:
        return Chosen((), {})
    wishes, missing = declared(results)
    asked = [one.wanted.model_copy(update={"title": None}) for one in wishes]
    more = [one for one in automatic(source) if one.wanted not in asked]
    wishes = [*wishes, *more][:most]
    made = gallery_of(source, wishes, missing)
    pictures = dict(made.items())
    titled = (Titled(one.name, _title(one), pictures[one.name], one.reason) for one in wishes if one.name in pictures)
    return Chosen(tuple(titled), made.missing)


def _title(wish: Wish) -> str:
    return wish.wanted.title or _what(wish.wanted) if wish.reason else wish.wanted.title or wish.name.replace("_", " ")


def _what(wanted: Visualization) -> str:
    """What a figure shows that nobody has named: the metrics by the parameters."""
    by = [one for one in (wanted.x_axis, wanted.y_axis, wanted.series, *wanted.facet_by) if one]
    kind, metrics = wanted.type.replace("_", " "), ", ".join(wanted.shown)
    if by:
        return f"{metrics or kind} by {', '.join(by)}"
    return f"{kind}: {metrics}" if metrics else kind
