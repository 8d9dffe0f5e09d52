"""One file per distinct environment, written by whoever comes first and shared by all records."""

from __future__ import annotations

import os

from sciflow_shim import files
from sciflow_shim.environment import capture, redacted
from sciflow_shim.record import Dataset, Group, write_record

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_LONGEST_ATTRIBUTE = 1_000  # characters; longer texts and lists become datasets


def write_environment(path: str, run: str, commands: Mapping[str, str]) -> None:
    """Capture the environment, with what commands print in it, into a file beside and rename it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # Several nodes may be first at once; each writes a file of its own, and the renamed ones are alike.
    partial = f"{path}.{os.uname().nodename}.{os.getpid()}"
    write_record(partial, _group(_captured(run, commands)))
    os.replace(partial, path)


def _captured(run: str, commands: Mapping[str, str]) -> dict[str, Any]:
    found = {**capture(), "code": code_revision(run)}
    if commands:
        from sciflow_shim.site_commands import run_commands

        found["commands"] = redacted(run_commands(commands, os.environ))
    return found


def code_revision(run: str) -> dict[str, Any]:
    """Which version of its code a run is made from, as its manifest says; the lists of files stay there.

    Nothing where there is no manifest, or one that cannot be read: the rest of an environment is worth keeping.
    """
    try:
        code = files.read_json(os.path.join(run, files.MANIFEST))["code"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {name: value for name, value in code.items() if isinstance(value, (str, bool))}


def _group(captured: dict[str, Any]) -> Group:
    group = Group()
    for name, value in captured.items():
        name = str(name).replace("/", "|")
        if isinstance(value, dict):
            group.members[name] = _group(value)
        elif isinstance(value, (list, tuple)):
            group.members[name] = Dataset([str(one) for one in value], "str")
        elif isinstance(value, str) and len(value) > _LONGEST_ATTRIBUTE:
            group.members[name] = Dataset(value, "str")
        else:
            group.attributes[name] = value
    return group
