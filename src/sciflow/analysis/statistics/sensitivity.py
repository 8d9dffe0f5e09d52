"""Sensitivity: how much of a metric's variation each sampled parameter is to blame for, by SALib.

- By a Saltelli design: Sobol's indices of first, second and total order (Sobol', 2001; Saltelli et al., 2010; Saltelli,
  2002).
- By a Morris design: mean (mu), mean size (mu*) and spread (sigma) of elementary effects, each the change of the metric
  over the whole range of the parameter (Morris, 1991; Campolongo, Cariboni and Saltelli, 2007).
- By any other sample: indices of first order, by RBD-FAST (Tarantola, Gatelli and Mara, 2006, with the correction of
  Tissot and Prieur, 2012) for numbers, and by the correlation ratio (epsilon²: Kelley, 1935) for choices.

All is worked out in the unit cube, where every parameter is uniform, so that logarithmic ranges, whole numbers and
choices count by how they were drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sciflow.analysis.designed import Sampling
from sciflow.analysis.observations import VALUE, Observations, Parameter, Sample, is_absent
from sciflow.analysis.statistics.finding import Finding, as_text, gaps, sample_of
from sciflow.analysis.statistics.first_order import first_order, problem_of, quietly
from sciflow.errors import ResultError
from sciflow.model.sampling import Distribution

_SEED = 1  # of resampling: the same answer for the same values
_MOST_GROUPS = 50
_FEWEST_POINTS = 30  # for indices of any sample
_SHOWN_POINTS = 3
_PAIR = ("first", "second")
Key = tuple[Any, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Sensitivity(Finding):
    """How much a metric depends on each sampled parameter.

    Attributes
    ----------
    method
        ``sobol``, ``morris``, or ``given data``.
    indices
        One row per parameter, the one that matters most first. By ``sobol`` ``S1``, ``S1_conf``, ``ST``, ``ST_conf``;
        by ``morris`` ``mu``, ``mu_star``, ``mu_star_conf``, ``sigma``; else ``S1``, ``S1_conf``. What ends in ``_conf``
        is half the width of the confidence interval. Where listed parameters multiply the sample, there is a column
        for each, and such rows for each of their combinations.
    pairs
        For ``sobol`` with the second order, one row per pair: ``first``, ``second``, ``S2``, ``S2_conf``.
    """

    method: str
    indices: pd.DataFrame
    pairs: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """One row per parameter."""
        return self.indices

    @property
    def title(self) -> str:
        """What this is."""
        return f"sensitivity of {self.metric.name} by {self.method}"

    def body(self) -> str:
        """Indices, and those of pairs where there are some."""
        tables = [self.indices, *([] if self.pairs.empty else [self.pairs])]
        return "\n\n".join(as_text(one) for one in tables)


def sensitivity(
    observations: Observations, metric: str, minimum_coverage: float = 0.0, confidence: float = 0.95
) -> Sensitivity:
    """How much a metric depends on each sampled parameter.

    Parameters
    ----------
    observations
        Of one run, whose space is sampled.
    metric
        The metric.
    minimum_coverage
        The share of its values that must be there.
    confidence
        Of the intervals.

    Raises
    ------
    ResultError
        Where nothing is sampled, points of a design have no value, or there are too few.
    """
    if not 0 < confidence < 1:
        raise ResultError(f"`confidence` is {confidence!r}", hint="give a share between 0 and 1, such as 0.95")
    sample = sample_of(observations, metric, minimum_coverage)
    drawn = [one for one in sample.parameters.values() if one.is_sampled]
    if not drawn:
        raise ResultError(
            f"no parameter of `{sample.metric.name}` is sampled",
            hint="sensitivity needs axes drawn from distributions; for listed ones there are effects and ANOVA",
        )
    sampling = observations.sampling
    asked = _Asked(sample, [one.name for one in drawn], confidence)
    if sampling is not None and sampling.design.is_screening:
        return _by_design(asked, sampling)
    return _by_any(asked, drawn)


class _Asked:
    """Values by point of the sample, the mean over repeats, for each combination of what is listed besides."""

    def __init__(self, sample: Sample, drawn: list[str], confidence: float) -> None:
        self.sample, self.drawn, self.confidence = sample, drawn, confidence
        self.listed = [one.name for one in sample.factors if not one.is_sampled]
        self.notes = gaps(sample)
        frame = sample.measured
        means: dict[Key, dict[Key, list[float]]] = {}
        for group, point, value in zip(
            _keys(frame, self.listed), _keys(frame, drawn), frame[VALUE].tolist(), strict=True
        ):
            means.setdefault(group, {}).setdefault(point, []).append(value)
        if len(means) > _MOST_GROUPS:
            raise ResultError(
                f"{len(means)} combinations of {', '.join(self.listed)} multiply the sample: too many to tell apart",
                hint="select some of them first",
            )
        self.groups = {g: {k: float(np.mean(v)) for k, v in points.items()} for g, points in means.items()}
        most = max(len(v) for points in means.values() for v in points.values())
        if most > 1:
            self.notes.append(f"of up to {most} repeats at a point their mean counts")

    def each_group(self) -> Iterator[tuple[dict[str, Any], dict[Key, float]]]:
        """Each combination of listed parameters, and the values by point."""
        for key, values in self.groups.items():
            yield dict(zip(self.listed, key, strict=True)), values

    def told(self, method: str, tables: Sequence[tuple[pd.DataFrame, pd.DataFrame]]) -> Sensitivity:
        indices, pairs = (pd.concat(one, ignore_index=True) for one in zip(*tables, strict=True))
        sample, notes = self.sample, tuple(dict.fromkeys(self.notes))
        return Sensitivity(sample.metric, sample.finite, method, indices, pairs, notes=notes)


def _keys(frame: pd.DataFrame, names: list[str]) -> list[Key]:
    if not names:
        return [()] * len(frame)
    rows = zip(*(frame[name] for name in names), strict=True)
    return [tuple(None if is_absent(one) else one for one in row) for row in rows]


def _by_design(asked: _Asked, sampling: Sampling) -> Sensitivity:
    for name, distribution in sampling.distributions.items():
        levels = asked.sample.parameters[name].levels if name in asked.drawn else ()
        if None in levels and None not in distribution.details:
            raise ResultError(
                f"`{name}` is used under a condition only, so points of the design do not say what it was",
                hint="sensitivity by a design needs axes that are always used",
            )
    unit = sampling.unit_points()
    columns = sampling.values_at(unit)
    points = list(zip(*(columns[name] for name in asked.drawn), strict=True))
    names, design = list(sampling.distributions), sampling.design
    unused = [name for name in names if name not in asked.drawn]
    if unused:
        asked.notes.append(f"it does not depend on {', '.join(unused)} by the workflow")
    analyse = _morris if design.method == "morris" else _sobol
    tables = []
    for group, values in asked.each_group():
        measured = _looked_up(asked, points, values)
        tables.append(_with_group(analyse(asked, sampling, unit, measured), group))
    return asked.told("morris" if design.method == "morris" else "sobol", tables)


def _looked_up(asked: _Asked, points: list[Key], values: dict[Key, float]) -> np.ndarray:
    """The value at each point of the design, in its order."""
    missing = list(dict.fromkeys(point for point in points if point not in values))
    if not missing:
        return np.array([values[point] for point in points])
    name, different = asked.sample.metric.name, len(set(points))
    if len(missing) == different:
        raise ResultError(
            f"none of the {different} points of the design is among the combinations of `{name}`",
            hint="the run was made with versions of SciPy and SALib that draw other points; use the same ones",
        )
    shown = [", ".join(f"{n}={v!r}" for n, v in zip(asked.drawn, p, strict=True)) for p in missing[:_SHOWN_POINTS]]
    rest = f"; and {len(missing) - _SHOWN_POINTS} more" if len(missing) > _SHOWN_POINTS else ""
    raise ResultError(
        f"{len(missing)} of the {different} points of the design have no finite `{name}`, and indices need all of "
        f"them: {'; '.join(shown)}{rest}",
        hint="`sciflow retry` what failed; constraints and exclusions take points away too",
    )


def _sobol(asked: _Asked, sampling: Sampling, _unit: np.ndarray, values: np.ndarray) -> tuple[pd.DataFrame, ...]:
    from SALib.analyze import sobol

    names, second_order = list(sampling.distributions), sampling.design.second_order
    if _is_constant(asked, values):
        return _untold(names, ["S1", "S1_conf", "ST", "ST_conf"]), _no_pairs()
    found = quietly(
        lambda: sobol.analyze(
            problem_of(names), values, calc_second_order=second_order, conf_level=asked.confidence, seed=_SEED
        )
    )
    indices = pd.DataFrame({"parameter": names, **{key: found[key] for key in ("S1", "S1_conf", "ST", "ST_conf")}})
    _tell_uncertain(asked, indices, "ST")
    pairs = _no_pairs()
    if second_order and len(names) > 1:
        rows = [
            (names[a], names[b], found["S2"][a, b], found["S2_conf"][a, b])
            for a in range(len(names))
            for b in range(a + 1, len(names))
        ]
        pairs = _sorted(pd.DataFrame(rows, columns=list(pairs.columns)), "S2")
    return _sorted(indices, "ST"), pairs


def _morris(asked: _Asked, sampling: Sampling, unit: np.ndarray, values: np.ndarray) -> tuple[pd.DataFrame, ...]:
    from SALib.analyze import morris

    names = list(sampling.distributions)
    found = quietly(
        lambda: morris.analyze(
            problem_of(names), unit, values, conf_level=asked.confidence, num_levels=sampling.design.levels, seed=_SEED
        )
    )
    levels = sampling.design.levels
    step = levels / (2 * (levels - 1))
    # Between options there is no part of a range: a step leads from one to another, and is an effect as it is.
    whole = [n for n, one in sampling.distributions.items() if one.kind == "choice" or _options(one) == 2]
    few = [n for n, one in sampling.distributions.items() if n not in whole and _options(one) <= 10]
    if whole:
        asked.notes.append(f"an effect of {', '.join(whole)} is the change from one of its values to another")
    if few:
        asked.notes.append(f"few values of {', '.join(few)}: an effect is a step between them, divided by {step:.3g}")
    factor = np.array([step if name in whole else 1.0 for name in names])
    columns = {key: np.asarray(found[key], dtype=float) * factor for key in ("mu", "mu_star", "mu_star_conf", "sigma")}
    return _sorted(pd.DataFrame({"parameter": names, **columns}), "mu_star"), _no_pairs()


def _options(distribution: Distribution) -> float:
    """How many values a distribution has."""
    if distribution.kind == "choice":
        return len(distribution.details)
    return distribution.details[1] - distribution.details[0] + 1 if distribution.kind == "integers" else float("inf")


def _by_any(asked: _Asked, drawn: list[Parameter]) -> Sensitivity:
    tables = []
    for group, points in asked.each_group():
        if len(points) < _FEWEST_POINTS:
            raise ResultError(
                f"`{asked.sample.metric.name}` has values at {len(points)} points, and {_FEWEST_POINTS} are needed",
                hint="sample more points, or by `saltelli` or `morris`",
            )
        values = np.array(list(points.values()))
        if _is_constant(asked, values):
            table = _untold([one.name for one in drawn], ["S1", "S1_conf"])
        else:
            rows = [
                (one.name, *first_order([point[number] for point in points], values, one, asked.confidence))
                for number, one in enumerate(drawn)
            ]
            table = _sorted(pd.DataFrame(rows, columns=["parameter", "S1", "S1_conf"]), "S1")
        tables.append(_with_group((table, _no_pairs()), group))
    asked.notes.append(
        "from a sample without a design for it: first order only, each parameter by itself; "
        "sample by `saltelli` for interactions"
    )
    return asked.told("given data", tables)


def _is_constant(asked: _Asked, values: np.ndarray) -> bool:
    constant = bool(np.ptp(values) <= 1e-12 * np.abs(values).max())
    if constant:
        asked.notes.append(f"all values are {values[0]:.6g}: there is no variation to explain")
    return constant


def _tell_uncertain(asked: _Asked, indices: pd.DataFrame, key: str) -> None:
    wide = [n for n, v, c in zip(indices["parameter"], indices[key], indices[f"{key}_conf"], strict=True) if c > 0.1]
    if wide:
        asked.notes.append(f"{key} of {', '.join(wide)} is uncertain by more than 0.1: a larger `count` tells more")


def _with_group(tables: tuple[pd.DataFrame, ...], group: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    for table in tables:
        for place, (name, value) in enumerate(group.items()):
            free = f"{name}()" if name in table else name
            table.insert(place, free, pd.Series([value] * len(table), dtype=object))
    return tables[0], tables[1]


def _untold(names: list[str], columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"parameter": names, **dict.fromkeys(columns, np.nan)})


def _no_pairs() -> pd.DataFrame:
    return pd.DataFrame({"first": [], "second": [], "S2": [], "S2_conf": []}).astype(
        {"first": object, "second": object}
    )


def _sorted(frame: pd.DataFrame, by: str) -> pd.DataFrame:
    return frame.sort_values(by, ascending=False, kind="stable", key=lambda column: column.abs()).reset_index(drop=True)
