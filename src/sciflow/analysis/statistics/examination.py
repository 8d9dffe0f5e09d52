"""All that statistics can say of a metric, and why what they cannot say cannot be said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sciflow.analysis.observations import Coverage, Metric, Observations
from sciflow.analysis.statistics.anova import anova
from sciflow.analysis.statistics.correlation import correlations
from sciflow.analysis.statistics.effects import Effects, effects
from sciflow.analysis.statistics.finding import Finding, as_text, sample_of
from sciflow.analysis.statistics.outliers import outliers
from sciflow.analysis.statistics.sensitivity import Sensitivity, sensitivity
from sciflow.analysis.statistics.trends import trends
from sciflow.analysis.table import RunTable
from sciflow.errors import ResultError

_MOST_NAMED = 3
_MOST_LEVELS = 12  # of a factor, whose means are shown


@dataclass(frozen=True, eq=False, repr=False)
class Examination:
    """What was found of a metric.

    Attributes
    ----------
    metric
        The metric.
    coverage
        How many of its values are there.
    findings
        Name → finding, of what applies.
    refused
        Name → why it does not apply.
    """

    metric: Metric
    coverage: Coverage
    findings: dict[str, Finding]
    refused: dict[str, str]

    @property
    def summary(self) -> str:
        """What matters most, in a sentence."""
        told = list(self._shares())
        unit = f" [{self.metric.unit}]" if self.metric.unit else ""
        start = f"{self.metric.name}{unit}: {self.coverage} values"
        return f"{start}; {'; '.join(told)}" if told else start

    def _shares(self) -> Iterator[str]:
        found = self.findings.get("sensitivity")
        if isinstance(found, Sensitivity) and len(set(found.indices["parameter"])) == len(found.indices):
            key = "mu_star" if found.method == "morris" else "ST" if found.method == "sobol" else "S1"
            rows = zip(*(found.indices[one] for one in ("parameter", key, f"{key}_conf")), strict=True)
            # Only what is told from nothing.
            named = [f"{name} ({key} {value:.2g})" for name, value, width in rows if value > width][:_MOST_NAMED]
            if named:
                yield f"what matters most: {', '.join(named)}"
        found = self.findings.get("effects")
        if isinstance(found, Effects):
            # A factor of many levels explains much by chance, which omega² leaves out; without an error it is not told.
            sizes = found.sizes["omega2"].fillna(found.sizes["eta2"])
            rows = sorted(zip(found.sizes["term"], sizes, strict=True), key=lambda one: -one[1])
            named = [f"{name} ({value:.0%} of the variation)" for name, value in rows if value >= 0.005][:_MOST_NAMED]
            if named:
                yield f"what matters most: {', '.join(named)}"

    def __str__(self) -> str:
        # What is true of all of it, such as what is missing, is said once.
        notes = [set(one.notes) for one in self.findings.values()]
        shared = set.intersection(*notes) if len(notes) > 1 else set()
        every = [note for note in next(iter(self.findings.values())).notes if note in shared] if shared else []
        parts = ["\n".join([self.summary, *(f"note: {one}" for one in every)])]
        parts += [_section(one, shared) for one in self.findings.values()]
        if self.refused:
            parts.append("\n".join(f"no {name}: {reason}" for name, reason in self.refused.items()))
        return "\n\n".join(parts)

    def __repr__(self) -> str:
        return str(self)


def examine(
    observations: Observations, metric: str, minimum_coverage: float = 0.0, table: RunTable | None = None
) -> Examination:
    """Say all that there is to say of a metric.

    Parameters
    ----------
    observations
        Where it comes from.
    metric
        Its name.
    minimum_coverage
        The share of its values that must be there.
    table
        The run, to say of outliers which attempts they are of.

    Raises
    ------
    ResultError
        For an unknown metric, one that is no number or has none, and where too little is there.
    """
    sample = sample_of(observations, metric, minimum_coverage)
    questions: dict[str, Callable[[], Finding]] = {}
    if any(one.is_sampled for one in sample.factors):
        questions["sensitivity"] = lambda: sensitivity(observations, metric)
    if not sample.factors or any(not one.is_sampled for one in sample.factors):
        questions["effects"] = lambda: effects(sample)
        questions["anova"] = lambda: anova(sample)
    questions["trends"] = lambda: trends(sample)
    questions["correlations"] = lambda: correlations(observations, metric)
    questions["outliers"] = lambda: outliers(sample, table=table)
    findings, refused = {}, {}
    for name, ask in questions.items():
        try:
            findings[name] = ask()
        except ResultError as error:
            refused[name] = f"{error.message}" + (f" ({error.hint})" if error.hint else "")
    return Examination(sample.metric, sample.finite, findings, refused)


def _section(found: Finding, told: set[str]) -> str:
    if isinstance(found, Effects):
        found = _without_many_levels(found)
        shown = found.means.reindex(columns=["factor", "label", "count", "mean", "low", "high"])
        body = as_text(shown.rename(columns={"label": "level"}))
    else:
        body = found.body()
    notes = (f"note: {one}" for one in found.notes if one not in told)
    return "\n".join([found.title, "-" * len(found.title), body, *notes])


def _without_many_levels(found: Effects) -> Effects:
    counts = Counter(found.means["factor"])
    many = [name for name in found.factors if counts[name] > _MOST_LEVELS]
    if not many:
        return found
    means = found.means.loc[[one not in many for one in found.means["factor"]]]
    note = f"means of more than {_MOST_LEVELS} levels are not shown: {', '.join(many)}"
    return Effects(found.metric, found.coverage, means, found.sizes, notes=(*found.notes, note))
