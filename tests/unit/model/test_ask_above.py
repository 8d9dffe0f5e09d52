"""Above how much somebody is asked."""

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
