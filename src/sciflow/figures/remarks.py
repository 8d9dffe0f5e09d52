"""What has to be said beside a figure, so that nobody takes it for more than it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sciflow.analysis.observations import Parameter, Sample
from sciflow.analysis.repeats import Interval
from sciflow.figures.axis import Axis, is_even
from sciflow.figures.labels import text_of
from sciflow.model.visualization import Visualization


def gaps(sample: Sample) -> str:
    """What of the values is missing; empty where nothing is."""
    told = sample.described_gaps()
    return f"{sample.metric.name}: {told}" if told else ""


def averaged(sample: Sample, shown: Sequence[str]) -> str:
    """Over which parameters a mean is taken, of those that no axis shows; empty for none."""
    hidden = _hidden(sample, shown)
    return f"mean over {_told(hidden)}" if hidden else ""


def spread_over(sample: Sample, shown: Sequence[str]) -> str:
    """By which parameters the values differ that are shown at one place; empty for none."""
    hidden = _hidden(sample, shown)
    return f"the values of one place differ in {_told(hidden)}" if hidden else ""


def _hidden(sample: Sample, shown: Sequence[str]) -> list[Parameter]:
    several = [one for one in sample.parameters.values() if one.is_repeat and len(one.levels) > 1]
    return [
        one
        for one in [*sample.factors, *several]
        if one.name not in shown and not sample.is_followed(one.name, shown) and not _shown_by_its_axes(one, shown)
    ]


def _told(parameters: Iterable[Parameter]) -> str:
    return ", ".join(f"{one.name} ({len(one.levels)} {_what(one)})" for one in parameters)


def _what(parameter: Parameter) -> str:
    return "repeats" if parameter.is_repeat else "drawn values" if parameter.is_sampled else "values"


def _shown_by_its_axes(parameter: Parameter, shown: Sequence[str]) -> bool:
    return parameter.is_derived and set(parameter.behind) <= set(shown)


def averaged_factors(sample: Sample, shown: Sequence[str]) -> list[Parameter]:
    """The parameters over which a mean is taken, and whose values somebody has set: they are no repeats."""
    return [one for one in _hidden(sample, shown) if not (one.is_repeat or one.is_sampled)]


def interval_of(sample: Sample, shown: Sequence[str], wanted: Visualization) -> Interval:
    """What bands are: where nobody has said it, Student's t, but the range where the mean is over set values."""
    return wanted.asked_interval or ("range" if averaged_factors(sample, shown) else "t")


def interval_meaning(sample: Sample, shown: Sequence[str], wanted: Visualization, what: str) -> str:
    """What a band or whiskers mean."""
    factors = averaged_factors(sample, shown)
    if factors and wanted.asked_interval is None:
        repeats = [one for one in _hidden(sample, shown) if one not in factors]
        of = f"mean over {', '.join(one.name for one in repeats)}" if repeats else "value"
        return f"{what}: smallest to largest {of}, no error of the mean"
    interval = interval_of(sample, shown, wanted)
    told = {
        "none": "",
        "t": f"{what}: {wanted.confidence:.0%} confidence interval of the mean (Student's t)",
        "bootstrap": f"{what}: {wanted.confidence:.0%} bootstrap interval of the mean",
        "sd": f"{what}: standard deviation",
        "range": f"{what}: smallest to largest value",
    }[interval]
    if factors and interval in ("t", "bootstrap"):
        names = ", ".join(one.name for one in factors)
        told += f", which treats the values of {names} as if they were drawn at random"
    return told


def bins_text(name: str, axis: Axis) -> str:
    """That a parameter's values were put into bins; empty where they were not."""
    if not axis.edges:
        return ""
    return f"{name}: put into {len(axis.levels)} equally wide bins, each with all values from its lower edge on"


def logarithmic_text(*scales: tuple[str, str]) -> str:
    """Which axes are logarithmic, of names with their scales: nobody may have asked for it; empty for none."""
    names = [name for name, scale in scales if scale == "log"]
    return f"logarithmic {'axis' if len(names) == 1 else 'axes'}: {', '.join(names)}" if names else ""


def steps_text(parameter: Parameter, axis: Axis) -> str:
    """That numbers are drawn side by side though their steps differ; empty where they do not, or are no numbers."""
    numbers = parameter.kind == "number" and None not in parameter.levels
    if axis.scale != "category" or axis.edges or not numbers or len(parameter.levels) < 3:
        return ""
    if is_even(parameter.levels, "linear") or is_even(parameter.levels, "log"):
        return ""
    return f"{parameter.name}: drawn side by side, though its steps differ"


def constant_text(name: str, values: Sequence[float]) -> str:
    """That all values are the same; empty where they are not, or there is one only."""
    if len(values) < 2 or max(values) - min(values) > 1e-12 * max(map(abs, values)):
        return ""
    return f"{name} is {text_of(float(values[0]))} everywhere"
