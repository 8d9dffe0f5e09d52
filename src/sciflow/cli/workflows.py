"""Verbs on workflows: init, plan, run."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sciflow.cli.output import DONE, NOT_FINISHED, SOME_FAILED, emit, json_option, learn_option, say

if TYPE_CHECKING:
    from sciflow.engine import Engine
    from sciflow.planning.compiled import Compiled
    from sciflow.run_here import Execution


@click.command()
@click.argument("directory", default=".", type=click.Path(path_type=Path))
@json_option
def init(directory: Path, as_json: bool) -> None:
    """Make a small experiment that runs, in DIRECTORY."""
    from sciflow.starter import write_starter

    written = write_starter(directory)
    where = "" if directory == Path() else f"cd {directory} && "
    shown = "\n".join(f"wrote {path}" for path in written)
    emit(as_json, {"written": [str(path) for path in written]}, f"{shown}\nnext: {where}sciflow run workflow.yaml")


@click.command()
@click.argument("workflow")
@click.option("--profile", default="local", show_default=True, help="The cluster profile, by name or file.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write scripts and tables into this new folder.")
@click.option("--strict", is_flag=True, help="Refuse what the profile cannot give, instead of reducing it.")
@click.option("--simulate", "nodes", metavar="NODES", help="Play it in virtual time, on nodes=16x64c, say.")
@click.option(
    "--runtime", "runtimes", multiple=True, metavar="TASK=EXPR", help="With --simulate: how long an instance runs."
)
@click.option("--load", type=float, default=0.0, metavar="SHARE", help="With --simulate: what others use of the cores.")
@learn_option
@click.option(
    "--against", is_flag=False, flag_value="", metavar="[RUN]", help="Show what changed since RUN, or the last."
)
@click.option("--ranges", is_flag=True, help="With --against: say which instances are meant.")
@json_option
@click.pass_obj
def plan(
    obj: dict[str, Any],
    workflow: str,
    profile: str,
    output: Path | None,
    strict: bool,
    nodes: str | None,
    runtimes: tuple[str, ...],
    load: float,
    learn_from: str | None,
    against: str | None,
    ranges: bool,
    as_json: bool,
) -> None:
    """Show what would run: array jobs, indices, dependencies, requests. Submits nothing."""
    if nodes is not None:
        if against is not None:
            raise click.UsageError("--simulate plays all of it: leave out --against, or do one after the other.")
        if output is not None:
            raise click.UsageError("--simulate writes nothing: leave out -o, or do one after the other.")
        from sciflow.cli.simulation import show_simulation

        show_simulation(obj, workflow, profile, strict, nodes, runtimes, load, learn_from, as_json)
        return
    if runtimes or load:
        raise click.UsageError(f"--{'runtime' if runtimes else 'load'} has a meaning only with --simulate.")
    if ranges and against is None:
        raise click.UsageError("--ranges has a meaning only with --against.")
    engine, compiled = _compiled(obj, workflow, profile, strict, fresh=False, learn_from=learn_from)
    document, text = _shown(compiled)
    if against is not None:
        document["changes"], text = _changed(engine, compiled, against, ranges)
    if compiled.profile.has_queue and (above := engine.above_cap(compiled)):
        text += f"\nnote: `submit` will ask first: {above}"
    if output is not None:
        engine.write_plan(compiled, output)
        document["written"] = str(output)
        text += f"\n\nwritten to {output}; `bash {output}/scripts/{compiled.plan.arrays[0].name}.sh 0` runs an index"
    emit(as_json, document, text)


@click.command()
@click.argument("workflow")
@click.option("--profile", default="local", show_default=True, help="The cluster profile, by name or file.")
@click.option("--strict", is_flag=True, help="Refuse what the profile cannot give, instead of reducing it.")
@click.option("--fresh", is_flag=True, help="Start a new run, and take nothing over from earlier ones.")
@learn_option
@json_option
@click.pass_obj
@click.pass_context
def run(
    context: click.Context,
    obj: dict[str, Any],
    workflow: str,
    profile: str,
    strict: bool,
    fresh: bool,
    learn_from: str | None,
    as_json: bool,
) -> None:
    """Run WORKFLOW here to the end. What is done already is not repeated."""
    engine, compiled = _compiled(obj, workflow, profile, strict, fresh, learn_from)
    for warning in compiled.plan.warnings:
        say(f"warning: {warning}")
    for note in compiled.plan.notes:
        say(f"note: {note}")
    if not compiled.profile.has_queue and (changes := engine.changes_so_far(compiled)) is not None:
        say(changes.describe())
    done = engine.run(compiled)
    results = done.run.collect()
    from sciflow.cli.describe import describe_status, status_document

    status = done.status
    document = {
        **status_document(done.run.directory, status),
        "continued": done.continued,
        "reused": done.reused,
        "combinations": {"completed": results.completed, "total": len(results)},
        "gathering": results.gathering,
        "results": str(results.path),
    }
    text = [_beginning(done), describe_status(done.run.directory, status)]
    text.append(f"{results.described_count()}; results: {results.path}")
    emit(as_json, document, "\n".join(line for line in text if line))
    context.exit(DONE if status.is_complete else SOME_FAILED if status.is_finished else NOT_FINISHED)


def _compiled(
    obj: dict[str, Any], workflow: str, profile: str, strict: bool, fresh: bool, learn_from: str | None
) -> tuple[Engine, Compiled]:
    from sciflow.engine import Engine
    from sciflow.loading import load_workflow

    engine = Engine(profile, obj["runs"], strict=strict, fresh=fresh, learn_from=learn_from)
    return engine, engine.compile(load_workflow(workflow))


def _shown(compiled: Compiled) -> tuple[dict[str, Any], str]:
    """A plan as a document and in words, with when it begins and ends at the earliest."""
    from sciflow.cli.plan_text import plan_text
    from sciflow.planning.earliest import Earliest

    plan = compiled.plan
    canaries = compiled.workflow.recovery.canaries if compiled.profile.has_queue else 0
    earliest = Earliest(plan, compiled.profile, datetime.now().astimezone(), canaries)
    document = plan.to_document()
    for array in document["arrays"]:
        array["earliest"] = earliest.of([array["name"]]).to_document()
    document["earliest"] = earliest.of(array.name for array in plan.arrays).to_document()
    return document, plan_text(plan, earliest)


def _changed(engine: Engine, compiled: Compiled, against: str, ranges: bool) -> tuple[dict[str, Any], str]:
    """What a plan makes of what was done before, as a document and in words."""
    from sciflow.cli.changes_text import changes_text

    changes = engine.changes(compiled, against or None)
    due = engine.due(compiled, changes)
    verb = "submit" if compiled.profile.has_queue else "run"
    document = {**changes.to_document(ranges), "due": due.cost.to_document()}
    warnings = [f"warning: {text}" for text in compiled.plan.warnings]
    text = changes_text(changes, due, verb, ranges)
    return document, "\n".join([compiled.plan.describe(), text, *warnings])


def _beginning(done: Execution) -> str:
    if done.continued:
        return f"went on with run {done.run.run_id}"
    if done.reused:
        return f"{done.reused} task instances were taken over from earlier runs"
    return ""
