"""What a law says can be written into a workflow, and gives no less there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sciflow.analysis.advice.choose import best_law
from sciflow.analysis.advice.formula import formula_of
from sciflow.analysis.advice.law import Law
from sciflow.model.request import ResourceRequest
from sciflow.model.resources import GIB
from unit.analysis import synthetic


def fitted(parameters: dict[str, list[Any]], values: NDArray[np.float64]) -> Law:
    """Return the law of some values."""
    found = best_law(parameters, values, np.zeros(len(values), dtype=bool))
    assert found is not None
    return found


def points_of(drawn: synthetic.Drawn) -> list[dict[str, Any]]:
    """Return the parameters of each instance."""
    return [dict(zip(drawn.parameters, row, strict=True)) for row in zip(*drawn.parameters.values(), strict=True)]


@pytest.mark.parametrize("name", ["square", "with_base", "by_solver", "two_regimes"])
def test_a_request_with_the_expression_is_enough_for_each(name: str) -> None:
    """Read back by the model of requests, it gives each instance at least what suffices, and not much more."""
    drawn = getattr(synthetic, name)(np.random.default_rng(10), 80)
    law, points = fitted(drawn.parameters, drawn.values * 1e6), points_of(drawn)
    request = ResourceRequest(memory_gb=formula_of(law, 0.95, points, GIB, 0.0))
    assert request.names == set(law.names)
    for point in points:
        asked, wanted = request.resolve(point, "solve").memory_bytes, law.most(point, 0.95)
        assert wanted * (1 - 1e-9) <= asked <= 2 * wanted


def test_an_exponent_that_may_be_whole_is_whole() -> None:
    """The square is written as a square."""
    drawn = synthetic.with_base(np.random.default_rng(11), 80)
    text = formula_of(fitted(drawn.parameters, drawn.values * 1e6), 0.95, points_of(drawn), GIB, 0.0)
    assert text.endswith(" * size**2")
    assert " + " in text


def test_a_least_amount_holds() -> None:
    """What would be less than can be asked for is raised to that."""
    drawn = synthetic.square(np.random.default_rng(12), 60)
    law, points = fitted(drawn.parameters, drawn.values), points_of(drawn)
    request = ResourceRequest(max_runtime_hours=formula_of(law, 0.95, points, 3600.0, 0.5))
    assert request.resolve({"size": 1, "seed": 0}, "solve").runtime_seconds == 1800


def test_values_that_are_numbers_are_steps() -> None:
    """Where each value has a need of its own, one between them has that of the next larger."""
    needs = {1: 10.0, 2: 500.0, 4: 20.0}
    order = [1, 2, 4] * 10
    error = np.exp(0.01 * np.random.default_rng(1).normal(size=30))
    law = fitted({"level": order}, np.array([needs[one] for one in order]) * error * GIB)
    text = formula_of(law, 0.95, [{"level": one} for one in needs], GIB, 0.0)
    request = ResourceRequest(memory_gb=text)
    asked = {level: request.resolve({"level": level}, "solve").memory_bytes / GIB for level in (1, 2, 3, 4)}
    assert asked[1] == pytest.approx(10, rel=0.1)
    assert asked[2] == pytest.approx(500, rel=0.1)
    assert asked[3] == asked[4] == pytest.approx(20, rel=0.1)


def test_without_a_number_there_is_no_expression() -> None:
    """Where the parameter is inactive in some instance, it could not be evaluated there."""
    drawn = synthetic.square(np.random.default_rng(13), 60)
    law = fitted(drawn.parameters, drawn.values)
    assert formula_of(law, 0.95, [*points_of(drawn), {"size": None, "seed": 1}], GIB, 0.0) == ""
