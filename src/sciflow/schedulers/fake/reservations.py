"""Reservations: windows of time in which nodes are for some users, or for nobody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sciflow.schedulers.fake.nodes import Node


@dataclass(frozen=True)
class Reservation:
    """Nodes that are kept for some users for a while.

    Attributes
    ----------
    name
        By which jobs ask for it.
    start, end
        Its window, in seconds since the epoch.
    nodes
        The names of its nodes; empty for all.
    users
        Who may use it; empty for nobody.
    is_maintenance
        Whether its nodes are worked on meanwhile.
    """

    name: str
    start: float
    end: float
    nodes: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    is_maintenance: bool = False

    def holds(self, node: Node) -> bool:
        """Whether a node belongs to it."""
        return not self.nodes or node.name in self.nodes


class Reservations:
    """All reservations of a cluster."""

    def __init__(self) -> None:
        self.by_name: dict[str, Reservation] = {}

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.by_name)

    def get(self, name: str) -> Reservation | None:
        """The reservation of a name; None where there is none."""
        return self.by_name.get(name)

    def in_the_way(self, node: Node, start: float, end: float, name: str) -> Reservation | None:
        """What keeps a job from a node at a time: a window of others, or that its own one is not that long.

        Parameters
        ----------
        node
            The node.
        start, end
            When it would start, and end at the latest.
        name
            The reservation that the job names; empty for none.
        """
        own = self.by_name.get(name)
        if own is not None and not (own.holds(node) and own.start <= start and end <= own.end):
            return own
        for one in self.by_name.values():
            if one is not own and one.holds(node) and start < one.end and end > one.start:
                return one
        return None

    def ends(self, node: Node, name: str) -> Iterable[float]:
        """The times at which something is no longer in the way on a node."""
        for one in self.by_name.values():
            if one.name == name:
                yield one.start
            elif one.holds(node):
                yield one.end
