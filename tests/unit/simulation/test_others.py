"""What others leave of the nodes."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.errors import PlanError
from sciflow.model.resources import GIB
from sciflow.simulation.machines import NodeKind, parse_nodes
from sciflow.simulation.others import left_by_others


@pytest.mark.parametrize(
    ("nodes", "share", "left"),
    [
        ("3x8c", 0, "3x8c"),
        ("3x8c", 0.5, "1x8c+1x4c"),
        ("10x8c", 0.9, "1x8c"),
        ("400x64c", 0.7, "120x64c"),
        ("4x4c+2x8c", 0.5, "2x4c+1x8c"),
    ],
)
def test_whole_nodes_are_left_and_a_part_of_one_more(nodes: str, share: float, left: str) -> None:
    """Of each kind, its share."""
    assert left_by_others(parse_nodes(nodes), share) == parse_nodes(left)


def test_memory_and_gpus_of_a_node_are_shared_as_its_cores() -> None:
    """A quarter of the cores has a quarter of the rest, and stays in its partition."""
    kind = NodeKind(1, 8, 16 * GIB, 4, "gpu")
    assert left_by_others([kind], 0.75) == (NodeKind(1, 2, 4 * GIB, 1, "gpu"),)


@pytest.mark.parametrize("share", [-0.1, 1.0, 70, True, "0.5", None, 0.99, float("nan")])
def test_what_is_no_share_is_refused(share: Any) -> None:
    """And so is one that leaves not one core."""
    with pytest.raises(PlanError, match=r"others|no share"):
        left_by_others([NodeKind(3, 8)], share)
