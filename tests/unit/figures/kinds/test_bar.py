"""Bars: as high as the mean, with whiskers as long as the interval, and none where no value is."""

from __future__ import annotations

from typing import Any, cast

import pytest
from matplotlib.container import BarContainer

from sciflow.analysis.observations import Observations
from sciflow.figures.kinds.bar import numbers
from sciflow.figures.kinds.line import LineNumbers
from sciflow.figures.numbers import Source
from sciflow.figures.picture import Picture
from sciflow.model.visualization import Visualization
from unit.figures.observed import grid, observed, on_drawn_points


def bars(observations: Observations, **wanted: Any) -> LineNumbers:
    """The numbers of bars of the first metric along the first parameter."""
    options = {"value": next(iter(observations.metrics)), "x_axis": next(iter(observations.parameters)), **wanted}
    return numbers(Source(observations), Visualization(type="bar", **options))


def drawn(made: LineNumbers, page: int = 0) -> list[tuple[float, float]]:
    """Where the middle of each bar stands, and how high it is."""
    axes = Picture("bar", made).draw(page).axes[0]
    containers = [cast(BarContainer, one) for one in axes.containers if isinstance(one, BarContainer)]
    return [(round(bar.get_x() + bar.get_width() / 2, 3), bar.get_height()) for one in containers for bar in one]


def test_a_bar_is_as_high_as_the_mean_and_stands_at_its_level() -> None:
    """Means of two repeats are 2 and 6; the interval is 12.706 s / √2 on either side."""
    made = bars(observed(grid(x=[1, 2], seed=[1, 2]), {"y": [1.0, 3.0, 4.0, 8.0]}, repeats=["seed"]))

    assert drawn(made) == [(0.0, 2.0), (1.0, 6.0)]
    (line,) = made.panels[0].lines
    assert line.high - line.mean == pytest.approx([12.7062 * 2**0.5 / 2**0.5, 12.7062 * 8**0.5 / 2**0.5], rel=1e-5)
    assert made.notes[1] == "whiskers: 95% confidence interval of the mean (Student's t)"


def test_the_bars_of_series_stand_beside_each_other() -> None:
    """Two series share the place of a level, the first to the left; what failed has no bar, and a cross."""
    values = observed(grid(x=["a", "b"], s=["on", "off"]), {"y": [1.0, 2.0, 3.0, 4.0]}, states={2: "FAILED"})

    made = bars(values, series="s")

    assert drawn(made) == [(-0.2, 1.0), (0.2, 2.0), (1.2, 4.0)]
    (cross,) = [line for line in Picture("bar", made).draw().axes[0].lines if line.get_marker() == "x"]
    assert list(cross.get_xdata()) == pytest.approx([0.8])  # pyright: ignore[reportArgumentType]


def test_a_logarithmic_scale_has_points_since_bars_would_begin_nowhere() -> None:
    """There is no bar on a logarithmic scale, but a point at each mean, and a note says why."""
    made = bars(observed(grid(x=[1, 2]), {"y": [10.0, 1000.0]}), value_scale="log")
    axes = Picture("bar", made).draw().axes[0]

    assert not axes.containers
    assert [list(line.get_ydata()) for line in axes.lines] == [[10.0, 1000.0]]  # pyright: ignore[reportArgumentType]
    said = "points and no bars: a logarithmic scale has no 0 at which a bar could begin"
    assert made.notes == ("logarithmic axis: y", said)


def test_uneven_steps_are_drawn_side_by_side_and_that_is_said() -> None:
    """Numbers stand beside each other; where their steps differ, a note says so."""
    assert bars(observed(grid(x=[1, 2, 10]), {"y": [1, 2, 3]})).notes == (
        "x: drawn side by side, though its steps differ",
    )


def test_many_numbers_are_put_into_bins() -> None:
    """Of 40 drawn values there are not more than 13 bars, each the mean of its bin."""
    values = on_drawn_points()

    made = bars(values)

    (line,) = made.panels[0].lines
    assert len(made.x.levels) == 12
    assert made.x.texts[0] == "5–10"
    inside = values.frame[values.frame["size"] < 10]["energy"]
    assert (line.count[0], line.mean[0]) == (len(inside), pytest.approx(inside.mean()))


def test_series_that_cannot_be_told_apart_go_on_further_pages() -> None:
    """Of ten series seven are on the first page and three on the second, where bars are as much wider."""
    made = bars(observed(grid(x=[1], s=[f"s{number}" for number in range(10)]), {"y": range(10)}), series="s")

    assert [[height for _, height in drawn(made, page)] for page in range(made.pages)] == [[*range(7)], [7, 8, 9]]
