"""The kinds of figures: which module makes each."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol, cast

from sciflow.figures.numbers import Numbers, Source
from sciflow.model.visualization import Kind, Visualization

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MODULES: dict[Kind, str] = {
    "heatmap": "sciflow.figures.heatmap",
    "contour": "sciflow.figures.contour",
    "box": "sciflow.figures.box",
    "violin": "sciflow.figures.box",
    "bar": "sciflow.figures.bar",
    "line": "sciflow.figures.line",
    "states": "sciflow.figures.states",
    "timeline": "sciflow.figures.timeline",
    "utilisation": "sciflow.figures.utilisation",
    "requests": "sciflow.figures.requests",
    "scatter": "sciflow.figures.scatter",
    "convergence": "sciflow.figures.convergence",
    "main_effects": "sciflow.figures.main_effects",
    "interaction": "sciflow.figures.interaction",
    "pairs": "sciflow.figures.pairs",
    "parallel": "sciflow.figures.parallel",
    "pareto": "sciflow.figures.pareto",
}


class FigureKind(Protocol):
    """What a module that makes a kind of figures has."""

    def numbers(self, source: Source, wanted: Visualization) -> Numbers:
        """Compute what is shown; raise `ResultError` where it cannot be."""
        ...

    def draw(self, numbers: Any, figure: Figure, page: int) -> None:
        """Draw one page onto an empty figure."""
        ...


def kind_of(name: Kind) -> FigureKind:
    """The module that makes a kind."""
    return cast(FigureKind, importlib.import_module(_MODULES[name]))


def known_kinds() -> list[Kind]:
    """The kinds that there are."""
    return list(_MODULES)
