"""What stands at axes, series and panels."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl

from sciflow.analysis.observations import Metric, Observations
from sciflow.model.visualization import Visualization


def label_of(name: str, observations: Observations, wanted: Visualization) -> str:
    """What stands at an axis: the label that was asked for, else the name and the unit of a metric."""
    if name in wanted.labels:
        return checked_formula(wanted.labels[name])
    if name in observations.parameters:
        return literal(name)
    return metric_label(observations.metric(name))


def metric_label(metric: Metric) -> str:
    """A metric's name, and its unit where it has one that is not 1."""
    return literal(f"{metric.name} ({metric.unit})" if metric.unit not in (None, "", "1") else metric.name)


def text_of(value: Any) -> str:
    """A parameter's value, as it stands at a tick or in a legend: short, and never in a formula's font."""
    text = "none" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    return literal(" ".join(text.split()))


def literal(text: str) -> str:
    """A text as matplotlib draws it as it is: a dollar sign begins a formula there."""
    return text.replace("$", r"\$")


def checked_formula(text: str) -> str:
    """A label that a user wrote, which may have formulas between dollar signs; as it is where these are none."""
    from matplotlib.mathtext import MathTextParser

    try:
        MathTextParser("agg").parse(text)
    except ValueError:
        return literal(text)
    return text


def described(values: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """Values of parameters: ``size = 16, field = 0.5``, with a label instead of the name where one is given."""
    names = {name: checked_formula(labels[name]) if name in labels else literal(name) for name in values}
    return ", ".join(f"{names[name]} = {text_of(value)}" for name, value in values.items())


def units(text: str) -> float:
    """How wide a text is, in letters: those of East Asian scripts count as two, accents as none."""
    return float(
        sum(
            0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1
            for one in text.replace(r"\$", "$")
        )
    )


def shortened(text: str, most: int) -> str:
    """A text of so many letters at most: of a longer one its beginning and its end, which often differs."""
    if units(text) <= most:
        return text
    plain = text.replace(r"\$", "$")
    head = _first(plain, (most - 1) * 2 // 3)
    tail = _first(plain[: len(head) - 1 : -1], most - 1 - int(units(head)))[::-1]
    return literal(f"{head}…{tail}")


def _first(text: str, most: int) -> str:
    """The beginning of a text that is so wide at most."""
    for end in range(len(text) + 1):
        if units(text[:end]) > most:
            return text[: end - 1]
    return text


def wrapped(text: str, inches: float, lines: int = 3) -> str:
    """A text in lines that fit into a width, at most so many, the last of them shortened; a formula as it is."""
    plain = text.replace(r"\$", "")
    if "$" in plain:
        return text
    most = max(6, int(inches * 72 / (float(mpl.rcParams["font.size"]) * 0.62)))
    is_wide = units(text) > 1.3 * len(text)
    broken = textwrap.wrap(text, most // 2 if is_wide else most) or [text]
    if len(broken) > lines:
        broken = [*broken[: lines - 1], shortened(" ".join(broken[lines - 1 :]), most)]
    return "\n".join(broken)
