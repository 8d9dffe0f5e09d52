"""The verb that looks for the best: best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from sciflow.cli.output import emit, json_option, table

if TYPE_CHECKING:
    from sciflow.analysis.optima.best import Best
    from sciflow.analysis.optima.flatness import Flatness
    from sciflow.analysis.optima.pareto import Front
    from sciflow.results import Results


def run_and_metric(words: Sequence[str], verb: str) -> tuple[str | None, str]:
    """What stands before the options: maybe a run, and a metric."""
    if len(words) > 2:
        raise click.UsageError(f"give a run and a metric: sciflow {verb} RUN METRIC")
    return (words[0] if len(words) > 1 else None), words[-1]


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[RUN] METRIC")
@click.option("--minimize", is_flag=True, help="Look for the smallest value.")
@click.option("-n", "--count", type=click.IntRange(min=1), help="Show the best N.  [default: 1; of a front all]")
@click.option("--where", metavar="CONDITION", help="Only where this holds: 'memory < 4 and size >= 32'.")
@click.option("--and-maximize", multiple=True, metavar="METRIC", help="Show the Pareto front with this metric large.")
@click.option("--and-minimize", multiple=True, metavar="METRIC", help="Show the Pareto front with this metric small.")
@click.option("--around", is_flag=True, help="Say how flat the metric is around the best.")
@click.option("--repeats", multiple=True, metavar="PARAMETER", help="Take means over this parameter too.")
@click.option("--confidence", default=0.95, show_default=True, help="Of intervals and of the comparison with the best.")
@click.option(
    "--test", default="auto", show_default=True, type=click.Choice(["auto", "dunnett", "welch"]), help="Which compares."
)
@click.option("--minimum-coverage", default=0.0, metavar="SHARE", help="Refuse where less of the values is there.")
@json_option
@click.pass_obj
def best(
    obj: dict[str, Any],
    words: tuple[str, ...],
    minimize: bool,
    count: int | None,
    where: str | None,
    and_maximize: tuple[str, ...],
    and_minimize: tuple[str, ...],
    around: bool,
    repeats: tuple[str, ...],
    confidence: float,
    test: Any,
    minimum_coverage: float,
    as_json: bool,
) -> None:
    """Show the best values of METRIC, or means of repeats, and the parameters on which it depends."""
    from sciflow.execution import open_run

    run, metric = run_and_metric(words, "best")
    others = (*and_maximize, *and_minimize)
    if others and around:
        raise click.UsageError("--around is about the best by one metric; leave --and-maximize and --and-minimize out")
    opened = open_run(run, obj["runs"])
    results = opened.collect()
    shared = {"where": where, "minimum_coverage": minimum_coverage, "confidence": confidence}
    answers = results.with_repeats(*_declared(results), *repeats) if repeats else results
    document: dict[str, Any] = {
        "run": opened.run_id,
        "metric": metric,
        "maximize": not minimize,
        "completed": results.completed,
        "combinations": len(results),
        "gathering": results.gathering,
        "where": where,
        "confidence": confidence,
    }
    if others:
        first = ([metric], []) if not minimize else ([], [metric])
        front = answers.pareto([*first[0], *and_maximize], [*first[1], *and_minimize], **shared)
        lines = _describe_front(front, count)
        document |= _front_document(front)
    else:
        found = answers.best(metric, not minimize, test=test, **shared)
        flatness = answers.flatness(metric, not minimize, **shared) if around else None
        lines = _describe_best(found, flatness, count or 1, results, where)
        document |= _best_document(found, flatness, count or 1, results)
    if results.completed < len(results):
        lines.append(f"(of the {results.completed} combinations that are completed, of {len(results)})")
    if results.gathering:
        lines.append(f"({results.described_gathering()})")
    emit(as_json, document, "\n".join(lines))


def _declared(results: Results) -> list[str]:
    return [name for name, one in results.observations.parameters.items() if one.is_repeat]


def _described_rows(found: Best, count: int, results: Results) -> list[dict[str, Any]]:
    """The best rows; values that were measured once as they were recorded, also where they are no floats."""
    rows = found.rows(count)
    if not found.settings.has_repeats:
        own = set(results.parameters_of(found.metric.name))
        rows = [{"parameters": row["parameters"], "value": row["value"]} for row in rows]
        for row in rows:
            if set(row["parameters"]) == own:
                row["value"] = results.get_metric(row["parameters"], found.metric.name)
    return rows


def _describe_best(
    found: Best, flatness: Flatness | None, count: int, results: Results, where: str | None
) -> list[str]:
    rows = _described_rows(found, count, results)
    names = list(found.settings.frame)
    header = [*names, found.metric.name]
    cells = [[*row["parameters"].values(), row["value"]] for row in rows]
    if found.comparison:
        header += ["repeats", "low", "high"]
        cells = [[*line, row["count"], row["low"], row["high"]] for line, row in zip(cells, rows, strict=True)]
    lines = [table(header, cells)]
    if found.comparison or flatness or where:
        lines += found.described()
    if where:
        lines.append(f"({found.coverage} combinations where `{where}` holds have a value)")
    if flatness:
        lines += flatness.described()
    return [*lines, *_hint_of_repeats(found, results)]


def _hint_of_repeats(found: Best, results: Results) -> list[str]:
    from sciflow.analysis.optima.best import unmarked_repeats

    names = unmarked_repeats(results.observations, list(found.settings.frame))
    return [f"(is `{name}` a repeat? `--repeats {name}` takes the mean over it)" for name in names]


def _best_document(found: Best, flatness: Flatness | None, count: int, results: Results) -> dict[str, Any]:
    others = found.not_told_apart()
    document: dict[str, Any] = {
        "best": _described_rows(found, count, results),
        "repeats": list(found.repeats),
        "coverage": {"present": found.coverage.present, "total": found.coverage.total},
        "comparison": {
            "test": found.comparison.test if found.comparison else None,
            "not_told_apart": None if others is None else _records(others, list(found.settings.frame)),
        },
        "notes": found.described(),
    }
    if flatness:
        document["flatness"] = {
            "neighbours": [vars(one) for one in flatness.neighbours],
            "edges": [vars(one) for one in flatness.edges],
            "not_known": list(flatness.alone),
        }
    return document


def _describe_front(front: Front, count: int | None) -> list[str]:
    members = front.frame().head(count) if count else front.frame()
    names = [one.metric for one in front.objectives]
    sure = [["" if one else "uncertain"] for one in members["certain"]] if front.is_repeated else [[]] * len(members)
    header = [*front.parameters, *names, *([""] if front.is_repeated else [])]
    rows = _records(members, [*front.parameters, *names])
    lines = [table(header, [[*row.values(), *more] for row, more in zip(rows, sure, strict=True)])]
    return [*lines, front.described(), *front.notes]


def _front_document(front: Front) -> dict[str, Any]:
    names = [one.metric for one in front.objectives]
    columns = [*front.parameters, *(part for name in names for part in (name, f"{name} low", f"{name} high"))]
    return {
        "objectives": [vars(one) for one in front.objectives],
        "front": _records(front.frame(), [*columns, "certain"]),
        "is_repeated": front.is_repeated,
        "perhaps": front.perhaps,
        "coverage": {"present": front.coverage.present, "total": front.coverage.total},
        "notes": list(front.notes),
    }


def _records(frame: Any, columns: Sequence[str]) -> list[dict[str, Any]]:
    from sciflow.analysis.cells import plain

    cells = [[plain(one) for one in frame[name]] for name in columns]
    return [dict(zip(columns, row, strict=True)) for row in zip(*cells, strict=True)]
