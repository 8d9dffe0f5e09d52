"""The verb that says what to try next: suggest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sciflow.cli.optimum import run_and_metric
from sciflow.cli.output import emit, json_option, table

if TYPE_CHECKING:
    from sciflow.analysis.optima.suggest import Suggestions
    from sciflow.execution import Run


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[RUN] METRIC")
@click.option("--minimize", is_flag=True, help="Look for the smallest value.")
@click.option("-n", "--count", default=8, show_default=True, type=click.IntRange(min=1), help="Suggest N combinations.")
@click.option("--write", is_flag=True, help="Add them to the workflow file, under `include`.")
@click.option("--workflow", metavar="FILE", help="The workflow file; by default that of the run.")
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Another seed, other candidates."
)
@click.option("--anyway", is_flag=True, help="Suggest also where the surrogate is no better than the mean.")
@json_option
@click.pass_obj
def suggest(
    obj: dict[str, Any],
    words: tuple[str, ...],
    minimize: bool,
    count: int,
    write: bool,
    workflow: str | None,
    seed: int,
    anyway: bool,
    as_json: bool,
) -> None:
    """Say which combinations to try next for the best METRIC: where what was measured promises most."""
    from sciflow.execution import open_run

    run, metric = run_and_metric(words, "suggest")
    opened = open_run(run, obj["runs"])
    results = opened.collect()
    space = None
    if workflow is not None:
        from sciflow.loading import load_workflow

        space = load_workflow(workflow).space
    found = results.suggest(metric, not minimize, count=count, seed=seed, space=space, anyway=anyway)
    written, said = _written(opened, found, workflow, write)
    emit(as_json, _document(opened, found, written), "\n".join([*_described(found), *said]))


def _written(opened: Run, found: Suggestions, workflow: str | None, write: bool) -> tuple[int | None, list[str]]:
    """How many were added to the workflow file, and what to say of that."""
    from sciflow.analysis.optima.extension import extend, to_paste, workflow_file_of
    from sciflow.store.layout import read_document

    if workflow is None:
        manifest = read_document(opened.directory.manifest)
        path = workflow_file_of(Path(manifest["directory"]), manifest["workflow"])
    else:
        path = Path(workflow)
    is_yaml = path is not None and path.suffix in (".yaml", ".yml")
    shown = None if path is None else _short(path)
    if not write:
        hint = f"`--write` adds them to {shown}" if is_yaml else "`--write` shows what to add to the workflow"
        return None, [f"({hint})"]
    if path is None or not is_yaml:
        return None, [
            "add to the workflow:",
            to_paste(found.combinations, is_python=path is not None or workflow is None),
        ]
    added = extend(path, found.combinations)
    if not added:
        return 0, [f"{shown} has them already; next: sciflow run {shown}, or submit it"]
    return added, [f"added {added} combinations to {shown}; next: sciflow run {shown}, or submit it"]


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _described(found: Suggestions) -> list[str]:
    from sciflow.analysis.cells import plain

    frame = found.frame()
    rows = [[plain(one) for one in row] for row in frame.itertuples(index=False, name=None)]
    lines = [table(list(frame), rows), *found.notes]
    if len(found.combinations) > len(found):
        lines.append(f"with their repeats these are {len(found.combinations)} combinations")
    return lines


def _document(opened: Run, found: Suggestions, written: int | None) -> dict[str, Any]:
    return {
        "run": opened.run_id,
        "metric": found.metric,
        "maximize": found.maximize,
        "best": found.best,
        "skill": found.skill,
        "suggestions": [
            {"parameters": dict(setting), "expected": expected, "sd": sd}
            for setting, expected, sd in zip(found.settings, found.expected, found.sd, strict=True)
        ],
        "combinations": [dict(one) for one in found.combinations],
        "added": written,
        "notes": list(found.notes),
    }
