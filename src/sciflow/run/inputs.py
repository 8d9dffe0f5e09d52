"""The files that a task reads, as the manifest and the node get to know them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from sciflow.planning.identity import describe_files
from sciflow.planning.uses import TaskUse
from sciflow.store.digests import FileDigest, KnownDigests

MOST_LISTED = 20  # input files that stand in each record; of more, only how many, and one digest


def describe_inputs(
    uses: Mapping[str, TaskUse], directory: Path, known: KnownDigests
) -> dict[str, dict[str, FileDigest]]:
    """Task → the files that it declares or its command names → what they are; paths as in `path_in`.

    Raises
    ------
    WorkflowError
        For a file that is not there.
    """
    found = {}
    for task, use in uses.items():
        names = [*use.task.inputs, *(use.template.code_files if use.template else ())]
        described = describe_files(dict.fromkeys(names), directory, known)
        found[task] = {path_in(directory, path): facts for path, facts in sorted(described.items())}
    return found


def named_by(use: TaskUse, directory: Path) -> set[str]:
    """The files that a task's command names; paths as in `path_in`."""
    return {path_in(directory, directory / name) for name in (use.template.code_files if use.template else ())}


def path_in(directory: Path, path: str | Path) -> str:
    """A path relative to the workflow's directory where it is inside, else from the root."""
    path = Path(path)
    real, home = path.parent.resolve() / path.name, directory.resolve()
    return str(real.relative_to(home) if real.is_relative_to(home) else real)


def for_the_node(inputs: Mapping[str, FileDigest], named: Collection[str] = ()) -> dict[str, Any]:
    """What a task's file says of its inputs: how many, how large, and each of them unless they are very many.

    The digest is that of what ``sha256sum`` prints for them, in the order of their paths. What the command itself names
    is always listed: the node looks at what is listed before it starts anything.

    Parameters
    ----------
    inputs
        Path → what the file is.
    named
        Paths of those that the command names.
    """
    lines = "".join(f"{facts.sha256}  {path}\n" for path, facts in sorted(inputs.items()))
    are_few = len(inputs) <= MOST_LISTED
    listed = {path: facts for path, facts in inputs.items() if are_few or path in named}
    return {
        "count": len(inputs),
        "size": sum(facts.size for facts in inputs.values()),
        "sha256": hashlib.sha256(lines.encode()).hexdigest() if inputs else "",
        "files": [{"path": path, **facts._asdict()} for path, facts in listed.items()],
    }
