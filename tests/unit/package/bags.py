"""Small packages made by hand, and archives of them that somebody has made to do harm."""

import io
import json
import tarfile
import zipfile
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path

from sciflow.package.bags.bag import make_bag

WHEN = datetime(2026, 3, 1, 12, 30, 10, tzinfo=timezone.utc)


def small_bag(folder: Path, files: dict[str, bytes] | None = None) -> Path:
    """Lay out a bag that holds these files."""
    for name, data in (files or {"package.json": json.dumps({"format": 1}).encode(), "run/a.txt": b"a" * 700}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    make_bag(folder, {"External-Identifier": "run-1"}, WHEN)
    return folder


def tar_of(path: Path, members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> Path:
    """Write members as they are given, whatever they say."""
    with tarfile.open(path, "w:gz") as archive:
        for member, data in members:
            archive.addfile(member, io.BytesIO(data))
    return path


def tar_member(
    name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    """One member of a tar file."""
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(data), kind, link
    return info, data


def zip_of(path: Path, members: Iterable[tuple[str | zipfile.ZipInfo, bytes]]) -> Path:
    """Write members as they are given, whatever they say."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path
