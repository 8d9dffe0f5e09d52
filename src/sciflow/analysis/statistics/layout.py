"""The layout of a sample: its factors as codes, which cells have values, and least squares over them.

A cell is a combination of one level of each factor. Failures leave cells empty and others with fewer values, so the
rank of a model is found from what is there, and not from what was planned.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import linalg, sparse

from sciflow.analysis.levels import codes_of
from sciflow.analysis.observations import VALUE, Parameter, Sample
from sciflow.errors import ResultError
from sciflow.model.nearest import nearest

Term = tuple[int, ...]  # positions of factors: one for a main effect, two for an interaction

MOST_DRAWN_LEVELS = 10  # of a sampled parameter, until its values are put into classes
_MOST_LONE_LEVELS = 50  # of a listed one whose values were measured about once each
_MOST_CLASSES = 8
_LARGEST = 1e140  # whose squares, and sums of millions of them, are still floats
_TINY = 1e-12  # of the largest value: what is smaller is rounding


@dataclass(frozen=True, eq=False)
class Factor:
    """A parameter as analyses of variance see it: a few levels, and which of them each value has.

    Attributes
    ----------
    name
        The parameter's name; joined by `` & `` where several move together.
    levels
        Its levels; of a class of drawn values their median.
    labels
        The same in words; of a class its bounds.
    codes
        For each value the position of its level.
    """

    name: str
    levels: tuple[Any, ...]
    labels: tuple[str, ...]
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.levels)


@dataclass(frozen=True, eq=False)
class Fit:
    """A model fitted by least squares: what it leaves, and how to tell linear combinations of its coefficients."""

    residuals: np.ndarray
    rank: int
    coefficients: np.ndarray
    columns: dict[Term, np.ndarray]  # code of a term → column, -1 where nothing was measured
    _basis: np.ndarray
    _spread: np.ndarray

    @property
    def rss(self) -> float:
        """The residual sum of squares."""
        return float(self.residuals @ self.residuals)

    @property
    def df(self) -> int:
        """The residual degrees of freedom."""
        return len(self.residuals) - self.rank

    def told(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Linear combinations of coefficients, one a row: each value, and its variance in units of the error's.

        What the data cannot tell is NaN.
        """
        inside = weights @ self._basis
        values, variances = weights @ self.coefficients, np.sum(inside**2 / self._spread, axis=1)
        lost = np.linalg.norm(weights - inside @ self._basis.T, axis=1) > 1e-6
        values[lost], variances[lost] = np.nan, np.nan
        return values, variances


