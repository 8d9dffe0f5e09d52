"""Lines: what they show is what was measured, and no more."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PolyCollection

from sciflow.analysis.observations import Observations
from sciflow.errors import ResultError
from sciflow.figures.kinds.line import LineNumbers, numbers
from sciflow.figures.numbers import Source
from sciflow.figures.picture import Picture
from sciflow.model.visualization import Visualization
from unit.figures.observed import grid, observed, on_drawn_points, with_failures, with_repeats

NAN = math.nan


def lines(observations: Observations, **wanted: Any) -> LineNumbers:
    """The numbers of lines of the first metric along the first parameter."""
    options = {"value": next(iter(observations.metrics)), "x_axis": next(iter(observations.parameters)), **wanted}
    return numbers(Source(observations), Visualization(type="line", **options))


def test_a_line_is_the_mean_at_each_level_with_the_interval_of_student() -> None:
    """Of 1, 2, 3 and of 4, 4, 10, the means are 2 and 6, and half the intervals 4.3027 s / √3."""
    values = observed(grid(x=[1, 2], seed=[1, 2, 3]), {"y": [1, 2, 3, 4, 4, 10]}, repeats=["seed"])

    made = lines(values)

    (line,) = made.panels[0].lines
    assert (line.x, line.mean.tolist(), line.count.tolist()) == ([1, 2], [2.0, 6.0], [3, 3])
    assert line.high - line.mean == pytest.approx([4.302653 * 1 / 3**0.5, 4.302653 * 12**0.5 / 3**0.5], rel=1e-6)
    assert made.notes == (
        "mean over seed (3 repeats)",
        "band: 95% confidence interval of the mean (Student's t)",
    )


def test_a_line_has_a_gap_where_a_value_is_missing() -> None:
    """No line is drawn from the level before a missing value to the one after, and a cross marks the place."""
    values = observed(grid(x=[1, 2, 4, 8]), {"y": [5.0, 6.0, 7.0, 8.0]}, states={2: "FAILED"})

    made = lines(values)
    (axes,) = Picture("line", made).draw().axes

    drawn, cross = axes.lines
    assert np.asarray(drawn.get_ydata()).tolist() == pytest.approx([5.0, 6.0, NAN, 8.0], nan_ok=True)
    assert np.asarray(cross.get_xdata()).tolist() == [4.0]
    assert made.panels[0].lines[0].why == ["", "", "FAILED", ""]
    assert made.notes == ("y: 1 of 4 have no value (1 FAILED)", "× at the axis: no value there")


def test_a_level_that_is_not_part_of_the_plan_of_a_series_is_no_gap() -> None:
    """Where a series was never planned at some levels, its line goes on, and nothing is said to be missing."""
    values = observed({"x": [1, 2, 3, 1, 3], "s": ["a", "a", "a", "b", "b"]}, {"y": [1.0, 2.0, 3.0, 4.0, 5.0]})

    made = lines(values, series="s")

    assert [line.x for line in made.panels[0].lines] == [[1, 2, 3], [1, 3]]
    assert made.notes == ()


def test_an_infinite_value_is_no_point_and_is_told() -> None:
    """The mean of what is finite is drawn, and how many values are infinite is said."""
    values = observed(grid(x=[1, 2], seed=[1, 2]), {"y": [1.0, math.inf, 3.0, 5.0]}, repeats=["seed"])

    made = lines(values, interval="none")

    assert made.panels[0].lines[0].mean.tolist() == [1.0, 4.0]
    assert made.notes == ("mean over seed (2 repeats)", "y: 1 of 4 is infinite")


@pytest.mark.parametrize(
    ("levels", "scale"),
    [
        ([1, 10, 100], "log"),
        ([8, 16, 32], "linear"),
        ([1, 2, 3], "linear"),
        ([0, 1, 10], "linear"),
        ([1, 10], "linear"),
        (["a", "b"], "category"),
    ],
)
def test_levels_that_span_decades_evenly_have_a_logarithmic_axis(levels: list[Any], scale: str) -> None:
    """Powers that span two decades are drawn on a logarithmic axis, which is told; a few doublings are not."""
    made = lines(observed(grid(x=levels), {"y": list(range(len(levels)))}))

    assert made.x.scale == scale
    assert ("logarithmic axis: x" in made.notes) == (scale == "log")


def test_a_mean_over_set_values_has_their_range_and_no_error() -> None:
    """Where a mean is over a factor, the band is the range of means over repeats, unless somebody asks otherwise."""
    values = observed(grid(x=[1], f=["a", "b"], seed=[1, 2]), {"y": [1.0, 3.0, 11.0, 13.0]}, repeats=["seed"])

    made = lines(values)
    asked = lines(values, interval="t")

    assert made.frame()[["mean", "low", "high"]].to_numpy().tolist() == [[7.0, 2.0, 12.0]]
    told = "band: smallest to largest mean over seed, no error of the mean"
    assert made.notes[1] == told
    assert asked.panels[0].lines[0].high[0] > 15
    assert asked.notes[1].endswith("which treats the values of f as if they were drawn at random")
    assert lines(values, confidence=0.9).notes[1].startswith("band: 90% confidence interval")


def test_a_mean_over_fewer_combinations_than_beside_it_is_told() -> None:
    """Where all values of a factor's level are missing, the mark is hollow and the note names the place."""
    values = observed(grid(x=[1, 2], f=["a", "b"]), {"y": [1.0, 3.0, 11.0, 13.0]}, states={3: "FAILED"})

    made = lines(values)

    assert made.panels[0].lines[0].lacks.tolist() == [False, True]
    told = "hollow: at x = 2 some values of f are missing, so the mean is over other combinations than beside it"
    assert told in made.notes


