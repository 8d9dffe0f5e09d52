"""How busy a cluster is: cores of its partitions, and what others have waiting there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class PartitionLoad(NamedTuple):
    """One partition now.

    Attributes
    ----------
    up
        The cores of its nodes that are up and take jobs, busy or not.
    waiting
        How many jobs of others wait for room in it; None where that was not asked, or cannot be seen.
    """

    up: int
    waiting: int | None = None


@dataclass(frozen=True)
class Load:
    """A cluster now.

    Attributes
    ----------
    default
        The partition of jobs that name none; empty where that is not known.
    """

    partitions: Mapping[str, PartitionLoad] = field(default_factory=dict)
    default: str = ""

    def to_document(self) -> dict[str, Any]:
        """The load as JSON has it."""
        found = {name: one._asdict() for name, one in self.partitions.items()}
        return {"partitions": found, "default": self.default}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Load:
        """Read a load back."""
        found = {name: PartitionLoad(**one) for name, one in document["partitions"].items()}
        return cls(found, document["default"])
