"""Commands by what the files are that they name, so that one that was moved with its files is the same command."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

_HOME = r"\{\{-?\s*workflow_dir\s*-?\}\}"
_PATH = re.compile(rf"(?:{_HOME}|(?<![\w.\-/}}])(?=/))(?:/[\w.+@%,:=~-]+)+")


def is_only_moved(there: Mapping[str, Any], here: Mapping[str, Any], task: str) -> bool:
    """Whether the command of a task is the same in two runs but for where the files lie that it names.

    Parameters
    ----------
    there, here
        The runs' manifests: commands, and the digests of all inputs.
    task
        The task.
    """
    commands = [_by_content(one, str(one["tasks"][task].get("command") or "")) for one in (there, here)]
    return commands[0] == commands[1]


def _by_content(manifest: Mapping[str, Any], command: str) -> str:
    """A command with digests in place of the inputs, and of the folders of inputs, that it names."""
    home = PurePosixPath(str(manifest.get("directory") or "/"))
    inputs = {home / name: str(digest) for name, digest in (manifest.get("inputs") or {}).items()}

    def content(match: re.Match[str]) -> str:
        path, name = PurePosixPath(os.path.normpath(re.sub(f"^{_HOME}", lambda _: str(home), match[0]))), ""
        if path in inputs:
            return inputs[path]
        if match.string.startswith("{{", match.end()):  # the name goes on with a parameter
            path, name = path.parent, f"/{path.name}"
        within = sorted((str(one.relative_to(path)), inputs[one]) for one in inputs if path in one.parents)
        if within and path not in (home, *home.parents):
            return hashlib.sha256(repr(within).encode()).hexdigest() + name
        where = f"{{{{ workflow_dir }}}}/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
        return where + name

    return _PATH.sub(content, command)
