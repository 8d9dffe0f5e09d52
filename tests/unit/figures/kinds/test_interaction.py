"""Interactions show how the effect of one factor depends on another."""

from typing import Any

import numpy as np
import pytest

from sciflow.analysis.observations import Observations
from sciflow.errors import ResultError
from sciflow.figures.kinds.interaction import InteractionNumbers
from sciflow.figures.numbers import Source
from sciflow.figures.picture import picture
from sciflow.model.visualization import Visualization
from unit.figures.observed import grid, observed, on_a_grid, sampled


def shown(observations: Observations, value: str = "m", **options: Any) -> InteractionNumbers:
    """Return the numbers of interactions."""
    found = picture(Source(observations), Visualization(type="interaction", value=value, **options)).numbers
    assert isinstance(found, InteractionNumbers)
    return found


def three() -> Observations:
    """Return a metric of three factors, of which `a` and `b` interact, and `c` adds to both."""
    columns = grid(a=[0, 1], b=[0, 1, 2, 3], c=["u", "v"])
    return observed(columns, {"m": lambda a, b, c: 10.0 * a * b + (c == "v")})


def pairs(numbers: InteractionNumbers) -> list[tuple[str, str]]:
    """Return what is along x, and what is a line, of each panel."""
    return [(panel.found.first, panel.found.second) for panel in numbers.panels]


def test_all_pairs_are_panels_that_with_the_largest_interaction_first() -> None:
    """Along x is the factor with more levels, so that lines are few."""
    assert pairs(shown(three())) == [("b", "a"), ("a", "c"), ("b", "c")]


def test_each_pair_of_levels_has_its_mean() -> None:
    """The mean over the other factor, here a half above what the two make together."""
    frame = shown(three(), x_axis="b", series="a").frame()
    assert frame["mean"].tolist() == pytest.approx([0.5, 0.5, 0.5, 10.5, 0.5, 20.5, 0.5, 30.5])
    assert frame["first"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert set(frame["x"]) == {"b"}


def test_one_factor_that_is_named_meets_all_others() -> None:
    """As what is along x, or as what the lines are."""
    assert pairs(shown(three(), x_axis="a")) == [("a", "b"), ("a", "c")]
    assert pairs(shown(three(), series="a")) == [("b", "a"), ("c", "a")]


def test_pairs_of_too_many_levels_are_left_out_or_refused() -> None:
    """More lines than can be told apart are not drawn, and a heatmap is offered."""
    names = [f"n{number}" for number in range(9)]
    many = observed(grid(a=names, b=list(range(12)), c=[0, 1]), {"m": lambda a, b, c: float(len(a) * b + c)})
    numbers = shown(many)
    assert set(pairs(numbers)) == {("a", "c"), ("b", "c")}
    assert any(note.startswith("left out, with too many values for lines: ") for note in numbers.notes)
    with pytest.raises(ResultError, match=r"(?s)`a` has 9 values, and 7 lines at most.*heatmap"):
        shown(many, x_axis="b", series="a")
    with pytest.raises(ResultError, match=r"(?s)`b` has 12 values, and 10 lines at most.*heatmap"):
        shown(many, x_axis="a", series="b")
    two = observed(grid(a=names, b=list(range(12))), {"m": lambda a, b: float(len(a) * b)})
    with pytest.raises(ResultError, match=r"(?s)so many values are more lines than can be told apart.*heatmap"):
        shown(two)


def test_drawn_values_are_classes() -> None:
    """Of many drawn points the classes are the lines; their colours have an order, so that these may be eight."""
    many = observed(sampled(600, a=(0, 1), b=(0, 1)), {"m": lambda a, b: a * b}, sampled=["a", "b"])
    numbers = shown(many)
    assert len(numbers.panels) == 1
    assert len(numbers.frame()) == 64


@pytest.mark.parametrize(
    ("known", "options", "told"),
    [
        (three, {"value": "n"}, "there is no metric `n`"),
        (three, {"x_axis": "d"}, "`d` is no parameter"),
        (lambda: observed({"x": [1, 2]}, {"m": [1.0, 2.0]}), {}, "`x` is the only factor of `m` that varies"),
        (lambda: observed({"x": [1]}, {"m": [1.0]}), {}, "no parameter of `m` varies"),
        (lambda: observed(grid(x=[1, 2], y=[1, 2]), {"m": [np.nan] * 4}), {}, "`m` has no finite value"),
        (on_a_grid, {"value": "energy", "x_axis": "field", "x_scale": "log"}, "`field` is 0 somewhere"),
        (three, {"interval": "range"}, "marginal means, which have no interval `range`"),
    ],
)
def test_what_has_no_interaction_is_refused(known: Any, options: dict[str, Any], told: str) -> None:
    """Unknown names and observations without two factors are errors in words."""
    with pytest.raises(ResultError, match=f"(?s){told}"):
        shown(known(), **options)
