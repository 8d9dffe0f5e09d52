"""A small experiment to start from."""

from __future__ import annotations

from pathlib import Path

from sciflow import assets
from sciflow.errors import SciflowError

_FROM_ELSEWHERE = {
    "templates/local/array.sh.j2": ("templates", "local/array.sh.j2"),
    "cluster_profiles/local.yaml": ("cluster_profiles", "local.yaml"),
}


def write_starter(directory: Path) -> list[Path]:
    """Write a workflow, its programs, its profile and its template; gives what was written.

    Raises
    ------
    SciflowError
        Where one of the files is there already; nothing is written then.
    """
    source = assets.bundled("templates") / "experiment"
    files = {path.name: path for path in sorted(source.iterdir()) if path.is_file()}
    files |= {target: assets.bundled(kind) / name for target, (kind, name) in _FROM_ELSEWHERE.items()}
    for target in files:
        if (directory / target).exists():
            raise SciflowError(f"`{directory / target}` is there already", hint="choose another directory")
    written = []
    for target, path in files.items():
        (directory / target).parent.mkdir(parents=True, exist_ok=True)
        (directory / target).write_bytes(path.read_bytes())
        written.append(directory / target)
    return written
