"""A Pareto figure shows the front as a staircase, and how sure it is."""

from typing import Any

import pytest

from sciflow.analysis.observations import Observations
from sciflow.errors import ResultError
from sciflow.figures.kinds.pareto import ParetoNumbers
from sciflow.figures.numbers import Source
from sciflow.figures.picture import Picture, picture
from sciflow.model.visualization import Visualization
from unit.figures.observed import DATA, grid, observed, with_categories


def pareto(observations: Observations, values: tuple[str, ...] = ("energy", "time"), **options: Any) -> Picture:
    """Return a Pareto figure of observations."""
    return picture(Source(observations), Visualization(type="pareto", values=values, **options))


def shown(made: Picture) -> ParetoNumbers:
    """Return the numbers of a Pareto figure."""
    assert isinstance(made.numbers, ParetoNumbers)
    return made.numbers


def four() -> Observations:
    """Return four points, of which the third is dominated where both are to be small."""
    return observed({"k": [1, 2, 3, 4]}, {"a": [1.0, 2.0, 3.0, 4.0], "b": [9.0, 5.0, 7.0, 1.0], "c": [0.0, 0, 5, 0]})


@pytest.mark.parametrize(
    ("small", "members", "stairs"),
    [
        (["a", "b"], [1, 2, 4], [(1, 9), (2, 9), (2, 5), (4, 5), (4, 1)]),
        ([], [1, 3, 4], [(1, 9), (1, 7), (3, 7), (3, 1), (4, 1)]),
        (["b"], [4], [(4, 1)]),
        (["a"], [1], [(1, 9)]),
    ],
)
def test_the_staircase_bounds_what_is_dominated(
    small: list[str], members: list[int], stairs: list[tuple[float, float]]
) -> None:
    """Its corners lie on the side of what is worse, whichever way each metric is to go."""
    numbers = shown(pareto(four(), ("a", "b"), minimize=small))
    frame = numbers.frame()
    assert frame["k"][frame["on_front"]].tolist() == members
    assert list(zip(*(side.tolist() for side in numbers.stairs()), strict=True)) == stairs


def test_labels_say_what_is_better() -> None:
    """Nobody has to guess which corner is the good one; metrics are to be large where nothing is said."""
    numbers = shown(pareto(DATA["grid"](), minimize=["time"]))
    assert [side.label for side in numbers.sides] == ["energy (J), larger is better", "time (s), smaller is better"]


def test_three_metrics_are_pairs() -> None:
    """A point that only the third metric brings onto the front is on it in every pair."""
    made = pareto(four(), ("a", "b", "c"), minimize=["a", "b"])
    assert shown(made).pairs == [(0, 1), (0, 2), (1, 2)]
    assert made.numbers.frame()["on_front"].tolist() == [True] * 4
    assert len(made.draw().axes) == 3


def test_repeats_say_what_is_uncertain() -> None:
    """A point whose intervals reach those of the front is neither on it nor surely behind it."""
    columns = grid(k=[1, 2, 3], seed=[1, 2, 3])
    a = [1.0, 1.1, 0.9, 2.0, 2.1, 1.9, 2.05, 2.15, 1.95]
    b = [5.0, 5.1, 4.9, 1.0, 1.1, 0.9, 1.01, 1.12, 0.91]
    made = pareto(observed(columns, {"a": a, "b": b}, repeats=["seed"]), ("a", "b"), minimize=["a", "b"])
    frame = made.numbers.frame()
    assert frame["on_front"].tolist() == [True, True, False]
    assert frame["certain"].tolist() == [True, False, False]
    assert made.image()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"values": ("energy", "tim")}, "there is no metric `tim`.*`time`"),
        ({"values": ("energy", "size")}, "`size` is a parameter, and no metric"),
        ({"values": ("energy", "solve.energy")}, "`energy` is an objective twice"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], told: str) -> None:
    """Unknown names, contradictions and what the figure has no place for are errors that name them."""
    with pytest.raises(ResultError, match=f"(?s){told}"):
        pareto(with_categories(), **options)


def test_scales_of_more_than_two_metrics_are_refused() -> None:
    """In a matrix of pairs no metric is the one at x."""
    with pytest.raises(ResultError, match="3 metrics are shown in pairs, so that `x_scale`"):
        pareto(four(), ("a", "b", "c"), x_scale="log")


def test_zero_has_no_place_on_a_logarithmic_axis() -> None:
    """It is said, and no point vanishes."""
    with pytest.raises(ResultError, match="`c` is 0 somewhere, which a logarithmic axis does not have"):
        pareto(four(), ("a", "c"), y_scale="log")
