"""Which version of the code a run is made from: a commit and what was changed since, or digests of its files."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sciflow.planning.code_digest import reached_modules
from sciflow.planning.compiled import Compiled
from sciflow.run.inputs import path_in
from sciflow.store.digests import FileDigest, file_digest
from sciflow_shim import files
from sciflow_shim.redaction import redact

_LARGEST_DIFF = 5_000_000  # bytes of uncommitted changes that a manifest's neighbour holds
_MOST_NAMES = 1000  # files of a kind that are named


def code_version(compiled: Compiled, folder: Path, inputs: Mapping[str, Mapping[str, FileDigest]]) -> dict[str, Any]:
    """Give the version of a workflow's code.

    Parameters
    ----------
    compiled
        The workflow.
    folder
        The run directory, where the changes since the commit are kept.
    inputs
        Task → its files, of which those that a command names are code.

    Returns
    -------
    dict
        Where there is a commit: `commit`, `branch`, `remote`, `dirty`, and what there is of `changed`, `untracked`,
        `diff` and `submodules`. Without one: `modules` and `files` by SHA-256, and as `sha256` one digest of all.
    """
    directory = compiled.workflow.directory
    if commit := _git(directory, "rev-parse", "--verify", "HEAD"):
        return _of_repository(directory, folder, commit)
    return _of_files(compiled, inputs)


def _of_repository(directory: Path, folder: Path, commit: str) -> dict[str, Any]:
    changes = _entries(_git(directory, "status", "--porcelain", "-z", "--untracked-files=normal"))
    top = Path(_git(directory, "rev-parse", "--show-toplevel"))
    # The folder of the runs, in which one is being made, is no code.
    changes = [(state, name) for state, name in changes if not folder.resolve().is_relative_to(top / name)]
    branch = _git(directory, "rev-parse", "--abbrev-ref", "HEAD")
    version: dict[str, Any] = {
        "commit": commit,
        "branch": branch if branch != "HEAD" else "",  # that is what git says of a commit that is on none
        "remote": _remote(directory, branch),
        "dirty": bool(changes),
    }
    for kind, names in (
        ("changed", [name for state, name in changes if state != "??"]),
        ("untracked", [name for state, name in changes if state == "??"]),
    ):
        if names:
            version[kind] = names[:_MOST_NAMES]
        if len(names) > _MOST_NAMES:
            version[f"more_{kind}"] = len(names) - _MOST_NAMES
    if "changed" in version:
        difference = redact(_git(directory, "diff", "--no-color", "--submodule=short", "HEAD", "--", "."))
        if 0 < len(difference) <= _LARGEST_DIFF:
            name = f"{files.CODE}/working-tree.diff"
            (folder / name).write_text(difference + "\n", encoding="utf-8")
            version["diff"] = name
    if submodules := _submodules(directory):
        version["submodules"] = submodules
    return version


def _entries(status: str) -> list[tuple[str, str]]:
    """State and name of each line of `git status -z`; of a file that was renamed, the new name."""
    words = iter(status.split("\0"))
    found = []
    for word in words:
        if word:
            found.append((word[:2], word[3:]))
            if "R" in word[:2] or "C" in word[:2]:
                next(words, "")
    return found


def _remote(directory: Path, branch: str) -> str:
    """The URL that the branch comes from, else that of `origin`, without a password or token in it."""
    name = _git(directory, "config", "--get", f"branch.{branch}.remote") or "origin"
    return without_user(redact(_git(directory, "config", "--get", f"remote.{name}.url")))


def without_user(url: str) -> str:
    """A URL for HTTP without its user, which may be a token of any shape; elsewhere that is just a name."""
    scheme, sign, rest = url.partition("://")
    if not sign or not scheme.startswith("http"):
        return url
    place, slash, path = rest.partition("/")
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{path}"


def _submodules(directory: Path) -> list[dict[str, Any]]:
    """Path and commit of each submodule, inner ones too; whether it is there, and another commit than was recorded."""
    states = {"-": "absent", "+": "moved", "U": "in conflict"}
    lines = _git(directory, "submodule", "status", "--recursive", strip=False).splitlines()
    found = []
    for line in lines:
        commit, _, rest = line[1:].partition(" ")
        path = rest if line[0] == "-" else rest.rpartition(" (")[0] or rest  # behind it, what `git describe` says
        found.append({"path": path, "commit": commit, "state": states.get(line[0], "as recorded")})
    return found


def _of_files(compiled: Compiled, inputs: Mapping[str, Mapping[str, FileDigest]]) -> dict[str, Any]:
    directory = compiled.workflow.directory
    modules: dict[str, str] = {}
    named: dict[str, str] = {}
    for task, use in compiled.uses.items():
        if use.task.function is not None:
            for path in reached_modules(use.task.function).values():
                modules[path_in(directory, path)] = file_digest(path)
        for name in use.template.code_files if use.template else ():
            path = path_in(directory, directory / name)
            named[path] = inputs[task][path].sha256
    both = {**modules, **named}
    lines = "".join(f"{sha256}  {path}\n" for path, sha256 in sorted(both.items()))
    version: dict[str, Any] = {"sha256": hashlib.sha256(lines.encode()).hexdigest()} if both else {}
    for kind, found in (("modules", modules), ("files", named)):
        if found:
            version[kind] = dict(sorted(found.items()))
    return version


def _git(directory: Path, *arguments: str, strip: bool = True) -> str:
    """What git prints; nothing where it fails, or is not there."""
    try:
        answer = subprocess.run(
            ["git", "-C", str(directory), *arguments],
            capture_output=True,
            timeout=20,
            check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    text = answer.stdout.decode(errors="replace") if answer.returncode == 0 else ""
    return text.rstrip() if strip else text
