"""The declared inputs of a run: packaged where they are small enough, else told by digest and where they can be had.

An input that has changed since is never packaged as if it were what ran.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from sciflow.errors import PackageError
from sciflow.model.units import format_memory
from sciflow.package import layout
from sciflow.package.contents import Contents, Entry, LeftOut
from sciflow.package.packaged_run import PackagedRun
from sciflow.package.secrets.code import is_code
from sciflow.run.code_version import without_user
from sciflow.run.inputs import path_in
from sciflow.run.project_files import is_key
from sciflow.store.digests import file_digest
from sciflow.store.layout import read_document
from sciflow_shim import files
from sciflow_shim.redaction import redact

if TYPE_CHECKING:
    from sciflow.package.gathered.project import Project

SOURCES = "data_sources"  # under the workflow's `metadata`: path, folder or pattern → where it can be had
_KEY = "its name is one that keys and passwords have"
MOST_BYTES = 2 << 30  # of all inputs together
_INPUTS = f"{layout.OUTSIDE}/inputs"


@dataclass(frozen=True)
class _Input:
    """One file that was declared.

    Attributes
    ----------
    name
        As the manifest has it: from the workflow's directory, or from the root.
    path
        Where it was.
    place
        Where it is in the payload.
    sha256, size
        What the run has noted; -1 where it has noted no size.
    """

    name: str
    path: Path
    place: str
    sha256: str
    size: int

    @property
    def is_outside(self) -> bool:
        return Path(self.name).is_absolute()


def gather_inputs(packaged: PackagedRun, contents: Contents, project: Project, largest: int) -> list[str]:
    """Take in the declared inputs of all tasks; those that cannot be are told with their digests.

    Parameters
    ----------
    packaged
        The run.
    contents
        What is in the package already, the project among it.
    project
        Where the project's code is; what is taken in from elsewhere is added to its `moved`.
    largest
        Bytes above which a file is left out.

    Returns
    -------
    list
        What stands against running it again: inputs that nobody but their owners may have.
    """
    sources = _sources(packaged, contents)
    room = MOST_BYTES
    taken: set[Path] = set()
    left_out: dict[str, LeftOut | None] = {}
    said = _said(packaged)
    keys: list[_Input] = []
    for one in _declared(packaged, project.moved):
        if _opens_doors(one, said):
            keys.append(one)
            contents.entries.pop(one.place, None)
        # A program that a command names is no data, however large.
        elif _is_there(one, contents, largest if _is_in(one.path, said) else None):
            taken.add(one.path)
            continue
        why = _why_not(one, largest, room) or _why_not_there(one, contents)
        if why:
            left_out[str(one.path)] = _left(one, why, _where(one, sources))
            project.moved.pop(str(one.path), None)
            continue
        left_out[str(one.path)] = None
        room -= one.path.stat().st_size
        taken.add(one.path)
        if one.is_outside:
            project.moved[str(one.path)] = _from_project(one.place)
    # Each is told once: what the project has told of it already knew less.
    contents.left_out[:] = [left for left in contents.left_out if left.original not in left_out]
    contents.left_out += [left for left in left_out.values() if left]
    _move_folders(packaged, project, taken)
    lacking = [_lacking(packaged, one) for one in keys]
    contents.warnings += lacking
    return lacking


def _opens_doors(one: _Input, said: Sequence[Path]) -> bool:
    """Whether it is called as keys and passwords are; code that is called so is a program's, unless it was declared."""
    return is_key(one.path.name) and (not is_code(one.path.name) or one.path.resolve() in said)


def _lacking(packaged: PackagedRun, one: _Input) -> str:
    readers = [f"`{name}`" for name, task in packaged.manifest["tasks"].items() if one.name in task.get("inputs", ())]
    whose = f", which {', '.join(readers)} {'read' if len(readers) > 1 else 'reads'}," if readers else ""
    return f"the input `{_text(one.name)}`{whose} is not in the package: {_KEY}"


def _declared(packaged: PackagedRun, moved: Mapping[str, str]) -> list[_Input]:
    """All inputs with what the run has noted of them; what lies within a folder from elsewhere stays together."""
    directory = Path(packaged.manifest["directory"])
    noted: dict[str, str] = dict(packaged.manifest.get("inputs") or {})
    sizes: dict[str, int] = {}
    for task in packaged.manifest["tasks"]:
        # A run that went on has the newer word here.
        for one in (read_document(packaged.run / files.task_file(task)).get("inputs") or {}).get("files", ()):
            noted[one["path"]], sizes[one["path"]] = one["sha256"], one["size"]
    # Beside what the project has of a folder; a command may read both by the folder's name.
    folders = {Path(old).parent: f"{layout.PROJECT}/{PurePosixPath(new).parent}" for old, new in sorted(moved.items())}
    # The outer folders first, so that what lies within them stays there.
    for folder in sorted({Path(name).parent for name in noted if Path(name).is_absolute() and name not in moved}):
        _folder(folder, folders)
    found = []
    for name in sorted(noted):
        path = directory / name
        place = f"{layout.PROJECT}/{name}"
        if Path(name).is_absolute():
            there = moved.get(name)
            place = f"{layout.PROJECT}/{there}" if there else f"{_folder(path.parent, folders)}/{path.name}"
        found.append(_Input(name, path, place, noted[name], sizes.get(name, -1)))
    return found


