"""What somebody types who has a package and no sciflow: one call of a function, and where files are here."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from sciflow.package import layout

_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_PLAIN = (str, int, float, bool, type(None))


def call_by_hand(facts: Mapping[str, Any], array: str, line: Mapping[str, Any], import_path: Sequence[str]) -> str:
    """The line of a shell that calls a task's function with the values of an array's first index.

    It is typed in the payload. It is empty where a function takes more than plain parameters, such as the results of
    other tasks, or cannot be imported by its name.

    Parameters
    ----------
    facts
        The task's file.
    array
        The array job's name.
    line
        What stands in the first line of its list.
    import_path
        The folders of the payload in which modules are looked for.
    """
    function, values = facts.get("function") or {}, line.get("parameters") or {}
    module, qualname = str(function.get("module", "")), str(function.get("qualname", ""))
    arguments = facts.get("arguments") or []
    if not (_DOTTED.fullmatch(module) and _DOTTED.fullmatch(qualname)) or "pickle" in function:
        return ""
    if any(source != "parameter" for _, source, *_ in arguments) or not all(map(_is_plain, values.values())):
        return ""
    names = [str(name) for name, *_ in arguments if name in values]
    given = 'json.load(sys.stdin)["parameters"]'
    if set(names) != set(values) and not facts.get("keywords"):
        wanted = ", ".join(f'"{name}"' for name in names)
        given = f"{{name: value for name, value in {given}.items() if name in [{wanted}]}}"
    code = f"import json, sys, {module}; print({module}.{qualname}(**{given}))"
    path = shlex.quote(":".join(import_path))
    return f"head -n 1 run/arrays/{array}.jsonl | PYTHONPATH={path} python3 -c {shlex.quote(code)}"


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return isinstance(value, _PLAIN)


def moved_folders(moved: Mapping[str, str]) -> list[tuple[str, str]]:
    """Folder from elsewhere → where it is in the payload, the outermost alone; files one by one where they must be."""
    found: dict[str, str] = {}
    for old, new in sorted(moved.items()):
        before, here = PurePosixPath(old), PurePosixPath(layout.PROJECT, new)
        if before.name == here.name and before.parent.name and str(here.parent) != layout.PROJECT:
            before, here = before.parent, here.parent
        inside = any(
            before.is_relative_to(outer) and str(here) == str(PurePosixPath(place, before.relative_to(outer)))
            for outer, place in found.items()
        )
        if not inside:
            found[str(before)] = str(here)
    return sorted(found.items())
