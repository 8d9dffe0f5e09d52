"""Extension: more combinations under `include` of a workflow file, with all else of it as it was written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from sciflow.errors import ResultError, WorkflowError, WorkflowFileError
from sciflow.loading import load_workflow
from sciflow.model.document import Document
from sciflow.model.values import read_value, value_document
from sciflow.store.layout import write_whole

Rows = Sequence[Mapping[str, Any]]


def include_lines(rows: Rows) -> list[str]:
    """Combinations as lines of YAML, each an item of a list."""
    return [f"- {_flow(row)}" for row in rows]


def _flow(row: Mapping[str, Any]) -> str:
    # JSON is YAML, and says which texts are no numbers.
    cells = (f"{name}: {json.dumps(value_document(value), ensure_ascii=False)}" for name, value in row.items())
    return f"{{{', '.join(cells)}}}"


def to_paste(rows: Rows, is_python: bool = False) -> str:
    """What a person adds to the workflow by hand."""
    if is_python:
        lines = [f"    {dict(row)!r}," for row in rows]
        return "\n".join(["include=[  # of add_parameter_space", *lines, "]"])
    return "\n".join(["include:", *(f"  {line}" for line in include_lines(rows))])


def extend(path: Path, rows: Rows) -> int:
    """Write combinations into a workflow file; those that it includes already are left out.

    The file is written as a whole or not at all, and only where all else that it says stays the same.

    Parameters
    ----------
    path
        A workflow file in YAML.
    rows
        Complete combinations of its axes.

    Returns
    -------
    int
        How many were added.

    Raises
    ------
    ResultError
        Where that cannot be done safely; the hint has the lines to add by hand.
    """
    if path.suffix not in (".yaml", ".yml"):
        raise ResultError(f"`{path}` is a program, into which nothing is written", hint=_by_hand(rows, True))
    path = path.resolve()
    try:
        before = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ResultError(f"`{path}` cannot be read: {error}") from None
    try:
        known = _value(before, path).get("include") or []
        new = [row for row in rows if {name: value_document(value) for name, value in row.items()} not in known]
        if not new:
            return 0
        after = extended(before, new, path.name)
        _check(before, after, new, path)
    except WorkflowError as error:
        raise ResultError(f"`{path}` cannot be extended: {error.message}", hint=_by_hand(rows)) from error
    _check_whole(path, after, rows)
    mode = path.stat().st_mode
    write_whole(path, after.encode())
    path.chmod(mode)
    return len(new)


def _by_hand(rows: Rows, is_python: bool = False) -> str:
    return f"add this to it by hand:\n{to_paste(rows, is_python)}"


def extended(text: str, rows: Rows, name: str = "the workflow file") -> str:
    """The text of a workflow file with more combinations under `include`.

    Raises
    ------
    WorkflowFileError
        Where its layout leaves no place for them.
    """
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        raise WorkflowFileError(f"{name} is written in braces as a whole")
    included = next((value for key, value in node.value if key.value == "include"), None)
    newline = "\r\n" if "\r\n" in text else "\n"
    if included is None:
        indent = " " * node.start_mark.column
        lines = [f"{indent}include:", *(f"{indent}  {line}" for line in include_lines(rows))]
        return _with_lines(text, len(text.splitlines(keepends=True)), lines, newline)
    if not isinstance(included, yaml.SequenceNode):
        raise WorkflowFileError(f"{name}: `include` is no list")
    if included.flow_style:
        return _in_brackets(text, included, rows)
    indent = " " * included.start_mark.column
    place = _last_line(included.value[-1]) + 1
    return _with_lines(text, place, [f"{indent}{line}" for line in include_lines(rows)], newline)


def _with_lines(text: str, place: int, lines: Sequence[str], newline: str) -> str:
    """A text with more lines before the one of a number."""
    there = text.splitlines(keepends=True)
    if place and not there[place - 1].endswith(("\n", "\r")):
        there[place - 1] += newline
    return "".join([*there[:place], *(f"{line}{newline}" for line in lines), *there[place:]])


def _in_brackets(text: str, included: yaml.SequenceNode, rows: Rows) -> str:
    added = ", ".join(_flow(row) for row in rows)
    if not included.value:
        return f"{text[: included.start_mark.index]}[{added}]{text[included.end_mark.index :]}"
    place = included.value[-1].end_mark.index
    return f"{text[:place]}, {added}{text[place:]}"


def _last_line(node: yaml.Node) -> int:
    """The line in which a value ends; what a block ends before may be far below it."""
    if isinstance(node, yaml.ScalarNode) or getattr(node, "flow_style", False) or not node.value:
        return node.end_mark.line
    last = node.value[-1]
    return _last_line(last[1] if isinstance(last, tuple) else last)


def _value(text: str, path: Path) -> dict[str, Any]:
    value = Document(text, path.name, WorkflowFileError).value
    if not isinstance(value, dict):
        raise WorkflowFileError(f"{path.name} holds no mapping")
    return value


def _check(before: str, after: str, rows: Rows, path: Path) -> None:
    """Whether the new text says the same as the old, and the new combinations."""
    old, new = _value(before, path), _value(after, path)
    added = new.get("include", [])[len(old.get("include") or []) :]
    read = [{name: read_value(value, "include") for name, value in row.items()} for row in added]
    kept = {**old, "include": [*(old.get("include") or []), *added]} == new
    if not kept or repr(read) != repr([dict(row) for row in rows]):
        raise WorkflowFileError("its layout leaves no safe place for more under `include`")


def _check_whole(path: Path, after: str, rows: Rows) -> None:
    """Whether what would be written is a workflow; tried beside it, where its relative paths hold."""
    trial = path.with_name(f".{path.stem}.trial{path.suffix}")
    try:
        write_whole(trial, after.encode())
        load_workflow(trial)
    except WorkflowError as error:
        told = error.message.replace(trial.name, path.name)
        raise ResultError(f"`{path}` cannot be extended: {told}", hint=_by_hand(rows)) from error
    finally:
        trial.unlink(missing_ok=True)


def workflow_file_of(directory: Path, workflow: str) -> Path | None:
    """The workflow file in a folder that has this workflow, where there is exactly one in YAML."""
    found = []
    for path in sorted([*directory.glob("*.yaml"), *directory.glob("*.yml")]):
        try:
            is_it = _value(path.read_text(encoding="utf-8"), path).get("name") == workflow
        except (WorkflowFileError, OSError, UnicodeDecodeError):
            continue  # other files may be anything
        if is_it:
            found.append(path)
    return found[0] if len(found) == 1 else None
