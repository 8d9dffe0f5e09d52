"""The verb that writes reports."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from sciflow.cli.output import emit, json_option


@click.command()
@click.argument("run", required=False)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where to: .html holds everything, .pdf, .png and .svg one page.  [default: WORKFLOW-RUN.html]",
)
@click.option("--maximize", multiple=True, metavar="METRIC", help="A metric of which large values are good.")
@click.option("--minimize", multiple=True, metavar="METRIC", help="A metric of which small values are good.")
@click.option(
    "--figures", metavar="N", default=10, show_default=True, type=click.IntRange(min=0), help="At most N figures."
)
@json_option
@click.pass_obj
def report(
    obj: dict[str, Any],
    run: str | None,
    output: Path | None,
    maximize: tuple[str, ...],
    minimize: tuple[str, ...],
    figures: int,
    as_json: bool,
) -> None:
    """Write what RUN has shown so far into one file: summary, best, figures, failures, resources, environment."""
    from sciflow.execution import open_run
    from sciflow.report.document import report_document
    from sciflow.report.write import check_format

    if output is not None:
        check_format(output)
    opened = open_run(run, obj["runs"])
    asked = time.time()
    results = opened.collect()
    target = output or Path(f"{results.tables.facts.get('workflow', 'report')}-{opened.run_id}.html")
    written = results.report(target, maximize, minimize, asked, figures)
    facts = written.facts
    lines = [f"run {facts.run}, {facts.situation}: {results.described_count()}"]
    lines += [f"figure `{name}` could not be made: {why}" for name, why in written.figures.missing.items()]
    lines.append(f"report: {written.path}")
    emit(as_json, report_document(written), "\n".join(lines))
