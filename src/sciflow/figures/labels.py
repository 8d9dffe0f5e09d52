"""What stands at axes, series and panels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sciflow.analysis.observations import Metric, Observations
from sciflow.model.visualization import Visualization


def label_of(name: str, observations: Observations, wanted: Visualization) -> str:
    """What stands at an axis: the label that was asked for, else the name and the unit of a metric."""
    if name in wanted.labels:
        return wanted.labels[name]
    if name in observations.parameters:
        return name
    return metric_label(observations.metric(name))


def metric_label(metric: Metric) -> str:
    """A metric's name, and its unit where it has one that is not 1."""
    return f"{metric.name} ({metric.unit})" if metric.unit not in (None, "", "1") else metric.name


def text_of(value: Any) -> str:
    """A parameter's value, as it stands at a tick or in a legend: short, and never in a formula's font."""
    text = "none" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    return literal(text)


def literal(text: str) -> str:
    """A text as matplotlib draws it as it is: a dollar sign begins a formula there."""
    return text.replace("$", r"\$")


def described(values: Mapping[str, Any]) -> str:
    """Values of parameters: ``size = 16, field = 0.5``."""
    return ", ".join(f"{literal(name)} = {text_of(value)}" for name, value in values.items())
