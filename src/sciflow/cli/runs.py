"""Verbs on runs: status, logs, exec."""

from __future__ import annotations

from typing import Any

import click

from sciflow.cli.output import DONE, SOME_FAILED, USAGE, emit, exit_code, json_option, say


@click.command()
@click.argument("run", required=False)
@click.option("--watch", is_flag=True, help="Show it again and again, until nothing more will happen.")
@click.option("--offline", is_flag=True, help="Ask no scheduler: judge by the run directory alone.")
@json_option
@click.pass_obj
@click.pass_context
def status(
    context: click.Context, obj: dict[str, Any], run: str | None, watch: bool, offline: bool, as_json: bool
) -> None:
    """Show how far RUN is: a directory, a run id, or `latest` (the default)."""
    from sciflow.cli.describe import describe_status, status_document
    from sciflow.cli.failures import decisions_document
    from sciflow.cli.watch import watched
    from sciflow.execution import open_run

    opened = open_run(run, obj["runs"])
    known = watched(opened) if watch else opened.status(offline=offline)
    decisions = opened.decide(status=known) if known.has_failures and not known.is_driven else []
    text = describe_status(opened.directory, known, decisions)
    document = {**status_document(opened.directory, known), "decisions": decisions_document(decisions, known.plan)}
    emit(as_json, document, text)
    context.exit(exit_code(known))


@click.command()
@click.argument("run_and_index", nargs=-1, required=True, metavar="[RUN] TASK[INDEX]")
@click.option("--attempt", type=click.IntRange(min=1), help="An earlier attempt; by default the last.")
@json_option
@click.pass_obj
def logs(obj: dict[str, Any], run_and_index: tuple[str, ...], attempt: int | None, as_json: bool) -> None:
    """Print what one index printed: TASK[INDEX] counts all instances of a task, TASK.0[INDEX] one array job's."""
    from sciflow.run.inspect import locate, read_log
    from sciflow.store.layout import find_run

    place = run_and_index[-1]
    run = run_and_index[0] if len(run_and_index) > 1 else None
    if len(run_and_index) > 2:
        raise click.UsageError("give a run and an index: sciflow logs RUN 'TASK[INDEX]'")
    directory = find_run(run, obj["runs"])
    found = read_log(directory, *locate(directory, place), attempt)
    if found.is_empty and not as_json:
        say(f"{found.array}[{found.index}] is {found.state} and has printed nothing")
    if found.job_text:
        say(f"[the job script and the scheduler] {found.job_text.rstrip()}")
    emit(as_json, found.to_document(), found.text.rstrip("\n"))


@click.command(name="exec")
@click.argument("run")
@click.argument("task")
@click.argument("index", type=click.IntRange(min=0))
@json_option
@click.pass_obj
@click.pass_context
def exec_(context: click.Context, obj: dict[str, Any], run: str, task: str, index: int, as_json: bool) -> None:
    """Run instance INDEX of TASK again, here and now, as a new attempt."""
    from sciflow.execution import open_run
    from sciflow.run.inspect import execute, locate, read_log

    opened = open_run(run, obj["runs"])
    directory = opened.directory
    opened.status()  # what is in a queue must not be run here as well
    array, place = locate(directory, f"{task}[{index}]")
    state = execute(directory, array, place)
    found = read_log(directory, array, place, None)
    emit(as_json, found.to_document(), found.text.rstrip("\n"))
    if not as_json:
        say(f"{array}[{place}] is {state}" + (f": {found.error}" if found.error else ""))
    context.exit(DONE if state.is_success else SOME_FAILED if state.is_final else USAGE)


globals()["exec"] = exec_  # the verb's name is a word of Python's own
