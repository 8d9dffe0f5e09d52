"""The kinds of figures: which module makes each."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol, cast

from sciflow.figures.numbers import Numbers, Source
from sciflow.model.visualization import Kind, Visualization

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MODULES: dict[Kind, str] = {
    "heatmap": "sciflow.figures.kinds.heatmap",
    "contour": "sciflow.figures.kinds.contour",
    "box": "sciflow.figures.kinds.box",
    "violin": "sciflow.figures.kinds.box",
    "bar": "sciflow.figures.kinds.bar",
    "line": "sciflow.figures.kinds.line",
    "states": "sciflow.figures.kinds.states",
    "timeline": "sciflow.figures.kinds.timeline",
    "utilisation": "sciflow.figures.kinds.utilisation",
    "requests": "sciflow.figures.kinds.requests",
    "scatter": "sciflow.figures.kinds.scatter",
    "convergence": "sciflow.figures.kinds.convergence",
    "main_effects": "sciflow.figures.kinds.main_effects",
    "interaction": "sciflow.figures.kinds.interaction",
    "pairs": "sciflow.figures.kinds.pairs",
    "parallel": "sciflow.figures.kinds.parallel",
    "pareto": "sciflow.figures.kinds.pareto",
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
