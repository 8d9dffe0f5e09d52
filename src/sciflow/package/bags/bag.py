"""The bag that a package is (RFC 8493): what is in it, and the digest of each file."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from sciflow.errors import DamagedError, PackageError
from sciflow.package.bags.members import checked_name, payload_size
from sciflow.package.bags.opening import refuse_links
from sciflow.package.layout import PAYLOAD
from sciflow.store.digests import file_digest

BAGIT, INFO = "bagit.txt", "bag-info.txt"
MANIFEST, TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
_DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

# bagit tells of what it does; who wants to hear that sets up logging, and nobody else finds it on their terminal.
logging.getLogger("bagit").addHandler(logging.NullHandler())


def name_problem(path: str) -> str:
    """Say why a file of this name cannot be in a bag; empty where it can.

    Programs that read bags do not agree on names with line breaks, on encoded ones, and on space around them.

    Parameters
    ----------
    path
        Its place in the payload.
    """
    try:
        checked_name(path, "")
    except DamagedError:
        return "its name has control characters, or does not stay within a folder"
    if re.search(r"%(0a|0d|25)", path, re.IGNORECASE):
        return "its name has `%0A`, `%0D` or `%25`, which some read as other signs"
    if path != path.strip():
        return "its name begins or ends with a space"
    return ""


def make_bag(folder: Path, info: Mapping[str, str], when: datetime) -> None:
    """Turn a folder into a bag: what is in it becomes the payload, below `data`.

    The same files give the same bag, with the dates of `when` and nothing of this machine.

    Parameters
    ----------
    folder
        The folder. It must not hold the current directory.
    info
        What `bag-info.txt` says besides: name → text.
    when
        The date of the bag.

    Raises
    ------
    PackageError
        For a file whose name a bag cannot have, naming it; the folder is as it was.
    """
    import bagit

    refuse_links(folder)
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if why := name_problem(name):
            raise PackageError(f"{name!r} cannot be in a package: {why}", hint="rename the file, or leave it out")
    date = when.astimezone(timezone.utc).date().isoformat()
    said = {**info, "Bagging-Date": date, "Bag-Software-Agent": f"sciflow {version('sciflow')}"}
    bagit.make_bag(str(folder), said, checksums=["sha256"])
    # bagit writes the version before the RFC, which it also reads, and tag files in the order of the disk.
    (folder / BAGIT).write_text(_DECLARATION, encoding="utf-8")
    _write_tag_manifest(folder)


def add_to_bag(folder: Path, files: Mapping[str, bytes | Path]) -> None:
    """Add files to a bag, or put others in their place; all that is there besides keeps the digest that it has.

    Parameters
    ----------
    folder
        The bag.
    files
        Place in the payload → what stands there, or the file that it is a copy of.

    Raises
    ------
    DamagedError
        Where the bag's own files are not as they were written: a damaged bag does not become a whole one.
    PackageError
        For a name that a bag cannot have.
    """
    for name in files:
        if why := name_problem(name):
            raise PackageError(f"{name!r} cannot be in a package: {why}")
    _refuse_changed_tag_files(folder)
    lines = dict(_manifest_lines((folder / MANIFEST).read_text(encoding="utf-8")))
    information = (folder / INFO).read_bytes()
    size, count = payload_size(information, str(folder))
    for name, source in sorted(files.items()):
        target = folder / PAYLOAD / name
        is_there = target.is_file()
        size -= target.stat().st_size if is_there else 0
        count -= is_there
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(source, bytes):
            target.write_bytes(source)
        else:
            shutil.copyfile(source, target)
        size, count = size + target.stat().st_size, count + 1
        lines[f"{PAYLOAD}/{name}"] = file_digest(target)
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(lines.items()))
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    oxum = f"Payload-Oxum: {size}.{count}".encode()
    (folder / INFO).write_bytes(re.sub(rb"(?im)^Payload-Oxum:[^\r\n]*", oxum, information))
    _write_tag_manifest(folder)


def tag_files(folder: Path) -> list[str]:
    """The files of a bag that are not of its payload, but the one that lists them."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and path != folder / TAG_MANIFEST)
    return sorted(path.as_posix() for path in found if path.parts[0] != PAYLOAD)


def _write_tag_manifest(folder: Path) -> None:
    text = "".join(f"{file_digest(folder / name)}  {name}\n" for name in tag_files(folder))
    (folder / TAG_MANIFEST).write_text(text, encoding="utf-8")


def _refuse_changed_tag_files(folder: Path) -> None:
    try:
        listed = dict(_manifest_lines((folder / TAG_MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise DamagedError(f"`{folder / TAG_MANIFEST}` cannot be read: {error}") from error
    for name in sorted({*listed, *tag_files(folder)}):
        path = folder / name
        if not path.is_file() or listed.get(name) != file_digest(path):
            raise DamagedError(f"`{path}` is not as it was packed", hint="`sciflow verify` says what else is not")


def _manifest_lines(text: str) -> list[tuple[str, str]]:
    split = (line.split(None, 1) for line in text.split("\n") if line)
    return [(name.strip(), digest) for digest, name in split]
