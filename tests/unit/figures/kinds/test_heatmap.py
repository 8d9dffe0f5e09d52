"""Heatmaps: each cell has the mean of its values, and what has none is seen to have none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PolyCollection, QuadMesh

from sciflow.analysis.observations import Observations
from sciflow.errors import ResultError
from sciflow.figures.kinds.heatmap import HeatmapNumbers, numbers
from sciflow.figures.numbers import Source
from sciflow.figures.picture import Picture
from sciflow.figures.style import Style
from sciflow.model.visualization import Visualization
from unit.figures.laid_out import unreadable
from unit.figures.observed import grid, observed, on_a_grid, sampled

NAN = math.nan


def heatmap(observations: Observations, **wanted: Any) -> HeatmapNumbers:
    """The numbers of a heatmap of the first metric over the first two parameters."""
    x, y = list(observations.parameters)[:2]
    options = {"value": next(iter(observations.metrics)), "x_axis": x, "y_axis": y, **wanted}
    return numbers(Source(observations), Visualization(type="heatmap", **options))


def test_a_cell_is_the_mean_of_its_values() -> None:
    """Rows are the levels of y, columns those of x; over what is on no axis the mean is taken, and that is said."""
    values = observed(grid(x=[1, 2], y=[10, 20, 30], z=["a", "b"]), {"m": range(12)})

    made = heatmap(values)

    assert made.panels[0].mean.tolist() == [[0.5, 6.5], [2.5, 8.5], [4.5, 10.5]]
    assert made.panels[0].count.tolist() == [[2, 2]] * 3
    assert made.notes == ("mean over z (2 values)",)


def test_what_has_no_value_is_hatched_and_says_why() -> None:
    """A failed cell has a cross, an infinite one its sign, one that is not planned is white; none has a colour."""
    columns = {"x": [1, 1, 1, 2, 2], "y": [1, 2, 3, 1, 2]}
    values = observed(columns, {"m": [1.0, None, math.inf, 4.0, None]}, states={1: "FAILED", 4: "PENDING"})

    made = heatmap(values)
    axes, _ = Picture("heatmap", made).draw().axes

    (cells,) = made.panels
    assert cells.mean.tolist() == pytest.approx(np.array([[1.0, 4.0], [NAN, NAN], [NAN, NAN]]), nan_ok=True)
    assert cells.why.tolist() == [["", ""], ["FAILED", "PENDING"], ["infinite", ""]]
    assert made.notes[-1] == "hatched: no value, ×: failed, ∞: infinite, white: not part of these results"
    (hatched,) = axes.findobj(PolyCollection)
    assert [tuple(path.vertices.mean(axis=0)[:2].round().tolist()) for path in hatched.get_paths()] == [  # pyright: ignore
        (0.0, 1.0),
        (1.0, 1.0),
        (0.0, 2.0),
    ]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines] == [(0, 1), (0, 2)]  # pyright: ignore
    (mesh,) = axes.findobj(QuadMesh)
    assert np.ma.getmaskarray(mesh.get_array()).sum() == 4  # pyright: ignore


def test_the_mean_of_a_part_of_the_values_is_marked() -> None:
    """Where one of two values failed, the other is shown, with a corner that says so."""
    values = observed(grid(x=[1], y=[1, 2], seed=[1, 2]), {"m": [1.0, 3.0, 5.0, 9.0]}, states={3: "TIMEOUT"})

    made = heatmap(values)

    assert made.panels[0].mean.tolist() == [[2.0], [5.0]]
    assert made.panels[0].partial.tolist() == [[False], [True]]
    assert made.notes[-1] == "corner: mean of a part of the values"


def test_numbers_stand_in_cells_that_have_room() -> None:
    """In few cells the means are written, dark on light and light on dark; in many they are not."""
    few = Picture("heatmap", heatmap(observed(grid(x=[1, 2], y=[1, 2]), {"m": [0.0, 1.0, 2.0, 12345.0]}))).draw()
    many = Picture("heatmap", heatmap(observed(grid(x=range(30), y=range(30)), {"m": range(900)}))).draw()

    written = {text.get_text(): text.get_color() for text in few.axes[0].texts}
    assert written == {"0": "white", "1": "white", "2": "white", "1.23e+04": "black"}
    assert not many.axes[0].texts


def test_facets_share_their_colours() -> None:
    """The limits of the colours are those of all panels, on all pages, and there is one colour bar."""
    values = observed(grid(f=range(12), x=[1, 2], y=[1, 2]), {"m": range(48)})

    made = heatmap(values, x_axis="x", y_axis="y", facet_by=["f"])

    assert made.pages == 2
    for page in range(2):
        figure = Picture("heatmap", made).draw(page)
        meshes = [mesh for axes in figure.axes[:-1] for mesh in axes.findobj(QuadMesh)]
        assert {(mesh.norm.vmin, mesh.norm.vmax) for mesh in meshes} == {(0.0, 47.0)}
        assert len(figure.axes) == (10 if page == 0 else 4)


def test_uneven_steps_are_drawn_side_by_side_and_that_is_said() -> None:
    """Cells are equally wide; where the steps of a parameter differ on any scale, a note says so."""
    uneven = heatmap(observed(grid(x=[1, 2, 10], y=[1, 2, 4]), {"m": range(9)}))

    assert uneven.notes == ("x: drawn side by side, though its steps differ",)


def test_drawn_points_are_put_into_bins() -> None:
    """Of 300 points there are 10 bins along each axis, and each cell has the mean of what lies in it."""
    columns = sampled(300, a=(0.0, 10.0), b=(0.0, 1.0))
    values = observed(columns, {"m": lambda a, b: a + b}, sampled=["a", "b"])

    made = heatmap(values)

    a, b = np.array(columns["a"]), np.array(columns["b"])
    assert made.x.edges == tuple(float(edge) for edge in range(11))
    inside = (a >= 3) & (a < 4) & (b >= 0.5) & (b < 0.6)
    assert made.panels[0].count[5, 3] == inside.sum() > 0
    assert made.panels[0].mean[5, 3] == pytest.approx((a + b)[inside].mean())
    assert made.panels[0].count.sum() == 300
    assert [note.partition(",")[0] for note in made.notes[:2]] == [
        "a: put into 10 equally wide bins",
        "b: put into 10 equally wide bins",
    ]


def test_a_large_grid_is_put_into_bins_and_many_names_go_on_pages() -> None:
    """A thousand numbers along an axis are at most 60 columns; forty names are on three pages."""
    names = [f"name {number}" for number in range(40)]
    made = heatmap(observed(grid(x=range(1000), y=names), {"m": range(40_000)}))

    assert made.panels[0].mean.shape[1] == 50
    assert [made.on_page(page).panels[0].mean.shape for page in range(made.pages)] == [(13, 50), (14, 50), (13, 50)]
    assert made.on_page(1).y.levels == tuple(names[13:27])
    assert made.on_page(1).panels[0].mean[0, 0] == made.panels[0].mean[13, 0]


def test_a_constant_metric_has_one_colour() -> None:
    """Where all values are the same there is a figure, and a note says which they are."""
    made = heatmap(observed(grid(x=[1, 2], y=[1, 2]), {"m": [3.0] * 4}))

    assert made.notes == ("m is 3 everywhere",)
    assert not unreadable(Picture("heatmap", made).draw())


def test_long_names_and_those_with_signs_of_formulas_stay_legible() -> None:
    """Names with dollars, lines below and per cent are drawn as they are, and long ones are shortened, not cut."""
    sizes = ["$5_^%", "a name that goes on and on without any end in sight", "50%", "x_1^2"]
    columns = {"a_long_name_of_a_parameter_$x_with_more_to_it": sizes * 2, "y_{%": ["a$"] * 4 + ["b$"] * 4}
    values = observed(columns, {"m": range(8)}, units={"m": "$/kWh^2"})

    figure = Picture("heatmap", heatmap(values)).draw(style=Style(width=3.4, font_size=8))

    assert not unreadable(figure)
    assert figure.axes[1].get_ylabel() == r"m (\$/kWh^2)"


def test_long_numbers_at_the_axis_leave_room_for_each_other() -> None:
    """Of levels whose texts are too wide to stand side by side, some have a text."""
    values = observed(grid(x=[100000, 200000, 300000, 400000], y=[1, 2]), {"m": range(8)}, units={"m": "J"})

    assert not unreadable(Picture("heatmap", heatmap(values)).draw(style=Style(width=3.4, font_size=8)))


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"y_axis": "fied"}, "`fied` is no parameter"),
        ({"value": "energi"}, "no metric `energi`"),
        ({"facet_by": ["time"]}, "does not depend on `time`"),
    ],
)
def test_what_is_not_there_is_refused(wanted: dict[str, Any], message: str) -> None:
    """Names that are not there, and parameters without an effect on the metric, are refused in words."""
    with pytest.raises(ResultError, match=message):
        heatmap(on_a_grid(), **wanted)


def test_the_table_has_a_row_for_each_cell() -> None:
    """The numbers as a table have the levels of both axes, and why a value is missing."""
    table = heatmap(observed(grid(x=[1, 2], y=["a"]), {"m": [1.0, 2.0]}, states={1: "FAILED"})).frame()

    assert table[["x", "y", "count", "planned", "why"]].to_numpy().tolist() == [
        [1, "a", 1, 1, ""],
        [2, "a", 0, 1, "FAILED"],
    ]
