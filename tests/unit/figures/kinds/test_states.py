"""State map: what became of each combination."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.errors import ResultError
from sciflow.figures.kinds.states import StateNumbers, numbers
from sciflow.figures.numbers import Source
from sciflow.figures.picture import picture
from sciflow.figures.state_looks import LOOKS
from sciflow.model.state import State
from sciflow.model.visualization import Visualization
from unit.figures.observed import DATA, grid, observed, sampled


def made(observations: Any, **options: Any) -> StateNumbers:
    """Compute the map of some observations."""
    return numbers(Source(observations), Visualization(type="states", **options))


def test_each_combination_has_a_cell() -> None:
    """With the state it is in; the axes are the two parameters, the longer one along."""
    shown = made(DATA["failures"]())
    assert (shown.x.name, shown.y.name, len(shown.frame())) == ("field", "size", 20)
    failed = [
        (shown.x.cells[one.x], shown.y.cells[one.y], one.combinations) for one in shown.cells if one.state == "FAILED"
    ]
    assert failed == [("0.75", "64", 1), ("1", "64", 1)]
    assert shown.notes == ("20 combinations: 16 COMPLETED, 2 FAILED, 1 PENDING, 1 TIMEOUT",)


def test_repeats_share_a_cell() -> None:
    """It has a part for each state, and the note says over what."""
    columns = grid(t=[1, 2], seed=[1, 2, 3])
    shown = made(observed(columns, {"m": lambda **_: 1.0}, states={0: "FAILED"}, repeats=["seed"]), x_axis="t")
    assert shown.y.name == "seed"
    alone = grid(t=[1, 2], size=[1, 2], seed=[1, 2, 3])
    shown = made(observed(alone, {"m": lambda **_: 1.0}, states={0: "FAILED"}, repeats=["seed"]))
    assert {one.state.value: one.combinations for one in shown.cells if (one.x, one.y) == (0, 0)} == {
        "COMPLETED": 2,
        "FAILED": 1,
    }
    assert shown.notes[1] == "a cell has all values of seed (3 values)"


def test_of_three_parameters_one_has_panels() -> None:
    """The axes are those with which what is missing goes most; of more, the others share cells."""
    columns = grid(a=[1, 2], b=[1, 2, 3], c=[1, 2, 3])
    states = {n: "TIMEOUT" for n, (b, c) in enumerate(zip(columns["b"], columns["c"], strict=True)) if b == 3 and c > 1}
    shown = made(observed(columns, {"m": lambda **_: 1.0}, states=states))
    assert ({shown.x.name, shown.y.name}, shown.panels) == ({"b", "c"}, ("a = 1", "a = 2"))
    asked = made(observed(columns, {"m": lambda **_: 1.0}, states=states), facet_by=["b"], x_axis="a")
    assert (asked.x.name, asked.y.name, len(asked.panels)) == ("a", "c", 3)
    columns = grid(a=[1, 2], b=[1, 2], c=[1, 2], d=[1, 2])
    shown = made(observed(columns, {"m": lambda **_: 1.0}))
    assert (shown.panels, shown.notes[1]) == (("",), "a cell has all values of c (2 values), d (2 values)")


def test_many_values_are_binned() -> None:
    """Numbers in ranges of one width, names as many at a time; none is lost."""
    columns = sampled(500, a=(0.0, 1.0), b=(10.0, 20.0))
    shown = made(observed(columns, {"m": lambda **_: 1.0}, states={3: "FAILED"}, sampled=["a", "b"]))
    assert (len(shown.x.cells), sum(one.combinations for one in shown.cells)) == (20, 500)
    assert "500 values of a are put into 20 ranges" in shown.notes
    named = made(observed(grid(how=[f"h{n}" for n in range(100)]), {"m": lambda **_: 1.0}))
    assert (named.x.cells[0], len(named.x.cells), sum(one.combinations for one in named.cells)) == ("h0 … h4", 20, 100)


def test_inactive_parameters_have_a_cell_of_their_own() -> None:
    """Where a conditional parameter is not used, that is a value like others."""
    columns = {"how": ["a", "a", "b"], "rate": [0.1, 0.2, None]}
    shown = made(observed(columns, {"m": lambda **_: 1.0}))
    assert "none" in (*shown.x.cells, *shown.y.cells)


def test_a_single_combination_is_one_cell() -> None:
    """Without any parameter that differs there are no axes."""
    shown = made(DATA["one point"]())
    assert (shown.x.cells, shown.y.cells, shown.notes) == (("",), ("",), ("1 combination: 1 COMPLETED",))


def test_an_unknown_axis_is_refused() -> None:
    """With the nearest name."""
    with pytest.raises(ResultError, match="`sise` is no parameter"):
        made(DATA["grid"](), x_axis="sise")


def test_states_are_told_apart_without_colour() -> None:
    """Each has a hatch and letter of its own, but for what is completed; and cells show them."""
    assert len({(one.hatch, one.letter) for one in LOOKS.values()}) == len(State)
    assert set(LOOKS) == set(State)
    axes = picture(Source(DATA["failures"]()), Visualization(type="states")).draw().axes[0]
    assert sorted(text.get_text() for text in axes.texts) == ["F", "F", "T", "·"]
