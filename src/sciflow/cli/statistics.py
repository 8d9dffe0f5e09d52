"""The verb that says what a metric depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sciflow.cli.optimum import run_and_metric
from sciflow.cli.output import emit, json_option

if TYPE_CHECKING:
    import pandas as pd

    from sciflow.analysis.statistics.examination import Examination
    from sciflow.analysis.statistics.finding import Finding
    from sciflow.results import Results


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[RUN] METRIC")
@click.option("--repeats", multiple=True, metavar="PARAMETER", help="Take this parameter as one that only repeats.")
@click.option("--minimum-coverage", type=float, default=0.0, help="The share of the values that must be there.")
@json_option
@click.pass_obj
def statistics(
    obj: dict[str, Any], words: tuple[str, ...], repeats: tuple[str, ...], minimum_coverage: float, as_json: bool
) -> None:
    """Say what METRIC depends on: effects, ANOVA, sensitivity, trends, correlations, outliers; what matters most first.

    What does not apply is named with its reason.
    """
    from sciflow.analysis.optima.best import unmarked_repeats
    from sciflow.analysis.statistics.examination import examine
    from sciflow.execution import open_run

    run, metric = run_and_metric(words, "statistics")
    opened = open_run(run, obj["runs"])
    results = opened.collect()
    observations = results.observations
    if repeats:
        known = [name for name, one in observations.parameters.items() if one.is_repeat]
        observations = observations.with_repeats([*known, *repeats])
    found = examine(observations, metric, minimum_coverage, results)
    text = str(found)
    if seeds := unmarked_repeats(observations, list(observations.sample(metric).parameters)):
        text += f"\n\n(if {seeds[0]} only repeats the same thing, say so: --repeats {seeds[0]})"
    if results.completed < len(results) or results.gathering:
        text += f"\n\n({results.described_count()})"
    emit(as_json, _document(opened.run_id, results, found), text)


def _document(run: str, results: Results, found: Examination) -> dict[str, Any]:
    return {
        "run": run,
        "metric": found.metric.name,
        "unit": found.metric.unit,
        "coverage": {"present": found.coverage.present, "total": found.coverage.total},
        "completed": results.completed,
        "combinations": len(results),
        "gathering": results.gathering,
        "summary": found.summary,
        **{name: _finding(one) for name, one in found.findings.items()},
        "refused": found.refused,
    }


def _finding(found: Finding) -> dict[str, Any]:
    from sciflow.analysis.statistics.sensitivity import Sensitivity

    tables = {name: _rows(one) for name, one in found.tables().items()}
    told = {"method": found.method} if isinstance(found, Sensitivity) else {}
    return {**told, **tables, "notes": list(found.notes)}


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    cells = frame.astype(object).where(frame.notna(), None).to_numpy(dtype=object).tolist()
    return [dict(zip(map(str, frame), row, strict=True)) for row in cells]
