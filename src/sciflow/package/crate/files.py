"""The files of a package, as a crate has them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from sciflow.package import layout
from sciflow.package.contents import Contents
from sciflow.package.crate.attempts import COLUMNS, DESCRIPTION
from sciflow.package.crate.graph import ROOT, Graph, Reference, fragment
from sciflow.store.digests import file_digest
from sciflow_shim import files

MOST = 40  # files of one folder that are told one by one
_RUN = {
    files.RECORDS: "one HDF5 file for each attempt: parameters, metrics, results, resources, and how it ended",
    "logs": "what each attempt printed",
    "work": "what was left in the working directories",
    "arrays": "one line for each index of an array job: its parameters, and what it needs of earlier tasks",
    files.SHIM: "the program that ran around each task, recorded it, and can run it again",
    files.ENVIRONMENTS: "what was found of hardware and software, once for each that differs",
}
_FOLDERS = {
    layout.PROJECT: "the code as it was around the workflow, and a workflow document that says all that was run",
    layout.RUN: "the run directory: what was asked, planned and submitted, what happened, and what came out",
    layout.FIGURES: "the figures of the run",
    "results": "the results as tables, one row for each combination or attempt",
    "environment": "the software that it ran with: exact versions, and recipes to install them again",
    layout.WHEELS: "packages that are installed from here, sciflow itself among them",
    layout.VERDICTS: "what those who ran it again have found",
    **{f"{layout.RUN}/{name}": about for name, about in _RUN.items()},
}
_IN_PARTS = {f"{layout.RUN}/{name}" for name in _RUN} | {layout.WHEELS}  # however few they are, nobody asks for one
_RECIPES = {
    layout.REQUIREMENTS: "https://pip.pypa.io/en/stable/reference/requirements-file-format/",
    layout.CONDA: "https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html",
    layout.DOCKERFILE: "https://docs.docker.com/reference/dockerfile/",
    layout.APPTAINER: "https://apptainer.org/docs/user/main/definition_files.html",
}
_CSVW = "https://www.w3.org/TR/tabular-metadata/"
_FORMATS = {
    ".c": "text/x-c",
    ".cff": "application/yaml",
    ".csv": "text/csv",
    ".def": "text/plain",
    ".gz": "application/gzip",
    ".h5": "application/x-hdf5",
    ".hdf5": "application/x-hdf5",
    ".html": "text/html",
    ".ipynb": "application/x-ipynb+json",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".npy": "application/x-npy",
    ".npz": "application/x-npz",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python",
    ".sh": "application/x-sh",
    ".svg": "image/svg+xml",
    ".tex": "application/x-tex",
    ".toml": "application/toml",
    ".whl": "application/zip",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zip": "application/zip",
}
_TEXTS = {".cfg", ".ini", ".in", ".j2", ".log", ".out", ".rst", ".txt", ".f90", ".cpp", ".h", ".r", ".jl"}
_NAMED = {"Dockerfile", "LICENSE", "Makefile"}


def add_files(graph: Graph, contents: Contents, folder: Path) -> None:
    """Say what each file is; of folders with many files, or that nobody reads file by file, what the folder is."""
    for path, count in _told(folder, ""):
        if count:
            files_in = f"{count:,} files" if count > 1 else "1 file"
            about = _FOLDERS.get(path, f"the folder `{path}`")
            graph.add_folder(path, name=path, description=f"{about} ({files_in})")
        else:
            entry = contents.entries.get(path)
            add_one(graph, folder, path, entry.about if entry else "")


def add_one(graph: Graph, folder: Path, path: str, about: str = "") -> Reference:
    """Say what one file is: its format, its size and its digest."""
    source = folder / path
    name = PurePosixPath(path).name
    return graph.add_file(
        path,
        name=name,
        description=about or f"the file `{path}`",
        encodingFormat=format_of(name),
        contentSize=str(source.stat().st_size),
        sha256=file_digest(source),
    )


def add_attempts(graph: Graph) -> None:
    """Say of the table of attempts what its columns are, and where that stands for programs."""
    if layout.ATTEMPTS in graph:
        about = graph.said(layout.ATTEMPTS, "description")
        columns = "; ".join(f"{name}: {told}" for name, told in COLUMNS.items())
        form = graph.add(_CSVW, "CreativeWork", name="CSV on the Web", url=_CSVW)
        graph.say(layout.ATTEMPTS, description=f"{about}. Columns: {columns}", conformsTo=form)
        if DESCRIPTION in graph:
            graph.say(layout.ATTEMPTS, subjectOf={"@id": DESCRIPTION})


def add_left_out(graph: Graph, contents: Contents) -> None:
    """Say what belongs to the run and is not there, why, and where it can be had."""
    found = []
    for one in sorted(contents.left_out, key=lambda one: one.path):
        found.append(
            graph.add(
                fragment("left-out", one.path),
                "CreativeWork",
                name=one.path,
                description=f"It belongs to the run and is not in the package: {one.why}.",
                contentSize=str(one.size) if one.size >= 0 else "",
                sha256=one.sha256,
                url=one.where,
            )
        )
    graph.link(ROOT, "mentions", found)


def add_recipes(graph: Graph) -> list[Reference]:
    """The files from which the environment can be built again, each with what says how it is read."""
    found = []
    for path, address in _RECIPES.items():
        if path in graph:
            form = graph.add(address, "CreativeWork", name=f"the format of {PurePosixPath(path).name}", url=address)
            found.append(graph.say(path, conformsTo=form))
    return found


def format_of(name: str) -> str:
    """The media type of a file, by its name."""
    suffix = PurePosixPath(name).suffix.lower()
    if name in _NAMED or suffix in _TEXTS:
        return "text/plain"
    return _FORMATS.get(suffix, "application/octet-stream")


def _told(folder: Path, inside: str) -> Iterator[tuple[str, int]]:
    """Each folder that is told, with how many files are in it, and each file with 0; in order."""
    found = sorted((folder / inside).iterdir(), key=lambda path: path.name)
    own = [path for path in found if path.is_file() and not (not inside and path.name == layout.CRATE)]
    is_whole = inside in _IN_PARTS or len(own) > MOST
    count = sum(len(names) for _, _, names in os.walk(folder / inside)) if is_whole or inside in _FOLDERS else 0
    if inside and count:
        yield inside, count
    if inside in _IN_PARTS:
        return
    if not is_whole:
        yield from ((path.relative_to(folder).as_posix(), 0) for path in own)
    for path in found:
        if path.is_dir():
            yield from _told(folder, path.relative_to(folder).as_posix())