def test_a_scale_that_is_asked_for_is_taken() -> None:
    """Powers are drawn on a linear axis where that is asked for."""
    assert lines(with_repeats(), x_scale="linear").x.scale == "linear"


@pytest.mark.parametrize(
    ("columns", "wanted", "message"),
    [
        ({"x": [0, 1]}, {"x_scale": "log"}, "`x` is 0 somewhere"),
        ({"x": ["a", "b"]}, {"x_scale": "log"}, "are no numbers"),
        ({"x": [1, 2]}, {"value_scale": "log"}, "1 of 2 values of `y` are not above 0"),
        ({"x": [1, 2]}, {"x_axis": "z"}, "`z` is no parameter"),
        ({"x": [1, 2]}, {"value": "z"}, "no metric `z`"),
        ({"x": [1, 2]}, {"series": "y"}, "does not depend on `y`"),
    ],
)
def test_what_cannot_be_drawn_is_refused(columns: dict[str, Any], wanted: dict[str, Any], message: str) -> None:
    """A scale without a place for the values, and names that are not there, are refused in words."""
    values = observed(columns, {"y": [0.0, 2.0]})

    with pytest.raises(ResultError, match=message):
        lines(values, **wanted)


@pytest.mark.parametrize(("y", "message"), [([None, None], "no finite value"), (["a", "b"], "is no number: 'a'")])
def test_a_metric_without_numbers_is_refused(y: list[Any], message: str) -> None:
    """Where all values are missing, or are texts, there is no figure, and the reason is said."""
    with pytest.raises(ResultError, match=message):
        lines(observed(grid(x=[1, 2]), {"y": y}))


def test_many_values_of_a_drawn_parameter_are_put_into_bins() -> None:
    """Of 40 drawn points, each bin shows the mean of those that lie in it, and the note says so."""
    values = on_drawn_points()

    made = lines(values)

    (line,) = made.panels[0].lines
    size, energy = (values.frame[name].to_numpy() for name in ("size", "energy"))
    edges = np.array(made.x.edges)
    assert len(edges) == 13
    for place, mean, count in zip(line.x, line.mean, line.count, strict=True):
        number = made.x.levels.index(place)
        inside = (size >= edges[number]) & ((size < edges[number + 1]) | (number == 11))
        assert (count, mean) == (inside.sum(), pytest.approx(energy[inside].mean()))
    assert line.count.sum() == 40
    assert "size: put into 12 equally wide bins, each with all values from its lower edge on" in made.notes


