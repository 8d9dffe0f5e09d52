"""Analysis of variance: which factors, and which pairs of them, change a metric by more than chance.

F tests of sums of squares of type II (see `decomposition`) against what the model leaves. What an analysis of variance
takes for granted is tested and told with it: normal residuals (Shapiro and Wilk, 1965), and equal variances of cells
(Levene, 1960, around medians: Brown and Forsythe, 1974). p-values are corrected for their number (Holm, 1979).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from sciflow.analysis.observations import Sample
from sciflow.analysis.statistics.decomposition import Decomposition, decompose, sizes
from sciflow.analysis.statistics.finding import Finding, as_text, gaps
from sciflow.analysis.statistics.layout import Layout, layout_of
from sciflow.analysis.statistics.multiple import holm
from sciflow.errors import ResultError

_MOST_FOR_SHAPIRO = 5000  # above which its p-value is not accurate
_DOUBTFUL = 0.05
_COLUMNS = ["term", "df", "sum_of_squares", "mean_square", "F", "p", "p_holm", "eta2", "partial_eta2", "omega2"]


@dataclass(frozen=True, eq=False, repr=False)
class Anova(Finding):
    """A table of an analysis of variance.

    Attributes
    ----------
    table
        One row per main effect and interaction, the largest effect first; then ``residual`` and ``total``. Columns are
        ``term``, ``df``, ``sum_of_squares``, ``mean_square``, ``F``, ``p``, ``p_holm``, ``eta2``, ``partial_eta2``,
        ``omega2``. Where nothing tells the error, F and p are NaN, and the notes say why.
    checks
        One row per assumption: ``assumption``, ``test``, ``statistic``, ``p``.
    """

    table: pd.DataFrame
    checks: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """The table."""
        return self.table

    @property
    def has_tests(self) -> bool:
        """Whether there are p-values."""
        return bool(self.table["p"].notna().to_numpy().any())

    @property
    def title(self) -> str:
        """What this is."""
        return f"analysis of variance of {self.metric.name}"

    def body(self) -> str:
        """The table, and the assumptions."""
        tables = [self.table, *([] if self.checks.empty else [self.checks])]
        return "\n\n".join(as_text(one) for one in tables)


def anova(sample: Sample, names: list[str] | None = None, order: int = 2) -> Anova:
    """Analyse the variance of a metric.

    Parameters
    ----------
    sample
        Its values; repeats are replicates.
    names
        The factors; by default all.
    order
        1 for main effects alone, 2 for interactions of pairs too, where replicates or more factors tell the error.

    Raises
    ------
    ResultError
        Where the metric is no number, has none, or depends on nothing that varies; for another order.
    """
    if order not in (1, 2):
        raise ResultError(f"`order` is {order!r}", hint="1 for main effects, 2 for interactions of pairs too")
    layout = layout_of(sample, names)
    parted = decompose(layout, order)
    notes = [*layout.notes, *gaps(sample), *parted.notes]
    can_test = parted.error_df > 0 and parted.error > 0
    if parted.error_df > 0 and not can_test and not parted.is_constant:
        notes.append("the model explains all there is, since no chance is in it: p-values would mean nothing")
    table = _table(parted, can_test)
    checks = pd.DataFrame(columns=["assumption", "test", "statistic", "p"])
    if can_test:
        checks = _checks(layout, parted)
        notes += _doubts(checks)
        if len(layout.factors) == 1:
            notes += _welch(layout)
    return Anova(sample.metric, sample.finite, table, checks, notes=tuple(dict.fromkeys(notes)))


def _table(parted: Decomposition, can_test: bool) -> pd.DataFrame:
    error = parted.error_mean_square
    rows = []
    for share in parted.shares:
        square = share.sum_of_squares / share.df if share.df else float("nan")
        f = square / error if can_test and share.df else float("nan")
        p = float(stats.f.sf(f, share.df, parted.error_df)) if can_test and share.df else float("nan")
        rows.append((share.term, share.df, share.sum_of_squares, square, f, p, float("nan"), *sizes(parted, share)))
    frame = pd.DataFrame(rows, columns=_COLUMNS).sort_values("sum_of_squares", ascending=False, kind="stable")
    frame["p_holm"] = holm(frame["p"].to_numpy(float))
    total = len(parted.residuals) - 1
    none = [float("nan")] * 6
    last = pd.DataFrame(
        [
            ("residual", parted.error_df, parted.error, error, *none),
            ("total", total, parted.total, float("nan"), *none),
        ],
        columns=_COLUMNS,
    )
    return pd.concat([frame, last], ignore_index=True)


def _checks(layout: Layout, parted: Decomposition) -> pd.DataFrame:
    rows = []
    residuals = parted.residuals
    if 3 <= len(residuals) <= _MOST_FOR_SHAPIRO:
        rows.append(("normal residuals", "Shapiro-Wilk", *_numbers(stats.shapiro(residuals))))
    elif len(residuals) > _MOST_FOR_SHAPIRO:
        rows.append(("normal residuals", "D'Agostino-Pearson", *_numbers(stats.normaltest(residuals))))
    groups = [one for one in _cells(layout) if len(one) > 1]
    if len(groups) > 1 and any(np.ptp(one) > 0 for one in groups) and max(map(len, groups)) > 2:
        rows.append(("equal variances", "Levene (medians)", *_numbers(stats.levene(*groups, center="median"))))
    return pd.DataFrame(rows, columns=["assumption", "test", "statistic", "p"])


def _numbers(result: object) -> tuple[float, float]:
    return float(result.statistic), float(result.pvalue)  # pyright: ignore[reportAttributeAccessIssue]


def _cells(layout: Layout) -> list[np.ndarray]:
    """The values of each cell that has some, without the mean of all."""
    codes = np.unique(np.stack([one.codes for one in layout.factors]), axis=1, return_inverse=True)[1].ravel()
    order = np.argsort(codes, kind="stable")
    return np.split(layout.deviations[order], np.flatnonzero(np.diff(codes[order])) + 1)


def _doubts(checks: pd.DataFrame) -> list[str]:
    told = {
        "normal residuals": "residuals are not normal: trust p-values near the limit less, effect sizes as they are",
        "equal variances": "variances differ between cells: p-values are too small where small cells vary most",
    }
    rows = zip(checks["assumption"], checks["test"], checks["p"], strict=True)
    return [f"{told[name]} ({test}, p = {p:.2g})" for name, test, p in rows if p < _DOUBTFUL]


def _welch(layout: Layout) -> list[str]:
    """The test that does without equal variances, where each level has values enough."""
    groups = _cells(layout)
    if len(groups) < 2 or min(map(len, groups)) < 2 or any(np.ptp(one) == 0 for one in groups):
        return []
    from statsmodels.stats.oneway import anova_oneway

    found = anova_oneway(groups, use_var="unequal")
    return [f"without equal variances (Welch, 1951): F = {found.statistic:.4g}, p = {found.pvalue:.3g}"]
