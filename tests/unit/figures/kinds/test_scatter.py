"""A scatter has a mark for each measurement, or counts them."""

from typing import Any

import numpy as np
import pytest

from sciflow.analysis.observations import Observations
from sciflow.errors import ResultError
from sciflow.figures.numbers import Source
from sciflow.figures.picture import Picture, picture
from sciflow.model.visualization import Visualization
from unit.figures.observed import grid, observed, with_categories, with_failures, with_repeats


def scatter(observations: Observations, value: str = "energy", x_axis: str = "field", **options: Any) -> Picture:
    """Return a scatter of observations."""
    wanted = Visualization(type="scatter", value=value, x_axis=x_axis, **options)
    return picture(Source(observations), wanted)


def test_each_measurement_is_a_point() -> None:
    """Points are the values themselves, also of repeats, in panels and series."""
    frame = scatter(with_repeats(), facet_by=["size"], series="seed").numbers.frame()
    assert len(frame) == 60
    here = frame[(frame["panel"] == "size = 16") & (frame["series"] == 2)]
    assert here["x"].tolist() == [0.0, 0.5, 1.0]
    assert here["y"].tolist() == pytest.approx([1.6 + 0.36 - 0.05, 1.6 + 0.01 - 0.05, 1.6 + 0.16 - 0.05])


def test_two_metrics_meet_at_their_parameters() -> None:
    """A metric against another one: pairs of the same combination, without those that miss one of both."""
    found = scatter(with_failures(), x_axis="time")
    frame = found.numbers.frame()
    assert len(frame) == 16
    assert frame["x"].iloc[0] == 32
    assert frame["y"].iloc[0] == pytest.approx(0.8 + 0.36)
    assert found.notes[0].startswith("time: 4 of 20 have no value")
    assert found.numbers.x.label == "time (s)"  # type: ignore[attr-defined]


def test_categories_stay_what_they_are() -> None:
    """Where x has names, the numbers have these, and the drawing moves equal points aside."""
    frame = scatter(with_categories(), x_axis="size").numbers.frame()
    assert frame["x"].tolist() == ["small", "small", "medium", "medium", "large", "large"]


def test_many_points_are_counted() -> None:
    """Many points become hexagons, whose counts add up to all of them, each where its points are."""
    drawn = np.random.default_rng(1)
    x, y = drawn.normal(size=20_000), drawn.exponential(size=20_000) + 0.1
    many = observed({"x": x.tolist()}, {"y": y.tolist()}, sampled=["x"])
    made = scatter(many, "y", "x", value_scale="log")
    frame = made.numbers.frame()
    assert list(frame) == ["panel", "x", "y", "count"]
    assert frame["count"].to_numpy().sum() == 20_000
    assert len(frame) < 2000
    assert made.notes == ("20,000 points, counted in hexagons", "logarithmic axis: y")
    assert np.average(frame["x"], weights=frame["count"]) == pytest.approx(x.mean(), abs=0.01)
    assert np.average(np.log(frame["y"]), weights=frame["count"]) == pytest.approx(np.log(y).mean(), abs=0.01)
    assert made.image()[:4] == b"\x89PNG"


def test_series_of_counted_points_are_panels() -> None:
    """A hexagon has one colour, so that series that would cover each other stand side by side."""
    many = observed({"k": [1, 2] * 3000, "x": np.arange(6000.0).tolist()}, {"y": np.arange(6000.0).tolist()})
    frame = scatter(many, "y", "x", series="k").numbers.frame()
    assert [frame["count"][frame["panel"] == one].sum() for one in ("k = 1", "k = 2")] == [3000, 3000]


def test_many_series_are_a_scale_or_pages() -> None:
    """Numbers that are more than colours become a scale, names become pages."""
    numbers = observed(grid(s=list(range(30)), x=[1, 2]), {"y": lambda s, x: s * x})
    assert scatter(numbers, "y", "x", series="s").numbers.series.span == (0, 29)  # type: ignore[attr-defined]
    names = observed(grid(s=[f"№ {one}" for one in range(30)], x=[1, 2]), {"y": lambda s, x: float(x) + len(s)})
    assert scatter(names, "y", "x", series="s").pages == 5


def test_200_panels_are_pages() -> None:
    """Many facets are pages of nine, not a smear."""
    many = observed(grid(f=list(range(200)), x=[1, 2]), {"y": lambda f, x: f * x})
    assert scatter(many, "y", "x", facet_by=["f"]).pages == 23


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"value": "enery"}, "there is no metric `enery`.*did you mean `energy`"),
        ({"x_axis": "feld"}, "`feld` is neither a parameter nor a metric.*`field`"),
        ({"x_axis": "energy"}, "`energy` is on both axes"),
        ({"series": "sizes"}, "`sizes` is no parameter.*did you mean `size`"),
        ({"facet_by": ["energy"]}, "`energy` is a metric, and no parameter"),
        ({"x_scale": "log"}, "`field` is 0 somewhere, which a logarithmic axis does not have"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], told: str) -> None:
    """Unknown names and what a scatter has no place for are errors that name them."""
    with pytest.raises(ResultError, match=f"(?s){told}"):
        scatter(with_repeats(), **options)


def test_categories_on_a_logarithmic_axis_or_too_many_are_refused() -> None:
    """Names have no logarithm, and thousands of points above one name are another kind of figure."""
    with pytest.raises(ResultError, match="`field` has no numbers, which a logarithmic axis needs"):
        scatter(with_categories(), x_scale="log")
    many = observed({"k": ["a", "b"] * 3000, "i": list(range(6000))}, {"y": [1.0] * 6000})
    with pytest.raises(ResultError, match=r"(?s)cannot show 6,000 points over the categories of `k`.*violin"):
        scatter(many, "y", "k")
