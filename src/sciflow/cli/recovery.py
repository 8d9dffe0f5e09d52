"""Verbs that meet failures: retry, tend."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from sciflow.cli.output import (
    DONE,
    ERROR,
    NOT_FINISHED,
    SOME_FAILED,
    emit,
    exit_code,
    json_option,
    report,
    say,
    shortened,
    table,
)

_LONGEST_ERROR = 60

if TYPE_CHECKING:
    from sciflow.execution import Run
    from sciflow.run.decide import Decision
    from sciflow.run.recover import Recovered
    from sciflow.run.wish import Wish


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
    from sciflow.run.inspect import locate_all
    from sciflow.run.wish import make_wish

    opened = open_run(run, obj["runs"])
    places: dict[str, set[int]] = {}
    for text in indices:
        for array, found in locate_all(opened.directory, text).items():
            places.setdefault(array, set()).update(found)
    wish = make_wish(only, places if indices else None, scale, force, release, include)
    if not dry_run:
        _retry(context, opened, wish, is_waiting, as_json)
        return
    status = opened.status()
    decisions = opened.decide(wish, status)
    avoided = opened.suspects(status)
    lines = _shown(opened, decisions, wish)
    lines += [f"node {one.node} will be avoided: {one.why}" for one in avoided]
    lines += [f"node {node} will be used again" for node in wish.trusted]
    if any(one.action.is_retry for one in decisions):
        typed = _typed({"--only": [only] if only else [], "--indices": indices, "--scale": scale, "--include": include})
        typed += ["--force"] * force + ["--release"] * release
        lines.append(f"next: sciflow retry {opened.directory.name_here} {shlex.join(typed)}".rstrip())
    else:
        lines += _ways_out(opened, decisions)
    document = {
        "run": opened.run_id,
        "decisions": decisions_document(decisions, opened.plan),
        "avoided": [{"node": one.node, "why": one.why} for one in avoided],
    }
    emit(as_json, document, "\n".join(lines))
    context.exit(_code(decisions, not any(one.action.is_retry for one in decisions)))


def _retry(context: click.Context, opened: Run, wish: Wish, is_waiting: bool, as_json: bool) -> None:
    from sciflow.cli.describe import describe_status, status_document
    from sciflow.cli.watch import watched
    from sciflow.run.progress import ProgressBars

    with ProgressBars() as bars:
        done = opened.retry(wish, bars.watch)
    document, text = _done_document(opened, done), "\n".join(_done_lines(opened, done, wish))
    status = None if done.is_idle else done.status
    if done.handed.refused:
        emit(as_json, document, text)
        _stop(context, done)
    if status is None and is_waiting and done.status is None:
        say(text)
        status, text = watched(opened), ""
    if status is None:
        emit(as_json, document, text)
        context.exit(_code(done.decisions, done.is_idle))
    results = opened.collect()
    document = {
        **status_document(opened.directory, status),
        **document,
        "combinations": {"completed": results.completed, "total": len(results)},
        "gathering": results.gathering,
        "results": str(results.path),
    }
    collected = f"{results.described_count()}; results: {results.path}"
    shown = [text, describe_status(opened.directory, status), collected]
    emit(as_json, document, "\n".join(part for part in shown if part))
    context.exit(exit_code(status))


def _stop(context: click.Context, done: Recovered) -> None:
    """Say what was refused, when all else is done and told."""
    error = done.handed.refused[0][2]
    report(error, error.hint, as_json=False)
    context.exit(ERROR)


def _code(decisions: Sequence[Decision], is_idle: bool) -> int:
    """Done where something was done or is not needed; else whether that may change by itself."""
    if not decisions or not is_idle:
        return DONE
    return NOT_FINISHED if _are_to_come(decisions) else SOME_FAILED


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
    lines = _done_lines(opened, done.recovered)
    lines.append(f"now: {', '.join(f'{count} {state}' for state, count in sorted(done.status.counts().items()))}")
    if done.chained is not None:
        lines.append(f"job {done.chained.job} looks after it next")
    lines.append(f"what was done so far: {opened.path / CHRONICLE}")
    document = {
        **_done_document(opened, done.recovered),
        "next": done.chained.job if done.chained else None,
        "counts": {state.value: count for state, count in done.status.counts().items()},
    }
    emit(as_json, document, "\n".join(lines))
    if done.recovered.handed.refused and not is_chained:
        _stop(context, done.recovered)
    context.exit(exit_code(done.status))


def _done_lines(opened: Run, done: Recovered, wish: Wish | None = None) -> list[str]:
    lines = _shown(opened, done.decisions, wish)
    lines += [f"{array} goes on" for array in done.released]
    lines += [f"node {one.node} is avoided from now on: {one.why}" for one in done.avoided]
    lines += [f"node {node} is used again" for node in done.trusted]
    lines += [f"note: {text}" for text in done.notes]
    if done.besides:
        lines.append(f"besides, {done.besides} ran that had not come to their end before")
    lines += done.handed.kept.described()
    if done.handed.jobs:
        rows = [(array, job, count) for job, (array, count) in done.handed.jobs.items()]
        lines.append(table(("array", "job", "indices"), rows))
        lines.append(f"next: sciflow status {opened.directory.name_here} --watch")
    if done.handed.waiting:
        lines.append(f"not submitted yet, since the site takes no more at a time: {', '.join(done.handed.waiting)}")
    return lines + (_ways_out(opened, done.decisions) if done.is_idle else [])


def _done_document(opened: Run, done: Recovered) -> dict[str, Any]:
    from sciflow.cli.failures import decisions_document
    from sciflow_shim.files import format_ranges

    return {
        "run": opened.run_id,
        "decisions": decisions_document(done.decisions, opened.plan),
        "jobs": {job: {"array": array, "indices": count} for job, (array, count) in done.handed.jobs.items()},
        "waiting": done.handed.waiting,
        "refused": [
            {"array": array, "indices": format_ranges(sorted(elements)), "error": error.message}
            for array, elements, error in done.handed.refused
        ],
        "released": done.released,
        "avoided": [{"node": one.node, "why": one.why} for one in done.avoided],
        "throttled": [one.describe() for one in done.handed.kept.changes],
        "notes": [*done.notes, *done.handed.kept.notes],
    }


def _shown(opened: Run, decisions: Iterable[Decision], wish: Wish | None = None) -> list[str]:
    """What is done about each failure; the error where there is one."""
    from sciflow.cli.failures import decisions_document

    groups = decisions_document(decisions, opened.plan)
    head = f"run {opened.run_id}"
    if not groups:
        return [f"{head}: nothing {'of that ' if wish is not None and wish.is_partial else ''}has failed"]
    columns = ("task", "count", "cause", "error", "what is done", "why", "indices")
    if not any(one["error"] for one in groups):
        columns = tuple(name for name in columns if name != "error")
    return [head, table(columns, [[row[name] for name in columns] for row in map(_row, groups)])]


def _row(group: dict[str, Any]) -> dict[str, Any]:
    error = group["error"]
    return {
        **group,
        "cause": group["cause"].replace("_", " "),
        "error": error if len(error) <= _LONGEST_ERROR else f"{error[: _LONGEST_ERROR - 1]}…",
        "what is done": group["action"],
        "indices": shortened(group["indices"]),
    }


def _ways_out(opened: Run, decisions: Sequence[Decision]) -> list[str]:
    """What to type where nothing is tried again."""
    from sciflow.run.decide import Action

    if not decisions:
        return []
    name = opened.directory.name_here
    if _are_to_come(decisions):
        return [f"nothing is tried again yet; next: sciflow status {name} --watch"]
    lines = ["nothing is tried again"]
    if any(one.action is Action.REFUSED for one in decisions):
        lines.append(f"next: sciflow retry {name} -n   # what would be asked for now")
    if any(one.action is Action.GIVEN_UP for one in decisions):
        lines.append(f"next: sciflow retry {name} --force   # all the same")
    return lines


def _are_to_come(decisions: Sequence[Decision]) -> bool:
    from sciflow.run.decide import Action

    return any(one.action is Action.NOT_YET for one in decisions)


def _typed(options: dict[str, Iterable[str]]) -> list[str]:
    return [word for name, values in options.items() for value in values for word in (name, value)]
