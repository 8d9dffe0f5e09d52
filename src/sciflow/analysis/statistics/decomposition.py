"""How the variation of a metric is shared among factors: sums of squares, and sizes of effects.

Sums of squares are of type II (Yates, 1934; Langsrud, 2003): what a term explains beyond all terms that do not contain
it. With equal counts in all cells these are the sums of squares of textbooks.

Sizes are eta² = SS / SS_total (Pearson, 1905; Cohen, 1973), partial eta² = SS / (SS + SS_error) (Cohen, 1973), and
omega² = (SS - df · MS_error) / (SS_total + MS_error) (Hays, 1963), which does not grow with the number of levels as
eta² does and may be a little below 0 where there is no effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import linalg

from sciflow.analysis.statistics.layout import Layout, Term

_MOST_COLUMNS = 1500  # of a model that has to be solved
_SHARED = 0.9  # of the variation: if terms tell less by themselves, that is said


@dataclass(frozen=True)
class Share:
    """What one term explains: its name, degrees of freedom and sum of squares."""

    term: str
    df: int
    sum_of_squares: float


@dataclass(frozen=True, eq=False)
class Decomposition:
    """The variation of a metric: of terms, of what is left, and of all.

    Attributes
    ----------
    shares
        One for each term, in the factors' order, main effects first.
    error, error_df
        What the model leaves, and its degrees of freedom.
    total
        The sum of squares of all values around their mean.
    residuals
        What the model leaves of each value.
    notes
        Why interactions are not part of the model, or no error can be told.
    """

    shares: tuple[Share, ...]
    error: float
    error_df: int
    total: float
    residuals: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def error_mean_square(self) -> float:
        """The mean square of the error; NaN where there are no degrees of freedom."""
        return self.error / self.error_df if self.error_df > 0 else float("nan")

    @property
    def is_constant(self) -> bool:
        """Whether all values are the same."""
        return self.total == 0


def decompose(layout: Layout, order: int = 2) -> Decomposition:
    """Share the variation among main effects and, up to order 2, interactions of pairs.

    Interactions are left out where nothing would be left to tell the error, and where there would be too many.
    """
    mains: list[Term] = [(number,) for number in range(len(layout.factors))]
    pairs: list[Term] = list(combinations(range(len(layout.factors)), 2)) if order > 1 else []
    notes: list[str] = []
    rss = float(layout.deviations @ layout.deviations)
    if layout.is_nothing(rss):
        shares = tuple(Share(layout.name(one), len(layout.factors[one[0]]) - 1, 0.0) for one in mains)
        told = (f"all {len(layout.values)} values are {layout.mean:.6g}: there is no variation to explain",)
        left = max(0, len(layout.values) - 1 - sum(one.df for one in shares))
        return Decomposition(shares, 0.0, left, 0.0, np.zeros(len(layout.values)), told)
    columns = sum(min(layout.size(one), len(layout.values)) for one in [*mains, *pairs])
    if pairs and not layout.is_balanced and columns > _MOST_COLUMNS:
        notes.append(f"interactions of {len(pairs)} pairs have too many levels for an unbalanced design: left out")
        pairs = []
    found = _parted(layout, mains, pairs)
    if pairs and found.error_df <= 0:
        found = _parted(layout, mains, [])
        notes.append("without repeats, interactions are what tells the error: they are no terms of their own")
    if found.error_df <= 0:
        notes.append("no degrees of freedom are left to tell the error")
    told = (sum(one.sum_of_squares for one in found.shares) + found.error) / rss
    if told < _SHARED:
        notes.append(
            f"levels do not meet evenly, so terms overlap: what each explains beyond the others, and the residual, are "
            f"{told:.0%} of the variation, and the rest cannot be told to be of one of them"
        )
    lost = [one.term for one in found.shares if one.df == 0]
    if lost:
        notes.append(f"the effect of {' and of '.join(f'`{one}`' for one in lost)} cannot be told from those of others")
    return Decomposition(found.shares, found.error, found.error_df, rss, found.residuals, tuple(notes))


def sizes_frame(parted: Decomposition) -> pd.DataFrame:
    """Sizes of effects, the largest first."""
    rows = [(one.term, one.df, one.sum_of_squares, *sizes(parted, one)) for one in parted.shares]
    frame = pd.DataFrame(rows, columns=["term", "df", "sum_of_squares", "eta2", "partial_eta2", "omega2"])
    return frame.sort_values("sum_of_squares", ascending=False, kind="stable").reset_index(drop=True)


def sizes(parted: Decomposition, share: Share) -> tuple[float, float, float]:
    """eta², partial eta² and omega² of a term; NaN where they cannot be told."""
    if parted.is_constant:
        return float("nan"), float("nan"), float("nan")
    eta = share.sum_of_squares / parted.total
    if parted.error_df <= 0:
        return eta, float("nan"), float("nan")
    both = share.sum_of_squares + parted.error
    error = parted.error_mean_square
    partial = share.sum_of_squares / both if both > 0 else float("nan")
    return eta, partial, (share.sum_of_squares - share.df * error) / (parted.total + error)


def _parted(layout: Layout, mains: Sequence[Term], pairs: Sequence[Term]) -> Decomposition:
    if layout.is_balanced:
        return _balanced(layout, mains, pairs)
    terms = [*mains, *pairs]
    models = _Models(layout, terms)
    shares = []
    for term in terms:
        others = [one for one in terms if not set(term) <= set(one)]
        before, rank = models.explained(others)
        after, with_it = models.explained([*others, term])
        more = after - before
        is_more = with_it > rank and not layout.is_nothing(more)
        shares.append(Share(layout.name(term), with_it - rank, more if is_more else 0.0))
    residuals, rank = models.residuals(terms)
    return _rest(layout, shares, residuals, len(residuals) - rank)


class _Models:
    """What models of some of the terms explain, from one matrix of all."""

    def __init__(self, layout: Layout, terms: Sequence[Term]) -> None:
        self._design, self._columns = layout.design(terms)
        self._products = (self._design.T @ self._design).toarray()
        self._deviations = layout.deviations
        self._sums = self._design.T @ self._deviations

    def explained(self, terms: Sequence[Term]) -> tuple[float, int]:
        """The sum of squares that a model explains, and its rank, the constant among it."""
        if not terms:
            return 0.0, 1
        factor, kept = self._factored(terms)
        part = linalg.solve_triangular(factor, self._sums[kept], lower=True)
        return float(part @ part), len(kept)

    def residuals(self, terms: Sequence[Term]) -> tuple[np.ndarray, int]:
        """What a model leaves of each value, and its rank."""
        factor, kept = self._factored(terms)
        residuals, design = self._deviations, self._design[:, kept]
        for _ in range(2):  # the second time for what rounding has left
            residuals = residuals - design @ linalg.cho_solve((factor, True), design.T @ residuals)
        return residuals, len(kept)

    def _factored(self, terms: Sequence[Term]) -> tuple[np.ndarray, np.ndarray]:
        """The Cholesky factor of columns that are independent, and which these are."""
        chosen = np.concatenate([one[one >= 0] for one in (self._columns[term] for term in terms)])
        products = self._products[np.ix_(chosen, chosen)]
        # Cholesky with pivots: columns that others make up come last, where empty cells have left too little.
        (pivoted,) = linalg.get_lapack_funcs(("pstrf",), (products,))
        factor, pivots, rank, _ = pivoted(products, tol=1e-9 * products.max(), lower=1)
        return factor[:rank, :rank], chosen[pivots[:rank] - 1]


def _balanced(layout: Layout, mains: Sequence[Term], pairs: Sequence[Term]) -> Decomposition:
    """With equal counts in all cells terms are orthogonal, and no equations have to be solved."""
    residuals = layout.deviations
    shares, used = [], 1
    main_means = {term[0]: layout.means(term) for term in mains}
    for term in [*mains, *pairs]:
        effect = layout.means(term)
        df = layout.size(term) - 1
        if len(term) == 2:
            first, second = (main_means[one] for one in term)
            effect = effect - (first[:, None] + second[None, :]).ravel()
            df = (len(first) - 1) * (len(second) - 1)
        each = effect[layout.codes(term)]
        residuals = residuals - each
        size = float(each @ each)
        shares.append(Share(layout.name(term), df, 0.0 if layout.is_nothing(size) else size))
        used += df
    return _rest(layout, shares, residuals, len(layout.values) - used)


def _rest(layout: Layout, shares: Sequence[Share], residuals: np.ndarray, df: int) -> Decomposition:
    rss = float(residuals @ residuals)
    rss = 0.0 if df <= 0 or layout.is_nothing(rss) else rss
    return Decomposition(tuple(shares), rss, df, 0.0, residuals)
