"""Secrets in source code: in literals and comments, and what is known by its shape, so that code stays what it is."""

from __future__ import annotations

import bisect
import re
from pathlib import PurePosixPath

from sciflow.package.secrets.names import is_token_of_text, stands_for_a_value
from sciflow.package.secrets.python import python_secrets
from sciflow.package.secrets.suspects import replaced, suspects
from sciflow_shim.redaction import REDACTED, redact

_COMMENTS = {
    r"#[^\n]*": "py pyi pyx r jl sh bash zsh fish csh tcsh rb pl pm tcl cmake nf smk ps1 awk def",
    r"//[^\n]*|/\*.*?\*/": "c h cc cpp cxx hpp hh cu cuh java js ts rs go kt swift scala cs groovy proto",
    r"![^\n]*": "f90 f95 f03 f08 f for",
    r"%[^\n]*": "m tex",
    r"--[^\n]*": "sql lua hs",
    r"<!--.*?-->": "html htm",
}
_OF = {f".{ending}": comment for comment, endings in _COMMENTS.items() for ending in endings.split()}
_SHELLS = frozenset([".sh", ".bash", ".zsh", ".csh", ".tcsh", ".fish", ".def"])
_PYTHON = (".py", ".pyi", ".pyx", ".smk")
_RECIPES = ("Dockerfile", "Containerfile")
_LITERAL = r"\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
# The documentation of a parameter.
_DESCRIBED = re.compile(r":(?:param|type|keyword|raises)[ \t][\w ]*:\s*$")


def is_code(path: str) -> bool:
    """Whether a file is a program's source, by its name."""
    name = PurePosixPath(path)
    return name.suffix.lower() in _OF or name.name in (*_RECIPES, "Snakefile", "CMakeLists.txt")


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
    near = list(suspects(text))
    if not near:
        return text, 0
    found = [(begin + first, begin + last) for begin, end in near for first, last in replaced(text[begin:end])]
    ending = PurePosixPath(path).suffix.lower()
    is_shell = ending in _SHELLS or PurePosixPath(path).name in _RECIPES
    spans = _literals(text, _OF.get(ending, r"#[^\n]*"))
    said = python_secrets(text) if ending in _PYTHON else []
    found = [one for one in found if _is_secret(text, *one, spans, is_shell) and not _is_within(one, said)]
    parts, place = [], 0
    for first, last in sorted(found + said):
        parts += [text[place:first], REDACTED]
        place = last
    return "".join([*parts, text[place:]]), len(found) + len(said)


def _is_within(span: tuple[int, int], others: list[tuple[int, int]]) -> bool:
    return any(span[0] < end and begin < span[1] for begin, end in others)


def _literals(text: str, comment: str) -> tuple[list[int], list[int]]:
    found = [match.span() for match in re.finditer(f"{comment}|{_LITERAL}", text, re.DOTALL)]
    return [begin for begin, _ in found], [end for _, end in found]


def _is_secret(text: str, first: int, last: int, spans: tuple[list[int], list[int]], is_shell: bool) -> bool:
    value, before = text[first:last], text[text.rfind("\n", 0, first) + 1 : first]
    if redact(value).startswith(REDACTED):  # known by its shape
        return True
    if _DESCRIBED.search(before) or stands_for_a_value(value):
        return False
    if before.rstrip().endswith(("://", ":")) and "://" in before:
        return True
    if is_token_of_text(before, value):
        return False
    number = bisect.bisect_right(spans[0], first) - 1
    if before.endswith(">"):  # within an element of HTML
        return True
    is_literal = number >= 0 and first < spans[1][number] and last <= spans[1][number]
    # Words of a shell need no quotes; what follows a closing quote is code.
    return is_literal or (is_shell and "`" not in value and not before.endswith(("'", '"')))
