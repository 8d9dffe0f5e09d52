"""The verb that tells how a run was made, for a paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sciflow.cli.output import emit, json_option


@click.command()
@click.argument("run", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "latex"]),
    default="text",
    show_default=True,
    help="How it is written.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write it to this file.")
@json_option
@click.pass_obj
def methods(obj: dict[str, Any], run: str | None, form: str, output: Path | None, as_json: bool) -> None:
    """Write a paragraph on how RUN was made: versions, machines, counts, what failed, core-hours, code and dates.

    It says what is known of the run, and nothing else: what the numbers mean is for you to say.
    """
    from sciflow.execution import open_run
    from sciflow.store.layout import write_whole

    opened = open_run(run, obj["runs"])
    told = opened.collect().methods()
    text = {"text": told.to_text, "markdown": told.to_markdown, "latex": told.to_latex}[form]()
    document = {"run": opened.run_id, "format": form, "methods": text, "file": str(output) if output else None}
    if output is not None:
        write_whole(output, text + "\n")
    emit(as_json, document, f"methods: {output}" if output else text)
