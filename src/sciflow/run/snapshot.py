"""The code of a run's project, kept in the run as one file: what ran can be looked at, and packed, ever after."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sciflow.planning.compiled import Compiled
from sciflow.run.project_files import ProjectFiles, project_files
from sciflow.store.digests import KnownDigests
from sciflow.store.layout import PROJECT, PROJECT_FACTS

OUTSIDE = "outside"  # where files from elsewhere than the workflow's directory are
_LARGEST_USED = 50 << 20  # bytes of a file that is known to be used
_LARGEST_NEAR = 5 << 20  # … and of one that lies near
_MOST_BYTES, _MOST_FILES = 20 << 20, 2000  # … and of all that lie near together
_MOST_NAMED = 1000  # … and of those that are left out, by name
_CODE = re.compile(
    r"\.(pyi?|ipynb|sh|r|jl|m|[ch](c|h|pp)?|cu|f\d*|rs|go|pl|lua|toml|cfg|ini|ya?ml|j2|cff|md)", re.IGNORECASE
)
_FIRST_OF_BAG = 9  # members of a bag, among which is the file that says that it is one
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
    left_out, moved = [], {}
    digests = KnownDigests()
    partial = folder / f"{PROJECT}.{os.getpid()}.partial"
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            chosen = _Chosen(found)
            for path in chosen.paths():
                name, content = placed.files[path], chosen.content(path)
                if isinstance(content, str):
                    left_out.append(_left(path, name, content, digests if path in found.used else None))
                    continue
                _add(archive, path, name, content)
                if root := found.again.get(path):
                    _add(archive, path, f"{placed.folder(root)}/{path.relative_to(root).as_posix()}", content)
                if name.startswith(f"{OUTSIDE}/") and not path.is_relative_to(found.directory):
                    moved[str(path)] = name
            facts = {
                "format": _FORMAT,
                "directory": str(found.directory),
                "import_path": [placed.folder(one) for one in found.import_path],
                "moved": moved,
                "used": sorted(placed.files[path] for path in found.used),
                "left_out": left_out,
                "more_left_out": chosen.more,
            }
            text = json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True)
            archive.writestr(zipfile.ZipInfo(PROJECT_FACTS, _ZIP_EPOCH), text.encode(errors="replace"))
        partial.replace(folder / PROJECT)
    finally:
        partial.unlink(missing_ok=True)
        digests.save()


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
        number = len(self._folders) + 1
        while os.path.lexists(self._directory / (name := f"{OUTSIDE}/{number}-{path.name or 'root'}")):
            number += 1  # the project has such a folder itself, as one that was in a package has
        self._folders[path] = name
        return name

    def _file(self, path: Path) -> str:
        folder = self.folder(path.parent)
        return path.name if folder == "." else f"{folder}/{path.name}"


class _Chosen:
    """Which files are kept; `more` is how many are not even named."""

    def __init__(self, found: ProjectFiles) -> None:
        self._used = found.used
        self._near = found.near
        self._size = self._count = self._named = 0
        self.more = 0

    def paths(self) -> Iterator[Path]:
        """Those that are used come first; of the others those that look like code, for there are limits."""
        yield from sorted(self._used)
        for number, path in enumerate(sorted(self._near, key=_place_in_row)):
            if self._count >= _MOST_FILES and self._named >= _MOST_NAMED:
                self.more = len(self._near) - number
                return
            yield path

    def content(self, path: Path) -> bytes | str:
        """What stands in a file, or why it is left out."""
        try:
            str(path).encode()
            size = path.stat().st_size
            why = self._too_much(path, size)
            content = why or path.read_bytes()
        except UnicodeEncodeError:
            content = "its name is no text"
        except FileNotFoundError:
            content = "it vanished while the run was made"
        except OSError as error:
            content = f"it cannot be read: {error.strerror}"
        if path in self._near:
            self._named += isinstance(content, str)
            self._count += isinstance(content, bytes)
            self._size += len(content) if isinstance(content, bytes) else 0
        return content

    def _too_much(self, path: Path, size: int) -> str:
        if path in self._used:
            return f"larger than {_LARGEST_USED >> 20} MB" if size > _LARGEST_USED else ""
        if size > _LARGEST_NEAR:
            return f"larger than {_LARGEST_NEAR >> 20} MB, and nobody has said that it is used"
        if _is_bag(path):
            return "it is a package of earlier results, and nobody has said that it is used"
        if self._size + size > _MOST_BYTES or self._count >= _MOST_FILES:
            return f"beyond {_MOST_FILES} files or {_MOST_BYTES >> 20} MB that nobody has said to be used"
        return ""


def _is_bag(path: Path) -> bool:
    """Whether a file is a bag in an archive, as a package is: each would hold those before it."""
    import tarfile

    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        elif path.name.endswith((".tar.gz", ".tgz")):
            with tarfile.open(path, "r|gz") as archive:
                names = [one.name for one in itertools.islice(archive, _FIRST_OF_BAG)]
        else:
            return False
    except (OSError, EOFError, zipfile.BadZipFile, tarfile.TarError, zlib.error, UnicodeError, NotImplementedError):
        return False  # damaged, or no archive: a file like others
    return any(name.count("/") == 1 and name.endswith("/bagit.txt") for name in names)


def _place_in_row(path: Path) -> tuple[bool, str]:
    return _CODE.fullmatch(path.suffix) is None, str(path)


def _left(path: Path, name: str, why: str, digests: KnownDigests | None) -> dict[str, Any]:
    """What is told of a file that is left out; digests only of what is used, for there may be very much else."""
    size, digest = -1, ""
    with contextlib.suppress(OSError):  # then neither is known
        size = path.stat().st_size
        digest = digests.digest(path).sha256 if digests else ""
    return {"path": name, "original": str(path), "why": why, "size": size, "sha256": digest}


def _add(archive: zipfile.ZipFile, path: Path, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _ZIP_EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = (0o100755 if os.access(path, os.X_OK) else 0o100644) << 16
    archive.writestr(info, content)
