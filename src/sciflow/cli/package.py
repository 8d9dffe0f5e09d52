"""The verb that packages a run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sciflow.cli.output import INTERRUPTED, emit, json_option, say

if TYPE_CHECKING:
    from sciflow.package.build import Package

_SHOWN = 10  # files that were left out


@click.command()
@click.argument("run", required=False)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Where to: FILE.zip, FILE.tar.gz, or a new folder; a folder that is there gets NAME.zip.  [default: NAME.zip]",
)
@click.option("--name", metavar="NAME", help="The package's name.  [default: WORKFLOW-RUN]")
@click.option("--no-figures", is_flag=True, help="Draw no figures.")
@click.option(
    "--largest",
    metavar="SIZE",
    default="100M",
    show_default=True,
    help="Leave out inputs and result files above this size, and tell their digests.",
)
@click.option("--author", "authors", multiple=True, metavar="'NAME <MAIL> (ORCID)'", help="Who made it; once for each.")
@click.option("--license", metavar="SPDX", default="", help="Under which licence, such as CC-BY-4.0.")
@click.option("--overwrite", is_flag=True, help="Replace a package that is there already.")
@json_option
@click.pass_obj
def package(
    obj: dict[str, Any],
    run: str | None,
    output: str | None,
    name: str | None,
    no_figures: bool,
    largest: str,
    authors: tuple[str, ...],
    license: str,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Pack RUN with all that it takes to check and to repeat it into one file."""
    try:
        made, place = _made(
            run,
            name,
            output,
            largest,
            overwrite,
            runs=obj["runs"],
            with_figures=not no_figures,
            authors=authors,
            license=license,
        )
    except KeyboardInterrupt:
        say("\nstopped; nothing was packaged, and nothing is left behind")
        sys.exit(INTERRUPTED)
    for text in made.warnings:
        say(f"warning: {text}")
    state = made.state
    lines = [f"run {made.run.run_id}: {state['completed']} of {state['combinations']} combinations completed"]
    lines += [f"left out: {one.path}: {one.why}" for one in made.left_out[:_SHOWN]]
    if len(made.left_out) > _SHOWN:
        lines.append(f"… and {len(made.left_out) - _SHOWN} more: its package.json lists them")
    size = sum(file.stat().st_size for file in ([place] if place.is_file() else place.rglob("*")) if file.is_file())
    lines.append(f"package: {place} ({size / 1e6:.1f} MB)")
    emit(as_json, _document(made, place, size), "\n".join(lines))


def _made(
    run: str | None, name: str | None, output: str | None, largest: str, overwrite: bool, **wish: Any
) -> tuple[Package, Path]:
    """The package, and where it is."""
    from sciflow.errors import PackageError
    from sciflow.model.units import parse_memory
    from sciflow.package.build import create_package

    try:
        bytes_at_most = parse_memory(largest)
    except ValueError as error:
        raise PackageError(f"`--largest {largest}` is no size", hint="write it as `100M` or `2G`") from error
    made = create_package(run, name, largest=bytes_at_most, **wish)
    return made, made.export(f"{made.name}.zip" if output is None else output, overwrite=overwrite, told=_told)


def _document(made: Package, place: Path, size: int) -> dict[str, Any]:
    return {
        "package": str(place),
        "name": made.name,
        "run": made.run.run_id,
        "size": size,
        "state": made.state,
        "left_out": [{"path": one.path, "why": one.why, "sha256": one.sha256} for one in made.left_out],
        "warnings": made.warnings,
    }


def _told(text: str) -> None:
    if sys.stderr.isatty():
        say(f"{text} …")
