"""Designs for sensitivity analysis."""

from __future__ import annotations

import pytest

from sciflow.errors import WorkflowError
from sciflow.model.parameters import ParameterSpace
from sciflow.model.sampling import Distribution, SampleDesign, draw, drawn_points, read_design

UNIFORM = Distribution("uniform", (0.0, 1.0))


@pytest.mark.parametrize(
    ("design", "count"),
    [
        (SampleDesign("saltelli", 8, 1), 8 * (2 * 3 + 2)),
        (SampleDesign("saltelli", 8, 1, second_order=False), 8 * (3 + 2)),
        (SampleDesign("morris", 5, 1), 5 * (3 + 1)),
        (SampleDesign("morris", 5, 1, levels=8), 5 * (3 + 1)),
    ],
)
def test_a_design_has_as_many_points_as_it_says(design: SampleDesign, count: int) -> None:
    """The note says how the number comes about, and the same seed gives the same points."""
    columns, notes = drawn_points([UNIFORM] * 3, design)
    assert len(columns[0]) == design.points(3) == count
    assert f"= {count} points" in notes[0]
    assert drawn_points([UNIFORM] * 3, design)[0] == columns
    assert drawn_points([UNIFORM] * 3, SampleDesign(design.method, design.count, 2, design.second_order))[0] != columns


def test_a_trajectory_changes_one_parameter_at_a_time() -> None:
    """By half of the grid's levels."""
    columns, _ = drawn_points([UNIFORM] * 3, SampleDesign("morris", 6, 0))
    points = list(zip(*columns, strict=True))
    for first in range(0, len(points), 4):
        for before, after in zip(points[first : first + 3], points[first + 1 : first + 4], strict=True):
            changed = [abs(a - b) for a, b in zip(before, after, strict=True) if a != b]
            assert changed == pytest.approx([2 / 3])


def test_points_that_repeat_run_once() -> None:
    """A choice of two leaves few different points, and the space has each of them once."""
    distributions = [UNIFORM, Distribution("choice", ("a", "b"))]
    design = SampleDesign("saltelli", 4, 0)
    columns, notes = draw(distributions, design)
    everything = list(zip(*drawn_points(distributions, design)[0], strict=True))
    assert list(zip(*columns, strict=True)) == list(dict.fromkeys(everything))
    assert len(columns[0]) < len(everything) == 24
    assert f"{24 - len(columns[0])} of 24 points repeat others: each runs once" in notes[-1]


def test_designs_are_written_as_they_are_read() -> None:
    """With their options; those of other methods have none."""
    for written in (
        {"method": "saltelli", "count": 8, "seed": 3, "second_order": False},
        {"method": "morris", "count": 8, "seed": 3, "levels": 6},
        {"method": "lhs", "count": 8, "seed": 3},
    ):
        assert read_design(written, "parameters").to_document() == written


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ({"method": "saltelli", "count": 8, "levels": 4}, "`saltelli` has no `levels`"),
        ({"method": "lhs", "count": 8, "second_order": True}, "`lhs` has no `second_order`"),
        ({"method": "saltelli", "count": 8, "second_order": 1}, "`second_order` is 1"),
        ({"method": "morris", "count": 1}, "`count` is 1"),
        ({"method": "morris", "count": 4, "levels": 5}, "`levels` is 5"),
    ],
)
def test_what_is_no_such_design(written: dict, reason: str) -> None:
    """The message says which part is wrong."""
    with pytest.raises(WorkflowError) as caught:
        read_design(written, "parameters")
    assert reason in caught.value.message


def test_too_many_points_are_refused_before_they_are_drawn() -> None:
    """The message says how many there would be."""
    with pytest.raises(WorkflowError, match=r"9000000 base points × \(2 × 3 axes \+ 2\) = 72000000 points, more than"):
        draw([UNIFORM] * 3, SampleDesign("saltelli", 9_000_000, 0))


def test_a_space_tells_how_many_points_its_design_needs() -> None:
    """The note is part of every plan, also where base points are no power of two."""
    axes = {"a": {"uniform": [0, 1]}, "b": {"loguniform": [0.1, 10]}, "seed": {"repeat": 2}}
    space = ParameterSpace.from_document(axes, sample={"method": "saltelli", "count": 6})
    # Of two axes each mixed point comes twice: with the first of it from the one point, or the second from the other.
    assert len(space) == 2 * 6 * 4
    assert space.notes[0] == "`saltelli`: 6 base points × (2 × 2 axes + 2) = 36 points"
    assert "power of 2" in space.notes[1]
    assert "12 of 36 points repeat others" in space.notes[2]
