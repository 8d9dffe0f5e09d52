"""Puts values into shell text so that bash sees exactly the value, wherever in the text it stands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sciflow.errors import WorkflowError
from sciflow.planning.shell_text import ARITHMETIC, ShellText
from sciflow_shim import files

TOKEN = re.compile("\x02([0-9]+)\x03")
_MARK = re.compile("\x02(?:run|input:([A-Za-z0-9_]+))\x03")
_HEREDOC = re.compile(r"(?<!<)<<-?[ \t]*[^\s<=(\d$]")
_VARIABLE = re.compile(r"\$[A-Za-z0-9_]+$")
_PLAIN_WORD = re.compile(r"[-+]?[A-Za-z0-9_.]+")


class Raw(str):
    """Text that its author wants in the command as it is."""


@dataclass(frozen=True)
class RunPath:
    """A path below the run directory, wherever that will be."""

    path: str

    def __str__(self) -> str:
        return files.RUN_MARK + "/" + self.path


@dataclass(frozen=True)
class RunValue:
    """A result of an earlier task, known when the command starts."""

    variable: str

    def __str__(self) -> str:
        return files.INPUT_MARK % self.variable


def fill_in(text: str, values: Sequence[Any], where: str) -> str:
    """Replace tokens in shell text by values, each quoted for the place where it stands.

    Parameters
    ----------
    text
        Shell text with ``\\x02<number>\\x03`` for the values.
    values
        What the numbers stand for.
    where
        Whose text it is, for messages.

    Raises
    ------
    WorkflowError
        Where a value stands where bash would read more than the value into it, or cannot be passed at all.
    """
    filled, position, shell = [], 0, ShellText()
    for match in TOKEN.finditer(text):
        literal = text[position : match.start()]
        shell.read(literal)
        value, position = values[int(match[1])], match.end()
        filled.append(literal)
        if isinstance(value, Raw):
            shell.read(value)
            filled.append(_expanded(value))
        elif not shell.comment:
            _check_place(shell, where)
            # `$name` would take a value right after it for more of the name, and `>` a number before it for a file.
            before_file = shell.inside != '"' and text[position : position + 1] in ("<", ">")
            apart = before_file or bool(_VARIABLE.search(literal))
            filled.append(_quoted(value, shell, apart, where))
            shell.read_value()
    if position and _HEREDOC.search(TOKEN.sub("", text)):
        raise WorkflowError(
            f"{where} has values and a here-document (`<<`), inside which they cannot be quoted",
            hint="render the text as a file with `files:`, and read that",
        )
    return "".join([*filled, text[position:]])


def _check_place(shell: ShellText, where: str) -> None:
    if shell.escaped:
        raise WorkflowError(f"{where} has a backslash right before a value", hint="values are quoted already")
    if shell.follows_dollar:
        raise WorkflowError(f"{where} has a `$` right before a value", hint="write `\\$` for a dollar sign")
    if shell.inside == "`":
        raise WorkflowError(f"{where} has a value between backquotes", hint="use `$(…)`")
    if shell.unclear:
        raise WorkflowError(
            f"{where} has a value after {shell.unclear}, where its quoting cannot be told",
            hint="give the value to a variable first: `name={{ value }}`",
        )


def _quoted(value: Any, shell: ShellText, apart: bool, where: str) -> str:
    text = str(value) if isinstance(value, RunPath | RunValue) else files.as_text(value)
    if "\0" in text:
        raise WorkflowError(f"{where} has the value {value!r}, which holds a NUL: no command can be given that")
    if TOKEN.search(text):
        raise WorkflowError(
            f"{where} has a macro or block with values whose text is used as a value", hint="write the values in place"
        )
    if shell.inside == '"':
        return ('""' if apart else "") + "".join(
            variable or _in_double_quotes(plain) for plain, variable in _pieces(text)
        )
    if shell.inside in ("'", "$'"):
        return "".join(
            f'\'"{variable}"{shell.inside}' if variable else _in_single_quotes(plain, shell.inside)
            for plain, variable in _pieces(text)
        )
    if shell.inside in (*ARITHMETIC, "${"):
        return "".join(variable or _word(plain, value, where) for plain, variable in _pieces(text))
    return "".join(f'"{variable}"' if variable else _bare(plain, apart) for plain, variable in _pieces(text)) or "''"


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Cut a text at what is known on the node only: pairs of plain text and the expansion that stands for it."""
    position = 0
    for match in _MARK.finditer(text):
        if match.start() > position:
            yield text[position : match.start()], ""
        yield "", f"${{{match[1] or 'SCIFLOW_RUN_DIR'}}}"
        position = match.end()
    if position < len(text):
        yield text[position:], ""


def _expanded(text: str) -> str:
    return _MARK.sub(lambda match: f"${{{match[1] or 'SCIFLOW_RUN_DIR'}}}", text)


def _bare(text: str, apart: bool) -> str:
    # Braces expand around commas, and a leading `name=` is an assignment: shlex leaves both as they are.
    needed = apart or "," in text or "=" in text
    return "'" + text.replace("'", "'\"'\"'") + "'" if needed else shlex.quote(text)


def _in_double_quotes(text: str) -> str:
    return re.sub(r'([\\"$`])', r"\\\1", text)


def _in_single_quotes(text: str, mark: str) -> str:
    return text.replace("'", "'\\''") if mark == "'" else text.replace("\\", "\\\\").replace("'", "\\'")


def _word(text: str, value: Any, where: str) -> str:
    # Quotes do not help here: bash runs a `$(…)` that stands in arithmetic, between quotes or not.
    if not _PLAIN_WORD.fullmatch(text):
        raise WorkflowError(
            f"{where} has the value {value!r} inside `${{…}}` or `$((…))`, where only numbers and words can stand",
            hint="give the value to a variable first: `name={{ value }}`",
        )
    return text
