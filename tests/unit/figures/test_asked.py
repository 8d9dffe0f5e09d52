"""Which figures somebody asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import ResultError
from sciflow.figures.asked import asked, selection, wished
from sciflow.figures.numbers import Source
from unit.figures.observed import DATA, grid, observed
from unit.figures.told_run import told_run

DECLARED = {
    "energies": {"type": "line", "value": "energy", "x_axis": "field"},
    "line": {"type": "line", "value": "time", "x_axis": "size"},
    "map": {"type": "heatmap", "value": "energy", "x_axis": "field", "y_axis": "size"},
    "wrong": {"type": "spiral"},
}


def source(folder: Path, visualizations: Any) -> Source:
    """Observe a grid, as of a run whose workflow declares some figures."""
    return Source(DATA["grid"](), told_run(folder, visualizations))


def names(folder: Path, *wanted: str, visualizations: Any = DECLARED) -> list[str]:
    """Ask for figures; gives their names."""
    return [one.name for one in asked(source(folder, visualizations), wanted)[0]]


def test_by_default_those_are_drawn_that_the_workflow_declares(tmp_path: Path) -> None:
    """What is not understood among them is told; where none is declared, some are chosen."""
    wishes, missing = asked(source(tmp_path, DECLARED))
    assert [one.name for one in wishes] == ["energies", "line", "map"]
    assert list(missing) == ["wrong"]
    chosen, missing = asked(source(tmp_path, {}))
    assert all(one.reason for one in chosen)
    assert ([one.wanted.type for one in chosen], missing) == (["line", "line", "pairs"], {})


def test_a_figure_is_asked_for_by_name_or_kind(tmp_path: Path) -> None:
    """A name comes before a kind; of a kind all that are declared, else it alone, else what would be chosen."""
    assert names(tmp_path, "line") == ["line"]
    assert names(tmp_path, "heatmap", "map") == ["map"]
    assert names(tmp_path, "timeline", "energies") == ["timeline", "energies"]
    assert names(tmp_path, "pairs", visualizations={}) == ["pairs"]
    chosen = ["line-energy-by-field-size", "line-time-by-field-size"]
    assert names(tmp_path, "line", visualizations={}) == chosen
    assert asked(source(tmp_path, DECLARED), ["wrong"])[0] == []
    assert "wrong" in asked(source(tmp_path, DECLARED), ["wrong"])[1]


def test_a_name_that_is_neither_is_refused(tmp_path: Path) -> None:
    """The nearest one is offered; and a kind that nothing is known of says what it needs."""
    with pytest.raises(ResultError, match="`enrgies` is no run, no figure of this workflow, and no kind") as caught:
        names(tmp_path, "enrgies")
    assert caught.value.hint == "did you mean `energies`?"
    with pytest.raises(
        ResultError, match="a contour needs `value`, `x_axis`, `y_axis`, and the workflow declares none"
    ):
        names(tmp_path, "contour")


def test_a_figure_by_its_options_is_named_after_them() -> None:
    """What is not said is left out; what does not fit is refused."""
    made = wished({"type": "line", "value": "m", "values": (), "x_axis": "t", "title": None})
    assert (made.name, made.wanted.x_axis) == ("line-m-by-t", "t")
    with pytest.raises(ResultError, match="a line: a line needs `x_axis`"):
        wished({"type": "line", "value": "m"})


def test_a_selection_is_read_as_the_run_has_its_values() -> None:
    """Numbers however they are written, names as they are; twice the same parameter is two values."""
    known = observed(grid(t=[1.0, 2.5], size=[8, 16], how=["a", "8"], on=[True, False]), {"m": lambda **_: 1.0})
    assert selection(known, ["t=1", "size=16.0", "how=8", "on=True", "t=2.5"]) == {
        "t": [1.0, 2.5],
        "size": [16],
        "how": ["8"],
        "on": [True],
    }
    for text, reason in (
        ("size", "`size` chooses nothing"),
        ("sise=8", "`sise` is no parameter"),
        ("size=9", "`size` is never `9`"),
        ("on=1", "`on` is never `1`"),
    ):
        with pytest.raises(ResultError, match=reason):
            selection(known, [text])
