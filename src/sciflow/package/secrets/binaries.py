"""Secrets in records, pickles, databases and what is compressed: they are found and told, for none can be taken out."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from sciflow.package.secrets.compressed import unpacked
from sciflow.package.secrets.names import is_any_token, is_token, stands_for_a_value
from sciflow.package.secrets.suspects import replaced, suspects
from sciflow_shim.redaction import REDACTED, redact

_PRINTED = re.compile(rb"[\x20-\x7e]{7,}")
_WIDE = re.compile(rb"(?:[\x20-\x7e]\0\0\0){7,}|(?:[\x20-\x7e]\0){7,}")  # text of arrays, and of other systems
_DEEPEST = 3  # archives in archives
_ASSIGNED = re.compile(r"[\w-](?:[\"']?]?[ \t]*=[ \t]*|[\"']:[ \t]*(?=[\"']))[\"']?$")
_ADDRESS = re.compile(r"://[^\s/@]*:?$")


def is_binary(path: str, data: bytes) -> bool:
    """Whether a file is no text, by its name and by how it begins."""
    return PurePosixPath(path).suffix.lower() in (".h5", ".pickle", ".pkl") or (
        b"\0" in data[:8192] and data[:2] not in (b"\xff\xfe", b"\xfe\xff")
    )


def without(data: bytes, known: Iterable[str]) -> tuple[bytes, int]:
    """Without the values, as they are, as they are in JSON, and as they are in URLs."""
    count = 0
    for value in known:
        for form in dict.fromkeys((value, json.dumps(value)[1:-1], urllib.parse.quote(value, safe=""))):
            if number := data.count(form.encode()):
                data = data.replace(form.encode(), REDACTED.encode())
                count += number
    return data, count


def held(path: str, data: bytes, known: Sequence[str]) -> str:
    """What a file holds that is no text, in words; empty where that is no secret."""
    for value in known:
        if without(data, [value])[1]:
            return "the value of an environment variable that is a secret by its name"
    wide = (one.replace(b"\0", b"") for one in _WIDE.findall(data))
    text = b"\n".join([*_PRINTED.findall(data), *wide]).decode("ascii")
    for begin, end in suspects(text):
        line = text[begin:end]
        for first, last in replaced(line):
            before, value = line[:first], line[first:last]
            if _is_secret(before, value, path.endswith(".h5")):
                return f"what looks like a secret, {_where(before, value, data)}"
    return ""


def all_unpacked(path: str, data: bytes, depth: int = 1) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of what is in a compressed file, and in archives within it."""
    for name, inner in unpacked(path, data):
        yield name, inner
        if depth < _DEEPEST:
            yield from all_unpacked(name, inner, depth + 1)


def way_out(path: str) -> str:
    """What to do about a secret in a file, by what the file is."""
    if path.endswith(".h5"):
        return "give secrets to tasks by environment variables or files, keep them out of results, and run again"
    if path.startswith("run/code/"):
        return (
            "let the function read the secret from an environment variable or a file when it runs, "
            "or put it in a module, of which only the name is kept; and run again"
        )
    return "take the secret out of what the task stores, and run again"


def whose(path: str) -> str:
    """The task that a file of a run belongs to, in words; empty where its path does not say."""
    found = re.match(r"run/(?:code/(?P<task>[^/]+)\.\w+$|(?:records|work|logs)/(?P<array>[^/]+?)(?:\.\d+)?/)", path)
    return f" (of task `{found['task'] or found['array']}`)" if found else ""


def _is_secret(before: str, value: str, is_record: bool) -> bool:
    if redact(value).startswith(REDACTED) or _ADDRESS.search(before):
        return True
    name = _name(before)
    if is_record and not (name and is_any_token(name, value)):
        return True
    # Elsewhere than in records, names and values stand side by side by chance.
    if not _ASSIGNED.search(before) or stands_for_a_value(value):
        return False
    is_named_plainly = before.rstrip().endswith("=") and len(value) >= 8 and bool(re.search(r"\d", value))
    return is_named_plainly if name and is_token(name) else True


def _name(before: str) -> str:
    found = re.search(r"([\w.-]+)\W{0,6}$", before)
    return found[1] if found else ""


def _where(before: str, value: str, data: bytes) -> str:
    """By what it is told, and about where it is."""
    place = data.find(value.encode())
    at = f", at byte {place}" if place >= 0 else ""
    if redact(value).startswith(REDACTED):
        return f"known by its shape{at}"
    name = _name(before)
    return f"after `{name}`{at}" if name else f"in an address{at}"
