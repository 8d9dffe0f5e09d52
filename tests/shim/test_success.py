"""A rule for success is read as the host reads it."""

from __future__ import annotations

import pytest

from sciflow.model.expressions import CONSTANTS, FUNCTIONS, Expression
from sciflow_shim.success import _FUNCTIONS, is_met


@pytest.mark.parametrize(
    ("rule", "met"),
    [
        ("a > 0\nand a < 10\n", True),
        ("a > 0\n  and a > 10\n", False),
        ("max(a, 1) > 2 and max < 0", True),
        ("shape in [(1, 2), (3, 4)]", True),
        ("shape == (1, 3)", False),
        ("sqrt(a + 6) == 3 and pi > 3", True),
    ],
)
def test_a_rule_means_what_it_means_to_the_host(rule: str, met: bool) -> None:
    """Over several lines, with a metric called like a function, and with tuples, which JSON makes lists."""
    metrics = {"a": 3, "max": -1}
    assert is_met(rule, {"shape": [1, 2]}, metrics) is met
    assert Expression(rule).evaluate({"shape": (1, 2), **metrics}) == met


def test_both_know_the_same_functions() -> None:
    """What the host lets through, the node can call."""
    assert set(_FUNCTIONS) == set(FUNCTIONS)
    assert set(CONSTANTS) == {"pi"}


def test_nothing_else_can_be_called() -> None:
    """There are no builtins."""
    with pytest.raises(NameError):
        is_met("open('x')", {}, {})