@dataclass(frozen=True, eq=False)
class Layout:
    """Values and the factors that they depend on.

    Attributes
    ----------
    factors
        Those with more than one level.
    values
        Finite numbers.
    notes
        What was put together to get here.
    """

    factors: tuple[Factor, ...]
    values: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """How many levels each factor has."""
        return tuple(len(one) for one in self.factors)

    @cached_property
    def _everything(self) -> Term:
        return tuple(range(len(self.factors)))

    @cached_property
    def is_full(self) -> bool:
        """Whether every cell has a value."""
        return math.prod(self.shape) <= len(self.values) and bool(self.counts(self._everything).all())

    @cached_property
    def is_balanced(self) -> bool:
        """Whether every cell has the same number of values."""
        return self.is_full and len(set(self.counts(self._everything).tolist())) == 1

    @cached_property
    def empty_cells(self) -> int:
        """How many cells have no value."""
        codes = np.stack([one.codes for one in self.factors])
        return math.prod(self.shape) - np.unique(codes, axis=1).shape[1]

    @property
    def mean(self) -> float:
        """The mean of all values."""
        return float(self.values.mean())

    @cached_property
    def deviations(self) -> np.ndarray:
        """The values without their mean."""
        return self.values - self.values.mean()

    def is_nothing(self, rss: float) -> bool:
        """Whether a sum of squares is no more than rounding."""
        return rss <= len(self.values) * (_TINY * float(np.abs(self.values).max())) ** 2

    def position(self, name: str) -> int:
        """The position of a factor; of those that move together, by any of their names.

        Raises
        ------
        ResultError
            Where there is none.
        """
        for number, factor in enumerate(self.factors):
            if name == factor.name or name in factor.name.split(" & "):
                return number
        raise ResultError(
            f"`{name}` is no factor here", hint=nearest(name, [one.name for one in self.factors]) or "none varies"
        )

    def name(self, term: Term) -> str:
        """A term in words: ``a``, or ``a × b``."""
        return " × ".join(self.factors[one].name for one in term)

    def codes(self, term: Term) -> np.ndarray:
        """For each value the code of its level, or combination of levels."""
        shape = tuple(self.shape[one] for one in term)
        return np.ravel_multi_index(tuple(self.factors[one].codes for one in term), shape)

    def size(self, term: Term) -> int:
        """How many codes a term has."""
        return math.prod(self.shape[one] for one in term)

    def counts(self, term: Term) -> np.ndarray:
        """How many values each code of a term has."""
        return np.bincount(self.codes(term), minlength=self.size(term))

    def means(self, term: Term) -> np.ndarray:
        """The mean deviation from the mean of all, for each code of a term; NaN where there is no value."""
        sums = np.bincount(self.codes(term), self.deviations, minlength=self.size(term))
        with np.errstate(invalid="ignore"):
            return sums / self.counts(term)

    def cell_means(self) -> np.ndarray:
        """The mean of each cell, one dimension for each factor."""
        return self.means(self._everything).reshape(self.shape)

    @cached_property
    def within_cells(self) -> tuple[float, int]:
        """The sum of squares of values around the means of their cells, and its degrees of freedom."""
        codes = np.stack([one.codes for one in self.factors])
        _, cell = np.unique(codes, axis=1, return_inverse=True)
        cell = cell.ravel()
        means = np.bincount(cell, self.deviations) / np.bincount(cell)
        rest = self.deviations - means[cell]
        return float(rest @ rest), len(self.values) - len(means)

    def design(self, terms: Sequence[Term]) -> tuple[sparse.csr_matrix, dict[Term, np.ndarray]]:
        """A column of ones and zeros for each code of each term that has a value, and which column it is."""
        rows, columns, width = np.arange(len(self.values)), {}, 0
        places: list[np.ndarray] = []
        for term in terms or [()]:
            codes = self.codes(term) if term else np.zeros(len(rows), dtype=int)
            present, inverse = np.unique(codes, return_inverse=True)
            columns[term] = np.full(self.size(term), -1)
            columns[term][present] = width + np.arange(len(present))
            places.append(width + inverse.ravel())
            width += len(present)
        cells = (np.tile(rows, len(places)), np.concatenate(places))
        return sparse.csr_matrix((np.ones(len(cells[0])), cells), shape=(len(rows), width)), columns

    def fit(self, terms: Sequence[Term]) -> Fit:
        """Fit the deviations by one number for each code of each term; the constant is part of any.

        Parameters
        ----------
        terms
            An interaction brings its main effects with it. None at all is the constant alone.
        """
        design, columns = self.design(terms)
        spread, basis = linalg.eigh((design.T @ design).toarray())
        kept = spread > 1e-10 * spread.max()
        spread, basis = spread[kept], basis[:, kept]
        coefficients, residuals = np.zeros(len(basis)), self.deviations
        for _ in range(2):  # the second time for what rounding has left
            coefficients = coefficients + basis @ ((basis.T @ (design.T @ residuals)) / spread)
            residuals = self.deviations - design @ coefficients
        return Fit(residuals, int(kept.sum()), coefficients, columns, basis, spread)


