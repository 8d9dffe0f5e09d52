"""The folder in which a package is run again: its project laid out anew, and the inputs that were left out of it."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sciflow.errors import DamagedError, PackageError
from sciflow.package import layout
from sciflow.package.bags.archive import require_space
from sciflow.package.bags.bag import name_problem
from sciflow.store.digests import file_digest
from sciflow.store.layout import write_whole

NOTE = "reproduction.json"  # which package the folder is for
_FORMAT = 1


@dataclass(frozen=True)
class Missing:
    """A file that is in no package and is not where it was.

    Attributes
    ----------
    original
        Where it was.
    why
        What is wrong with it, and where it can be had.
    """

    original: str
    why: str


class Workplace:
    """The folder in which a package is run again.

    Parameters
    ----------
    folder
        The folder.
    digest
        The package's digest: the folder is for that package alone.
    """

    def __init__(self, folder: Path, digest: str) -> None:
        self.folder = folder.resolve()
        self._digest = digest

    @property
    def project(self) -> Path:
        """The code, as it is in the package."""
        return self.folder / layout.PROJECT

    @property
    def environment(self) -> Path:
        """The environment that is built for it."""
        return self.folder / "environment"

    def check(self) -> None:
        """Refuse a folder that is neither empty nor for the same package.

        Raises
        ------
        PackageError
            Where it holds anything else; nothing is changed then.
        """
        if not self.folder.is_dir():
            if os.path.lexists(self.folder):
                raise PackageError(f"`{self.folder}` is no folder", hint="name another with `--into`")
            return
        if not any(self.folder.iterdir()):
            return
        try:
            note = json.loads((self.folder / NOTE).read_bytes())
        except (FileNotFoundError, ValueError):
            note = {}
        if note.get("package") != self._digest:
            what = "holds what was made of another package" if "package" in note else "is not empty"
            raise PackageError(f"`{self.folder}` {what}", hint="name another folder with `--into`")

    def prepare(self, payload: Path) -> None:
        """Lay the project of a package out, unless that was done before.

        Raises
        ------
        PackageError
            Where the disk is too small.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(self.folder / NOTE, json.dumps({"format": _FORMAT, "package": self._digest}))
        if self.project.is_dir():
            return
        source = payload / layout.PROJECT
        found = [path for path in source.rglob("*") if path.is_file()]
        require_space(self.folder, sum(path.stat().st_size for path in found), self.project)
        partial = self.folder / f".{layout.PROJECT}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        for path in found:
            _copy(path, partial / path.relative_to(source))
        partial.rename(self.project)

    def fetch(self, left_out: Iterable[Mapping[str, Any]]) -> Iterator[Missing]:
        """Take the inputs that were left out of the package from where they were, if they are the same there still.

        Yields
        ------
        Missing
            Each that cannot be had, with the reason.
        """
        for one in left_out:
            path = str(one["path"])
            if not path.startswith(f"{layout.PROJECT}/"):
                continue  # a log, say, which nothing reads
            place, original = inside(self.folder, path), Path(str(one["original"]))
            if _is_same(place, one):
                continue
            if why := _wrong(original, one):
                where = f"; it can be had from {one['where']}" if one.get("where") else ""
                yield Missing(str(original), f"{why}{where}, and belongs to `{place}`")
                continue
            require_space(self.folder, original.stat().st_size, place)
            _copy(original, place)


def inside(folder: Path, path: str) -> Path:
    """Where something of a package's payload is in a folder.

    Raises
    ------
    DamagedError
        For a path that would lead out of the folder.
    """
    if why := name_problem(path):
        raise DamagedError(f"`{path}` in `{layout.FACTS}` leads out of the package: {why}")
    return folder / path


def tasks_without(missing: Sequence[Missing], manifest: Mapping[str, Any]) -> list[str]:
    """The tasks that cannot run without some files: those that read them, and all that depend on these."""
    home = Path(str(manifest.get("directory") or "/"))
    lacking = {one.original for one in missing}
    found = {
        task
        for task, facts in manifest["tasks"].items()
        if lacking & {str(home / name) for name in facts.get("inputs", ())}
    }
    while more := {
        task
        for task, facts in manifest["tasks"].items()
        if task not in found and found & set(facts.get("depends_on", ()))
    }:
        found |= more
    return [task for task in manifest["tasks"] if task in found]


def without_tasks(document: Mapping[str, Any], tasks: Sequence[str]) -> dict[str, Any]:
    """A workflow document without some of its tasks."""
    return {**document, "tasks": [task for task in document["tasks"] if task["name"] not in tasks]}


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        shutil.copyfile(source, partial)
        partial.chmod(0o755 if source.stat().st_mode & stat.S_IXUSR else 0o644)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _is_same(path: Path, one: Mapping[str, Any]) -> bool:
    return path.is_file() and not _wrong(path, one)


def _wrong(path: Path, one: Mapping[str, Any]) -> str:
    """Why a file cannot stand for one that was left out; empty where it is the same."""
    if not path.is_file():
        return f"`{path}` is not there"
    if not one.get("sha256"):
        return f"nobody has noted the checksum of `{path}`, so that it may be another file now"
    size = int(one.get("size", -1))
    if (size >= 0 and path.stat().st_size != size) or file_digest(path) != one["sha256"]:
        return f"`{path}` has changed since"
    return ""
