"""Boxes and violins: what they show of the spread of values, and that few values are points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.patches import PathPatch

from sciflow.analysis.observations import Observations
from sciflow.errors import ResultError
from sciflow.figures.kinds.box import MOST_OUTSIDE, SpreadNumbers, numbers
from sciflow.figures.numbers import Source
from sciflow.figures.picture import Picture
from sciflow.model.visualization import Kind, Visualization
from unit.figures.observed import grid, observed

SEEDS = range(1, 11)


def spreads(observations: Observations, kind: Kind = "box", **wanted: Any) -> SpreadNumbers:
    """The numbers of boxes or violins of the first metric along the first parameter."""
    options = {"value": next(iter(observations.metrics)), "x_axis": next(iter(observations.parameters)), **wanted}
    return numbers(Source(observations), Visualization(type=kind, **options))


def repeated(values: list[float], **other: Any) -> Observations:
    """One level with these values, each of another seed."""
    return observed(grid(x=["a"], seed=range(len(values))), {"y": values}, repeats=["seed"], **other)


def test_a_box_has_the_quartiles_and_whiskers_to_the_last_value_within_one_and_a_half_boxes() -> None:
    """Of 1 to 9 and 30 the quartiles are 3.25, 5.5 and 7.75, the whiskers 1 and 9, and 30 is beyond them."""
    made = spreads(repeated([9, 8, 7, 30, 6, 5, 4, 3, 2, 1]))

    (box,) = made.panels[0].spreads
    assert (box.shape, box.quartiles, box.whiskers) == ("box", (3.25, 5.5, 7.75), (1.0, 9.0))
    assert box.outside.tolist() == [30.0]
    assert made.frame().iloc[0].tolist() == ["", "", "a", "box", 10, 10, 3.25, 5.5, 7.75, 1.0, 9.0, 1]
    assert made.notes == (
        "the values of one place differ in seed (10 repeats)",
        "box: quartiles, whiskers: to 1.5 of its height; 10 values each",
    )
    (drawn,) = Picture("box", made).draw().axes[0].findobj(PathPatch)[:1]
    assert (drawn.get_path().vertices[:, 1].min(), drawn.get_path().vertices[:, 1].max()) == (3.25, 7.75)  # pyright: ignore


@pytest.mark.parametrize(("kind", "count", "shape"), [("box", 4, "points"), ("box", 5, "box"), ("violin", 9, "points")])
def test_few_values_are_points(kind: Kind, count: int, shape: str) -> None:
    """A box has at least five values, a violin ten; fewer are drawn as what they are, and a note says so."""
    made = spreads(repeated([float(number) for number in range(count)]), kind)
    axes = Picture(kind, made).draw().axes[0]

    assert made.panels[0].spreads[0].shape == shape
    if shape == "points":
        assert sorted(axes.lines[0].get_ydata()) == list(range(count))  # pyright: ignore
        assert f"points: fewer than {5 if kind == 'box' else 10} values; {count} values each" in made.notes


def test_a_violin_has_its_values_ends_and_is_widest_where_they_are_densest() -> None:
    """The outline ends at the smallest and the largest value, and is widest in the middle of a bell."""
    values = np.random.default_rng(1).normal(5.0, 1.0, 500)
    made = spreads(repeated(values.tolist()), "violin")

    (violin,) = made.panels[0].spreads
    at, density = violin.outline()
    assert (violin.shape, at[0], at[-1]) == ("violin", values.min(), values.max())
    assert at[density.argmax()] == pytest.approx(5.0, abs=0.3)
    assert density.max() == pytest.approx(1 / np.sqrt(2 * np.pi), rel=0.15)
    assert len(Picture("violin", made).draw().axes[0].findobj(PolyCollection)) == 1


def test_equal_values_are_no_violin() -> None:
    """Values that are all the same have no density: they are points, and a note says that they are the same."""
    made = spreads(repeated([2.0] * 12), "violin")

    assert made.panels[0].spreads[0].shape == "points"
    assert "y is 2 everywhere" in made.notes


def test_what_failed_is_missing_from_its_box_and_told() -> None:
    """A level of which all failed has a cross, one of which some failed a box of the others."""
    values = observed(
        grid(x=[1, 2], seed=SEEDS), {"y": range(20)}, repeats=["seed"], states=dict.fromkeys(range(8, 20), "FAILED")
    )

    made = spreads(values)

    whole, none = made.panels[0].spreads
    assert (whole.values.tolist(), whole.planned, len(none.values)) == ([*range(8)], 10, 0)
    (cross,) = [line for line in Picture("box", made).draw().axes[0].lines if line.get_marker() == "x"]
    assert list(cross.get_xdata()) == [1.0]  # pyright: ignore[reportArgumentType]
    assert made.notes[2:] == ("y: 12 of 20 have no value (12 FAILED)", "× at the axis: no value there")


def test_very_many_values_do_not_smear() -> None:
    """Of 20,000 values the few furthest beyond the whiskers are drawn, and the table counts them all."""
    values = np.random.default_rng(2).normal(size=20_000)
    made = spreads(repeated(values.tolist()))

    (box,) = made.panels[0].spreads
    low, high = np.percentile(values, [25, 75])
    beyond = (values < low - 1.5 * (high - low)) | (values > high + 1.5 * (high - low))
    assert made.frame()["outside"].tolist() == [beyond.sum()]
    fliers = [line for line in Picture("box", made).draw().axes[0].lines if len(line.get_xdata()) > 2]  # pyright: ignore
    assert [len(line.get_xdata()) for line in fliers] == [MOST_OUTSIDE]  # pyright: ignore
    assert max(fliers[0].get_ydata()) == values.max() == box.values[-1]  # pyright: ignore


def test_series_stand_beside_each_other_and_go_on_pages() -> None:
    """Of nine series seven are on the first page and two on the second."""
    values = observed(grid(x=[1], s=[f"s{number}" for number in range(9)], seed=range(5)), {"y": range(45)})

    made = spreads(values, series="s")

    assert [[text for _, text in made.on_page(page).series] for page in range(made.pages)] == [
        [f"s{number}" for number in range(7)],
        ["s7", "s8"],
    ]


def test_a_logarithmic_scale_is_refused_for_values_that_have_no_place_on_it() -> None:
    """Not the medians alone, but all values have to be above 0."""
    with pytest.raises(ResultError, match="1 of 6 values of `y` are not above 0"):
        spreads(repeated([1.0, 2.0, 3.0, 4.0, 5.0, -1.0]), value_scale="log")


@pytest.mark.parametrize("kind", ["box", "violin"])
def test_series_are_told_apart_in_grey(kind: Kind) -> None:
    """Each has a hatch of its own, which the legend shows."""
    columns = grid(x=[1], a=["p", "q", "r"], seed=list(range(10)))
    many = observed(columns, {"y": lambda seed, **_: float(seed)}, repeats=["seed"])
    made = spreads(many, kind, series="a")
    (legend,) = Picture(kind, made).draw().legends
    assert len({patch.get_hatch() for patch in legend.get_patches()}) == 3
