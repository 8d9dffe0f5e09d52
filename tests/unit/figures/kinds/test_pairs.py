"""Pairs are a matrix of small scatters."""

from typing import Any

import numpy as np
import pytest

from sciflow.analysis.observations import Observations
from sciflow.errors import ResultError
from sciflow.figures.kinds.pairs import PairsNumbers
from sciflow.figures.numbers import Source
from sciflow.figures.picture import Picture, picture
from sciflow.model.visualization import Visualization
from unit.figures.observed import grid, observed, on_a_grid, with_categories, with_failures, with_repeats


def pairs(observations: Observations, **options: Any) -> Picture:
    """Return pairs of observations."""
    return picture(Source(observations), Visualization(type="pairs", **options))


def cell(made: Picture, x: str, y: str) -> list[tuple[Any, float]]:
    """Return the points of one cell."""
    frame = made.numbers.frame()
    rows = frame[(frame["x_name"] == x) & (frame["y_name"] == y)]
    return list(zip(rows["x"].tolist(), rows["y"].tolist(), strict=True))


def test_metrics_stand_against_what_varies_and_against_each_other() -> None:
    """Columns are the parameters that vary, without repeats, and the metrics; rows are the metrics."""
    made = pairs(with_repeats())
    assert isinstance(made.numbers, PairsNumbers)
    assert [side.name for side in made.numbers.columns] == ["size", "field", "energy", "time"]
    assert [side.name for side in made.numbers.rows] == ["energy", "time"]
    assert len(cell(made, "size", "time")) == 60
    assert cell(made, "energy", "time")[0] == pytest.approx((0.8 + 0.36 + 0.05, 32 * 1.05))


def test_each_pair_has_the_points_that_both_have() -> None:
    """A metric that is missing somewhere takes nothing from pairs of others."""
    known = observed({"x": [1, 2, 3]}, {"a": [1.0, None, 3.0], "b": [4.0, 5.0, 6.0], "c": ["u", "v", "w"]})
    made = pairs(known)
    assert cell(made, "x", "a") == [(1, 1), (3, 3)]
    assert cell(made, "x", "b") == [(1, 4), (2, 5), (3, 6)]
    assert cell(made, "a", "b") == [(1, 4), (3, 6)]
    assert made.notes[0] == "left out, without numbers: c"
    assert pairs(with_failures()).notes[0] == "energy: 4 of 20 have no value (2 FAILED, 1 TIMEOUT, 1 PENDING)"


def test_metrics_of_tasks_that_share_nothing_have_an_empty_cell() -> None:
    """Their values cannot be paired, and it is said why."""
    known = observed(
        grid(a=[1, 2], b=[3, 4]), {"m": lambda a, b: a, "n": lambda a, b: b}, depends={"m": ["a"], "n": ["b"]}
    )
    made = pairs(known)
    assert cell(made, "m", "n") == []
    assert cell(made, "a", "m") == [(1, 1), (2, 2)]
    assert any("shares no parameter" in note for note in made.notes)
    assert len(made.draw().axes) == 8


def test_many_columns_are_pages_and_many_points_are_counted() -> None:
    """At most four by four small scatters are on a page, and thousands of points are hexagons."""
    drawn = np.random.default_rng(0).normal(size=(9, 2000)).tolist()
    known = observed({f"p{number}": drawn[number] for number in range(8)}, {"m": drawn[8]}, sampled=["p0"])
    made = pairs(known)
    assert made.pages == 3
    frame = made.numbers.frame()
    counts = frame["count"].to_numpy()[(frame["x_name"] == "p3").to_numpy()]
    assert counts.sum() == 2000
    assert len(counts) < 500
    assert len(made.draw(2).axes) == 4  # with what says the colours


def test_series_tell_points_apart() -> None:
    """A parameter that gives the colours is no column besides."""
    made = pairs(with_categories(), series="size", values=("time",))
    assert isinstance(made.numbers, PairsNumbers)
    assert [side.name for side in made.numbers.columns] == ["field", "time"]
    assert made.numbers.series.levels == ("small", "medium", "large")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"values": ("tme",)}, "there is no metric `tme`.*did you mean `time`"),
        ({"series": "sise"}, "`sise` is no parameter.*did you mean `size`"),
    ],
)
def test_unknown_names_are_refused(options: dict[str, Any], told: str) -> None:
    """The nearest name is offered."""
    with pytest.raises(ResultError, match=f"(?s){told}"):
        pairs(on_a_grid(), **options)


def test_where_there_are_no_pairs_it_is_said() -> None:
    """One metric alone, texts alone, and values that are all missing are no matrix."""
    with pytest.raises(ResultError, match="`m` is the only metric, and no parameter of it varies"):
        pairs(observed({"x": [1]}, {"m": [1.0]}))
    with pytest.raises(ResultError, match="no metric has a finite number"):
        pairs(observed({"x": [1, 2]}, {"m": ["a", "b"]}))
    with pytest.raises(ResultError, match="`m` has no finite value: 2 of 2 are infinite"):
        pairs(observed({"x": [1, 2]}, {"m": [np.inf, -np.inf]}), values=("m",))
