"""Every kind of figure, with every sort of results: it is drawn legibly, or refused in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from sciflow.errors import ResultError
from sciflow.figures.kinds import known_kinds
from sciflow.figures.numbers import Source
from sciflow.figures.picture import Picture, picture
from sciflow.figures.style import Style
from sciflow.model.visualization import Kind, Visualization
from unit.figures.laid_out import unreadable
from unit.figures.logged_run import logged, steps
from unit.figures.observed import DATA

COLUMN = Style(width=3.4, font_size=8.0, dpi=50)

# What each kind is asked for. A kind that is registered has a line here.
WANTED: Mapping[Kind, Mapping[str, Any]] = {
    "heatmap": {"value": "energy", "x_axis": "size", "y_axis": "field"},
    "contour": {"value": "energy", "x_axis": "size", "y_axis": "field"},
    "line": {"value": "energy", "x_axis": "size", "series": "field"},
    "scatter": {"value": "energy", "x_axis": "time", "series": "field"},
    "box": {"value": "energy", "x_axis": "size"},
    "violin": {"value": "energy", "x_axis": "size"},
    "bar": {"value": "energy", "x_axis": "size", "series": "field"},
    "parallel": {"values": ("energy",)},
    "pairs": {},
    "main_effects": {"value": "energy"},
    "interaction": {"value": "energy"},
    "pareto": {"values": ("energy", "time")},
    "convergence": {"value": "energy"},
    "states": {},
    "timeline": {},
    "utilisation": {},
    "requests": {},
}

# Which kinds are refused with which results, and what is said.
REFUSED: Mapping[tuple[Kind, str], str] = {
    ("contour", "one point"): "at least two values of `size`, which is 8 everywhere",
    ("contour", "categorical"): "needs numbers at its axes, and `size` is 'small'",
    ("main_effects", "one point"): "no parameter of `energy` varies",
    ("interaction", "one point"): "no parameter of `energy` varies",
}

# Kinds that need more than observations: what makes their source, of the name of the results.
SOURCES: Mapping[Kind, Callable[[str], Source]] = {
    "convergence": lambda name: logged(DATA[name](), lambda **_: steps(3.0, 2.0, 1.5)),
}


def made(kind: Kind, data: str) -> Picture:
    """The figure of a kind that is tried."""
    source = SOURCES[kind](data) if kind in SOURCES else Source(DATA[data]())
    return picture(source, Visualization(type=kind, **WANTED[kind]))


@pytest.mark.parametrize("kind", known_kinds())
def test_every_kind_is_drawn_legibly_of_all_results_or_refused_in_words(kind: Kind) -> None:
    """Each kind is drawn of all sorts of results with all texts on the page and none over another, or is refused."""
    wrong = {}
    for data in DATA:
        if (kind, data) in REFUSED:
            with pytest.raises(ResultError, match=REFUSED[kind, data]):
                made(kind, data)
            continue
        drawn = made(kind, data)
        for page in range(drawn.pages):
            if told := unreadable(drawn.draw(page, COLUMN)):
                wrong[data, page] = told
    assert wrong == {}


@pytest.mark.parametrize("kind", known_kinds())
def test_the_numbers_of_every_kind_are_a_table(kind: Kind) -> None:
    """What a figure shows can be read as a table that has rows."""
    assert len(made(kind, "repeats").numbers.frame()) > 0
