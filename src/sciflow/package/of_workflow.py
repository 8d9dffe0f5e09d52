"""The front door of packages: of a workflow and its results."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sciflow.errors import PackageError
from sciflow.execution import Run
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.package.build import Package, create_package
from sciflow.package.gathered.run_files import LARGEST
from sciflow.results import Results
from sciflow.run.payload import source_of
from sciflow.store.layout import RunDirectory, read_document
from sciflow_shim import files
from sciflow_shim.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Sequence


def create_reproducibility_package(
    workflow: ExperimentalWorkflow,
    results: Results | Run,
    package_name: str | None = None,
    *,
    figures: bool = True,
    largest: int = LARGEST,
    authors: Sequence[str] = (),
    license: str = "",
) -> Package:
    """Prepare a package of results, from which others can check and repeat them; its `export` makes it.

    What is packaged is the run as it was: the workflow is only held against it.

    Parameters
    ----------
    workflow
        The workflow that was run.
    results
        What came of it, or the run itself.
    package_name
        The package's name; by default that of the workflow and the run.
    figures
        Whether figures are drawn.
    largest
        Bytes above which an input or a result file is left out, and its digest told instead.
    authors
        ``Ada Lovelace <ada@example.org> (0000-0002-1825-0097)``; address and ORCID may be left out. By default those
        of the workflow's `metadata`, the project's ``CITATION.cff`` or ``pyproject.toml``.
    license
        The licence by SPDX's name, such as ``CC-BY-4.0``; by default as for the authors, or by the text of the
        project's ``LICENSE``.

    Raises
    ------
    PackageError
        Where the results are not those of the workflow, saying in what they differ; for a name that no folder can
        have, or an author that cannot be read.

    Examples
    --------
    >>> workflow = ExperimentalWorkflow("squares")
    >>> workflow.add_task("square", lambda x: {"y": x * x})
    >>> workflow.add_parameter_space({"x": range(6)})
    >>> results = Engine().execute_parameter_sweep(workflow)
    >>> create_reproducibility_package(workflow, results, package_name="squares_v1")
    <Package squares_v1 of run …>
    """
    if not isinstance(workflow, ExperimentalWorkflow):
        raise PackageError(f"`{workflow!r}` is no workflow", hint="read a file with `sciflow.load_workflow`")
    if not isinstance(results, Results | Run):
        raise PackageError(
            f"`{results!r}` are no results of a run",
            hint="give what `execute_parameter_sweep` gives, or a run: `sciflow.open_run(…)`",
        )
    run = results.run if isinstance(results, Results) else results.directory
    check_belongs(run, workflow)
    return create_package(run, package_name, with_figures=figures, largest=largest, authors=authors, license=license)


def check_belongs(run: RunDirectory, workflow: ExperimentalWorkflow) -> None:
    """Refuse a run that is not of the workflow.

    Raises
    ------
    PackageError
        Saying in what they differ.
    """
    manifest = read_document(run.manifest)
    space = manifest["space"]
    ran: dict[str, tuple[Any, Any]] = {
        "names": (manifest["workflow"], workflow.name),
        "tasks": (sorted(manifest["tasks"]), sorted(workflow.tasks)),
        "parameters": (space.get("from", space), workflow.space.to_document()),
    }
    for what, (of_run, of_workflow) in ran.items():
        if _plain(of_run) != _plain(of_workflow):
            is_short = what != "parameters"
            told = f": {_told(of_run)} and {_told(of_workflow)}" if is_short else ""
            raise _other(run, workflow, f"{what} differ{told}")
    for name, task in workflow.tasks.items():
        ran = manifest["tasks"][name].get("command")
        if (task.command and redact(task.command)) != ran:
            raise _other(run, workflow, f"commands of task `{name}` differ")
        kept = run / files.CODE / f"{name}.py"
        now = source_of(task.function) if task.function else ""
        if now and kept.is_file() and kept.read_text(encoding="utf-8") != now:
            raise _other(run, workflow, f"functions of task `{name}` differ")


def _other(run: RunDirectory, workflow: ExperimentalWorkflow, differing: str) -> PackageError:
    return PackageError(
        f"run `{run.run_id}` is not of workflow `{workflow.name}` as it is now: their {differing}",
        hint="run the workflow again, or package the run as it is: `sciflow package`",
    )


def _plain(document: Any) -> Any:
    return json.loads(json.dumps(document, default=repr))


def _told(value: Any) -> str:
    return ", ".join(f"`{one}`" for one in value) if isinstance(value, list) else f"`{value}`"
