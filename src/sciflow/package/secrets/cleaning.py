"""No secret goes into a package: every file passes through here."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from sciflow.errors import PackageError
from sciflow.package.secrets.binaries import all_unpacked, held, is_binary, way_out, whose, without
from sciflow.package.secrets.code import clean_code, is_code
from sciflow.package.secrets.config import clean_config, is_config
from sciflow.package.secrets.documents import (
    clean_csv,
    clean_json,
    clean_json_lines,
    clean_notebook,
    clean_text,
    clean_yaml,
    is_secret_value,
)
from sciflow_shim.redaction import SENSITIVE_NAMES

_SHORTEST = 8  # characters of an environment variable that may be looked for wherever it is
_CHUNK = 1 << 22
_LARGE = 1 << 24  # bytes beyond which a text is cleaned part by part
_SURELY = re.compile(r"TOKEN|SECRET|PASS|PWD|CREDENTIAL|JWT", re.IGNORECASE)
_NO_SECRET = re.compile(r"AUTHOR|KEYBOARD|KEYMAP|MONKEY|_SOCK$|GPG_KEY$", re.IGNORECASE)
_DOCUMENTS: dict[str, Callable[[str], tuple[str, int]]] = {
    ".json": clean_json,
    ".jsonld": clean_json,
    ".jsonl": clean_json_lines,
    ".ipynb": clean_notebook,
    ".yaml": clean_yaml,
    ".yml": clean_yaml,
    ".cff": clean_yaml,
    ".csv": clean_csv,
}


class SecretFoundError(PackageError):
    """A secret is in a file from which it cannot be taken.

    Attributes
    ----------
    path
        The file's place in the payload.
    """

    def __init__(self, path: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.path = path


def cleaned(path: str, data: bytes, environ: Mapping[str, str] = os.environ) -> tuple[bytes, int]:
    """Take secrets out of a file.

    Parameters
    ----------
    path
        Its place in the payload, which tells of what kind it is.
    data
        What is in it.
    environ
        Environment variables; what those hold whose names speak of secrets is replaced wherever it is.

    Returns
    -------
    tuple
        What goes into the package, and how many secrets were replaced. Documents stay valid, code stays code.

    Raises
    ------
    SecretFoundError
        Where there is one in a file that cannot be changed: a record, a pickle, any other that is no text.
    """
    known = secret_values(environ)
    if is_binary(path, data):
        _refuse(path, data, known)
        return data, 0
    data, count = without(data, known)
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    try:
        text = data.decode(encoding, "surrogateescape" if encoding == "utf-8" else "strict")
    except UnicodeDecodeError:
        _refuse(path, data, known)
        return data, count
    after, more = _clean(path, text)
    if not more:
        return data, count
    return after.encode(encoding, "surrogateescape" if encoding == "utf-8" else "strict"), count + more


def clean_file(path: str, source: Path, target: Path, environ: Mapping[str, str] = os.environ) -> int:
    """Copy a file without the secrets in it; large logs are read part by part.

    Parameters
    ----------
    path
        Its place in the payload.
    source, target
        The file, and what is written.
    environ
        As of `cleaned`.

    Returns
    -------
    int
        How many secrets were replaced.

    Raises
    ------
    SecretFoundError
        As `cleaned` does; nothing is written then.
    """
    ending = PurePosixPath(path).suffix.lower()
    in_parts = ending == ".jsonl" or (ending not in _DOCUMENTS and not is_code(path))
    count = 0
    with source.open("rb") as file:
        begin = file.read(_CHUNK)
        if source.stat().st_size <= _LARGE or not in_parts or is_binary(path, begin):
            data, count = cleaned(path, begin + file.read(), environ)
            target.write_bytes(data)
            return count
        with target.open("wb") as written:
            while begin:
                # Whole lines, and whole private keys.
                begin += file.readline()
                while b"PRIVATE KEY" in begin[-8192:] and b"-----END" not in begin[begin.rfind(b"-----BEGIN") :]:
                    if not (line := file.readline()):
                        break
                    begin += line
                data, more = cleaned(path, begin, environ)
                written.write(data)
                count += more
                begin = file.read(_CHUNK)
    return count


def secret_values(environ: Mapping[str, str]) -> list[str]:
    """What environment variables hold that is secret by their names, and long enough to be known by itself."""
    found = set()
    for name, value in environ.items():
        if len(value) < _SHORTEST or not re.search(SENSITIVE_NAMES, name, re.IGNORECASE | re.VERBOSE):
            continue
        # Keys and the like are often files, and names of keys.
        is_plain = value.startswith(("/", "~", ".")) or value.isalpha()
        if not _NO_SECRET.search(name) and (_SURELY.search(name) or not is_plain) and not os.path.exists(value):  # noqa: PTH110
            found.add(value)
    return sorted(found, key=lambda value: (-len(value), value))


def refuse_secret_parameters(axes: Mapping[str, Iterable[Any]], tasks: Mapping[str, Sequence[str]]) -> None:
    """Refuse a run that has a secret for a parameter: it stands in every record, and records are not changed.

    Parameters
    ----------
    axes
        Parameter → the values that it has.
    tasks
        Task → its parameters.

    Raises
    ------
    PackageError
        Naming the parameter and the tasks that have it.
    """
    for name, values in axes.items():
        if any(is_secret_value(name, value) for value in values):
            users = ", ".join(f"`{task}`" for task, names in tasks.items() if name in names) or "no task"
            raise PackageError(
                f"the values of parameter `{name}` (of {users}) look like secrets, and stand in every record",
                hint="give a secret by an environment variable or a file instead, and run again; "
                "where it is none, give the parameter another name",
            )


def _clean(path: str, text: str) -> tuple[str, int]:
    if clean := _DOCUMENTS.get(PurePosixPath(path).suffix.lower()):
        return clean(text)
    if is_config(path):
        return clean_config(path, text)
    return clean_code(path, text) if is_code(path) else clean_text(text)


def _refuse(path: str, data: bytes, known: Sequence[str]) -> None:
    if why := _held_inside(path, data, known) or held(path, data, known):
        raise SecretFoundError(
            path, f"`{path}`{whose(path)} holds {why}, which cannot be taken out of it", way_out(path)
        )


def _held_inside(path: str, data: bytes, known: Sequence[str]) -> str:
    """What a compressed file holds, as far as it is unpacked."""
    for name, inner in all_unpacked(path, data):
        if is_binary(name, inner):
            why = held(name, inner, known)
        else:
            text, count = inner.decode("utf-8", "surrogateescape"), without(inner, known)[1]
            why = "a secret" if count or _clean(name, text)[1] else ""
        if why:
            return f"{why} in its compressed `{name}`"
    return ""
