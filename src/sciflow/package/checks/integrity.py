"""Every byte of a package against the digests that were written when it was packed."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from sciflow.package.bags.bag import BAGIT, INFO, MANIFEST, TAG_MANIFEST, tag_files
from sciflow.package.checks.verification import Problem
from sciflow.package.layout import PAYLOAD
from sciflow.store.digests import file_digest

if TYPE_CHECKING:
    from bagit import Bag

_LINE = re.compile(r"([0-9a-f]{64}) {1,2}(\S.*)")


def check_tag_files(folder: Path) -> tuple[int, list[Problem]]:
    """The bag's own files: what is listed, and how many there are; those of the payload are listed in one of them."""
    try:
        listed = listed_digests(folder / TAG_MANIFEST)
    except FileNotFoundError:
        return 0, [Problem("missing", TAG_MANIFEST, "it holds the digests of the bag's own files")]
    except ValueError as error:
        return 0, [Problem("changed", TAG_MANIFEST, str(error))]
    present = tag_files(folder)
    problems = [_missing(name) for name in sorted(listed.keys() - set(present))]
    problems += [_missing(name) for name in (BAGIT, INFO, MANIFEST) if name not in present and name not in listed]
    for name in present:
        if name not in listed:
            problems.append(_added(name))
        elif file_digest(folder / name) != listed[name]:
            problems.append(_changed(name))
    return len(present), problems


def check_payload(folder: Path) -> tuple[int, list[Problem]]:
    """The payload's files by their digests: those that are other ones, missing ones, and added ones."""
    from bagit import Bag, BagError

    if not (folder / MANIFEST).is_file():
        return 0, [Problem("unreadable", "", f"without `{MANIFEST}` none of its files can be checked")]
    try:
        bag = Bag(str(folder))
        missing, added = bag.compare_manifests_with_fs()
    except (BagError, ValueError, OSError) as error:
        return 0, [Problem("unreadable", "", f"it cannot be read as a bag: {error}")]
    problems = [_missing(path) for path in sorted(missing)] + [_added(path) for path in sorted(added)]
    entries = {path: digests for path, digests in bag.entries.items() if path.startswith(f"{PAYLOAD}/")}
    written = {unicodedata.normalize("NFC", name): name for name in bag.normalized_filesystem_names.values()}
    gone = set(missing)
    for path, digests in entries.items():
        if path in gone:
            continue
        place = folder / written.get(unicodedata.normalize("NFC", path), path)
        if "sha256" not in digests:
            problems.append(Problem("added", path, "its SHA-256 is not listed"))
        elif file_digest(place) != digests["sha256"].lower():
            problems.append(_changed(path))
    if not problems:
        problems = _size_problems(bag, folder, list(entries))
    return len(entries), problems


def _size_problems(bag: Bag, folder: Path, paths: list[str]) -> list[Problem]:
    told = bag.info.get("Payload-Oxum")
    there = f"{sum((folder / path).stat().st_size for path in paths)}.{len(paths)}"
    if told == there:
        return []
    return [Problem("changed", INFO, f"it tells of {told} bytes and files, and there are {there}")]


def listed_digests(path: Path) -> dict[str, str]:
    """Name → digest; each line as it was written, so that no byte of it can be another one."""
    text = path.read_bytes().decode()
    if not text.endswith("\n"):
        raise ValueError("its last line is cut off")
    found: dict[str, str] = {}
    for number, line in enumerate(text[:-1].split("\n"), 1):
        match = _LINE.fullmatch(line)
        if not match or match[2] in found:
            raise ValueError(f"line {number} is no digest and name of a file")
        found[match[2]] = match[1]
    return found


def _missing(path: str) -> Problem:
    return Problem("missing", path, "it was packed, and is not there")


def _added(path: str) -> Problem:
    return Problem("added", path, "it was not packed")


def _changed(path: str) -> Problem:
    return Problem("changed", path, "its bytes are not those that were packed")
