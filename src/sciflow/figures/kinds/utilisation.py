"""Utilisation: how many cores a run held over time, and how many of them were busy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sciflow.errors import ResultError
from sciflow.figures.kinds.timeline import known_spells, mean_at_work
from sciflow.figures.numbers import Numbers, Source
from sciflow.figures.time_axis import Zone, places, tell_time, zone_of
from sciflow.model.visualization import Visualization

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STEPS = 300
_HELD, _USED = "#56B4E9", "#000000"


@dataclass(frozen=True, eq=False)
class UtilisationNumbers(Numbers):
    """What is shown: the mean of the cores that are held, and of those that are busy, in steps of time.

    Attributes
    ----------
    edges
        Where the steps begin and end, in seconds since the epoch.
    held, busy
        In each step; busy is None where no CPU time was measured.
    share
        CPU time / (cores × time), of the attempts whose CPU time was measured; NaN where none was.
    """

    edges: np.ndarray
    held: np.ndarray
    busy: np.ndarray | None
    share: float
    zone: Zone

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in widths of a column."""
        return 1.0, 0.6

    def frame(self) -> pd.DataFrame:
        """A row for each step of time."""
        columns = {"start": self.edges[:-1], "end": self.edges[1:], "held": self.held, "busy": self.busy}
        return pd.DataFrame(columns)


def numbers(source: Source, wanted: Visualization) -> UtilisationNumbers:
    """Add up the cores of attempts over time, and the CPU time that they used, spread over each attempt."""
    table = source.whole("utilisation")
    spells = [one for one in known_spells(source, wanted) if one.end > one.start]
    if not spells:
        raise ResultError("no attempt ran long enough to be measured", hint="see `sciflow status`")
    edges = np.linspace(min(one.start for one in spells), max(one.end for one in spells), _STEPS + 1)
    timed = [one for one in spells if not math.isnan(one.cpu_seconds)]
    held = mean_at_work(spells, [float(one.cores) for one in spells], edges)
    rates = [one.cpu_seconds / (one.end - one.start) for one in timed]
    busy = mean_at_work(timed, rates, edges) if timed else None
    core_seconds = sum(one.cores * (one.end - one.start) for one in spells)
    of_timed = sum(one.cores * (one.end - one.start) for one in timed)
    share = sum(one.cpu_seconds for one in timed) / of_timed if of_timed else math.nan
    hours = core_seconds / 3600
    notes = [f"{f'{hours:.3g}' if hours < 1000 else f'{hours:.0f}'} core-hours held"]
    if timed:
        notes[0] += f"; {share:.0%} of {'them' if len(timed) == len(spells) else 'those that were measured'} busy"
    if len(timed) < len(spells):
        notes.append(f"the CPU time of {len(spells) - len(timed)} of {len(spells)} attempts is not known")
    notes.append("busy: the CPU time of each attempt, spread evenly over it")
    return UtilisationNumbers(wanted.title or "", tuple(notes), edges, held, busy, share, zone_of(table))


def draw(numbers: UtilisationNumbers, figure: Figure, page: int) -> None:  # noqa: ARG001 - there is one page
    """Draw the cores that were held as an area, and those that were busy as a line."""
    axes = figure.subplots()
    edges = places(numbers.edges)
    axes.stairs(numbers.held, edges, fill=True, color=_HELD, alpha=0.6, label="held")
    axes.stairs(numbers.held, edges, color=_HELD, linewidth=0.8)
    if numbers.busy is not None:
        axes.stairs(numbers.busy, edges, color=_USED, linewidth=1.1, label="busy", baseline=None)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("cores")
    tell_time(axes, numbers.zone)
    figure.legend(loc="outside upper center", ncols=2)
