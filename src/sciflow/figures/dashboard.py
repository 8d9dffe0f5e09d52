"""A dashboard: what a run has shown, on one page of paper."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sciflow.analysis.efficiency import Efficiency, efficiency
from sciflow.analysis.observations import Observations
from sciflow.analysis.optima.best import best_of
from sciflow.analysis.overview import Extreme, extremes, situation_of, span_of, states_by_task
from sciflow.analysis.rounding import rounded
from sciflow.analysis.table import RunTable
from sciflow.errors import ResultError
from sciflow.figures.chosen import Titled, chosen
from sciflow.figures.files import keep, origin, told_letters
from sciflow.figures.labels import metric_label, text_of
from sciflow.figures.style import Style, applied
from sciflow.model.state import State
from sciflow.model.units import format_duration, format_memory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".pdf", ".png", ".svg")
MOST = 5  # figures: what is legible on one page
_CANDIDATES = 8  # of which those are taken that fit
_MOST_METRICS = 2
_MOST_TASKS = 6
WIDE = 7.47  # inches between the margins of the page
_ROOM = 7.1  # inches from top to bottom for figures
_LINE = 0.11  # inches, of notes
_LOW, _HIGH_NARROW, _HIGH = 2.0, 2.3, 2.8  # inches of a row
STYLE = Style(font_size=7.5, dpi=150)


class Fact(NamedTuple):
    """A line of text: its name, and what it is."""

    name: str
    text: str


@dataclass(frozen=True, eq=False)
class Dashboard:
    """One page about a run; `save` writes it, and notebooks show it.

    Attributes
    ----------
    title, subtitle
        The workflow; the run, how it is, and of what time that is.
    counts, best, resources
        What is there, where the best is, what was used.
    states
        Task → state → how many of its instances have it.
    pictures
        The most telling figures.
    missing
        Name → why a figure could not be made.
    run
        The run's id.
    """

    title: str
    subtitle: str
    counts: tuple[Fact, ...]
    best: tuple[Fact, ...]
    resources: tuple[Fact, ...]
    states: Mapping[str, Mapping[State, int]]
    pictures: tuple[Titled, ...]
    missing: Mapping[str, str]
    run: str

    def draw(self, style: Style = STYLE) -> Figure:
        """Draw the page."""
        from sciflow.figures.dashboard_page import draw

        with applied(style):
            return draw(self, style)

    def image(self, ending: str = ".png", style: Style = STYLE) -> bytes:
        """The page as a file's content.

        Raises
        ------
        ResultError
            For an ending that is no format.
        """
        if ending not in FORMATS:
            raise ResultError(f"`{ending}` is no format of dashboards", hint=f"known are {', '.join(FORMATS)}")
        target = io.BytesIO()
        with applied(style), told_letters():
            self.draw(style).savefig(target, format=ending[1:], metadata=origin(ending, self.title, (self.run,)))
        return target.getvalue()

    def save(self, path: str | Path, style: Style = STYLE) -> Path:
        """Write the page: one that is there is replaced once the new one is whole.

        Raises
        ------
        ResultError
            For an ending that is no format, or where it cannot be written.
        """
        target = Path(path)
        keep(target, self.image(target.suffix, style))
        return target

    def _repr_png_(self) -> bytes:
        return self.image()


def dashboard(
    results: RunTable,
    observations: Observations,
    maximize: Sequence[str] = (),
    minimize: Sequence[str] = (),
    as_of: float | None = None,
    figures: int = MOST,
) -> Dashboard:
    """Compute the page about a run.

    Parameters
    ----------
    results, observations
        What was collected of the run.
    maximize, minimize
        The metrics of which the largest and the smallest value is the best.
    as_of
        When it was collected; by default now.
    figures
        How many there are at most: no more than `MOST`, and than are legible on one page.

    Raises
    ------
    ResultError
        For a metric that is named and that there is not, or that has no finite number.
    """
    states = states_by_task(results)
    situation = situation_of(results, states)
    drawn = chosen(results, observations, min(figures, _CANDIDATES))
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(time.time() if as_of is None else as_of))
    return Dashboard(
        title=observations.workflow or "a workflow",
        subtitle=f"run {results.run.run_id}: {situation.words}, as of {when}",
        counts=tuple(_counts(results, observations)),
        best=tuple(_best(observations, maximize, minimize)),
        resources=tuple(_resources(results)),
        states=dict(list(states.items())[:_MOST_TASKS]),
        pictures=_fitting(drawn.pictures),
        missing=drawn.missing,
        run=results.run.run_id,
    )


def _counts(results: RunTable, observations: Observations) -> list[Fact]:
    coverage, span = observations.coverage, span_of(results)
    found = [Fact("combinations", f"{coverage} completed ({coverage.share:.0%})")]
    if results.gathering:
        found.append(Fact("but", results.described_gathering()))
    for one in observations.parameters.values():
        levels = [text_of(level) for level in one.levels]
        told = ", ".join(levels) if len(levels) <= 5 else f"{levels[0]}, {levels[1]}, …, {levels[-1]}"
        part = " (repeats)" if one.is_repeat else " (sampled)" if one.is_sampled else ""
        found.append(Fact(one.name, f"{len(levels)} value{'s' * (len(levels) != 1)}{part}: {told}"))
    if len(found) > 8:
        found = [*found[:7], Fact("…", f"and {len(found) - 7} more parameters")]
    if not math.isnan(span.seconds):
        found.append(Fact("time", format_duration(span.seconds)))
    return found


def _best(observations: Observations, maximize: Sequence[str], minimize: Sequence[str]) -> list[Fact]:
    asked = [_asked(observations, one, True) for one in maximize]
    asked += [_asked(observations, one, False) for one in minimize]
    return asked[: 2 * _MOST_METRICS] or [_end(one) for one in extremes(observations)[: 2 * _MOST_METRICS]]


def _asked(observations: Observations, metric: str, is_largest: bool) -> Fact:
    """The best setting by a metric, and how many others may be as good."""
    best = best_of(observations, metric, is_largest)
    [first] = best.rows(1)
    others = best.not_told_apart()
    told = f"; {len(others)} others cannot be told from it" if others is not None and len(others) else ""
    name = f"best {metric_label(best.metric)}"
    return Fact(name, _value(first["value"], first["sd"], first["count"]) + _where(first["parameters"]) + told)


def _end(one: Extreme) -> Fact:
    ties = f" and {one.ties} more" if one.ties else ""
    name = f"{'largest' if one.is_largest else 'smallest'} {metric_label(one.metric)}"
    return Fact(name, _value(one.value, one.sd, one.count) + _where(one.parameters) + ties)


def _value(value: float, sd: float, count: int) -> str:
    return f"{rounded(value, sd).plain} (mean ± sd, n = {count})" if count > 1 else rounded(value).plain


def _where(parameters: Mapping[str, Any]) -> str:
    return f" at {', '.join(f'{name} = {text_of(value)}' for name, value in parameters.items()) or 'all'}"


def _resources(results: RunTable) -> list[Fact]:
    if not results.run.plan.is_file():
        return []
    used: Efficiency = efficiency(results).total
    if not used.attempts:
        return []
    held = _shares(("cores", used.cpu), ("GPUs", used.gpu))
    asked = _shares(("memory", used.memory), ("walltime", used.walltime))
    lost = f", of which {used.lost_core_hours:.3g} lost to failures" if used.lost_core_hours else ""
    found = [
        Fact("attempts", f"{used.attempts}, of which {used.completed} completed"),
        Fact("core-hours", f"{used.core_hours:.3g}{lost}"),
    ]
    if held:
        found.append(Fact("used of what was held", held))
    if asked:
        found.append(Fact("used of what was asked", asked))
    if used.memory_bytes:
        found.append(Fact("most memory", format_memory(used.memory_bytes)))
    return found


def _shares(*shares: tuple[str, float]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in shares if not math.isnan(share))


def is_wide(one: Titled) -> bool:
    """Whether a figure takes both columns of the page."""
    return one.picture.numbers.size[0] > 1


def rows_of(pictures: Sequence[Titled]) -> list[tuple[Titled, ...]]:
    """Figures in rows: a wide one alone, narrow ones two by two, in their order as far as that goes."""
    rows: list[tuple[Titled, ...]] = []
    waiting: int | None = None  # the row that has room for another narrow one
    for one in pictures:
        if waiting is None or is_wide(one):
            rows.append((one,))
            waiting = waiting if is_wide(one) else len(rows) - 1
        else:
            rows[waiting] = (*rows[waiting], one)
            waiting = None
    return rows


def height_of(row: Sequence[Titled]) -> float:
    """How high a row of figures should be, in inches, so that it is legible."""
    sizes = [one.picture.numbers.size for one in row]
    high = max(height / width * (WIDE if is_wide(row[0]) else WIDE / 2) for width, height in sizes)
    notes = max(sum(map(len, one.picture.notes)) for one in row)
    below = _LINE * min(3, notes // (150 if is_wide(row[0]) else 70))  # beneath the first line of notes
    return min(max(0.75 * high, _LOW), _HIGH if is_wide(row[0]) else _HIGH_NARROW) + below


def _fitting(pictures: Sequence[Titled]) -> tuple[Titled, ...]:
    """The first of the figures that are legible together on one page."""
    kept: list[Titled] = []
    for one in pictures:
        if len(kept) < MOST and sum(map(height_of, rows_of([*kept, one]))) <= _ROOM:
            kept.append(one)
    return tuple(kept)
