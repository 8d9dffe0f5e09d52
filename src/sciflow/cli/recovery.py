"""Verbs that meet failures: retry, tend."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from sciflow.cli.output import DONE, SOME_FAILED, emit, exit_code, json_option, say, table

if TYPE_CHECKING:
    from sciflow.execution import Run
    from sciflow.run.decide import Decision, Wish
    from sciflow.run.recover import Recovered


@click.command()
@click.argument("run", required=False)
@click.option("--only", metavar="CAUSE,…", help="Only failures of these causes, such as out_of_memory,timeout.")
@click.option("--indices", multiple=True, metavar="TASK[INDICES]", help="Only these; may be repeated.")
@click.option("--scale", multiple=True, metavar="WHAT=FACTOR", help="Ask for so many times the memory or runtime.")
@click.option("--force", is_flag=True, help="Also what has failed too often, or twice in the same way.")
@click.option("--release", is_flag=True, help="Let array jobs that are held back go on.")
@click.option("--include", multiple=True, metavar="NODE", help="Use a node again that is avoided; may be repeated.")
@click.option("--wait", "is_waiting", is_flag=True, help="Wait for the end, then collect.")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@json_option
@click.pass_obj
@click.pass_context
def retry(
    context: click.Context,
    obj: dict[str, Any],
    run: str | None,
    only: str | None,
    indices: tuple[str, ...],
    scale: tuple[str, ...],
    force: bool,
    release: bool,
    include: tuple[str, ...],
    is_waiting: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Try again what has failed of RUN, and what depends on it: by cause, and with larger requests where these were
    too small."""
    from sciflow.cli.failures import decisions_document
    from sciflow.execution import open_run
    from sciflow.run.decide import make_wish
    from sciflow.run.inspect import locate_all

    opened = open_run(run, obj["runs"])
    places: dict[str, set[int]] = {}
    for text in indices:
        for array, found in locate_all(opened.directory, text).items():
            places.setdefault(array, set()).update(found)
    wish = make_wish(only, places if indices else None, scale, force, release, include)
    if dry_run:
        decisions = opened.decide(wish)
        document = {"run": opened.run_id, "decisions": decisions_document(decisions, opened.plan)}
        emit(as_json, document, _shown(opened, decisions))
        return
    _retry(context, opened, wish, is_waiting, as_json)


def _retry(context: click.Context, opened: Run, wish: Wish, is_waiting: bool, as_json: bool) -> None:
    from sciflow.cli.describe import describe_status, status_document
    from sciflow.cli.watch import watched
    from sciflow.run.progress import ProgressBars

    with ProgressBars() as bars:
        done = opened.retry(wish, bars.watch)
    document, text = _done_document(opened, done), _done_text(opened, done)
    status = done.status
    if status is None and is_waiting:
        say(text)
        status, text = watched(opened), ""
    if status is None:
        emit(as_json, document, text)
        context.exit(DONE if any(one.action.is_retry for one in done.decisions) or not done.decisions else SOME_FAILED)
    results = opened.collect()
    document = {
        **status_document(opened.directory, status),
        **document,
        "combinations": {"completed": results.completed, "total": len(results)},
        "results": str(results.path),
    }
    collected = f"{results.completed} of {len(results)} combinations completed; results: {results.path}"
    shown = [text, describe_status(opened.directory, status), collected]
    emit(as_json, document, "\n".join(part for part in shown if part))
    context.exit(exit_code(status))


@click.command()
@click.argument("run", required=False)
@click.option("--chain", "is_chained", is_flag=True, hidden=True, help="See to it that the next one follows.")
@json_option
@click.pass_obj
@click.pass_context
def tend(context: click.Context, obj: dict[str, Any], run: str | None, is_chained: bool, as_json: bool) -> None:
    """Do once what a person would do who looks after RUN: retry within bounds, submit what did not fit, collect."""
    from sciflow.execution import open_run
    from sciflow.run.chronicle import CHRONICLE

    opened = open_run(run, obj["runs"])
    done = opened.tend(is_chained)
    lines = [_done_text(opened, done.recovered)]
    if done.chained is not None:
        lines.append(f"job {done.chained.job} looks after it next")
    lines.append(f"what was done so far: {opened.path / CHRONICLE}")
    document = {
        **_done_document(opened, done.recovered),
        "next": done.chained.job if done.chained else None,
        "counts": {state.value: count for state, count in done.status.counts().items()},
    }
    emit(as_json, document, "\n".join(lines))
    context.exit(exit_code(done.status))


def _done_text(opened: Run, done: Recovered) -> str:
    lines = [_shown(opened, done.decisions)]
    lines += [f"{array} goes on" for array in done.released]
    lines += [f"node {one.node} is avoided from now on: {one.why}" for one in done.avoided]
    lines += [f"note: {text}" for text in done.notes]
    if done.handed.jobs:
        rows = [(array, job, count) for job, (array, count) in done.handed.jobs.items()]
        lines.append(table(("array", "job", "indices"), rows))
        lines.append(f"next: sciflow status {opened.directory.name_here} --watch")
    if done.handed.waiting:
        lines.append(f"not submitted yet, since the site takes no more at a time: {', '.join(done.handed.waiting)}")
    return "\n".join(lines)


def _done_document(opened: Run, done: Recovered) -> dict[str, Any]:
    from sciflow.cli.failures import decisions_document

    return {
        "run": opened.run_id,
        "decisions": decisions_document(done.decisions, opened.plan),
        "jobs": {job: {"array": array, "indices": count} for job, (array, count) in done.handed.jobs.items()},
        "waiting": done.handed.waiting,
        "released": done.released,
        "avoided": [{"node": one.node, "why": one.why} for one in done.avoided],
        "notes": done.notes,
    }


def _shown(opened: Run, decisions: Iterable[Decision]) -> str:
    from sciflow.cli.failures import decisions_document

    rows = [
        (
            group["task"],
            group["count"],
            group["cause"].replace("_", " "),
            group["action"],
            group["why"],
            group["indices"],
        )
        for group in decisions_document(decisions, opened.plan)
    ]
    head = f"run {opened.run_id}"
    if not rows:
        return f"{head}: nothing has failed"
    return f"{head}\n{table(('task', 'count', 'cause', 'what is done', 'why', 'indices'), rows)}"
