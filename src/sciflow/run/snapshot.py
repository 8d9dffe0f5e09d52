"""The code of a run's project, kept in the run as one file: what ran can be looked at, and packed, ever after."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sciflow.planning.compiled import Compiled
from sciflow.run.project_files import ProjectFiles, project_files
from sciflow.store.digests import file_digest
from sciflow.store.layout import PROJECT, PROJECT_FACTS

OUTSIDE = "outside"  # where files from elsewhere than the workflow's directory are
_LARGEST_USED = 50 << 20  # bytes of a file that is known to be used
_LARGEST_NEAR = 5 << 20  # … and of one that lies near
_MOST_BYTES, _MOST_FILES = 20 << 20, 2000  # … and of all that lie near together
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same files are the same archive
_FORMAT = 1


def write_snapshot(compiled: Compiled, folder: Path) -> None:
    """Keep the project's code in a run: `code/project.zip`, with a list of what is where.

    Parameters
    ----------
    compiled
        The workflow.
    folder
        The run directory.
    """
    found = project_files(compiled, folder.resolve().parent.parent)
    placed = _Placed(found)
    left_out = []
    partial = folder / f"{PROJECT}.{os.getpid()}.partial"
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for path, name, why in _chosen(found, placed):
                if why:
                    left_out.append(_left(path, name, why))
                else:
                    _add(archive, path, name)
            facts = {
                "format": _FORMAT,
                "directory": str(found.directory),
                "import_path": [placed.folder(one) for one in found.import_path],
                "moved": {str(path): name for path, name in placed.files.items() if name.startswith(f"{OUTSIDE}/")},
                "used": sorted(placed.files[path] for path in found.used),
                "left_out": left_out,
            }
            text = json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True)
            archive.writestr(zipfile.ZipInfo(PROJECT_FACTS, _ZIP_EPOCH), text.encode(errors="replace"))
        partial.replace(folder / PROJECT)
    finally:
        partial.unlink(missing_ok=True)


class _Placed:
    """Where files are in the archive: as in the workflow's directory, or by the folder that they are from."""

    def __init__(self, found: ProjectFiles) -> None:
        self._directory = found.directory
        self._folders: dict[Path, str] = {}
        # The outer folders first, so that what lies within them stays there.
        for one in sorted(found.import_path):
            self.folder(one)
        self.files = {path: self._file(path) for path in sorted(found.used | found.near)}

    def folder(self, path: Path) -> str:
        """The name of a folder in the archive."""
        if path.is_relative_to(self._directory):
            return path.relative_to(self._directory).as_posix()
        for outer, name in self._folders.items():
            if path.is_relative_to(outer):
                inner = path.relative_to(outer).as_posix()
                return name if inner == "." else f"{name}/{inner}"
        self._folders[path] = f"{OUTSIDE}/{len(self._folders) + 1}-{path.name or 'root'}"
        return self._folders[path]

    def _file(self, path: Path) -> str:
        folder = self.folder(path.parent)
        return path.name if folder == "." else f"{folder}/{path.name}"


def _chosen(found: ProjectFiles, placed: _Placed) -> Iterator[tuple[Path, str, str]]:
    """Path, name in the archive, and why it is left out; those that are used come first, for they need the room."""
    for path in sorted(found.used):
        is_small = path.stat().st_size <= _LARGEST_USED
        yield path, placed.files[path], _unfit(path) or ("" if is_small else f"larger than {_LARGEST_USED >> 20} MB")
    size = count = 0
    for path in sorted(found.near):
        own = path.stat().st_size
        why = _unfit(path)
        if not why and own > _LARGEST_NEAR:
            why = f"larger than {_LARGEST_NEAR >> 20} MB, and nobody has said that it is used"
        if not why and (size + own > _MOST_BYTES or count >= _MOST_FILES):
            why = f"beyond {_MOST_FILES} files or {_MOST_BYTES >> 20} MB that nobody has said to be used"
        if not why:
            size, count = size + own, count + 1
        yield path, placed.files[path], why


def _unfit(path: Path) -> str:
    """Why a file cannot be kept, whatever its size."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return "its name is no text"
    return "" if os.access(path, os.R_OK) else "it cannot be read"


def _left(path: Path, name: str, why: str) -> dict[str, Any]:
    digest = file_digest(path) if os.access(path, os.R_OK) else ""
    return {"path": name, "original": str(path), "why": why, "size": path.stat().st_size, "sha256": digest}


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    info = zipfile.ZipInfo(name, _ZIP_EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = (0o100755 if os.access(path, os.X_OK) else 0o100644) << 16
    archive.writestr(info, path.read_bytes())
