"""Findings: what statistics answer, as values that a person can read and a program can use."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, fields

import numpy as np
import pandas as pd

from sciflow.analysis.observations import Coverage, Metric, Observations, Sample


@dataclass(frozen=True, eq=False)
class Finding(ABC):
    """An answer about one metric.

    Attributes
    ----------
    metric
        What was measured.
    coverage
        How many values it rests on, of how many there could be.
    notes
        What a reader must know of how it was found.
    """

    metric: Metric
    coverage: Coverage
    notes: tuple[str, ...] = field(default=(), kw_only=True)

    @abstractmethod
    def frame(self) -> pd.DataFrame:
        """The answer as a table; what matters most comes first."""

    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables of the answer, by their names."""
        kept = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: one for name, one in kept.items() if isinstance(one, pd.DataFrame)}

    @property
    @abstractmethod
    def title(self) -> str:
        """What this is, in a few words."""

    def body(self) -> str:
        """What a person reads between the title and the notes."""
        return as_text(self.frame())

    def __str__(self) -> str:
        lines = [f"{self.title} ({self.coverage} values)", self.body()]
        return "\n".join([*lines, *(f"note: {one}" for one in self.notes)])

    def __repr__(self) -> str:
        return str(self)


def sample_of(observations: Observations, metric: str, minimum_coverage: float = 0.0) -> Sample:
    """The values of a metric of which there must be enough.

    Raises
    ------
    ResultError
        For an unknown metric, one that is no number or has none, and where there are too few values.
    """
    sample = observations.sample(metric)
    sample.finite.check(minimum_coverage, f"`{sample.metric.name}`")
    _ = sample.measured
    return sample


def gaps(sample: Sample) -> list[str]:
    """A note on what is missing, where something is."""
    told = sample.described_gaps()
    return [f"{told}; this is of the others"] if told else []


def as_text(frame: pd.DataFrame) -> str:
    """A table with as many digits as tell its values apart, without rows' numbers and without empty columns."""
    if frame.empty:
        return "(nothing)"
    shown = frame.dropna(axis=1, how="all")
    formats = {name: _format(shown[name].to_numpy()) for name in shown if shown[name].dtype.kind == "f"}
    return shown.to_string(index=False, na_rep="-", formatters=formats)


def _format(column: np.ndarray) -> Callable[[float], str]:
    """Four digits, and more where values are closer to each other than they are to 0."""
    values = column[np.isfinite(column)]
    largest, spread = (np.abs(values).max(), np.ptp(values)) if len(values) else (0.0, 0.0)
    more = math.floor(math.log10(largest / spread)) if spread > 1e-10 * largest else 0
    return lambda value: "-" if math.isnan(value) else f"{value:.{4 + max(0, more)}g}"
