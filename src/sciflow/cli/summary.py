"""The verb that shows metrics in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sciflow.cli.output import emit, json_option, table

if TYPE_CHECKING:
    from sciflow.execution import Run


@click.command()
@click.argument("run_and_metric", nargs=-1, metavar="[RUN] [METRIC]")
@click.option("--by", multiple=True, metavar="PARAMETER", help="A row for each of its values; may be repeated.")
@click.option(
    "--interval",
    type=click.Choice(["t", "bootstrap", "sd", "range", "none"]),
    help="What low and high are; by default t where the mean is over repeats alone, else none.",
)
@click.option("--confidence", type=float, default=0.95, show_default=True, help="Of the interval.")
@click.option("--minimum-coverage", type=float, default=0.0, help="The share of the values that must be there.")
@json_option
@click.pass_obj
def summary(
    obj: dict[str, Any],
    run_and_metric: tuple[str, ...],
    by: tuple[str, ...],
    interval: Any,
    confidence: float,
    minimum_coverage: float,
    as_json: bool,
) -> None:
    """Show all metrics in numbers, or METRIC per combination or per value of some parameters."""

    run, metric = _asked(run_and_metric, obj["runs"])
    results = run.collect()
    found = results.summary(
        metric, by or None, interval=interval, confidence=confidence, minimum_coverage=minimum_coverage
    )
    frame = found.frame()
    rows = frame.astype(object).where(frame.notna(), None)
    document = {
        "run": run.run_id,
        "metric": found.metric,
        "by": list(found.by),
        "coverage": {"present": found.coverage.present, "total": found.coverage.total},
        "completed": results.completed,
        "combinations": len(results),
        "gathering": results.gathering,
        "rows": [dict(zip(rows, row, strict=True)) for row in rows.to_numpy(dtype=object).tolist()],
        "notes": list(found.notes),
    }
    shown = rows[list(found.shown())]
    text = table(list(shown), shown.to_numpy(dtype=object).tolist())
    notes = list(found.notes)
    if results.completed < len(results) or results.gathering:
        notes.append(results.described_count())
    emit(as_json, document, "\n".join([text, *[f"({note})" for note in notes]]))


def _asked(given: tuple[str, ...], runs: str | None) -> tuple[Run, str | None]:
    """The run and the metric; what stands alone is a run where there is one of that name, else a metric."""
    from sciflow.errors import ResultError, RunError
    from sciflow.execution import open_run

    if len(given) > 2:
        raise click.UsageError("give a run and a metric at most: sciflow summary RUN METRIC")
    if len(given) != 1:
        return open_run(given[0] if given else None, runs), given[1] if given else None
    try:
        return open_run(given[0], runs), None
    except RunError as error:
        latest = open_run(None, runs)
        try:
            latest.collect().observations.metric(given[0])
        except ResultError as unknown:
            raise ResultError(f"{unknown.message}, and no such run", hint=unknown.hint or error.hint) from None
        return latest, given[0]
