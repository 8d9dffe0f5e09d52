"""Finds templates and cluster profiles: the path given, the project, the user's configuration, the bundled ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def bundled(kind: str) -> Path:
    """The folder of bundled `templates` or `cluster_profiles`: in the installed package, or atop the source tree."""
    installed = _PACKAGE / "_bundled" / kind
    return installed if installed.is_dir() else _PACKAGE.parent.parent / kind


def user_configuration() -> Path:
    """The user's configuration folder."""
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "sciflow"


def folders(kind: str, project: Path) -> Iterator[Path]:
    """Where `templates` or `cluster_profiles` are looked for, in order."""
    yield project / kind
    yield user_configuration() / kind
    yield bundled(kind)


def find(kind: str, name: str, project: Path) -> Path | None:
    """The first file of that name, in the order of `folders`; None if there is none."""
    return next((path for folder in folders(kind, project) if (path := folder / name).is_file()), None)


def read_template(project: Path, name: str) -> tuple[str, str] | None:
    """A template's text and where it was found; None if there is none.

    A template extends the bundled one of the same name as ``bundled/<name>``.
    """
    path = bundled("templates") / name.removeprefix("bundled/") if name.startswith("bundled/") else None
    path = path if path is not None and path.is_file() else find("templates", name, project)
    return (path.read_text(encoding="utf-8"), str(path)) if path else None


def profile_names(project: Path) -> dict[str, Path]:
    """Profile name → the file that wins."""
    found: dict[str, Path] = {}
    for folder in folders("cluster_profiles", project):
        for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
            found.setdefault(path.stem, path)
    return found
