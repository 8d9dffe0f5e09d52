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
_MARK = re.compile("\x02(?:run|input:([A-Za-z0-9_]+\\?[^\x03]*))\x03")
_VARIABLE = re.compile(r"\$[A-Za-z0-9_]+$")
_PLAIN_WORD = re.compile(r"[-+]?[A-Za-z0-9_.]+")
_ARITHMETIC_TEST = re.compile(r"-(eq|ne|lt|le|gt|ge|v|R)\b")
_KEYWORDS = frozenset(
    (
        *("if", "then", "else", "elif", "fi", "case", "esac", "in", "for", "select", "while", "until", "do", "done"),
        *("time", "coproc", "function"),
    )
)


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

    task: str
    name: str

    def __str__(self) -> str:
        return files.INPUT_MARK % (files.input_variable(self.task, self.name), self.if_missing)

    @property
    def if_missing(self) -> str:
        """What is said where the task left no such result; it stands in shell text, so it holds plain letters only."""
        return re.sub(r"[^A-Za-z0-9_. -]", "_", f"task {self.task} returned no {self.name}")


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
            evaluated = shell.evaluated
            if shell.in_test:
                test = _test_around(text, match, values)
                apart = apart or "=~" in test  # unquoted, the value would be read as a pattern
                evaluated = "`[[…]]` with numbers or names" if _ARITHMETIC_TEST.search(test) else ""
            filled.append(_quoted(value, shell, apart, evaluated, where))
            shell.read_value(str(value))
    shell.read(text[position:])
    if position and shell.heredoc:
        raise WorkflowError(
            f"{where} has values and a here-document (`<<`), inside which they cannot be quoted",
            hint="render the text as a file with `files:`, and read that",
        )
    return "".join([*filled, text[position:]])


def _test_around(text: str, match: re.Match[str], values: Sequence[Any]) -> str:
    """What stands between `[[` and `]]` around a value, with the other values in it: one may be an operator."""
    start, end = text.rfind("[[", 0, match.start()), text.find("]]", match.end())
    before, after = text[start : match.start()], text[match.end() : end if end >= 0 else None]
    return TOKEN.sub(lambda other: str(values[int(other[1])]), f"{before} {after}")


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


def _quoted(value: Any, shell: ShellText, apart: bool, evaluated: str, where: str) -> str:
    text = str(value) if isinstance(value, RunPath | RunValue) else files.as_text(value)
    if "\0" in text:
        raise WorkflowError(f"{where} has the value {value!r}, which holds a NUL: no command can be given that")
    if TOKEN.search(text):
        raise WorkflowError(
            f"{where} has a macro or block with values whose text is used as a value", hint="write the values in place"
        )
    if "\x02" in (plain := "".join(plain for plain, _ in _pieces(text))) or "\x03" in plain:
        raise WorkflowError(
            f"{where} has the value {value!r}, which holds a control character (\\x02 or \\x03)",
            hint="what is known on the node only, as results of earlier tasks are, cannot be changed by filters",
        )
    if evaluated:
        _check_words(text, value, evaluated, where)
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
        return "".join(variable or plain for plain, variable in _pieces(text))
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
    # Braces expand around commas, `name=` is an assignment, `if` a keyword: shlex leaves them as they are.
    needed = apart or "," in text or "=" in text or text in _KEYWORDS
    return "'" + text.replace("'", "'\"'\"'") + "'" if needed else shlex.quote(text)


def _in_double_quotes(text: str) -> str:
    return re.sub(r'([\\"$`])', r"\\\1", text)


def _in_single_quotes(text: str, mark: str) -> str:
    return text.replace("'", "'\\''") if mark == "'" else text.replace("\\", "\\\\").replace("'", "\\'")


def _check_words(text: str, value: Any, place: str, where: str) -> None:
    # Quotes do not help here: bash runs a `$(…)` that stands in arithmetic, between quotes or not.
    if not all(variable or _PLAIN_WORD.fullmatch(plain) for plain, variable in _pieces(text)):
        hint = "give the value to a variable first: `name={{ value }}`"
        raise WorkflowError(
            f"{where} has the value {value!r} inside {place}, where only numbers and words can stand",
            hint=hint if "${" in place else "bash would evaluate other text there, and run commands that it names",
        )
