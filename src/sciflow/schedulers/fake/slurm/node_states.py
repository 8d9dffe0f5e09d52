"""States of nodes, in Slurm's words."""

from __future__ import annotations

from sciflow.schedulers.fake.nodes import Node

SHORT = {
    "allocated": "alloc",
    "down": "down",
    "down*": "down*",
    "drained": "drain",
    "draining": "drng",
    "idle": "idle",
    "mixed": "mix",
}


def state_of(node: Node) -> str:
    """The state of a node: one that does not answer is down, and has a star."""
    if not node.is_up:
        return "down*"
    if node.drained:
        return "draining" if node.running else "drained"
    if not node.running:
        return "idle"
    return "mixed" if node.free_cores else "allocated"
