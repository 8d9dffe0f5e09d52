"""Puts values into shell text so that bash sees exactly the value, wherever in the text it stands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sciflow.errors import WorkflowError
from sciflow_shim import files

TOKEN = re.compile("\x02([0-9]+)\x03")
_HEREDOC = re.compile(r"<<-?\s*[\\'\"]?[A-Za-z_]")


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
        Where a value stands in a here-document, or cannot be passed at all.
    """
    filled, position, quotes = [], 0, _Quotes()
    for match in TOKEN.finditer(text):
        literal = text[position : match.start()]
        quotes.read(literal)
        filled += [literal, _quoted(values[int(match[1])], quotes, where)]
        position = match.end()
    if position and _HEREDOC.search(TOKEN.sub("", text)):
        raise WorkflowError(
            f"{where} has values and a here-document (`<<`), inside which they cannot be quoted",
            hint="render the text as a file with `files:`, and read that",
        )
    return "".join([*filled, text[position:]])


class _Quotes:
    """Follows bash's quoting through a text.

    The stack holds what is open: ``'``, ``"``, a backquote, ``$(``, ``$((``, ``${``.
    """

    def __init__(self) -> None:
        self.stack: list[str] = []
        self.escaped = False
        self.comment = False
        self._previous = "\n"

    @property
    def inside(self) -> str:
        return self.stack[-1] if self.stack else ""

    def read(self, text: str) -> None:
        position = 0
        while position < len(text):
            position += self._step(text, position)

    def _step(self, text: str, position: int) -> int:
        character, previous = text[position], self._previous
        self._previous = character
        if self.comment:
            self.comment = character != "\n"
            return 1
        if self.escaped:
            self.escaped = False
            return 1
        if self.inside == "'":
            if character == "'":
                self.stack.pop()
            return 1
        if character == "\\":
            self.escaped = True
        elif character == '"':
            self._toggle('"')
        elif character == "`":
            self._toggle("`")
        elif text.startswith(("$(", "${"), position):
            self.stack.append(text[position + 1])
            self._previous = text[position + 1]
            return 2
        elif (self.inside == "{" and character == "}") or (self.inside == "(" and character == ")"):
            self.stack.pop()
        elif self.inside != '"':
            self._unquoted(character, previous)
        return 1

    def _toggle(self, mark: str) -> None:
        if self.inside == mark:
            self.stack.pop()
        else:
            self.stack.append(mark)

    def _unquoted(self, character: str, previous: str) -> None:
        if character == "'":
            self.stack.append("'")
        elif character == "(" and self.inside in ("(", ""):
            self.stack.append("(")
        elif character == "#" and previous in " \t\n;&|(":
            self.comment = True


def _quoted(value: Any, quotes: _Quotes, where: str) -> str:
    if isinstance(value, Raw):
        return value
    quotes._previous = "x"
    if quotes.escaped:
        raise WorkflowError(f"{where} has a backslash right before a value", hint="values are quoted already")
    inside = quotes.inside
    if quotes.comment:
        return ""
    if inside == "`":
        raise WorkflowError(f"{where} has a value between backquotes", hint="use `$(…)`")
    if isinstance(value, RunPath | RunValue):
        expansion, rest = _expansion(value)
        text = f'"{expansion}"{shlex.quote(rest) if rest else ""}'
        if inside in ('"', "{"):
            return expansion + _in_double_quotes(rest)
        return f"'{text}'" if inside == "'" else text
    text = files.as_text(value)
    if "\0" in text:
        raise WorkflowError(f"{where} has the value {value!r}, which holds a NUL: no command can be given that")
    if inside == "'":
        return text.replace("'", "'\\''")
    if inside in ('"', "{"):
        return _in_double_quotes(text)
    return shlex.quote(text)


def _expansion(value: RunPath | RunValue) -> tuple[str, str]:
    if isinstance(value, RunPath):
        return "${SCIFLOW_RUN_DIR}", "/" + value.path
    return f"${{{value.variable}}}", ""


def _in_double_quotes(text: str) -> str:
    return re.sub(r'([\\"$`])', r"\\\1", text)
