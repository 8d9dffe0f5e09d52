"""Captions: what a figure shows, and what a reader must know of it, in sentences."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np
import pandas as pd

from sciflow.figures.numbers import Numbers
from sciflow.model.visualization import Kind, Visualization

_COUNT = "count"  # the column that says of how many values a mark is made
# What each kind shows: {value} the metrics, {x} and {y} the axes.
_SHOWN: dict[Kind, str] = {
    "heatmap": "{value} over {x} and {y}",
    "contour": "Contours of {value} over {x} and {y}",
    "line": "{value} against {x}",
    "scatter": "{value} against {x}",
    "box": "Distribution of {value} by {x}",
    "violin": "Distribution of {value} by {x}",
    "bar": "{value} by {x}",
    "parallel": "Parallel coordinates of {value} and the parameters",
    "pairs": "Each of {value} against each other",
    "main_effects": "Main effects on {value}",
    "interaction": "Interactions of the parameters in {value}",
    "pareto": "Pareto front of {value}",
    "convergence": "Convergence of {value}",
    "states": "States of the combinations over the parameter space",
    "timeline": "Array indices on their nodes over time",
    "utilisation": "Use of the cores over time",
    "requests": "Memory and walltime used against what was asked for",
}


def caption(wanted: Visualization, numbers: Numbers) -> str:
    """What stands below a figure: title, what is shown, notes, and how many values there are."""
    shown = _SHOWN[wanted.type].format(
        value=_listed(wanted.shown) or "the metrics", x=wanted.x_axis or "x", y=wanted.y_axis or "y"
    )
    if wanted.series:
        shown += f", by {wanted.series}"
    if wanted.facet_by:
        shown += f"; a panel for each value of {_listed(wanted.facet_by)}"
    told = [numbers.title, shown, *numbers.notes, _counted(numbers.frame())]
    names = {*wanted.shown, *filter(None, (wanted.x_axis, wanted.y_axis, wanted.series)), *wanted.facet_by}
    return " ".join(sentence(one, names) for one in told if one)


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _counted(frame: pd.DataFrame) -> str:
    if _COUNT not in frame or frame.empty:
        return ""
    counts = np.asarray(frame[_COUNT].dropna(), dtype=float)
    counts = counts[counts > 0]
    if not counts.size or counts.max() == 1:
        return ""
    low, high = int(counts.min()), int(counts.max())
    return f"n = {low}" if low == high else f"n = {low} to {high}"


def sentence(text: str, names: Collection[str] = ()) -> str:
    """The text as a sentence; names of metrics and parameters keep their case."""
    text = text.strip()
    if re.split(r"[\s:,]", text)[0] not in names and not text.startswith("n = "):
        text = text[:1].upper() + text[1:]
    return text if text[-1:] in (".", "!", "?") else f"{text}."
