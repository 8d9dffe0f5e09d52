"""Every kind of figure, with every sort of results: it is drawn legibly, or refused in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import ResultError
from sciflow.figures.kinds.registry import known_kinds
from sciflow.figures.numbers import Source
from sciflow.figures.picture import Picture, picture
from sciflow.figures.style import Style
from sciflow.model.visualization import Kind, Visualization
from unit.figures.laid_out import unreadable
from unit.figures.logged_run import logged, steps
from unit.figures.machine_run import MachineRun, with_failures
from unit.figures.observed import DATA
from unit.figures.reference_images import difference

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

# Kinds that need more than observations: what makes their source, of the name of the results and a folder.
SOURCES: Mapping[Kind, Callable[[str, Path], Source]] = {
    "convergence": lambda name, _: logged(DATA[name](), lambda **_: steps(3.0, 2.0, 1.5)),
    "timeline": lambda name, folder: RUNS[name](folder).source(),
    "utilisation": lambda name, folder: RUNS[name](folder).source(),
    "requests": lambda name, folder: RUNS[name](folder).source(),
}


def of_one_instance(folder: Path) -> MachineRun:
    """A run of a single instance."""
    run = MachineRun(folder, 1)
    run.handed("0", 0.0)
    run.ran(0, 10, 100, cpu=200, memory=4096)
    return run


# What is drawn of machines depends on what ran, and not on which parameters there are.
RUNS: Mapping[str, Callable[[Path], MachineRun]] = {"failures": with_failures, "one point": of_one_instance}
OF_MACHINES: tuple[Kind, ...] = ("timeline", "utilisation", "requests")

# The results of which each kind's reference is drawn: those with failures where nothing is said.
REFERENCE_DATA: Mapping[Kind, str] = {"violin": "repeats", "box": "repeats", "pareto": "repeats"}


def made(kind: Kind, data: str, folder: Path) -> Picture:
    """The figure of a kind that is tried."""
    source = SOURCES[kind](data, folder / data) if kind in SOURCES else Source(DATA[data]())
    return picture(source, Visualization(type=kind, **WANTED[kind]))


@pytest.mark.parametrize("kind", known_kinds())
def test_every_kind_is_drawn_legibly_of_all_results_or_refused_in_words(kind: Kind, tmp_path: Path) -> None:
    """Each kind is drawn of all sorts of results with all texts on the page and none over another, or is refused."""
    wrong = {}
    for data in RUNS if kind in OF_MACHINES else DATA:
        if (kind, data) in REFUSED:
            with pytest.raises(ResultError, match=REFUSED[kind, data]):
                made(kind, data, tmp_path)
            continue
        drawn = made(kind, data, tmp_path)
        for page in range(drawn.pages):
            if told := unreadable(drawn.draw(page, COLUMN)):
                wrong[data, page] = told
    assert wrong == {}


@pytest.mark.parametrize("kind", known_kinds())
def test_the_numbers_of_every_kind_are_a_table(kind: Kind, tmp_path: Path) -> None:
    """What a figure shows can be read as a table that has rows."""
    assert len(made(kind, "failures", tmp_path).numbers.frame()) > 0


@pytest.mark.parametrize("kind", known_kinds())
def test_every_kind_looks_as_its_reference(kind: Kind, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """All that is drawn but texts is, to the pixel, as in the picture that was looked at."""
    is_renewed = bool(request.config.getoption("--update-references"))
    told = difference(made(kind, REFERENCE_DATA.get(kind, "failures"), tmp_path), kind, tmp_path, is_renewed=is_renewed)
    assert not told, told


def test_a_mark_that_is_missing_is_a_difference(tmp_path: Path) -> None:
    """References are compared so closely that a single value that is not drawn is seen."""
    values = DATA["failures"]()
    values.frame.loc[0, "energy"] = float("nan")
    other = picture(Source(values), Visualization(type="line", **WANTED["line"]))

    assert "Error: Image files did not match" in difference(other, "line", tmp_path, is_renewed=False)


def test_a_reference_that_is_missing_is_a_difference(tmp_path: Path) -> None:
    """A kind without a reference does not pass, and what to do is said."""
    told = difference(made("line", "grid", tmp_path), "no such kind", tmp_path, is_renewed=False)

    assert "is missing: run pytest with --update-references" in told
