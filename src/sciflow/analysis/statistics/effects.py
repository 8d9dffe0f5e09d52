"""Effects: how much a metric changes with each factor, and with pairs of them.

The mean of a level is its estimated marginal mean (Searle, Speed and Milliken, 1980: population marginal means): what
the mean would be if all levels of the other factors had the same weight. With equal counts it is the plain mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from sciflow.analysis.observations import Sample
from sciflow.analysis.statistics.decomposition import decompose, sizes_frame
from sciflow.analysis.statistics.finding import Finding, as_text, gaps
from sciflow.analysis.statistics.layout import Fit, Layout, Term, layout_of
from sciflow.errors import ResultError


@dataclass(frozen=True, eq=False, repr=False)
class Effects(Finding):
    """Main effects of all factors, and the sizes of main effects and interactions.

    Attributes
    ----------
    means
        One row per level of each factor: ``factor``, ``level``, ``label``, ``count``, ``mean`` (marginal), ``low``,
        ``high`` (a t interval of it; NaN where nothing tells the error), ``raw_mean``, and ``effect``: the mean's
        distance from the mean of the factor's marginal means. The factor with the largest effect comes first.
    sizes
        One row per main effect and interaction, the largest first: ``term``, ``df``, ``sum_of_squares``, ``eta2``,
        ``partial_eta2``, ``omega2``; see `decomposition`.
    """

    means: pd.DataFrame
    sizes: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """The marginal means: one row per level."""
        return self.means

    def of(self, factor: str) -> pd.DataFrame:
        """The rows of one factor, in the order of its levels.

        Raises
        ------
        ResultError
            For a name that is no factor.
        """
        rows = [factor == one or factor in str(one).split(" & ") for one in self.means["factor"]]
        if not any(rows):
            raise ResultError(f"`{factor}` is no factor here", hint=f"factors: {', '.join(self.factors)}")
        return self.means.loc[rows].reset_index(drop=True)

    @property
    def factors(self) -> list[str]:
        """The factors, the one with the largest effect first."""
        return list(dict.fromkeys(self.means["factor"]))

    @property
    def title(self) -> str:
        """What this is."""
        return f"effects on {self.metric.name}"

    def body(self) -> str:
        """Sizes first, then means."""
        shown = self.means.reindex(columns=["factor", "label", "count", "mean", "low", "high"])
        shown = shown.rename(columns={"label": "level"})
        return f"{as_text(self.sizes)}\n\n{as_text(shown)}"


@dataclass(frozen=True, eq=False, repr=False)
class Interaction(Finding):
    """How the effect of one factor depends on another.

    Attributes
    ----------
    first, second
        The factors.
    cells
        One row per pair of levels: the columns ``first``, ``second`` (levels), ``first_label``, ``second_label``,
        ``count``, ``mean`` (marginal over the other factors; NaN where nothing was measured), ``low``, ``high``, and
        ``interaction``: how far the mean is from the sum of the two main effects; with empty cells, from what a model
        expects in which effects add up.
    """

    first: str
    second: str
    cells: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """One row per pair of levels."""
        return self.cells

    @property
    def title(self) -> str:
        """What this is."""
        return f"{self.metric.name} by {self.first} and {self.second}"


_MOST_COUNTED = 1_000_000  # cells


class _Means(NamedTuple):
    means: np.ndarray
    low: np.ndarray
    high: np.ndarray


def effects(sample: Sample, names: list[str] | None = None, confidence: float = 0.95) -> Effects:
    """Main effects, and the sizes of main effects and interactions of pairs.

    Parameters
    ----------
    sample
        The values.
    names
        The factors to look at; by default all.
    confidence
        Of the intervals.

    Raises
    ------
    ResultError
        Where the metric is no number, has none, or depends on nothing that varies.
    """
    layout = layout_of(sample, names)
    parted = decompose(layout)
    estimate = _Estimate(layout, confidence)
    frames = []
    sizes = sizes_frame(parted)
    order = {name: place for place, name in enumerate(sizes["term"])}
    for number in sorted(range(len(layout.factors)), key=lambda one: order[layout.factors[one].name]):
        frames.append(_level_rows(layout, number, estimate))
    notes = (*layout.notes, *gaps(sample), *estimate.notes, *parted.notes)
    return Effects(
        sample.metric, sample.finite, pd.concat(frames, ignore_index=True), sizes, notes=tuple(dict.fromkeys(notes))
    )


def interaction(sample: Sample, first: str, second: str, confidence: float = 0.95) -> Interaction:
    """The means of all pairs of levels of two factors, and how far they are from the sum of the main effects.

    Raises
    ------
    ResultError
        As for `effects`, and where both are one factor.
    """
    return interactions(sample, [(first, second)], confidence)[0]


def interactions(sample: Sample, pairs: Sequence[tuple[str, str]], confidence: float = 0.95) -> list[Interaction]:
    """The interactions of several pairs of factors, for which the sample is laid out once.

    Raises
    ------
    ResultError
        As for `interaction`.
    """
    layout = layout_of(sample)
    estimate = _Estimate(layout, confidence, is_of_pairs=True)
    return [_of_pair(sample, layout, estimate, first, second) for first, second in pairs]


def _of_pair(sample: Sample, layout: Layout, estimate: _Estimate, first: str, second: str) -> Interaction:
    pair = (layout.position(first), layout.position(second))
    if pair[0] == pair[1]:
        raise ResultError(f"`{first}` and `{second}` are one factor here", hint="choose two that vary freely")
    one, two = (layout.factors[number] for number in pair)
    found = estimate.of(pair)
    means = found.means.reshape(len(one), len(two))
    rows = [(a, b) for a in range(len(one)) for b in range(len(two))]
    expected = estimate.additive(pair).reshape(means.shape) if np.isnan(means).any() else _additive(means)
    cells = pd.DataFrame(
        {
            "first": pd.Series([one.levels[a] for a, _ in rows], dtype=object).infer_objects(),
            "second": pd.Series([two.levels[b] for _, b in rows], dtype=object).infer_objects(),
            "first_label": [one.labels[a] for a, _ in rows],
            "second_label": [two.labels[b] for _, b in rows],
            "count": layout.counts(pair),
            "mean": found.means + layout.mean,
            "low": found.low + layout.mean,
            "high": found.high + layout.mean,
            "interaction": (means - expected).ravel(),
        }
    )
    notes = tuple(dict.fromkeys([*layout.notes, *gaps(sample), *estimate.notes]))
    return Interaction(sample.metric, sample.finite, one.name, two.name, cells, notes=notes)


def pairs_by_size(found: Effects) -> list[tuple[str, str]]:
    """The pairs of factors, that with the largest interaction first; in the factors' order where it is unknown."""
    told = [tuple(str(term).split(" × ")) for term in found.sizes["term"] if " × " in str(term)]
    known = {frozenset(one) for one in told}
    rest = [one for one in combinations(found.factors, 2) if frozenset(one) not in known]
    return [(one[0], one[1]) for one in [*told, *rest]]


