"""A compiled workflow becomes a run directory: all that a run needs, written once, appearing whole or not at all."""

from __future__ import annotations

import errno
import getpass
import hashlib
import json
import os
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from sciflow.errors import RunError
from sciflow.model.exported import unsaid_requests, workflow_document
from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.values import canonical_text
from sciflow.planning.compiled import Compiled
from sciflow.planning.render import ScriptRenderer
from sciflow.run.code_version import code_version
from sciflow.run.inputs import describe_inputs, for_the_node, named_by
from sciflow.run.payload import modules, write_payload
from sciflow.run.snapshot import write_snapshot
from sciflow.run.variants import NEXT, write_variant
from sciflow.store.digests import FileDigest, KnownDigests
from sciflow.store.journal import Journal
from sciflow.store.layout import LATEST, RunDirectory, read_document, write_whole
from sciflow.store.manifest import MANNERS, RECOVERY, read_manners, read_recovery, task_retries
from sciflow_shim import files
from sciflow_shim.redaction import redact

_ABANDONED = 86_400  # seconds


def new_run_id(now: datetime | None = None) -> str:
    """A new run's id: UTC date and time to the millisecond, so that ids sort by age, and two random digits."""
    now = now or datetime.now(timezone.utc)
    return f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}{secrets.token_hex(1)}"


def identity(compiled: Compiled, render: Callable[[ArrayJob], str]) -> str:
    """Digest of all that decides what a run does: the same digest, the same work.

    Parameters
    ----------
    compiled
        What to run.
    render
        Array job → its script; start times, which move with the present, are left out of it.
    """
    return _digest(compiled, compiled.plan.arrays, render)


def asked_identity(compiled: Compiled, render: Callable[[ArrayJob], str]) -> str:
    """The same without what was learned from an earlier run, which may tell more the next time."""
    # What nobody has checked is neither fused nor cut into links yet.
    how = {task: [use.task.fuse, use.task.checkpoints] for task, use in compiled.uses.items()}
    return _digest(compiled, compiled.asked, render, how=how)


