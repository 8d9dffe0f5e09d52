"""Secrets in what configures programs: there, values stand without quotes, and go on to the end of their line."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from sciflow.package.secrets.names import is_any_token, is_variable
from sciflow.package.secrets.suspects import replaced, suspects
from sciflow_shim.redaction import REDACTED, redact

_ENDINGS = frozenset([".ini", ".cfg", ".conf", ".cnf", ".toml", ".properties", ".env", ".xml", ".mk", ".make"])
_MAKEFILES = ("Makefile", "makefile", "GNUmakefile")
_ASSIGNED = re.compile(
    r"""(?m)^([ \t]*(?:export[ \t]+)?["']?([\w.-]+)["']?[ \t]*(?:(?P<colon>:)|[?+:]{0,2}=)(?!=)[ \t]*)"""
    r"""(?P<quote>["']?)(.+?)(?P=quote)[ \t]*(?:[ \t][#;].*)?\r?$"""
)


def is_config(path: str) -> bool:
    """Whether a file configures programs, by its name."""
    return PurePosixPath(path).suffix.lower() in _ENDINGS or PurePosixPath(path).name in _MAKEFILES


def clean_config(path: str, text: str) -> tuple[str, int]:
    """Take secrets out of what configures programs.

    Parameters
    ----------
    path
        The file's name, which tells of its kind.
    text
        What is in it.

    Returns
    -------
    tuple
        The text, and how many secrets were replaced. What stands for a value, such as `${TOKEN}`, stays.
    """
    name = PurePosixPath(path)
    is_make = name.name in _MAKEFILES or name.suffix.lower() in (".mk", ".make")
    is_toml = name.suffix.lower() == ".toml"
    parts, place, count = [], 0, 0
    for begin, end in suspects(text):
        for first, last in _found(text[begin:end], is_make):
            # A bracket without quotes is the begin of a list there.
            is_bare = is_toml and text[begin : begin + first].rstrip(" \t").endswith("=")
            parts += [text[place : begin + first], f'"{REDACTED}"' if is_bare else REDACTED]
            place, count = begin + last, count + 1
    return "".join([*parts, text[place:]]), count


def _found(lines: str, is_make: bool) -> list[tuple[int, int]]:
    """Begin and end of each secret, in their order: whole values, and what else is in lines."""
    found = [match.span(5) for match in _ASSIGNED.finditer(lines) if _is_secret_line(match, is_make)]
    for first, last in replaced(lines):
        value, before = lines[first:last], lines[lines.rfind("\n", 0, first) + 1 : first]
        if any(first < end and begin < last for begin, end in found):
            continue
        name = re.search(r"([\w.-]+)\W{0,4}$", before)
        is_target = is_make and re.fullmatch(r"[ \t]*[\w.-]+[ \t]*:[ \t]*", before)
        is_plain = is_variable(value) or is_target or (name and is_any_token(name[1], value))
        if redact(value) != value or not is_plain:
            found.append((first, last))
    return sorted(found)


def _is_secret_line(match: re.Match[str], is_make: bool) -> bool:
    name, value = match[2], match[5]
    if (is_make and match["colon"]) or is_variable(value) or is_any_token(name, value):
        return False
    plain = value.replace('"', " ")
    return redact(f'{name} = "{plain}"').startswith(f'{name} = "{REDACTED}') and not value.startswith(REDACTED)
