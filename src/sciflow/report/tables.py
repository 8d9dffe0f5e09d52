"""Tables to be printed: metrics at the levels of parameters, each with its uncertainty."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd

from sciflow.analysis.cells import plain, rows_of
from sciflow.analysis.export import check_format, export_frame
from sciflow.analysis.levels import is_absent
from sciflow.analysis.observations import Observations, Sample
from sciflow.analysis.repeats import means
from sciflow.analysis.rounding import rounded
from sciflow.analysis.typeset import escaped_latex, latex_cell, latex_table, markdown_table, plain_cell
from sciflow.errors import ResultError
from sciflow.figures.caption import sentence
from sciflow.figures.labels import metric_label
from sciflow.figures.remarks import averaged, gaps
from sciflow.store.layout import write_whole

Uncertainty = Literal["standard", "sd", "interval", "none"]
_TOLD: Mapping[str, str] = {
    "standard": "in parentheses: standard uncertainty of the mean, in units of the last digit",
    "sd": "in parentheses: standard deviation, in units of the last digit",
    "interval": "in parentheses: half of the 95% confidence interval of the mean (t), in units of the last digit",
}


@dataclass(frozen=True, eq=False)
class ResultTable:
    """Metrics at the levels of parameters.

    Attributes
    ----------
    values
        The numbers, unrounded; see `frame`.
    by
        The parameters.
    headings
        Metric → what stands above it.
    notes
        What a reader must know beside it.
    """

    values: pd.DataFrame
    by: tuple[str, ...]
    headings: Mapping[str, str]
    notes: tuple[str, ...]

    def frame(self) -> pd.DataFrame:
        """A row for each combination of levels, unrounded.

        It has the parameters, and of each metric ``m`` its mean ``m``, its uncertainty ``m_uncertainty`` and of how
        many values it is, ``m_count``.
        """
        return self.values

    def to_markdown(self) -> str:
        """The table as Markdown, rounded by its uncertainties, and the notes below."""
        header, rows = self._printed()
        table = markdown_table(header, [[plain_cell(value) for value in row] for row in rows])
        return table + (f"\n{' '.join(self._sentences())}\n" if self.notes else "")

    def to_latex(self, caption: str | None = None, label: str | None = None) -> str:
        """The table as LaTeX with booktabs, rounded by its uncertainties.

        Parameters
        ----------
        caption
            What it shows, in plain words; the notes follow. With it or a label, the table is a float.
        label
            By which the text refers to it.

        Raises
        ------
        ResultError
            For more rows or columns than anybody prints.
        """
        header, rows = self._printed()
        notes = [escaped_latex(note) for note in self._sentences()]
        told = " ".join([escaped_latex(_ended(caption)), *notes]) if caption else None
        cells = [[latex_cell(value) for value in row] for row in rows]
        table = latex_table([escaped_latex(name) for name in header], cells, told, label)
        return table if told else "".join(f"% {note}\n" for note in notes) + table

    def save(self, path: str | Path, *, caption: str | None = None, label: str | None = None) -> Path:
        """Write it: ``.tex`` and ``.md`` rounded, to be printed; other endings with all digits, to be read by programs.

        Raises
        ------
        ResultError
            For an ending that is no format, and where it cannot be written.
        """
        target = Path(path)
        check_format(target)
        try:
            if target.suffix == ".tex":
                write_whole(target, self.to_latex(caption, label))
            elif target.suffix == ".md":
                write_whole(target, self.to_markdown())
            else:
                export_frame(self.values, target)
        except OSError as error:
            raise ResultError(f"`{target}` cannot be written: {error.strerror}") from error
        return target

    def __str__(self) -> str:
        return self.to_markdown()

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def _sentences(self) -> list[str]:
        return [sentence(note, {*self.by, *self.headings}) for note in self.notes]

    def _printed(self) -> tuple[list[str], list[list[Any]]]:
        """Header and cells; counts only where they differ."""
        counts = {name: tuple(map(plain, self.values[f"{name}_count"])) for name in self.headings}
        told = {name: own for name, own in counts.items() if len(set(own)) > 1}
        if len(set(told.values())) == 1 and len(told) == len(counts):
            told = {"": next(iter(told.values()))}
        header = [*self.by, *self.headings.values(), *(f"n ({name})" if name else "n" for name in told)]
        rows = []
        for place, row in enumerate(rows_of(self.values)):
            of = dict(zip(self.values.columns, row, strict=True))
            values = [
                None if of[name] is None else rounded(of[name], of[f"{name}_uncertainty"]) for name in self.headings
            ]
            rows.append(
                [
                    *("none" if of[name] is None else of[name] for name in self.by),
                    *values,
                    *(own[place] for own in told.values()),
                ]
            )
        return header, rows


def result_table(
    observations: Observations,
    metrics: Sequence[str] = (),
    by: Sequence[str] = (),
    uncertainty: Uncertainty = "standard",
) -> ResultTable:
    """Tabulate metrics at the levels of parameters.

    Parameters
    ----------
    observations
        The values.
    metrics
        Which; all that are numbers, where none is named.
    by
        The parameters; all with an effect, where none is named. Of what is left the mean is taken.
    uncertainty
        ``standard`` of the mean, the ``sd`` of the values, half of a 95% confidence ``interval`` of the mean, or none.

    Raises
    ------
    ResultError
        For names that are not there, a metric that depends on none of the parameters, and where nothing is measured.
    """
    if uncertainty not in get_args(Uncertainty):
        raise ResultError(f"`uncertainty` is {uncertainty!r}", hint=f"known are {', '.join(get_args(Uncertainty))}")
    samples = [observations.sample(name) for name in metrics] or _numeric(observations)
    for name in by:
        observations.parameter(name)
    names = list(dict.fromkeys(by)) or [
        one for one in observations.parameters if any(one == factor.name for own in samples for factor in own.factors)
    ]
    keys = _keys(observations, names)
    columns: dict[str, list[Any]] = {name: [key[place] for key in keys] for place, name in enumerate(names)}
    notes = []
    for sample in samples:
        columns |= _columns(sample, names, keys, uncertainty)
        notes += [averaged(sample, names), gaps(sample)]
    frame = pd.DataFrame({name: pd.Series(values, dtype=_dtype(values)) for name, values in columns.items()})
    shown = [sample.metric.name for sample in samples]
    is_told = uncertainty != "none" and any(frame[f"{name}_uncertainty"].notna().any() for name in shown)
    if is_told:
        notes.append(_TOLD[uncertainty])
    counts = {count for name in shown for count in map(plain, frame[f"{name}_count"])}
    if len(counts) == 1:
        notes.append(f"n = {counts.pop()}")
    headings = {sample.metric.name: metric_label(sample.metric) for sample in samples}
    return ResultTable(frame, tuple(names), headings, tuple(dict.fromkeys(filter(None, notes))))


def _numeric(observations: Observations) -> list[Sample]:
    samples = [observations.sample(name) for name in observations.metrics]
    found = [one for one in samples if one.is_numeric and one.coverage.present]
    if not found:
        raise ResultError(
            f"no metric has a number: {observations.coverage} combinations are completed",
            hint="see `sciflow status` for what is missing and why",
        )
    return found


def _keys(observations: Observations, names: Sequence[str]) -> list[tuple[Any, ...]]:
    """The combinations of levels that there are, in the order of the levels."""
    columns = [[None if is_absent(one) else plain(one) for one in observations.frame[name]] for name in names]
    found = dict.fromkeys(zip(*columns, strict=True)) if names else {(): None}
    places = [{level: at for at, level in enumerate(observations.parameters[name].levels)} for name in names]
    return sorted(found, key=lambda key: [place[one] for place, one in zip(places, key, strict=True)])


def _columns(
    sample: Sample, names: Sequence[str], keys: Sequence[tuple[Any, ...]], uncertainty: Uncertainty
) -> dict[str, list[Any]]:
    metric = sample.metric.name
    own = [name for name in names if name in sample.parameters]
    if names and not own:
        told = ", ".join(f"`{name}`" for name in names)
        raise ResultError(
            f"`{metric}` depends on none of {told}",
            hint=f"it depends on {', '.join(f'`{name}`' for name in sample.parameters)}" if sample.parameters else "",
        )
    found = means(sample, own, "t" if uncertainty == "interval" else "none")
    rows: dict[tuple[Any, ...], tuple[float, float | None, int]] = {}
    for row in rows_of(found):
        of = dict(zip(found.columns, row, strict=True))
        rows[tuple(of[name] for name in own)] = (of["mean"], _uncertain(of, uncertainty), of["count"])
    places = [place for place, name in enumerate(names) if name in own]
    got = [rows.get(tuple(key[place] for place in places), (None, None, 0)) for key in keys]
    values = zip(*got, strict=True) if got else ((), (), ())
    return {f"{metric}{end}": list(one) for end, one in zip(("", "_uncertainty", "_count"), values, strict=True)}


def _uncertain(of: Mapping[str, Any], uncertainty: Uncertainty) -> float | None:
    if uncertainty == "none" or of["sd"] is None:
        return None
    if uncertainty == "interval":
        return (of["high"] - of["low"]) / 2
    return of["sd"] if uncertainty == "sd" else of["sd"] / math.sqrt(of["count"])


def _dtype(values: Sequence[Any]) -> Any:
    kinds = {type(value) for value in values}
    return float if kinds <= {float, type(None)} else int if kinds == {int} else object


def _ended(caption: str) -> str:
    """A caption as its author wrote it, and with a full stop where others follow."""
    text = caption.strip()
    return text if text[-1:] in (".", "!", "?") else f"{text}."
