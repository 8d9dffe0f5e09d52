"""Parallel coordinates have a line for each combination."""

from typing import Any

import pytest

from sciflow.analysis.observations import Observations
from sciflow.errors import ResultError
from sciflow.figures.numbers import Source
from sciflow.figures.picture import Picture, picture
from sciflow.model.visualization import Visualization
from unit.figures.observed import grid, observed, with_failures, with_repeats


def parallel(observations: Observations, *values: str, **options: Any) -> Picture:
    """Return parallel coordinates of observations."""
    return picture(Source(observations), Visualization(type="parallel", values=values or ("energy",), **options))


def test_each_combination_is_a_line_and_repeats_are_means() -> None:
    """Axes are the parameters that vary, then the metrics, of which the first gives the colours and is last."""
    made = parallel(with_repeats(), "energy", "time")
    frame = made.numbers.frame()
    assert list(frame) == ["size", "field", "time", "energy", "coloured"]
    assert len(frame) == 12
    seeds = [0.05 * ((3 * seed) % 5 - 2) for seed in (1, 2, 3, 4, 5)]
    assert frame["energy"].iloc[0] == pytest.approx(0.8 + 0.36 + sum(seeds) / 5)
    assert made.notes == ("energy, time: mean over seed (5 values)",)


def test_what_is_missing_has_no_line() -> None:
    """A combination without a value is left out, and said."""
    made = parallel(with_failures())
    assert len(made.numbers.frame()) == 16
    assert made.notes == ("energy: 4 of 20 have no value (2 FAILED, 1 TIMEOUT, 1 PENDING)",)


@pytest.mark.parametrize(("options", "best"), [({}, range(360, 400)), ({"minimize": ["m"]}, range(40))])
def test_of_many_lines_the_best_are_coloured(options: dict[str, Any], best: range) -> None:
    """Where lines are too many, the best tenth stand out of grey ones, and which these are is said."""
    many = observed({"x": list(range(400))}, {"m": lambda x: 2 * x})
    made = parallel(many, "m", **options)
    frame = made.numbers.frame()
    assert frame["x"][frame["coloured"]].tolist() == list(best)
    which = "smallest" if options else "largest"
    assert made.notes == (f"coloured: the 40 of 400 with the {which} m",)


def test_many_axes_are_pages() -> None:
    """20 parameters are three pages, each with the metric that gives the colours."""
    columns = {f"p{number}": [number, number + 1] for number in range(20)}
    made = parallel(observed(columns, {"m": [1.0, 2.0]}), "m")
    assert made.pages == 3
    labels = [[text.get_text() for text in made.draw(page).axes[0].get_xticklabels()] for page in (0, 2)]
    assert labels == [[*(f"p{one}" for one in range(7)), "m"], [*(f"p{one}" for one in range(14, 20)), "m"]]


def test_a_constant_metric_is_a_point_in_the_middle() -> None:
    """All lines meet where nothing differs, and the tick says the value."""
    made = parallel(observed(grid(x=[1, 2], имя=["а", "б"]), {"m": [3.0] * 4}), "m")
    texts = [text.get_text() for text in made.draw().axes[0].texts]
    assert texts == ["1", "2", "а", "б", "3"]


@pytest.mark.parametrize(
    ("values", "options", "told"),
    [
        (("enrgy",), {}, "there is no metric `enrgy`.*`energy`"),
        (("energy", "time"), {"minimize": ["time"]}, "`time` is to be small, but the colours are those of `energy`"),
    ],
)
def test_what_does_not_fit_is_refused(values: tuple[str, ...], options: dict[str, Any], told: str) -> None:
    """Unknown names and what the figure has no place for are errors that name them."""
    with pytest.raises(ResultError, match=f"(?s){told}"):
        parallel(with_repeats(), *values, **options)


def test_numbers_too_far_apart_are_refused() -> None:
    """Where even the distance is no number, there is no axis to draw."""
    with pytest.raises(ResultError, match=r"`m` goes from -1e\+308 to 1e\+308, which is more than an axis can span"):
        parallel(observed({"x": [1, 2]}, {"m": [1e308, -1e308]}), "m")


def test_a_metric_of_seeds_alone_has_no_lines() -> None:
    """Where nothing but repeats is left, there is no axis beside the metric's."""
    with pytest.raises(ResultError, match="`m` on no axis: no parameter but repeats"):
        parallel(observed({"seed": [1, 2]}, {"m": [1.0, 2.0]}, repeats=["seed"]), "m")