def _additive(cells: np.ndarray) -> np.ndarray:
    """What the cells would be without an interaction, where all of them have values."""
    return cells.mean(axis=1)[:, None] + cells.mean(axis=0)[None, :] - cells.mean()


def _level_rows(layout: Layout, number: int, estimate: _Estimate) -> pd.DataFrame:
    factor, found = layout.factors[number], estimate.of((number,))
    return pd.DataFrame(
        {
            "factor": factor.name,
            "level": pd.Series(list(factor.levels), dtype=object),
            "label": list(factor.labels),
            "count": layout.counts((number,)),
            "mean": found.means + layout.mean,
            "low": found.low + layout.mean,
            "high": found.high + layout.mean,
            "raw_mean": layout.means((number,)) + layout.mean,
            "effect": found.means - found.means.mean(),
        }
    )


class _Estimate:
    """Marginal means: of cells where all of them have values, else by an additive model of what is there."""

    def __init__(self, layout: Layout, confidence: float, is_of_pairs: bool = False) -> None:
        if not 0 < confidence < 1:
            raise ResultError(f"`confidence` is {confidence!r}", hint="give a share between 0 and 1, such as 0.95")
        self._layout = layout
        self._confidence = confidence
        self._mains = [(number,) for number in range(len(layout.factors))]
        self._additive = None if layout.is_full else layout.fit(self._mains)
        self.notes: list[str] = []
        rss, df = layout.within_cells
        if layout.is_full:
            if not layout.is_balanced:
                self.notes.append("counts differ between cells: means are marginal, with all cells of equal weight")
        else:
            cells, empty = math.prod(layout.shape), layout.empty_cells
            told = f"{empty} of {cells} cells have" if cells <= _MOST_COUNTED else "most cells have"
            is_pair_all = is_of_pairs and len(layout.factors) == 2
            beside = ", beside the interaction that is shown" if is_of_pairs else ""
            model = "" if is_pair_all else f": means are those of a model in which effects add up{beside}"
            self.notes.append(f"{told} no value{model}")
            if self._additive and not is_pair_all:
                rss, df = self._additive.rss, self._additive.df
        self._error = rss / df if df > 0 else float("nan")
        self._df = df
        if df <= 0:
            self.notes.append("without repeats nothing tells how sure these means are")

    def of(self, term: Term) -> _Means:
        """The marginal means of a term's codes, as distances from the mean of all values."""
        error, df = self._error, self._df
        if self._additive is None:
            means, variances = self._of_cells(term)
        else:
            # The means of a pair have an interaction, which is no error: what its own model leaves is.
            fit = self._additive if len(term) == 1 else self._layout.fit([*self._mains, term])
            means, variances = self._of_model(term, fit)
            error, df = (fit.rss / fit.df if fit.df > 0 else math.nan), fit.df
        half = (
            stats.t.ppf((1 + self._confidence) / 2, df) * np.sqrt(error * variances)
            if df > 0
            else np.full(len(means), np.nan)
        )
        return _Means(means, means - half, means + half)

    def additive(self, pair: Term) -> np.ndarray:
        """What a model in which effects add up expects of each code of a pair; NaN where that cannot be told."""
        fit = self._additive or self._layout.fit(self._mains)
        return fit.told(_weights(self._layout, pair, fit))[0]

    def _of_cells(self, term: Term) -> tuple[np.ndarray, np.ndarray]:
        layout = self._layout
        others = tuple(number for number in range(len(layout.factors)) if number not in term)
        cells = layout.cell_means()
        counts = layout.counts(tuple(range(len(layout.factors)))).reshape(layout.shape)
        weight = cells.size / layout.size(term)
        means, variances = cells.mean(axis=others), (1 / counts).sum(axis=others) / weight**2
        if len(term) == 2 and term[0] > term[1]:
            means, variances = means.T, variances.T
        return means.ravel(), variances.ravel()

    def _of_model(self, term: Term, fit: Fit) -> tuple[np.ndarray, np.ndarray]:
        layout = self._layout
        means, variances = fit.told(_weights(layout, term, fit))
        if len(term) == 1 and np.isnan(means).any():
            # Where a factor is used only with some level of another, no model tells the two apart.
            note = f"the effect of `{layout.name(term)}` cannot be told from those of others: its means are plain ones"
            if note not in self.notes:
                self.notes.append(note)
            return layout.means(term), 1 / layout.counts(term)
        means[layout.counts(term) == 0] = np.nan
        return means, variances


def _weights(layout: Layout, term: Term, fit: Fit) -> np.ndarray:
    """For each code of a term the weights of coefficients: its own levels whole, all others equally."""
    codes = np.unravel_index(np.arange(layout.size(term)), tuple(layout.shape[one] for one in term))
    weights = np.zeros((layout.size(term), len(fit.coefficients)))
    for number, factor in enumerate(layout.factors):
        columns = fit.columns[(number,)]
        if number in term:
            weights[np.arange(len(weights)), columns[codes[term.index(number)]]] = 1
        else:
            weights[:, columns] = 1 / len(factor)
    if len(term) == 2 and term in fit.columns:
        own = fit.columns[term]
        there = np.flatnonzero(own >= 0)
        weights[there, own[there]] = 1
    return weights
