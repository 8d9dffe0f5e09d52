"""The verb that runs a package again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sciflow.cli.output import DONE, LAYOUT, SOME_FAILED, emit, escaped, json_option, say

if TYPE_CHECKING:
    from sciflow.package.again.environment import How


@click.command()
@click.argument("package", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--into", metavar="DIR", type=click.Path(path_type=Path), help="Where.  [default: FILE-reproduced]")
@click.option("--profile", default="local", show_default=True, help="The cluster profile, by name or file.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Only so many combinations, drawn at random.")
@click.option("--seed", type=int, default=0, show_default=True, help="With --sample: what the drawing starts from.")
@click.option(
    "--where", multiple=True, metavar="CONDITION", help="Only where this holds: 'x == 1 and y > 2'; repeatable."
)
@click.option(
    "--environment",
    type=click.Choice(["build", "here"]),
    default="build",
    show_default=True,
    help="Build the recorded environment, or take that of sciflow itself.",
)
@click.option("--wheels", metavar="DIR", type=click.Path(path_type=Path), help="Build it of the wheels in this folder.")
@click.option("--offline", is_flag=True, help="Download nothing.")
@click.option("--allow-different", is_flag=True, help="Go on where the environment lacks something, or differs.")
@click.option(
    "--tolerance", "tolerances", multiple=True, metavar="NAME=…", help="loss=1e-3, loss=abs:0.1, n=exact, log=ignore."
)
@click.option("--add", "is_added", is_flag=True, help="Put the verdict into the package.")
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write the verdict here too.")
@json_option
@click.pass_context
def reproduce(
    context: click.Context,
    package: Path,
    into: Path | None,
    profile: str,
    sample: int | None,
    seed: int,
    where: tuple[str, ...],
    environment: How,
    wheels: Path | None,
    offline: bool,
    allow_different: bool,
    tolerances: tuple[str, ...],
    is_added: bool,
    output: Path | None,
    as_json: bool,
) -> None:
    """Run a package again in a clean folder, and compare: FILE is a folder, a .zip or a .tar.gz."""
    from sciflow.package.again.adding import add_to_package
    from sciflow.package.again.reproduce import reproduce as run_again
    from sciflow.package.again.tolerances import Tolerances

    verdict = run_again(
        package,
        into,
        profile=profile,
        sample=sample,
        seed=seed,
        combinations=where,
        environment=environment,
        wheels=wheels,
        offline=offline,
        allow_different=allow_different,
        tolerances=Tolerances.of(tolerances),
        told=lambda text: say(escaped(text)),
    )
    if output is not None:
        verdict.write(output)
    lines = [verdict.describe(), f"all of it: {verdict.folder}"]
    if is_added:
        lines.append(f"added to the package: {add_to_package(package, verdict)}")
    emit(
        as_json,
        {**verdict.to_document(), "folder": str(verdict.folder), "run": str(verdict.run or "")},
        escaped("\n".join(lines), LAYOUT),
    )
    context.exit(DONE if verdict.is_reproduced else SOME_FAILED)
