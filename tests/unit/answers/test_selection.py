"""What observations answer, whether of a run or of a part of one."""

from __future__ import annotations

import pytest

from sciflow.answers.selection import Selection
from sciflow.errors import ResultError
from unit.figures.observed import with_failures, with_repeats


def test_a_selection_answers_like_the_whole() -> None:
    """It can be chosen from again, says what it is, and leaves what it comes from as it was."""
    whole = Selection(with_failures())
    part = whole.select(size=64).select("field > 0.4")
    assert repr(whole) == "<Selection of 20250101-000000-aa: 16 of 20 combinations completed>"
    assert repr(part) == "<Selection of 20250101-000000-aa: 1 of 3 combinations completed>"
    assert part.observations.parameters["field"].levels == (0.5, 0.75, 1.0)
    assert (len(whole), len(part)) == (20, 3)
    assert (part.parameters, part.metrics) == (["size", "field"], ["energy", "time"])
    assert list(part.to_dataframe()) == ["size", "field", "energy", "time", "state"]


def test_groups_come_with_their_values() -> None:
    """By one parameter or several, each part a selection."""
    whole = Selection(with_failures())
    assert [(values, len(part.observations)) for values, part in whole.group("size")] == [
        ({"size": size}, 5) for size in (8, 16, 32, 64)
    ]
    assert len(whole.group(["size", "field"])) == 20


def test_repeats_can_be_told() -> None:
    """Seeds that were given as a plain list repeat from then on; no others do."""
    whole = Selection(with_repeats())
    assert whole.observations.sample("energy").repeats == ["seed"]
    assert [one.name for one in whole.with_repeats().observations.sample("energy").factors] == ["size", "field", "seed"]
    assert whole.with_repeats("field").observations.sample("energy").repeats == ["field"]
    with pytest.raises(ResultError, match="did you mean `seed`"):
        whole.with_repeats("sed")


def test_a_figure_is_of_these_observations() -> None:
    """What options do not fit is said; the picture has the numbers of the part."""
    part = Selection(with_repeats()).select(size=[8, 16])
    assert set(part.plot("line", "energy", x_axis="size").numbers.frame()["x"]) == {8, 16}
    with pytest.raises(ResultError, match="a line needs `x_axis`"):
        part.plot("line", "energy")
