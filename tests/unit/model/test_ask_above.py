"""Above how much somebody is asked."""

import pytest
from pydantic import ValidationError

from sciflow.model.ask_above import AskAbove
from sciflow.model.cost import Cost


def test_what_is_above_the_cap_is_said_with_both_amounts() -> None:
    """What is as much as the cap is not above it, and what has no cap is not limited."""
    cap = AskAbove(core_hours=1000, gpu_hours=10, indices=500)
    assert list(cap.exceeded(Cost(5120, 10, 1e9, 501))) == [
        "up to 5,120 core-hours, more than the 1,000",
        "501 array indices, more than the 500",
    ]
    assert not list(cap.exceeded(Cost(1000, 10, 0, 500)))
    assert not list(AskAbove().exceeded(Cost(1e9, 1e9, 1e9, 10**9)))
    assert (cap.needs_runtimes, AskAbove(indices=5).needs_runtimes) == (True, False)


@pytest.mark.parametrize(
    ("asked", "most", "said"),
    [(120, 119.99, "120 core-hours, more than the 119.99"), (5120.3, 5120, "5,120.3 core-hours, more than the 5,120")],
)
def test_what_is_a_little_above_is_not_said_to_be_the_same(asked: float, most: float, said: str) -> None:
    """The amounts have as many digits as it takes to tell them apart."""
    assert list(AskAbove(core_hours=most).exceeded(Cost(asked))) == [f"up to {said}"]


@pytest.mark.parametrize("most", [float("inf"), float("nan")])
def test_a_cap_without_end_is_none(most: float) -> None:
    """It is refused: who wants no cap leaves it out, and 1e400 is a slip."""
    with pytest.raises(ValidationError, match="finite"):
        AskAbove(core_hours=most)
