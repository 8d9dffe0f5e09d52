"""Distributions, and points drawn from them."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.errors import WorkflowError
from sciflow.model.sampling import Distribution, SampleDesign, _seeded_by, draw, read_design, read_distribution

UNIT = [0.0, 0.25, 0.5, 1.0]


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        (Distribution("uniform", (-1.0, 3.0)), [-1.0, 0.0, 1.0, 3.0]),
        (Distribution("integers", (1, 4)), [1, 2, 3, 4]),
        (Distribution("integers", (5, 5)), [5, 5, 5, 5]),
        (Distribution("choice", ("a", "b", "c", "d")), ["a", "b", "c", "d"]),
    ],
)
def test_the_unit_interval_is_stretched(distribution: Distribution, expected: list[Any]) -> None:
    """Both ends of the interval are within the distribution."""
    assert distribution.at(UNIT) == expected


def test_a_logarithmic_distribution_is_even_in_the_logarithm() -> None:
    """The middle of the unit interval is the geometric mean, and rounding does not leave the bounds."""
    values = Distribution("loguniform", (1e-3, 1e5)).at(UNIT)
    assert values == pytest.approx([1e-3, 0.1, 10.0, 1e5])
    assert min(values) >= 1e-3
    assert max(values) <= 1e5


@pytest.mark.parametrize(
    ("kind", "details", "reason"),
    [
        ("uniform", [1, 0], "uniform [1, 0]"),
        ("uniform", [1, 1], "uniform [1, 1]"),
        ("uniform", [1], "uniform [1]"),
        ("uniform", 3, "uniform 3"),
        ("uniform", [0, "1"], "uniform [0, '1']"),
        ("uniform", [0, True], "uniform [0, True]"),
        ("loguniform", [0, 1], "loguniform [0, 1]"),
        ("integers", [1.0, 2], "integers [1.0, 2]"),
        ("integers", [2, 1], "integers [2, 1]"),
        ("choice", [], "choice []"),
        ("choice", [1, 1.0], "choice [1, 1.0]"),
        ("choice", "abc", "choice 'abc'"),
        ("choice", [[1]], "unhashable value"),
    ],
)
def test_what_is_no_distribution(kind: str, details: Any, reason: str) -> None:
    """The message names the axis and what was written."""
    with pytest.raises(WorkflowError) as caught:
        read_distribution(kind, details, "axis `a`")
    assert caught.value.message.startswith("axis `a`")
    assert reason in caught.value.message


def test_distributions_are_written_as_they_are_read() -> None:
    """The document of a distribution makes it again, with tuples."""
    for kind, details in (("uniform", [0.0, 1.0]), ("choice", ["a", {"tuple": [1, 2]}])):
        document = read_distribution(kind, details, "a").to_document()
        assert document == {kind: details}


def test_a_design_has_a_recorded_seed() -> None:
    """Without a seed it is 0, and it is written down."""
    design = read_design({"method": "lhs", "count": 8}, "parameters")
    assert design.to_document() == {"method": "lhs", "count": 8, "seed": 0}
    assert read_design(design.to_document(), "parameters") == design


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("sobol", "`sample` is 'sobol'"),
        ({"method": "sobol"}, "`sample` is"),
        ({"method": "sobol", "count": 8, "sed": 1}, "`sample` is"),
        ({"method": "halton", "count": 8}, "the method 'halton'"),
        ({"method": "lhs", "count": 0}, "`count` is 0"),
        ({"method": "lhs", "count": 2.5}, "`count` is 2.5"),
        ({"method": "lhs", "count": 8, "seed": -1}, "`seed` is -1"),
    ],
)
def test_what_is_no_design(written: Any, reason: str) -> None:
    """The message says which part is wrong."""
    with pytest.raises(WorkflowError) as caught:
        read_design(written, "parameters")
    assert reason in caught.value.message


def test_a_sobol_count_that_is_no_power_of_two_is_noted() -> None:
    """SciPy's warning becomes a note; a power of two has none."""
    uniform = [Distribution("uniform", (0.0, 1.0))]
    columns, notes = draw(uniform, SampleDesign("sobol", 5, 0))
    assert len(columns[0]) == 5
    assert "power of 2" in notes[0]
    assert draw(uniform, SampleDesign("sobol", 8, 0))[1] == ()


def test_points_that_repeat_are_dropped_and_noted() -> None:
    """Three options cannot make more than three points."""
    columns, notes = draw([Distribution("choice", ("a", "b", "c"))], SampleDesign("random", 100, 0))
    assert sorted(columns[0]) == ["a", "b", "c"]
    assert notes == ("97 of 100 sampled points repeat others and are dropped",)


def test_what_scipy_refuses_is_said() -> None:
    """More axes than Sobol numbers exist for is an error of the workflow."""
    axes = [Distribution("uniform", (0.0, 1.0))] * 30_000
    with pytest.raises(WorkflowError, match="sampling by `sobol`: "):
        draw(axes, SampleDesign("sobol", 2, 0))


def test_the_generator_is_given_by_the_name_that_scipy_has_for_it() -> None:
    """Older versions call it `seed`."""
    assert list(_seeded_by(lambda d, *, rng: None, None)) == ["rng"]  # pyright: ignore[reportArgumentType]
    assert list(_seeded_by(lambda d, *, seed: None, None)) == ["seed"]  # pyright: ignore[reportArgumentType]
