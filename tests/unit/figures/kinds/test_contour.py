"""Contours: bands over a grid or over drawn points, and none where nothing was measured."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from sciflow.analysis.observations import Observations
from sciflow.errors import ResultError
from sciflow.figures.kinds.contour import MOST_POINTS, ContourNumbers, numbers
from sciflow.figures.numbers import Source
from sciflow.figures.picture import Picture
from sciflow.model.visualization import Visualization
from unit.figures.observed import grid, observed, sampled


def contour(observations: Observations, **wanted: Any) -> ContourNumbers:
    """The numbers of contours of the first metric over the first two parameters."""
    x, y = list(observations.parameters)[:2]
    options = {"value": next(iter(observations.metrics)), "x_axis": x, "y_axis": y, **wanted}
    return numbers(Source(observations), Visualization(type="contour", **options))


def test_a_grid_has_the_mean_at_each_point() -> None:
    """Over what is on no axis the mean is taken, and the bands have round limits around all means."""
    made = contour(observed(grid(x=[1, 2, 3], y=[0, 5], seed=[1, 2]), {"m": range(12)}, repeats=["seed"]))

    (surface,) = made.panels
    assert surface.triangles is None
    assert list(zip(surface.x, surface.y, surface.mean, surface.count, strict=True)) == [
        (1.0, 0.0, 0.5, 2),
        (1.0, 5.0, 2.5, 2),
        (2.0, 0.0, 4.5, 2),
        (2.0, 5.0, 6.5, 2),
        (3.0, 0.0, 8.5, 2),
        (3.0, 5.0, 10.5, 2),
    ]
    assert made.levels == (0.0, 1.5, 3.0, 4.5, 6.0, 7.5, 9.0, 10.5)
    assert made.notes == ("mean over seed (2 repeats)", "dots: measured, between them interpolated")


def test_no_band_reaches_over_a_point_of_a_grid_without_a_value() -> None:
    """Beside a failed corner there is no band; a cross is where it failed."""
    made = contour(observed(grid(x=[1, 2, 3], y=[1, 2, 3]), {"m": range(9)}, states={8: "FAILED"}))
    axes = Picture("contour", made).draw().axes[0]

    filled = axes.collections[0]
    inside = [path.contains_point((2.8, 2.8)) for path in filled.get_paths()]
    assert not any(inside)
    assert any(path.contains_point((1.5, 1.5)) for path in filled.get_paths())
    (cross,) = [line for line in axes.lines if line.get_marker() == "x"]
    assert (np.asarray(cross.get_xdata()).tolist(), np.asarray(cross.get_ydata()).tolist()) == ([3.0], [3.0])
    assert "m: 1 of 9 have no value (1 FAILED)" in made.notes


def test_drawn_points_are_joined_to_triangles_between_those_with_values() -> None:
    """Four corners and a middle make four triangles; a point that failed is in none."""
    columns = {"x": [0.0, 1.0, 0.0, 1.0, 0.5, 0.7], "y": [0.0, 0.0, 1.0, 1.0, 0.5, 0.4]}
    values = observed(columns, {"m": [0.0, 1.0, 2.0, 3.0, 1.5, 9.0]}, states={5: "FAILED"}, sampled=["x", "y"])

    made = contour(values)

    (surface,) = made.panels
    assert surface.triangles is not None
    middle = 2  # of the points in the order of x: (0, 0), (0, 1), (0.5, 0.5), (0.7, 0.4), (1, 0), (1, 1)
    assert len(surface.triangles) == 4
    assert all(middle in triangle for triangle in surface.triangles.tolist())
    assert not (surface.triangles == 3).any()
    assert surface.mean.tolist() == pytest.approx([0.0, 2.0, 1.5, math.nan, 1.0, 3.0], nan_ok=True)


def test_a_logarithmic_scale_of_values_has_bands_of_equal_ratios() -> None:
    """From 1 to 256 there are eight bands, each from one power of two to the next."""
    made = contour(observed(grid(x=[1, 2], y=[1, 2]), {"m": [1.0, 256.0, 16.0, 4.0]}), value_scale="log")

    assert made.levels == pytest.approx([2.0**power for power in range(9)])


def test_very_many_drawn_points_are_put_into_bins() -> None:
    """20,000 points are joined as the means of bins, of which there are not more than can be joined quickly."""
    columns = sampled(20_000, x=(0.0, 10.0), y=(0.0, 10.0))
    made = contour(observed(columns, {"m": lambda x, **_: 2 * x}, sampled=["x", "y"]))

    (surface,) = made.panels
    assert surface.count.sum() == 20_000
    assert len(surface.x) <= MOST_POINTS
    assert np.abs(surface.mean - 2 * surface.x).max() < 0.2
    assert made.notes[0].startswith("x: put into 40 equally wide bins, ")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"x": [1, 2, 3], "y": [2, 4, 6]}, "at least three points that are not on one line"),
        ({"x": [1, 2], "y": [5, 5]}, "at least two values of `y`, which is 5 everywhere"),
        ({"x": ["a", "b"], "y": [1, 2]}, "needs numbers at its axes, and `x` is 'a'"),
        ({"x": [True, False], "y": [1, 2]}, "needs numbers at its axes, and `x` is True"),
        ({"x": [1, 2, None], "y": [1, 2, 3]}, "needs numbers at its axes, and `x` is None"),
    ],
)
def test_what_makes_no_surface_is_refused(columns: dict[str, list[Any]], message: str) -> None:
    """Names at an axis, and points that lie on a line, are refused in words."""
    with pytest.raises(ResultError, match=message):
        contour(observed(columns, {"m": range(len(columns["x"]))}))


def test_a_constant_metric_is_one_band() -> None:
    """Where all values are the same there is a figure, without a warning that it has no lines."""
    made = contour(observed(grid(x=[1, 2], y=[1, 2]), {"m": [3.0] * 4}))

    assert made.notes[0] == "m is 3 everywhere"
    assert len(Picture("contour", made).draw().axes[0].collections) == 1
