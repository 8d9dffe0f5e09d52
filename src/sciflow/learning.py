"""Plans by what an earlier run has measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sciflow.errors import RunError
from sciflow.execution import Run
from sciflow.model.advice import Advice
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.compiled import Compiled
from sciflow.store.layout import RunDirectory, find_run, read_document

if TYPE_CHECKING:
    from sciflow.results import Results


def compiled_by(
    learn_from: str | Path,
    runs: Path,
    workflow: ExperimentalWorkflow,
    build: Callable[[Advice], Compiled],
    asked: Callable[[Compiled], str],
) -> Compiled:
    """Compile a workflow by what a run has measured.

    A run that was itself made so, of the same work, stands for the one from which that was learned: the same command is
    the same plan, also where ``latest`` is by now the run that it has started.

    Parameters
    ----------
    learn_from, runs
        The run, and the folder of all runs.
    workflow
        What is compiled.
    build
        Advice → the plan.
    asked
        Digest of the work without what was learned.

    Raises
    ------
    RunError
        Where there is no such run, or nothing can be learned from it.
    """
    directory = find_run(learn_from, runs)
    origin: dict[str, Any] = read_document(directory.manifest).get("learned_from") or {}
    if origin and (earlier := _found(origin["run"], runs)) is not None:
        compiled = build(advice_from(earlier, workflow))
        if asked(compiled) == origin["asked"]:
            return compiled
    return build(advice_from(directory, workflow))


def advice_from(directory: RunDirectory, workflow: ExperimentalWorkflow) -> Advice:
    """What a run tells of the tasks of a workflow.

    Raises
    ------
    RunError
        Where it tells nothing.
    """
    from sciflow.analysis.advice.advise import advice_of

    manifest = read_document(directory.manifest)
    tasks = list(workflow.tasks)
    shared = [task for task in tasks if task in manifest["tasks"]]
    if not shared:
        raise RunError(
            f"run `{directory.run_id}` of workflow `{manifest['workflow']}` has the tasks {_named(manifest['tasks'])}, "
            f"and workflow `{workflow.name}` has {_named(tasks)}: they have none in common",
            hint="name a run with the same tasks",
        )
    results = Run(directory).collect()
    advice = advice_of(results)
    if not any(task in advice.tasks for task in shared):
        raise RunError(
            f"run `{directory.run_id}` has no completed instance of {_named(shared)}: nothing can be learned from it",
            hint=f"`sciflow status {directory.name_here}` shows how far it is",
        )
    return replace(advice, remarks={**advice.remarks, **_not_over(results, shared)})


def _not_over(results: Results, tasks: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Task → a remark where it is not over."""
    instances, remarks = results.tables.instances, {}
    told = list(zip(instances["task"], instances["state"], strict=True)) if instances.count else []
    for task in tasks:
        ended = [State(state).is_final for one, state in told if one == task]
        if left := ended.count(False):
            have = "has" if left == 1 else "have"
            remarks[task] = (
                f"{left} of {len(ended)} instances of `{task}` {have} not ended: what takes longest may be among them, "
                "and the chance is that of the others",
            )
    return remarks


def _found(run: str, runs: Path) -> RunDirectory | None:
    try:
        return find_run(run, runs)
    except RunError:
        return None  # it was removed: what came of it is all that there is


def _named(tasks: Any) -> str:
    return ", ".join(f"`{task}`" for task in tasks)