def layout_of(sample: Sample, names: Sequence[str] | None = None) -> Layout:
    """The layout of a sample's finite values.

    Parameters
    ----------
    sample
        The values.
    names
        The factors; by default all.

    Raises
    ------
    ResultError
        Where no parameter varies, or a name is no factor of this metric.
    """
    frame = sample.measured
    known = {one.name: one for one in sample.factors}
    for name in names or ():
        if name not in known:
            why = "has one value only, or only repeats" if name in sample.parameters else "is no parameter of it"
            raise ResultError(f"`{name}` is no factor of `{sample.metric.name}`: it {why}", hint=nearest(name, known))
    notes: list[str] = []
    wanted = known.values() if names is None else [known[name] for name in names]
    coded = [_coded(one, frame[one.name], notes) for one in wanted]
    factors = _together([one for one in coded if len(one) > 1], notes)
    if not factors:
        raise ResultError(
            f"no parameter of `{sample.metric.name}` varies among its values, so none has an effect to speak of",
            hint="repeats are no factors; give an axis more than one value",
        )
    values = frame[VALUE].to_numpy(float)
    _check_size(values, sample.metric.name)
    return Layout(tuple(factors), values, tuple(notes))


def _check_size(values: np.ndarray, name: str) -> None:
    largest = float(np.abs(values).max())
    if largest > _LARGEST:
        raise ResultError(
            f"values of `{name}` are as large as {largest:.3g}: no float can hold the sums of their squares",
            hint="give the metric in another unit, or its logarithm",
        )


def _coded(parameter: Parameter, column: Any, notes: list[str]) -> Factor:
    present, codes = np.unique(codes_of(column, parameter.levels), return_inverse=True)
    levels = [parameter.levels[number] for number in present]
    is_lone = len(levels) > _MOST_LONE_LEVELS and len(codes) < 2 * len(levels)
    is_drawn = parameter.is_sampled and len(levels) > MOST_DRAWN_LEVELS
    if parameter.kind == "number" and (is_lone or is_drawn) and None not in levels:
        return _classed(parameter.name, np.array([levels[one] for one in codes.ravel()], dtype=float), notes)
    return Factor(parameter.name, tuple(levels), tuple(_word(one) for one in levels), codes.ravel())


def _classed(name: str, values: np.ndarray, notes: list[str]) -> Factor:
    """Classes of about as many values each: as many classes as the cube root of the values, as Rice's rule has it."""
    count = max(2, min(_MOST_CLASSES, round(len(values) ** (1 / 3))))
    edges = np.unique(np.quantile(values, np.linspace(0, 1, count + 1)[1:-1]))
    raw = np.searchsorted(edges, values, side="right")
    present, codes = np.unique(raw, return_inverse=True)
    codes = codes.ravel()
    inside = [values[codes == number] for number in range(len(present))]
    notes.append(f"the {len(np.unique(values))} values of `{name}` are put into {len(inside)} classes of equal counts")
    levels = tuple(float(np.median(one)) for one in inside)
    return Factor(name, levels, tuple(f"{one.min():.4g} to {one.max():.4g}" for one in inside), codes)


def _together(factors: list[Factor], notes: list[str]) -> list[Factor]:
    """Factors whose levels go with each other one to one, as zipped axes do, are one."""
    kept: list[Factor] = []
    for factor in factors:
        twin = next((n for n, one in enumerate(kept) if move_together(one.codes, factor.codes)), None)
        if twin is None:
            kept.append(factor)
            continue
        first = kept[twin]
        notes.append(f"`{first.name}` and `{factor.name}` move together: their effects cannot be told apart")
        kept[twin] = Factor(f"{first.name} & {factor.name}", first.levels, first.labels, first.codes)
    return kept


def move_together(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether the codes of two factors go with each other one to one."""
    pairs = np.unique(first.astype(np.int64) * (int(second.max(initial=0)) + 1) + second)
    return len(pairs) == len(np.unique(first)) == len(np.unique(second))


def _word(level: Any) -> str:
    return "none" if level is None else f"{level:.6g}" if isinstance(level, float) else str(level)