def _folder(folder: Path, folders: dict[Path, str]) -> str:
    for outer, place in folders.items():
        if folder.is_relative_to(outer):
            return str(PurePosixPath(place, folder.relative_to(outer).as_posix()))
    number = len({folders[one] for one in folders if folders[one].startswith(f"{_INPUTS}/")}) + 1
    folders[folder] = f"{_INPUTS}/{number}-{folder.name or 'root'}"
    return folders[folder]


def _is_there(one: _Input, contents: Contents, largest: int | None) -> bool:
    """Whether it is in the package already, and is what was read; any other file of that name is taken out again."""
    entry = contents.entries.get(one.place)
    if entry is None:
        return False
    size = entry.source.stat().st_size if isinstance(entry.source, Path) else len(entry.source)
    if (largest is None or size <= largest) and _digest(entry) == one.sha256:
        return True
    del contents.entries[one.place]
    return False


def _digest(entry: Entry) -> str:
    return file_digest(entry.source) if isinstance(entry.source, Path) else hashlib.sha256(entry.source).hexdigest()


def _why_not(one: _Input, largest: int, room: int) -> str:
    """Why an input is left out; empty where it can be had as it was."""
    if is_key(one.path.name):
        return _KEY
    try:
        if not one.path.is_file():
            return "it is not there any more"
        size = one.path.stat().st_size
        if one.size not in (-1, size):
            return "it has changed since the run was made"
        if size > largest:
            return f"it is larger than {format_memory(largest)}"
        if size > room:
            return f"the inputs before it fill the {format_memory(MOST_BYTES)} that there are for all"
        return "" if file_digest(one.path) == one.sha256 else "it has changed since the run was made"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"


def _why_not_there(one: _Input, contents: Contents) -> str:
    """Why a package has no room for such a name; empty where the file is in it now."""
    try:
        one.place.encode()
        contents.add(one.place, one.path, "an input")
    except UnicodeEncodeError:
        return "its name is no text"
    except PackageError as error:
        return error.message
    return ""


def _left(one: _Input, why: str, where: str) -> LeftOut:
    return LeftOut(_text(one.place), _text(str(one.path)), why, one.size, one.sha256, where)


def _text(path: str) -> str:
    return path.encode(errors="replace").decode()


def _move_folders(packaged: PackagedRun, project: Project, taken: set[Path]) -> None:
    """Tell of folders from elsewhere that were declared as such where they are, if all that was in them is there."""
    directory = Path(packaged.manifest["directory"])
    noted = [directory / name for name in packaged.manifest.get("inputs") or {}]
    for folder in _said(packaged):
        inside = [one for one in noted if folder in one.parents]
        if folder.is_relative_to(directory) or not inside or not taken.issuperset(inside):
            continue
        bases = {_base(one, folder, project.moved.get(str(one), "")) for one in inside}
        if len(bases) == 1 and None not in bases:
            project.moved[str(folder)] = str(bases.pop())


def _said(packaged: PackagedRun) -> list[Path]:
    """The files and folders that tasks have declared as their inputs."""
    path = packaged.run / files.WORKFLOW
    if not path.is_file():
        return []
    directory = Path(packaged.manifest["directory"])
    tasks = read_document(path)["workflow"]["tasks"]
    return [(directory / name).resolve() for task in tasks for name in task.get("inputs", ())]


def _is_in(path: Path, said: Sequence[Path]) -> bool:
    real = path.resolve()
    return any(real == one or one in real.parents or one in path.parents for one in said)


def _base(path: Path, folder: Path, there: str) -> str | None:
    """Where a folder is, by where one file in it is; None where that lies otherwise than in the folder."""
    inner = f"/{path.relative_to(folder).as_posix()}"
    return there[: -len(inner)] if there.endswith(inner) else None


def _from_project(place: str) -> str:
    return place[len(layout.PROJECT) + 1 :]


def _sources(packaged: PackagedRun, contents: Contents) -> dict[str, str]:
    """Path or pattern → where it can be had, without what opens doors; paths as the manifest has those of inputs."""
    said: Any = (packaged.manifest.get("metadata") or {}).get(SOURCES) or {}
    if not isinstance(said, Mapping) or not all(isinstance(one, str) for one in said.values()):
        contents.warnings.append(
            f"`{SOURCES}` in the workflow's `metadata` is not understood: it maps paths or patterns to addresses"
        )
        return {}
    directory = Path(packaged.manifest["directory"])
    inputs = [(name, str(directory / name)) for name in packaged.manifest.get("inputs") or {}]
    found = {}
    for written, address in said.items():
        pattern = _as_inputs_are(str(written), directory)
        found[pattern] = without_user(redact(address))
        if not any(_fits(pattern, *names) for names in inputs):
            contents.warnings.append(
                f"`{SOURCES}` in the workflow's `metadata` names `{written}`, which is none of the declared inputs"
            )
    return found


def _as_inputs_are(pattern: str, directory: Path) -> str:
    """A path or pattern as somebody has written it, with the folder that inputs of that place have: none by `..`."""
    plain = Path(os.path.normpath(pattern))
    if ".." not in plain.parts:
        return str(plain)
    return path_in(directory, directory / plain)


def _where(one: _Input, sources: Mapping[str, str]) -> str:
    """Where it can be had: what is said of itself, else of a folder or pattern, the longest first."""
    for pattern in sorted(sources, key=lambda said: (said != one.name, -len(said), said)):
        if _fits(pattern, one.name, str(one.path)):
            return sources[pattern]
    return ""


def _fits(pattern: str, *names: str) -> bool:
    """Whether a path, the folder that it is in or a pattern means a file by one of its names."""
    return any(pattern == "." or fnmatchcase(name, pattern) or name.startswith(f"{pattern}/") for name in names)
