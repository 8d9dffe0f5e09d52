"""The files of a package, written without secrets."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from sciflow.package.contents import Contents, Entry, LeftOut
from sciflow.package.layout import PROJECT, RUN
from sciflow.package.secrets.cleaning import SecretFoundError, clean_file, cleaned, secret_values
from sciflow.package.secrets.folded import clean_folded, is_folded

_MAY_LACK = (f"{RUN}/work/", f"{PROJECT}/")  # what may be left out and it is still the run that is packaged


def size_of(entry: Entry) -> int:
    """How many bytes there are to be packed; none of a file that a run which goes on has removed meanwhile."""
    if isinstance(entry.source, bytes):
        return len(entry.source)
    return entry.source.stat().st_size if entry.source.exists() else 0


def write_files(contents: Contents, folder: Path, paths: Iterable[str] | None = None) -> dict[str, int]:
    """Write what was gathered, without secrets.

    Results and files of the project that hold a secret which cannot be taken out are left out.

    Parameters
    ----------
    contents
        What was gathered.
    folder
        The payload.
    paths
        Which of it; by default all.

    Returns
    -------
    dict
        Path → how many secrets were taken out of it; of those that had any.

    Raises
    ------
    SecretFoundError
        For a record, or another file of the run itself, with such a secret.
    """
    redacted, secrets = {}, set(secret_values(os.environ))
    environ = {name: value for name, value in os.environ.items() if value in secrets}
    for path in sorted(contents.entries if paths is None else paths):
        entry, target = contents.entries[path], folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            if isinstance(entry.source, bytes):
                data, count = cleaned(path, entry.source, environ)
                target.write_bytes(data)
            else:
                clean = clean_folded if is_folded(path) else clean_file
                count = clean(path, entry.source, target, environ)
        except SecretFoundError as error:
            if not path.startswith(_MAY_LACK):
                raise
            contents.entries.pop(path)
            contents.left_out.append(LeftOut(path, path.partition("/")[2], error.message, size_of(entry)))
            continue
        except FileNotFoundError:
            contents.entries.pop(path)
            why = "it was there no more when it was to be packed, as may be while a run goes on"
            contents.left_out.append(LeftOut(path, path.partition("/")[2], why))
            continue
        if count:
            redacted[path] = count
        target.chmod(0o755 if _is_program(entry) else 0o644)
    return redacted


def _is_program(entry: Entry) -> bool:
    """Whether a file can be started: a script, what was a program in the project, and one that a task has made."""
    if entry.is_program or entry.path.endswith(".sh"):
        return True
    return isinstance(entry.source, Path) and entry.path.startswith(_MAY_LACK) and os.access(entry.source, os.X_OK)
