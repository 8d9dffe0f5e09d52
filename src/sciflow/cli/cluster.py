"""Verbs on what runs in a queue: submit, cancel."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from sciflow.cli.output import DONE, ERROR, SOME_FAILED, emit, exit_code, json_option, learn_option, say, table
from sciflow.errors import NotConfirmedError

if TYPE_CHECKING:
    from sciflow.engine import Engine
    from sciflow.planning.compiled import Compiled
    from sciflow.submittal import Submittal


@click.command()
@click.argument("workflow")
@click.option("--profile", required=True, help="The cluster profile, by name or file.")
@click.option("--wait", "is_waiting", is_flag=True, help="Wait for the end, then collect.")
@click.option("--autonomous", is_flag=True, help="Let small jobs after it retry, submit what is left, and collect.")
@click.option("-n", "--dry-run", is_flag=True, help="Show the calls of the scheduler, and submit nothing.")
@click.option("--strict", is_flag=True, help="Refuse what warnings are about.")
@click.option("--fresh", is_flag=True, help="Start a new run, and take nothing over from earlier ones.")
@learn_option
@click.option("-y", "--yes", "is_confirmed", is_flag=True, help="Also what the profile wants to be asked for.")
@json_option
@click.pass_obj
@click.pass_context
def submit(
    context: click.Context,
    obj: dict[str, Any],
    workflow: str,
    profile: str,
    is_waiting: bool,
    autonomous: bool,
    dry_run: bool,
    strict: bool,
    fresh: bool,
    learn_from: str | None,
    is_confirmed: bool,
    as_json: bool,
) -> None:
    """Hand WORKFLOW to the scheduler of a profile. What was submitted already is not submitted again."""
    from sciflow.engine import Engine
    from sciflow.loading import load_workflow

    engine = Engine(profile, obj["runs"], strict=strict, fresh=fresh, learn_from=learn_from)
    compiled = engine.compile(load_workflow(workflow))
    for text in compiled.plan.warnings:
        say(f"warning: {text}")
    for text in compiled.plan.notes:
        say(f"note: {text}")
    if dry_run:
        _show(engine, compiled, autonomous, as_json)
        return
    changes = engine.changes_so_far(compiled) if compiled.profile.has_queue else None
    if changes is not None:
        say(changes.describe())
    above = "" if is_confirmed or not compiled.profile.has_queue else engine.above_cap(compiled, changes)
    if above and _is_refused(above):
        say("nothing was submitted")
        context.exit(ERROR)
    done = engine.hand_over(compiled, autonomous, confirmed=True)
    if not is_waiting:
        emit(as_json, _document(done), _describe(done))
        context.exit(SOME_FAILED if done.handed.failed and not (done.handed.jobs or done.handed.waiting) else DONE)
    say(_describe(done))
    _wait(context, done, as_json)


def _is_refused(above: str) -> bool:
    """Ask whether so much is meant to be submitted; where nobody can be asked, say the way out.

    Raises
    ------
    NotConfirmedError
        Where nobody can be asked.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise NotConfirmedError(above, hint="`--yes` submits it all the same; `sciflow plan` shows what it is")
    return not click.confirm(f"{above}. Submit?", err=True)


def _show(engine: Engine, compiled: Compiled, autonomous: bool, as_json: bool) -> None:
    calls = engine.calls(compiled)
    if not calls:
        say("note: nothing is left to submit")
    elif autonomous:
        say("note: one small job more is submitted after these, which tends the run")
    if most := compiled.profile.limits.submitted_indices:
        say(f"note: no more than {most} indices are queued at a time; what does not fit is submitted later")
    if above := engine.above_cap(compiled):
        say(f"note: `submit` will ask first: {above}")
    if engine.has_earlier_runs(compiled):
        say("note: what earlier runs have finished will be taken over, and is not submitted then")
    emit(as_json, {"calls": calls}, "\n".join(calls))


def _wait(context: click.Context, done: Submittal, as_json: bool) -> None:
    from sciflow.cli.describe import describe_status, status_document
    from sciflow.cli.watch import watched

    status = watched(done.run)
    results = done.run.collect()
    document = {
        **status_document(done.run.directory, status),
        **_document(done),
        "combinations": {"completed": results.completed, "total": len(results)},
        "gathering": results.gathering,
        "results": str(results.path),
    }
    text = describe_status(done.run.directory, status)
    text += f"\n{results.described_count()}; results: {results.path}"
    emit(as_json, document, text)
    context.exit(exit_code(status))


def _document(done: Submittal) -> dict[str, Any]:
    return {
        "run": done.run.run_id,
        "path": str(done.run.path),
        "continued": done.continued,
        "reused": done.reused,
        "jobs": {job: {"array": array, "indices": count} for job, (array, count) in done.handed.jobs.items()},
        "found": done.handed.found,
        "waiting": done.handed.waiting,
        "failed": done.handed.failed,
        "notes": [*([done.note] if done.note else []), *done.handed.kept.notes],
        "next": done.chained.job if done.chained else None,
    }


def _describe(done: Submittal) -> str:
    from sciflow.cli.describe import describe_throttle, throttles

    run, handed = done.run, done.handed
    lines = [f"went on with run {run.run_id}" if done.continued else f"run {run.run_id} in {run.path}"]
    if done.note:
        lines.append(f"note: {done.note}")
    if done.reused:
        lines.append(f"{done.reused} task instances were taken over from earlier runs")
    if handed.found:
        lines.append(f"found again in the queue: {', '.join(handed.found)}")
    if handed.jobs:
        rows = [(array, job, count) for job, (array, count) in handed.jobs.items()]
        lines.append(table(("array", "job", "indices"), rows))
    elif not handed.waiting:
        lines.append("nothing is left to submit")
    lines += [describe_throttle(one) for one in throttles(run.status(offline=True))]
    lines += [f"note: {text}" for text in handed.kept.notes]
    if handed.failed:
        lines.append(
            f"{handed.failed} indices have failed or were cancelled: `sciflow retry {run.directory.name_here}` tries "
            "them again; `--fresh` starts a new run, and changed code does so by itself"
        )
    if done.chained is not None:
        lines.append(f"job {done.chained.job} looks after it next, and nobody need be here")
    if handed.waiting:
        lines.append(f"not submitted yet, since the site takes no more at a time: {', '.join(handed.waiting)}")
        lines.append("next: the same command, `sciflow status --watch` or `--wait` submits it when there is room")
    else:
        lines.append(f"next: sciflow status {run.directory.name_here} --watch")
    return "\n".join(lines)


@click.command()
@click.argument("run", required=False)
@click.option("--only", multiple=True, metavar="TASK[INDICES]", help="A task, or some of its indices; may be repeated.")
@json_option
@click.pass_obj
def cancel(obj: dict[str, Any], run: str | None, only: tuple[str, ...], as_json: bool) -> None:
    """Cancel what is not over of RUN: all of it, or what `--only` names."""
    from sciflow.execution import open_run
    from sciflow.run.inspect import locate_all
    from sciflow_shim.files import format_ranges

    opened = open_run(run, obj["runs"])
    places: dict[str, set[int]] = {}
    for text in only:
        for array, indices in locate_all(opened.directory, text).items():
            places.setdefault(array, set()).update(indices)
    done = opened.cancel(places if only else None)
    shown = [f"cancelled {array}[{format_ranges(indices)}]" for array, indices in done.items()]
    document = {"run": opened.run_id, "cancelled": {a: format_ranges(i) for a, i in done.items()}}
    shown = shown or ["nothing was left to cancel"]
    emit(as_json, document, "\n".join([f"run {opened.run_id}", *shown]))