def _digest(compiled: Compiled, arrays: Sequence[ArrayJob], render: Callable[[ArrayJob], str], **more: Any) -> str:
    parts = {
        **more,
        "arrays": [{**array.to_document(), "begin": None, "waves": None} for array in arrays],
        "recipes": compiled.recipes,
        "space": _space_document(compiled),
        "profile": compiled.profile.name,
        "scripts": {array.name: render(replace(array, begin=None, waves=())) for array in arrays},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def staging_lock(runs: Path, workflow: str) -> Path:
    """The file that is locked while a run of a workflow is looked for or staged; its folder is made.

    Raises
    ------
    RunError
        Where the folder cannot be made.
    """
    _refuse_reserved(workflow)
    home = runs / workflow
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not os.access(home, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise RunError(
            f"the folder `{home}` cannot be written: {error.strerror}", hint="name another one with `--runs`"
        ) from error
    return home / ".staging.lock"


def _refuse_reserved(workflow: str) -> None:
    if workflow == LATEST:
        raise RunError(
            f"the workflow is named `{LATEST}`, as is the link to the newest run", hint="give it another name"
        )


def stage(compiled: Compiled, runs: Path, render: ScriptRenderer) -> RunDirectory:
    """Write the run directory.

    Parameters
    ----------
    compiled
        What to run.
    runs
        The folder of all runs.
    render
        Array job → its script.

    Raises
    ------
    RunError
        Where it cannot be written; nothing of it is left then.
    """
    _refuse_reserved(compiled.workflow.name)
    for array in compiled.plan.arrays:
        render(array)  # a template that is wrong is found before anything is written
    run_id = new_run_id()
    home = runs / compiled.workflow.name
    partial = home / f".{run_id}.partial"
    try:
        home.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(home)
        partial.mkdir(mode=0o700)
        write_run(compiled, partial, run_id, render)
        partial.rename(home / run_id)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise RunError(f"the run directory `{home / run_id}` cannot be written: {error.strerror}") from error
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    run = RunDirectory(home / run_id)
    point_to_latest(runs, run)
    return run


def note_modules(compiled: Compiled, run: RunDirectory) -> None:
    """Note files as they are now in a run that goes on: they do the same, or it would be another run.

    What tasks want to be recorded may have changed too, which is no other work.
    """
    directory = compiled.workflow.directory
    inputs = describe_inputs(compiled.uses, directory, KnownDigests())
    is_other = False
    for task, use in compiled.uses.items():
        path = run.path / files.task_file(task)
        document = read_document(path)
        told = for_the_node(inputs[task], named_by(use, directory))
        now = {**document, "metadata": compiled.task_document(task)["metadata"], "inputs": told}
        if use.task.function is not None:
            now["function"] = {**document["function"], "modules": modules(use.task.function)}
        if now != document:
            partial = path.with_name(f".{path.name}.{os.getpid()}")
            _write_json(partial, now)
            partial.replace(path)
            is_other = True
    if is_other:
        write_snapshot(compiled, run.path)


def note_manners(compiled: Compiled, run: RunDirectory) -> None:
    """Note in a run that goes on how much of the cluster it takes now; that changes no result."""
    manners = compiled.profile.manners
    if manners != read_manners(run):
        said = manners.model_dump(exclude_defaults=True, mode="json")
        Journal(run.journal).append([{"event": MANNERS, "manners": said}])


def note_recovery(compiled: Compiled, run: RunDirectory) -> None:
    """Note in a run that goes on how its failures are met now; that changes no result."""
    policy = compiled.workflow.recovery
    retries = {task: use.task.retries for task, use in compiled.uses.items() if use.task.retries is not None}
    if (policy, retries) != (read_recovery(run), task_retries(run)):
        said = policy.model_dump(exclude_none=True, mode="json")
        Journal(run.journal).append([{"event": RECOVERY, "policy": said, "retries": retries}])
    for array in Plan.from_document(read_document(run.plan)).arrays:
        path = run.header(array.name)
        document, brake = read_document(path), policy.brake_of(array.count)
        if document.get("brake", 0) != brake:
            write_whole(path, json.dumps({**document, "brake": brake}) + "\n")


def _remove_abandoned(home: Path) -> None:
    """Remove what a staging that was killed has left, a day after."""
    for partial in home.glob(".*.partial"):
        if time.time() - partial.stat().st_mtime > _ABANDONED:
            shutil.rmtree(partial, ignore_errors=True)


def write_run(compiled: Compiled, folder: Path, run_id: str, render: ScriptRenderer) -> None:
    """Write all files of a run into an empty folder."""
    for name in ("arrays", "scripts", files.CODE):
        (folder / name).mkdir()
    shim = folder / files.SHIM / "sciflow_shim"
    shim.mkdir(parents=True)
    for source in _shim_source().glob("*.py"):
        shutil.copyfile(source, shim / source.name)
    directory = compiled.workflow.directory
    inputs = describe_inputs(compiled.uses, directory, KnownDigests())
    for task, use in compiled.uses.items():
        document = {**compiled.task_document(task), "inputs": for_the_node(inputs[task], named_by(use, directory))}
        if use.task.function is not None:
            document["function"] = write_payload(use.task.function, task, folder, directory)
        _write_json(folder / files.task_file(task), document)
    for array in compiled.plan.arrays:
        offsets = _write_lines(folder / files.array_lines(array.name), compiled.array_lines(array))
        header = {**compiled.header(array), "run": run_id, "offsets": offsets}
        _write_json(folder / files.array_header(array.name), header)
        script = folder / files.script(array.name)
        script.write_text(render(array), encoding="utf-8")
        script.chmod(0o755)
        if array.links > 1:
            write_variant(folder, replace(array, variant=NEXT), render, goes_on=True)
        if array.riders:  # each of them has its own share of what the job asks for
            own = array.resources._asdict()
            write_variant(folder, array.submitted_first, render, request=own, then=list(array.riders))
    _write_json(folder / files.TEMPLATES, render.templates)
    said = {"workflow": workflow_document(compiled.workflow), "unsaid": unsaid_requests(compiled.workflow)}
    _write_json(folder / files.WORKFLOW, {"format": files.FORMAT, **said})
    write_snapshot(compiled, folder)
    space = compiled.workflow.space
    if not space.is_declarative:
        with (folder / files.COMBINATIONS).open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(list(one.values()), ensure_ascii=False) + "\n" for one in space)
    _write_json(folder / files.PLAN, {"format": files.FORMAT, **compiled.plan.to_document()})
    manifest = _manifest(compiled, run_id, folder, identity(compiled, render), inputs)
    manifest["asked"] = asked_identity(compiled, render)
    if compiled.advice is not None:
        manifest["learned_from"] = {"run": compiled.advice.run, "asked": manifest["asked"]}
    _write_json(folder / files.MANIFEST, manifest)


def _write_lines(path: Path, lines: Iterator[str]) -> list[int]:
    """Write the lines of an array job; gives where each block of them begins, so that no node reads all of them."""
    offsets = []
    with path.open("w", encoding="utf-8", newline="") as file:
        while block := list(islice(lines, files.BLOCK)):
            offsets.append(file.tell())
            file.writelines(block)
    return offsets


def _manifest(
    compiled: Compiled, run_id: str, folder: Path, work: str, inputs: Mapping[str, Mapping[str, FileDigest]]
) -> dict[str, Any]:
    workflow = compiled.workflow
    return {
        "format": files.FORMAT,
        "run": run_id,
        "workflow": workflow.name,
        "identity": work,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "space": _space_document(compiled),
        "roles": workflow.space.roles,
        "tasks": {
            task: {
                "kind": use.task.kind,
                "command": use.task.command and redact(use.task.command),
                "depends_on": list(use.task.depends_on),
                "over": use.task.over,
                "missing": use.task.missing,
                "parameters": list(use.names),
                "reads": list(use.reads),
                "recipe": compiled.recipes[task],
                "recipe_parts": compiled.recipe_parts[task],
                "inputs": list(inputs[task]),
                "units": use.task.units,
                "checkpoints": use.task.checkpoints,
                "retries": use.task.retries,
                "schedule": use.task.schedule and use.task.schedule.model_dump(exclude_none=True, mode="json"),
            }
            for task, use in compiled.uses.items()
        },
        "resources": {
            task: request.model_dump(exclude_none=True, mode="json", fallback=repr)
            for task, request in workflow.resources.items()
        },
        "policy": workflow.policy.model_dump(exclude_none=True, mode="json"),
        "recovery": workflow.recovery.model_dump(exclude_none=True, mode="json"),
        "visualizations": {n: v.model_dump(exclude_none=True, mode="json") for n, v in workflow.visualizations.items()},
        "metadata": workflow.metadata,
        "profile": compiled.profile.model_dump(exclude_none=True, mode="json"),
        "warnings": list(compiled.plan.warnings),
        "notes": list(compiled.plan.notes),
        "inputs": {path: facts.sha256 for described in inputs.values() for path, facts in described.items()},
        "code": code_version(compiled, folder, inputs),
        "sciflow": version("sciflow"),
        "python": sys.version.split()[0],
        "interpreter": sys.executable,
        "host": socket.gethostname(),
        "user": getpass.getuser(),
        "directory": str(workflow.directory.resolve()),
    }


def _space_document(compiled: Compiled) -> dict[str, Any]:
    space = compiled.workflow.space
    if space.is_declarative:
        return space.to_document()
    digest = hashlib.sha256()
    for combination in space:
        digest.update(canonical_text(combination).encode())
    return {
        "table": files.COMBINATIONS,
        "names": list(space.names),
        "sha256": digest.hexdigest(),
        "from": space.to_document(),
    }


def _shim_source() -> Path:
    return Path(files.__file__).resolve().parent


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def point_to_latest(runs: Path, run: RunDirectory) -> None:
    """Make a run the one that is meant when none is named."""
    link = runs / LATEST
    partial = link.with_name(f".{link.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    partial.symlink_to(os.path.relpath(run.path, link.parent.resolve()), target_is_directory=True)
    partial.replace(link)
