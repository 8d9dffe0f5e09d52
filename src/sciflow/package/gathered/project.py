"""The project's code, laid out in a package as it was around the workflow's directory."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sciflow.errors import PackageError
from sciflow.package import layout
from sciflow.package.contents import Contents, LeftOut, plain_name
from sciflow.package.packaged_run import PackagedRun
from sciflow.store.layout import PROJECT, PROJECT_FACTS

_OURS = (layout.WORKFLOW, layout.FUNCTIONS)  # made anew for each package


@dataclass
class Project:
    """Where the project's code is in a package.

    Attributes
    ----------
    import_path
        The folders of the payload in which its modules are looked for; the first is the workflow's.
    moved
        Absolute path that a file had → its path from the project's folder, of files from elsewhere.
    is_whole
        Whether the run has kept its code; runs of an early sciflow have not.
    """

    import_path: tuple[str, ...] = (layout.PROJECT,)
    moved: dict[str, str] = field(default_factory=dict)
    is_whole: bool = True


def gather_project(packaged: PackagedRun, contents: Contents) -> Project:
    """Take in the project's code, as it was when the run was made.

    Raises
    ------
    PackageError
        Where what the run has kept of it cannot be read.
    """
    path = packaged.run / PROJECT
    if not path.is_file():
        contents.warnings.append(
            "the run was made by a sciflow that kept no code: of functions there is the source in `run/code`"
        )
        return Project(is_whole=False)
    try:
        with zipfile.ZipFile(path) as archive:
            facts = json.loads(archive.read(PROJECT_FACTS))
            for info in archive.infolist():
                if info.filename != PROJECT_FACTS and not info.is_dir():
                    _take(archive, info, contents)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise PackageError(f"`{path}` cannot be read: {error}") from error
    for one in facts["left_out"]:
        contents.left_out.append(_left(one))
    if more := facts.get("more_left_out"):
        contents.warnings.append(f"{more} more files lay in the project's folder; nobody has said that they are used")
    folders = (layout.PROJECT, *(f"{layout.PROJECT}/{one}" for one in facts["import_path"]))
    return Project(tuple(dict.fromkeys(folders)), dict(facts["moved"]))


def _take(archive: zipfile.ZipFile, info: zipfile.ZipInfo, contents: Contents) -> None:
    place = f"{layout.PROJECT}/{info.filename}"
    name = plain_name(place)
    if name in _OURS or name.startswith(f"{layout.STORED}/"):
        contents.warnings.append(f"the project has a file `{info.filename}`: that of the package takes its place")
        return
    try:
        is_program = bool((info.external_attr >> 16) & stat.S_IXUSR)
        contents.add(place, archive.read(info), "a file of the project", is_program)
    except PackageError as error:
        contents.left_out.append(LeftOut(place, info.filename, error.message, info.file_size))


def _left(one: Mapping[str, Any]) -> LeftOut:
    return LeftOut(f"{layout.PROJECT}/{one['path']}", one["original"], one["why"], one["size"], one["sha256"])
