"""How flat the metric is around the best setting: at the neighbouring levels of each parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from sciflow.analysis.cells import plain
from sciflow.analysis.levels import codes_of
from sciflow.analysis.observations import Observations, Parameter, is_absent
from sciflow.analysis.optima.best import Best, setting_text
from sciflow.analysis.statistics.layout import move_together

# How much of the metric's whole range is lost at the nearest levels.
_FLAT, _STEEP = 0.05, 0.25
_MOST_TOLD = 4  # neighbours in one line


@dataclass(frozen=True)
class Neighbour:
    """A setting that differs from the best in one parameter, by one level.

    Attributes
    ----------
    side
        ``below`` or ``above`` for numbers, ``other`` for categories; ``near`` among settings that differ from the best
        in several numbers at once: those that were drawn, and those that lie between the values of a grid.
    loss, share
        How much worse it is, in the metric's unit and as a part of its whole range over all settings.
    is_worse
        Whether that is beyond doubt, given the repeats; None without repeats.
    """

    parameter: str
    side: str
    level: Any
    value: float
    loss: float
    share: float
    is_worse: bool | None


@dataclass(frozen=True)
class Edge:
    """The best is at the end of an axis: its value there, and one that would extend the axis."""

    parameter: str
    level: Any
    side: str
    next: Any


@dataclass(frozen=True, eq=False)
class Flatness:
    """What is around the best setting.

    Attributes
    ----------
    neighbours
        Those that were measured.
    edges
        Where the best is at the end of an axis of numbers.
    alone
        Parameters in which no measured setting differs from the best alone, nor one near it.
    """

    metric: str
    parameters: dict[str, Any]
    neighbours: tuple[Neighbour, ...]
    edges: tuple[Edge, ...]
    alone: tuple[str, ...]

    def frame(self) -> pd.DataFrame:
        """One row per neighbour."""
        names = ["parameter", "side", "level", "value", "loss", "share", "is_worse"]
        return pd.DataFrame([[getattr(one, name) for name in names] for one in self.neighbours], columns=names)

    def word(self, parameter: str) -> str | None:
        """How the metric changes to the nearest levels of one parameter; None where nothing was measured there.

        ``flat`` where up to 5 % of its range is lost, ``gentle`` up to 25 %, ``narrow peak`` where more is lost on
        both sides, else ``steep``; ``within chance`` where repeats do not tell the nearest levels from the best.
        """
        near = [one for one in self.neighbours if one.parameter == parameter]
        if not near:
            return None
        if all(one.is_worse is False for one in near):
            return "within chance"
        worst = max(one.share for one in near)
        if worst <= _FLAT:
            return "flat"
        if worst <= _STEEP:
            return "gentle"
        sides = {one.side for one in near}
        both = sides == {"near"} or {"below", "above"} <= sides
        return "narrow peak" if both and min(one.share for one in near) > _STEEP else "steep"

    def described(self) -> list[str]:
        """The same in words, a line for each parameter."""
        lines = []
        for name in dict.fromkeys(one.parameter for one in self.neighbours):
            near = [one for one in self.neighbours if one.parameter == name]
            near.sort(key=lambda one: (one.side in ("other", "near"), one.loss if one.side == "other" else 0.0))
            told = "; ".join(_lost(one) for one in near[:_MOST_TOLD])
            told += f"; and {len(near) - _MOST_TOLD} more" if len(near) > _MOST_TOLD else ""
            lines.append(f"{name}: {self.word(name)} ({told})")
        for one in self.edges:
            where = "smallest" if one.side == "below" else "largest"
            lines.append(
                f"{one.parameter}: the best is at the edge, {_text(one.level)} is the {where} value; "
                f"extend the axis, for instance to {_text(one.next)}"
            )
        for name in self.alone:
            lines.append(f"{name}: not known, nothing else was measured that differs from the best in it alone")
        return lines

    def __str__(self) -> str:
        at = f"{self.metric} around {setting_text(self.parameters)}"
        return "\n".join([at, *self.described()])

    def __repr__(self) -> str:
        return str(self)


def _lost(one: Neighbour) -> str:
    chance = ", within chance" if one.is_worse is False else ""
    return f"{one.share:.0%} lost at {_text(one.level)}{chance}"


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def flatness_of(observations: Observations, best: Best) -> Flatness:
    """What is around the best setting.

    Parameters
    ----------
    observations
        Where the best was found.
    best
        What was found there.
    """
    settings = best.settings
    rows = settings.frame
    here = int(best.order[0])
    centre = settings.row(here)
    columns = {name: [plain(one) for one in rows[name]] for name in settings.parameters}
    same = {name: np.array([one == centre[name] for one in column]) for name, column in columns.items()}
    drawn = [name for name in settings.parameters if _is_drawn(observations.parameters[name])]
    neighbours = _near(best, drawn, drawn, columns, same)
    edges: list[Edge] = []
    lone: list[list[str]] = []
    for group in _groups(columns, [name for name in settings.parameters if name not in drawn]):
        name, told = group[0], " & ".join(group)
        if len(observations.parameters[name].levels) < 2:
            continue
        others = [same[other] for other in settings.parameters if other not in group]
        beside = np.flatnonzero(np.logical_and.reduce([~same[name], *others]))
        found = {columns[name][row]: int(row) for row in beside}
        for one in group:
            edges += _edges(observations.parameters[one], centre[one])
        if observations.parameters[name].kind == "number" and not is_absent(centre[name]):
            sides = _nearest({level: row for level, row in found.items() if level is not None}, centre[name])
            sides += [("other", row) for level, row in found.items() if level is None]
        else:
            sides = [("other", row) for row in found.values()]
        neighbours += [_neighbour(best, told, side, columns[name][row], row) for side, row in sides]
        if not sides and not is_absent(centre[name]):
            lone.append(group)
    numbers = [name for name in settings.parameters if _is_number(observations.parameters[name], columns[name])]
    beside = [name for group in lone for name in group if name in numbers]
    if near := _near(best, numbers, beside, columns, same):
        neighbours += near
        lone = [group for group in lone if not set(group) <= set(beside)]
    alone = [" & ".join(group) for group in lone]
    return Flatness(best.metric.name, centre, tuple(neighbours), tuple(edges), tuple(alone))


def _groups(columns: Mapping[str, Sequence[Any]], names: Sequence[str]) -> list[list[str]]:
    """The parameters, together those whose levels go with each other one to one, as zipped axes do."""
    groups: list[list[str]] = []
    codes = {name: codes_of(columns[name], tuple(dict.fromkeys(columns[name]))) for name in names}
    for name in names:
        varies = len(np.unique(codes[name])) > 1
        twin = next((one for one in groups if varies and move_together(codes[one[0]], codes[name])), None)
        if twin is None:
            groups.append([name])
        else:
            twin.append(name)
    return groups


def _edges(parameter: Parameter, level: Any) -> list[Edge]:
    levels = [one for one in parameter.levels if one is not None]
    if parameter.kind != "number" or len(levels) < 2 or is_absent(level):
        return []
    edge = _edge(parameter.name, levels, level)
    return [edge] if edge else []


def _is_drawn(parameter: Parameter) -> bool:
    return parameter.is_sampled and parameter.kind == "number" and None not in parameter.levels


def _is_number(parameter: Parameter, column: Sequence[Any]) -> bool:
    return parameter.kind == "number" and None not in column


def _near(
    best: Best,
    moving: Sequence[str],
    asked: Sequence[str],
    columns: Mapping[str, Sequence[Any]],
    same: Mapping[str, np.ndarray],
) -> list[Neighbour]:
    """The nearest settings that differ in some of the asked numbers, two for each; all that does not move is alike."""
    if not asked:
        return []
    points = np.array([columns[name] for name in moving], dtype=float).T
    points = (points - points.min(axis=0)) / np.where(np.ptp(points, axis=0) > 0, np.ptp(points, axis=0), 1.0)
    distance = np.linalg.norm(points - points[int(best.order[0])], axis=1)
    differs = np.logical_or.reduce([~same[name] for name in asked])
    alike = np.logical_and.reduce([differs, *(same[name] for name in same if name not in moving)])
    near = [int(row) for row in np.argsort(distance, kind="stable") if alike[row]][: 2 * len(asked)]
    told = [name for name in moving if any(not same[name][row] for row in near)]
    texts = [setting_text({one: columns[one][row] for one in told}) for row in near]
    return [_neighbour(best, " and ".join(told), "near", text, row) for text, row in zip(texts, near, strict=True)]


def _nearest(found: dict[Any, int], level: Any) -> list[tuple[str, int]]:
    below = [one for one in found if one < level]
    above = [one for one in found if one > level]
    sides = [("below", found[max(below)])] if below else []
    return [*sides, *([("above", found[min(above)])] if above else [])]


def _neighbour(best: Best, name: str, side: str, level: Any, row: int) -> Neighbour:
    mean = best.settings.metrics[best.metric.name].mean
    loss = float(best.value - mean[row]) * (1 if best.maximize else -1)
    span = float(np.ptp(mean))
    worse = None if best.comparison is None else bool(best.comparison.p_values[row] < 1 - best.confidence)
    return Neighbour(name, side, level, float(mean[row]), loss, loss / span if span else 0.0, worse)


def _edge(name: str, levels: Sequence[Any], level: Any) -> Edge | None:
    if level not in (levels[0], levels[-1]):
        return None
    if level == levels[-1]:
        return Edge(name, level, "above", _beyond(levels))
    return Edge(name, level, "below", _beyond(levels[::-1]))


def _beyond(levels: Sequence[Any]) -> Any:
    """The next value after the last of some levels: by the last step, or by the last ratio where ratios are alike."""
    before, last = levels[-2], levels[-1]
    beyond = last * (last / before) if is_geometric(levels) else last + (last - before)
    if all(isinstance(one, int) for one in levels):
        return round(beyond)
    return float(f"{beyond:.12g}")


def is_geometric(levels: Sequence[Any]) -> bool:
    """Whether numbers lie evenly on a logarithmic axis rather than on a plain one."""
    if len(levels) < 3 or min(levels) <= 0:
        return False
    ordered = sorted(levels)
    steps = [math.log(high / low) for low, high in pairwise(ordered)]
    plain_steps = [high - low for low, high in pairwise(ordered)]
    return bool(np.std(steps) / np.mean(steps) < 0.5 * np.std(plain_steps) / np.mean(plain_steps))
