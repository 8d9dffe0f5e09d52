"""Questions to observations whose answers are tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from sciflow.answers.asked import Asked

if TYPE_CHECKING:
    import pandas as pd
    import xarray

    from sciflow.analysis.dataset import Layout
    from sciflow.analysis.forms import Form
    from sciflow.analysis.repeats import Interval
    from sciflow.analysis.summary import Summary
    from sciflow.report.tables import ResultTable


class TableQuestions(Asked):
    """What observations are as tables, and what they are in numbers."""

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

    def to_xarray(self, layout: Layout = "auto", *, minimum_coverage: float = 0.0) -> xarray.Dataset:
        """A dataset of xarray: parameters as dimensions where they make a grid, repeats among them.

        Cells without a combination, and combinations without a value, hold NaN. Parameters that move
        together, and derived ones, are coordinates along the dimensions that they follow. A metric has the dimensions
        of the parameters that it depends on, and its task, unit (``units``) and coverage as attributes.

        Parameters
        ----------
        layout
            ``grid``; ``combinations``, one dimension along which parameters are coordinates; or ``auto``: a grid
            unless a parameter was sampled or is not used everywhere, or less than half of the cells are filled.
        minimum_coverage
            The share of the combinations that must be completed.

        Raises
        ------
        ResultError
            Where they make no grid that was asked for, xarray is not installed, or too little is there.
        """
        from sciflow.analysis.dataset import dataset_of

        self.observations.coverage.check(minimum_coverage, "combinations")
        return dataset_of(self.observations, layout)[0]

    def summary(
        self,
        metric: str | None = None,
        by: str | Sequence[str] | None = None,
        *,
        interval: Interval | None = None,
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
            ``bootstrap``, the standard deviation on either side (``sd``), the ``range``, or ``none``. By default
            Student's where the mean is over nothing but repeats and what was drawn, else none.
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

    def to_table(
        self,
        metrics: str | Sequence[str] = (),
        by: str | Sequence[str] = (),
        uncertainty: Literal["standard", "sd", "interval", "none"] = "standard",
    ) -> ResultTable:
        """A table to be printed: metrics at the levels of parameters, rounded by their uncertainty.

        Its `save` writes LaTeX, Markdown, CSV, Parquet or Excel.

        Parameters
        ----------
        metrics
            Which; all that are numbers, where none is named.
        by
            The parameters; all with an effect, where none is named. Of what is left the mean is taken.
        uncertainty
            ``standard`` of the mean, the ``sd`` of the values, half of a 95% confidence ``interval`` of the mean, or
            ``none``.

        Raises
        ------
        ResultError
            For names that are not there, a metric that depends on none of the parameters, and where nothing is
            measured.
        """
        from sciflow.report.tables import result_table

        names, parameters = ([one] if isinstance(one, str) else list(one) for one in (metrics, by))
        return result_table(self.observations, names, parameters, uncertainty)
