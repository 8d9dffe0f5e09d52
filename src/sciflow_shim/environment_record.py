"""One file per distinct environment, written by whoever comes first and shared by all records."""

from __future__ import annotations

import os
import signal
import sys

from sciflow_shim import files
from sciflow_shim.fingerprint import fingerprint

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from sciflow_shim.record import Group

_LONGEST_ATTRIBUTE = 1_000  # characters; longer texts and lists become datasets


def ensure_captured(run: str, commands: Mapping[str, str] | None = None) -> tuple[str, int]:
    """Give the fingerprint of this environment; where it is a new one, capture it in a process on the side.

    Parameters
    ----------
    run
        The run directory.
    commands
        Name → line for bash, of what the task wants to be asked of the node.

    Returns
    -------
    tuple
        The fingerprint, and the process that captures; 0 where that has been done.
    """
    mark = fingerprint(os.environ, commands=commands)
    path = os.path.join(run, files.environment(mark))
    if os.path.exists(path):
        return mark, 0
    pid = os.fork()
    if pid == 0:
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            os.closerange(3, files.MOST_FILES)  # a lock, or pipes whose end somebody waits for
            os.makedirs(os.path.dirname(path), exist_ok=True)
            from sciflow_shim.record import write_record

            # Several nodes may be first at once; each writes a file of its own, and the renamed ones are alike.
            partial = f"{path}.{os.uname().nodename}.{os.getpid()}"
            write_record(partial, _group(_captured(run, commands or {})))
            os.replace(partial, path)
        except BaseException as error:  # the run goes on without it
            sys.stderr.write(f"sciflow_shim: the environment cannot be captured: {type(error).__name__}: {error}\n")
        finally:
            os._exit(0)
    return mark, pid


def _captured(run: str, commands: Mapping[str, str]) -> dict[str, Any]:
    from sciflow_shim.environment import capture, redacted  # only for the index that comes first

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
    from sciflow_shim.record import Dataset, Group

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
