"""What values for all axes would be as a combination."""

from sciflow.model.parameters import ParameterSpace


def test_values_are_completed_or_removed_by_the_rules() -> None:
    """Also values that the space does not have: inactive axes are None, derived parameters follow."""
    space = ParameterSpace.from_document(
        {"x": [1, 2, 3], "mode": ["a", "b"], "step": {"values": [0.1], "when": "mode == 'b'"}},
        constraints=["x + half < 10"],
        derived={"half": "x / 2"},
        exclude=[{"x": 2, "mode": "a"}],
    )
    assert space.completed({"x": 5, "mode": "a", "step": 0.3}) == {"x": 5, "mode": "a", "step": None, "half": 2.5}
    assert space.completed({"x": 7, "mode": "b", "step": 0.3}) is None
    assert space.completed({"x": 2, "mode": "a", "step": None}) is None
    assert space.completed({"x": 2, "mode": "b", "step": 0.3}) == {"x": 2, "mode": "b", "step": 0.3, "half": 1.0}
