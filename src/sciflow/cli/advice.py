"""Verbs on what was asked for and used: efficiency, advise."""

from __future__ import annotations

from typing import Any

import click

from sciflow.cli.output import emit, json_option


@click.command()
@click.argument("run", required=False)
@json_option
@click.pass_obj
def efficiency(obj: dict[str, Any], run: str | None, as_json: bool) -> None:
    """Show how much of what RUN asked for it has used, in the ratios of `seff`; failed attempts included."""
    from sciflow.cli.describe_efficiency import describe_efficiency, efficiency_document
    from sciflow.execution import open_run

    opened = open_run(run, obj["runs"])
    found = opened.efficiency()
    emit(as_json, efficiency_document(found), describe_efficiency(found, opened.directory.name_here))


@click.command()
@click.argument("run", required=False)
@click.option(
    "--chance",
    default=0.95,
    show_default=True,
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="That an instance is done within what it asks for.",
)
@json_option
@click.pass_obj
def advise(obj: dict[str, Any], run: str | None, chance: float, as_json: bool) -> None:
    """Say what the tasks of RUN should ask for the next time, with the chance that it suffices."""
    from sciflow.cli.describe_advice import advice_document, describe_advice
    from sciflow.execution import open_run

    opened = open_run(run, obj["runs"])
    found = opened.advise(chance)
    emit(as_json, advice_document(found), describe_advice(found, opened.directory.name_here))
