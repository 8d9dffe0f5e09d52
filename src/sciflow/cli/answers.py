"""Verbs on results: collect, best."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sciflow.cli.output import DONE, NOT_FINISHED, SOME_FAILED, emit, json_option, table


@click.command()
@click.argument("run", required=False)
@click.option("--export", type=click.Path(path_type=Path), help="Write the combinations to this .csv or .json file.")
@json_option
@click.pass_obj
@click.pass_context
def collect(context: click.Context, obj: dict[str, Any], run: str | None, export: Path | None, as_json: bool) -> None:
    """Join all records of RUN into results.h5; also while it runs, and where it has been copied to."""
    from sciflow.analysis.export import check_format, export_combinations
    from sciflow.execution import open_run

    if export is not None:
        check_format(export)
    opened = open_run(run, obj["runs"])
    results = opened.collect()
    counts = results.tables.facts["completeness"]
    document = {
        "run": opened.run_id,
        "results": str(results.path) if results.tables.is_kept else None,
        "combinations": {"completed": results.completed, "total": len(results)},
        "records": counts,
    }
    shown = ", ".join(f"{counts[name]} {name}" for name in ("expected", "sealed", "missing", "torn"))
    text = f"{results.completed} of {len(results)} combinations completed; records: {shown}"
    if results.tables.is_kept:
        text += f"\nresults: {results.path}"
    if export is not None:
        export_combinations(results, export)
        document["exported"] = str(export)
        text += f"\nexported: {export}"
    emit(as_json, document, text)
    states = set(results.tables.facts["states"])
    waiting = states & {"PENDING", "RUNNING", "UNKNOWN"}
    context.exit(NOT_FINISHED if waiting else SOME_FAILED if states - {"COMPLETED"} else DONE)


@click.command()
@click.argument("run_and_metric", nargs=-1, required=True, metavar="[RUN] METRIC")
@click.option("--minimize", is_flag=True, help="Look for the smallest value.")
@click.option("-n", "--count", default=1, show_default=True, type=click.IntRange(min=1), help="Show the best N.")
@json_option
@click.pass_obj
def best(obj: dict[str, Any], run_and_metric: tuple[str, ...], minimize: bool, count: int, as_json: bool) -> None:
    """Show the best values of METRIC, and the parameters on which it depends."""
    from sciflow.execution import open_run

    metric = run_and_metric[-1]
    run = run_and_metric[0] if len(run_and_metric) > 1 else None
    if len(run_and_metric) > 2:
        raise click.UsageError("give a run and a metric: sciflow best RUN METRIC")
    opened = open_run(run, obj["runs"])
    results = opened.results() if opened.directory.results.is_file() else opened.collect()
    ranked = results.ranking(metric, not minimize, count)
    document = {
        "run": opened.run_id,
        "metric": metric,
        "maximize": not minimize,
        "completed": results.completed,
        "combinations": len(results),
        "best": [{"parameters": parameters, "value": value} for parameters, value in ranked],
    }
    rows = [[*parameters.values(), value] for parameters, value in ranked]
    text = table([*results.parameters_of(metric), metric], rows)
    if results.completed < len(results):
        text += f"\n(of the {results.completed} combinations that are completed, of {len(results)})"
    emit(as_json, document, text)
