"""What a figure shows, as a value: the base of the numbers of every kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sciflow.errors import ResultError

if TYPE_CHECKING:
    import pandas as pd

    from sciflow.analysis.observations import Observations
    from sciflow.analysis.table import RunTable


class Source(NamedTuple):
    """What a figure is made of: observations, and where they are those of one whole run, its tables."""

    observations: Observations
    table: RunTable | None = None

    def whole(self, kind: str) -> RunTable:
        """The tables of the run.

        Raises
        ------
        ResultError
            Where the observations are a part of a run, or of several.
        """
        if self.table is None:
            raise ResultError(
                f"a {kind} shows one whole run, not a selection or several runs", hint="ask the results of the run"
            )
        return self.table


@dataclass(frozen=True, eq=False)
class Numbers:
    """What one figure shows.

    Attributes
    ----------
    title
        What stands above it; empty for nothing.
    notes
        What a reader must know so as not to be misled: how many values are missing, what was averaged over.
    """

    title: str
    notes: tuple[str, ...]

    @property
    def pages(self) -> int:
        """On how many pages it is legible."""
        return 1

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in widths of a column."""
        return 1.0, 0.75

    def frame(self) -> pd.DataFrame:
        """The numbers as a table in long form, a row for each mark."""
        raise NotImplementedError
