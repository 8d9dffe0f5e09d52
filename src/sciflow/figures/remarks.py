"""What has to be said beside a figure, so that nobody takes it for more than it is."""

from __future__ import annotations

from collections.abc import Sequence

from sciflow.analysis.observations import Sample
from sciflow.model.visualization import Visualization


def gaps(sample: Sample) -> str:
    """What of the values is missing; empty where nothing is."""
    told = sample.described_gaps()
    return f"{sample.metric.name}: {told}" if told else ""


def averaged(sample: Sample, shown: Sequence[str]) -> str:
    """Over which parameters with an effect a mean is taken, of those that no axis shows; empty for none."""
    hidden = [one for one in sample.factors if one.name not in shown and not _shows(sample, shown, one.name)]
    told = ", ".join(f"{one.name} ({len(one.levels)} values)" for one in hidden)
    return f"mean over {told}" if told else ""


def _shows(sample: Sample, shown: Sequence[str], axis: str) -> bool:
    """Whether a parameter that follows from this axis alone is shown."""
    return any(sample.parameters[name].behind == (axis,) for name in shown if name in sample.parameters)


def interval_text(sample: Sample, shown: Sequence[str], wanted: Visualization) -> str:
    """What a band means; empty where no group has more than one value."""
    several = any(one.is_repeat and len(one.levels) > 1 for one in sample.parameters.values()) or averaged(
        sample, shown
    )
    if not several or wanted.interval == "none":
        return ""
    return {
        "t": f"band: {wanted.confidence:.0%} confidence interval of the mean (Student's t)",
        "bootstrap": f"band: {wanted.confidence:.0%} bootstrap interval of the mean",
        "sd": "band: standard deviation",
        "range": "band: smallest to largest value",
    }[wanted.interval]