def test_so_many_rows_stay_a_line_without_marks() -> None:
    """A thousand levels with a hundred values each are one line, which has no marks that would smear it."""
    values = observed(grid(x=range(1000), seed=range(100)), {"y": range(100_000)}, repeats=["seed"])

    made = lines(values)
    (axes,) = Picture("line", made).draw().axes

    assert made.panels[0].lines[0].mean[[0, -1]].tolist() == [49.5, 99_949.5]
    assert [line.get_marker() for line in axes.lines] == [""]
    assert len(axes.findobj(PolyCollection)) == 1


def test_series_that_cannot_be_told_apart_go_on_further_pages() -> None:
    """Of 16 categories at most 7 are on a page; a series has the same colour wherever it is."""
    names = [f"solver {number}" for number in range(16)]
    made = lines(observed(grid(x=[1, 2, 3], s=names), {"y": range(48)}), series="s")

    shown = [[line.label for line in made.on_page(page).panels[0].lines] for page in range(made.pages)]

    assert [len(one) for one in shown] == [7, 7, 2]
    assert [*itertools.chain(*shown)] == names


def test_many_series_of_numbers_have_colours_in_order() -> None:
    """Twenty numeric series are on one page, with a colour bar and no legend."""
    made = lines(observed(grid(x=[1, 2, 3], s=range(20)), {"y": range(60)}), series="s")
    figure = Picture("line", made).draw()

    assert (made.pages, made.is_ordered) == (1, True)
    assert len(figure.axes) == 2
    assert not figure.legends


def test_facets_share_their_scales_and_go_on_pages() -> None:
    """200 facets are on pages of 9, and each has the same limits as all of its page."""
    made = lines(observed(grid(x=[1, 2], f=range(200)), {"y": range(400)}), facet_by=["f"])
    figure = Picture("line", made).draw(22)

    assert made.pages == 23
    assert [axes.get_title() for axes in figure.axes] == ["f = 198", "f = 199"]
    assert len({axes.get_ylim() for axes in figure.axes}) == 1


def test_many_categories_go_on_further_pages() -> None:
    """Forty names along the axis are on three pages, each with as many."""
    names = [f"name {number}" for number in range(40)]
    made = lines(observed(grid(x=names), {"y": range(40)}))

    assert [len(made.on_page(page).x.levels) for page in range(made.pages)] == [13, 14, 13]
    assert [x for page in range(3) for x in made.on_page(page).panels[0].lines[0].x] == names


def test_a_constant_metric_is_said_to_be_one() -> None:
    """A level line is no mistake of the figure."""
    assert lines(observed(grid(x=[1, 2]), {"y": [3.0, 3.0]})).notes == ("y is 3 everywhere",)


def test_failed_combinations_keep_their_panel() -> None:
    """A facet without a value is a panel with crosses, not one that is left out."""
    values = observed(grid(f=[1, 2], x=[1, 2]), {"y": [1.0, 2.0, 3.0, 4.0]}, states={2: "FAILED", 3: "FAILED"})

    made = lines(values, x_axis="x", facet_by=["f"])

    assert [panel.label for panel in made.panels] == ["f = 1", "f = 2"]
    assert made.panels[1].lines[0].empty == [1, 2]


def test_the_table_has_a_row_for_each_point() -> None:
    """The numbers as a table say of how many values each point is, and of how many it should be."""
    table = lines(with_failures(), interval="none").frame()

    assert table["count"].tolist() == [5, 4, 4, 3]
    assert table["planned"].tolist() == [5, 5, 5, 5]
    assert list(table) == ["panel", "series", "x", "mean", "low", "high", "count", "planned"]


def test_series_in_bins_are_told_and_their_spread_is_no_error() -> None:
    """Set values that were put into bins are named in a note, and the band is the range of the values in a bin."""
    made = lines(observed(grid(x=[1, 2], g=list(range(100))), {"y": lambda x, g: x + g}), series="g")

    assert any(note.startswith("g: put into ") for note in made.notes)
    assert "band: smallest to largest value" in made.notes


def test_a_label_stands_at_panels_too() -> None:
    """What stands for a parameter at an axis stands for it above panels."""
    made = lines(with_repeats(), facet_by=["field"], labels={"field": "$B$ (T)"})

    assert [panel.label for panel in made.panels] == ["$B$ (T) = 0", "$B$ (T) = 0.5", "$B$ (T) = 1"]
