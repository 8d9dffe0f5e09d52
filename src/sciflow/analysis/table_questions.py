"""Questions to observations whose answers are tables."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from sciflow.analysis.forms import Form
    from sciflow.analysis.observations import Observations
    from sciflow.analysis.repeats import Interval
    from sciflow.analysis.summary import Summary


class TableQuestions(ABC):
    """What observations are as tables, and what they are in numbers."""

    @property
    @abstractmethod
    def observations(self) -> Observations:
        """One row per combination: parameters, metrics, state."""

    def to_dataframe(self, *, form: Form = "wide") -> pd.DataFrame:
        """One row per combination, or per combination and metric.

        Metrics of combinations that are not completed are missing (NaN or None), never numbers.

        Parameters
        ----------
        form
            ``wide``: parameters, metrics, state. ``long``: parameters, then ``metric``, its ``task`` and ``unit``, its
            ``value``, and the state.

        Raises
        ------
        ResultError
            For another form, and where a parameter has the name of a column of the long form.
        """
        from sciflow.analysis.forms import frame_of

        return frame_of(self.observations, form)

    def summary(
        self,
        metric: str | None = None,
        by: str | Sequence[str] | None = None,
        *,
        interval: Interval = "t",
        confidence: float = 0.95,
        minimum_coverage: float = 0.0,
    ) -> Summary:
        """Metrics in numbers, each with how many of how many values it has: count, mean, spread, interval, quantiles.

        Parameters
        ----------
        metric
            Which one; without it all of them have a row.
        by
            A parameter, or several: a row for each of their values. By default a row for each combination of what does
            more than repeat.
        interval
            What ``low`` and ``high`` are: the confidence interval of the mean by Student's t (``t``) or by
            ``bootstrap``, the standard deviation on either side (``sd``), the ``range``, or ``none``.
        confidence
            For intervals that have one.
        minimum_coverage
            The share of the values that must be there.

        Raises
        ------
        ResultError
            For unknown names, a metric that is no number, and where less is there than is asked for.
        """
        from sciflow.analysis.summary import overview, summary
        from sciflow.errors import ResultError

        if metric is None:
            if by is not None:
                raise ResultError(f"a summary by {by!r} is that of one metric", hint="name the metric")
            return overview(self.observations, minimum_coverage)
        names = [by] if isinstance(by, str) else by
        return summary(self.observations, metric, names, interval, confidence, minimum_coverage)
