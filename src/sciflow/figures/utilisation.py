"""Utilisation: how many cores a run held over time, and how many of them were busy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sciflow.errors import ResultError
from sciflow.figures.numbers import Numbers, Source
from sciflow.figures.time_axis import Zone, places, tell_time, zone_of
from sciflow.figures.timeline import known_spells, mean_at_work
from sciflow.model.visualization import Visualization

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STEPS = 300
_HELD, _USED = "#56B4E9", "#000000"


@dataclass(frozen=True, eq=False)
class UtilisationNumbers(Numbers):
    """What is shown: at each time ``start`` until the next, the cores ``held`` and those ``busy``, as means.

    Attributes
    ----------
    steps
        Columns ``start``, ``end``, ``held``, ``busy``.
    share
        CPU time / (cores × time), of the attempts whose CPU time was measured; NaN where none was.
    """

    steps: pd.DataFrame
    share: float
    zone: Zone

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in widths of a column."""
        return 1.0, 0.6

    def frame(self) -> pd.DataFrame:
        """A row for each step of time."""
        return self.steps


def numbers(source: Source, wanted: Visualization) -> UtilisationNumbers:
    """Add up the cores of attempts over time, and the CPU time that they used, spread over each attempt."""
    table = source.whole("utilisation")
    spells = [one for one in known_spells(source, wanted) if one.end > one.start]
    if not spells:
        raise ResultError("no attempt ran long enough to be measured", hint="see `sciflow status`")
    edges = np.linspace(min(one.start for one in spells), max(one.end for one in spells), _STEPS + 1)
    timed = [one for one in spells if not math.isnan(one.cpu_seconds)]
    held = mean_at_work(spells, [float(one.cores) for one in spells], edges)
    busy = (
        mean_at_work(timed, [one.cpu_seconds / (one.end - one.start) for one in timed], edges)
        if timed
        else np.full(_STEPS, np.nan)
    )
    steps = pd.DataFrame({"start": edges[:-1], "end": edges[1:], "held": held, "busy": busy})
    core_seconds = sum(one.cores * (one.end - one.start) for one in spells)
    of_timed = sum(one.cores * (one.end - one.start) for one in timed)
    share = sum(one.cpu_seconds for one in timed) / of_timed if of_timed else math.nan
    notes = [f"{core_seconds / 3600:.3g} core-hours held"]
    if timed:
        notes[0] += f"; {share:.0%} of {'them' if len(timed) == len(spells) else 'those that were measured'} busy"
    if len(timed) < len(spells):
        notes.append(f"the CPU time of {len(spells) - len(timed)} of {len(spells)} attempts is not known")
    notes.append("busy: the CPU time of each attempt, spread evenly over it")
    return UtilisationNumbers(wanted.title or "", tuple(notes), steps, share, zone_of(table))


def draw(numbers: UtilisationNumbers, figure: Figure, page: int) -> None:  # noqa: ARG001 - there is one page
    """Draw the cores that were held as an area, and those that were busy as a line."""
    axes = figure.subplots()
    steps = numbers.steps
    edges = places([*steps["start"], steps["end"].iloc[-1]])
    axes.stairs(steps["held"], edges, fill=True, color=_HELD, alpha=0.6, label="held")
    axes.stairs(steps["held"], edges, color=_HELD, linewidth=0.8)
    if steps["busy"].notna().any():
        axes.stairs(steps["busy"], edges, color=_USED, linewidth=1.1, label="busy", baseline=None)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("cores")
    tell_time(axes, numbers.zone)
    figure.legend(loc="outside upper center", ncols=2)
