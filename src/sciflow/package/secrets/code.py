"""Secrets in source code: in literals and comments, and what is known by its shape, so that code stays what it is."""

from __future__ import annotations

import bisect
import re
from pathlib import PurePosixPath

from sciflow.package.secrets.suspects import replaced, suspects
from sciflow_shim.redaction import REDACTED, redact

_COMMENTS = {
    r"#[^\n]*": "py pyi pyx r jl sh bash zsh fish csh tcsh rb pl pm tcl cmake mk make nf smk ps1 awk toml cfg ini conf",
    r"//[^\n]*|/\*.*?\*/": "c h cc cpp cxx hpp hh cu cuh java js ts rs go kt swift scala cs groovy proto",
    r"![^\n]*": "f90 f95 f03 f08 f for",
    r"%[^\n]*": "m tex",
    r"--[^\n]*": "sql lua hs",
    r"<!--.*?-->": "html xml",
}
_OF = {f".{ending}": comment for comment, endings in _COMMENTS.items() for ending in endings.split()}
_SHELLS = frozenset([".sh", ".bash", ".zsh", ".csh", ".tcsh", ".fish"])
_LITERAL = r"\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
# What stands for a value in a text: `{token}`, `%s`, `$TOKEN`, `<token>`, `...`.
_PLACEHOLDER = re.compile(r"[{<$%*.…(\[].*|None|null|true|false", re.IGNORECASE | re.DOTALL)
_TOKEN_BEFORE = re.compile(r"token\d*\\?[\"']?\s*(?::?=>?|:|[ \t])\s*[\"']?$", re.IGNORECASE)


def is_code(path: str) -> bool:
    """Whether a file is a program's source, by its name."""
    name = PurePosixPath(path)
    return name.suffix.lower() in _OF or name.name in ("Makefile", "Snakefile", "Dockerfile", "CMakeLists.txt")


def clean_code(path: str, text: str) -> tuple[str, int]:
    """Take secrets out of source code.

    `token = tokenizer.next()` and `key=lambda x: x[1]` stay; the literal that is given to `API_KEY` goes.

    Parameters
    ----------
    path
        The file's name, which tells of its language.
    text
        What is in it.

    Returns
    -------
    tuple
        The text, and how many secrets were replaced.
    """
    found = [
        (begin + first, begin + last) for begin, end in suspects(text) for first, last in replaced(text[begin:end])
    ]
    if not found:
        return text, 0
    ending = PurePosixPath(path).suffix.lower()
    spans = _literals(text, _OF.get(ending, r"#[^\n]*"))
    found = [one for one in found if _is_secret(text, *one, spans, ending in _SHELLS)]
    parts, place = [], 0
    for first, last in found:
        parts += [text[place:first], REDACTED]
        place = last
    return "".join([*parts, text[place:]]), len(found)


def _literals(text: str, comment: str) -> tuple[list[int], list[int]]:
    found = [match.span() for match in re.finditer(f"{comment}|{_LITERAL}", text, re.DOTALL)]
    return [begin for begin, _ in found], [end for _, end in found]


def _is_secret(text: str, first: int, last: int, spans: tuple[list[int], list[int]], is_shell: bool) -> bool:
    value, before = text[first:last], text[text.rfind("\n", 0, first) + 1 : first]
    if redact(value) != value:
        return True
    if _PLACEHOLDER.match(value):
        return False
    if before.rstrip().endswith(("://", ":")) and "://" in before:
        return True
    # Many programs have tokens that are no secrets: parts of texts.
    if _TOKEN_BEFORE.search(before) and not (len(value) >= 8 and re.search(r"\d", value)):
        return False
    number = bisect.bisect_right(spans[0], first) - 1
    is_literal = number >= 0 and first < spans[1][number] and last <= spans[1][number]
    # Words of a shell need no quotes; what follows a closing quote is code.
    return is_literal or (is_shell and "`" not in value and not before.endswith(("'", '"')))
