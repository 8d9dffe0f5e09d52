"""What a record says of a file: where it is, how large, and what is in it."""

from __future__ import annotations

import os

from sciflow_shim.record_format import sha256

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from typing import Any


def describe_file(name: str, path: str) -> dict[str, Any]:
    """Path, size and SHA-256 of a file, or of all files of a folder."""
    if os.path.isdir(path):
        found = sorted(os.path.join(root, one) for root, _, names in os.walk(path) for one in names)
        members = [one for one in found if os.path.isfile(one)]  # a pipe would be waited for
    elif os.path.exists(path) and not os.path.isfile(path):
        raise ValueError(f"`{name}`, which is `{path}`, is neither file nor folder")
    else:
        members = [path]
    digest, size = sha256(sum([os.path.getsize(member) for member in members])), 0
    for member in members:
        if member != path:
            digest.update(os.path.relpath(member, path).encode() + b"\0")
        with open(member, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
                size += len(block)
    return {"name": name, "path": path, "size": size, "sha256": digest.hexdigest(), "files": len(members)}
