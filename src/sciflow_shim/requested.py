"""What a task wants in its record beyond what all records hold: variables, and files that its program leaves."""

from __future__ import annotations

import os
import stat

from sciflow_shim.record import Dataset, Group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

LARGEST = 1_000_000  # bytes; of a larger file, size and digest are kept


def requested_group(wanted: Mapping[str, Any], variables: Mapping[str, str], work: str | None) -> Group:
    """Collect what a task has asked for.

    Parameters
    ----------
    wanted
        The names of `variables` and the paths of `files`.
    variables
        The environment of the program.
    work
        Its working directory; None while it runs, when files are not looked at.
    """
    group = Group()
    if wanted.get("variables"):
        from sciflow_shim.redaction import redact_named

        group.members["variables"] = Group(redact_named(variables, wanted["variables"]))
    if wanted.get("files") and work is not None:
        files = {str(number): _kept(path, work) for number, path in enumerate(wanted["files"])}
        group.members["files"] = Group({}, files)
    return group


def _kept(name: str, work: str) -> Group:
    """Take a file as it is, but for secrets; what cannot be taken is said, and no failure."""
    path = os.path.join(work, name)
    kept = Group({"path": name})
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for
            kept.attributes["problem"] = "it is no file"
        elif status.st_size > LARGEST:
            from sciflow_shim.artifacts import describe_file

            described = describe_file(name, path)
            kept.attributes.update(size=described["size"], sha256=described["sha256"])
            kept.attributes["problem"] = f"it is larger than {LARGEST} bytes"
        else:
            with open(path, "rb") as file:
                _take(kept, file.read(LARGEST))
    except OSError as error:
        kept.attributes["problem"] = error.strerror or str(error)
    return kept


def _take(kept: Group, content: bytes) -> None:
    import hashlib

    from sciflow_shim.redaction import redact

    kept.attributes.update(size=len(content), sha256=hashlib.sha256(content).hexdigest())
    try:
        text = content.decode()
        is_text = "\0" not in text
    except UnicodeDecodeError:
        text, is_text = content.decode("latin-1"), False
    redacted = redact(text)
    kept.attributes["is_redacted"] = redacted != text
    if is_text:
        kept.members["content"] = Dataset(redacted, "str")
    elif redacted == text:
        kept.members["content"] = Dataset(content, "|u1", (len(content),))
    else:  # what is around a secret in a binary file is of no use without it
        kept.attributes["problem"] = "it is no text, and holds what looks like a secret"
