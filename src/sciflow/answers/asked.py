"""What all questions are asked of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sciflow.analysis.observations import Observations
    from sciflow.analysis.table import RunTable


class Asked(ABC):
    """Whatever has observations."""

    @property
    @abstractmethod
    def observations(self) -> Observations:
        """One row per combination: parameters, metrics, state."""

    @property
    def _table(self) -> RunTable | None:
        """The tables of the run, where these are the observations of one whole run."""
        return None
