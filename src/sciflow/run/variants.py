"""Scripts and documents by which an array job is tried again under another request, or goes on from its checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sciflow import assets
from sciflow.model.plan import ArrayJob
from sciflow.model.resources import Resources
from sciflow.planning.render import ScriptRenderer
from sciflow.store.layout import RunDirectory, read_document, write_whole
from sciflow.store.manifest import read_profile
from sciflow_shim import files

NEXT = "next"  # the links of a chain after the first


def renderer_of(run: RunDirectory) -> ScriptRenderer:
    """What renders scripts of a run, from the templates of which its scripts were made."""
    manifest = read_document(run.manifest)
    path = run / files.TEMPLATES
    kept = read_document(path) if path.is_file() else {}  # a run of an earlier sciflow has kept none
    profile = read_profile(run)

    def find(name: str) -> tuple[str, str] | None:
        return (kept[name], name) if name in kept else assets.read_template(Path(manifest["directory"]), name)

    return ScriptRenderer(profile, profile.python or manifest["interpreter"], find)


def next_of(variant: str) -> str:
    """The variant of the links after the first, of a chain that is tried again."""
    return f"{variant}-{NEXT}" if variant else NEXT


def write_variant(folder: Path, array: ArrayJob, render: Callable[[ArrayJob], str], **facts: Any) -> None:
    """Write the script of an array job with a variant, and what its indices are to know of it.

    Parameters
    ----------
    folder
        The run directory.
    array
        With its variant, and the request under which it runs.
    render
        Array job → its script.
    **facts
        What stands in the document besides the request.
    """
    document = {"format": files.FORMAT, "request": array.resources._asdict(), **facts}  # these may say another one
    write_whole(folder / files.array_header(array.name_on_node), json.dumps(document) + "\n")
    script = folder / files.script(array.name_on_node)
    write_whole(script, render(array))
    script.chmod(0o755)


def read_variant(run: RunDirectory, array: ArrayJob, variant: str) -> ArrayJob:
    """An array job under the request of one of its variants.

    Raises
    ------
    RunError
        Where the run has no such variant.
    """
    changed = replace(array, variant=variant)
    document = read_document(run.header(changed.name_on_node))
    return replace(changed, resources=Resources(**document["request"]))
