"""The files of a project that a run is made of: those that are known to be used, and what lies around them."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sciflow.planning.code_digest import reached_modules
from sciflow.planning.compiled import Compiled
from sciflow.planning.project_modules import is_installed

# Folders that hold no project's code, whatever is in them.
_OTHERS_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages", "dist-packages", "sciflow-runs"})
# Names of what opens doors; hidden files are left out anyway.
_KEYS = re.compile(
    r".*\.(pem|key|p12|pfx|kdbx|keystore|jks|ovpn|gpg|asc)|id_(rsa|dsa|ecdsa|ed25519)(\.pub)?|"
    r"(credentials?|secrets?|passwords?|htpasswd|netrc|token)s?(\.[a-z0-9]+)?",
    re.IGNORECASE,
)


@dataclass
class ProjectFiles:
    """The files of a project.

    Attributes
    ----------
    directory
        The workflow's directory.
    used
        Those that the run is known to use.
    near
        Those that lie around them, and that a program may read without saying so.
    import_path
        The folders besides the workflow's in which modules of the project were found.
    """

    directory: Path
    used: set[Path] = field(default_factory=set)
    near: set[Path] = field(default_factory=set)
    import_path: list[Path] = field(default_factory=list)


def project_files(compiled: Compiled, runs: Path) -> ProjectFiles:
    """Find the files of a workflow's project; nothing of it is imported.

    Parameters
    ----------
    compiled
        The workflow.
    runs
        A folder that holds runs, which are no code.
    """
    workflow = compiled.workflow
    directory = workflow.directory.resolve()
    found = ProjectFiles(directory)
    modules: dict[str, Path] = {}
    for use in compiled.uses.values():
        if use.task.function is not None:
            modules |= reached_modules(use.task.function)
        named = [directory / name for name in (use.template.code_files if use.template else ())]
        found.used |= {path.resolve() for path in named}
        found.used |= {path.resolve() for one in named if one.suffix == ".py" for path in _imported_beside(one)}
        found.used |= {(directory / deck).resolve() for deck in use.task.files.values()}
    found.used |= {path.resolve() for path in modules.values()}
    found.used |= set(_programs(workflow.source, directory, found.used))
    found.used = {path for path in found.used if path.is_file() and not is_installed(path)}
    found.import_path = list(_roots(modules, directory))
    found.near = {
        path for path in _around(directory, found.used) if path not in found.used and not path.is_relative_to(runs)
    }
    return found


def _programs(source: Path | None, directory: Path, used: Iterable[Path]) -> Iterator[Path]:
    """The file that the workflow was written in: the one that was loaded, or the program that runs now."""
    if source is not None:
        yield source.resolve()
        return
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    if main:
        path = Path(main).resolve()
        if path.is_relative_to(directory) or path.parent in {one.parent for one in used}:
            yield path


def _roots(modules: Mapping[str, Path], directory: Path) -> Iterator[Path]:
    """The folders of the import path, but for the workflow's, in which these modules are."""
    entries = [Path(entry or ".").resolve() for entry in sys.path]
    paths = [path.resolve() for path in modules.values()]
    for entry in dict.fromkeys(entries):
        if entry != directory and not is_installed(entry) and any(path.is_relative_to(entry) for path in paths):
            # Of a folder within another, a module belongs to the inner one.
            inner = [one for one in entries if one != entry and one.is_relative_to(entry)]
            if any(path.is_relative_to(entry) and not _is_in(path, inner) for path in paths):
                yield entry


def _is_in(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _imported_beside(script: Path, seen: set[Path] | None = None) -> Iterator[Path]:
    """The modules beside a script that it imports, with those that they import; of a package, all of its modules."""
    seen = set() if seen is None else seen
    if script in seen or not script.is_file():
        return
    seen.add(script)
    try:
        tree = ast.parse(script.read_bytes())
    except (SyntaxError, ValueError):  # of another Python, or none at all
        return
    for name in _imported(tree):
        module, package = script.parent / f"{name}.py", script.parent / name
        if module.is_file():
            yield module
            yield from _imported_beside(module, seen)
        elif (package / "__init__.py").is_file():
            yield from (path for path in package.rglob("*.py") if "__pycache__" not in path.parts)


def _imported(tree: ast.AST) -> set[str]:
    """The first words of what is imported, wherever that stands."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def _around(directory: Path, used: Iterable[Path]) -> Iterator[Path]:
    """What git knows in the workflow's directory; without it, what is beside the files that are used."""
    tracked = None if _is_everybodys(directory) else _tracked(directory)
    if tracked is not None:
        yield from (path for path in tracked if _may_be_kept(path, directory))
        return
    for folder in sorted({path.parent for path in used if path.is_relative_to(directory)}):
        if _is_everybodys(folder):
            continue
        for entry in os.scandir(folder):
            path = Path(entry.path)
            if entry.is_file(follow_symlinks=False) and _may_be_kept(path, directory):
                yield path


def _is_everybodys(folder: Path) -> bool:
    """Whether a folder is one in which anything lies, and not a project's."""
    return folder in {Path.home().resolve(), Path("/"), Path(tempfile.gettempdir()).resolve(), Path("/tmp")}  # noqa: S108


def _tracked(directory: Path) -> list[Path] | None:
    """The files below a folder that git tracks or would, as they are now; None where there is no repository."""
    command = ["git", "-C", str(directory), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        answer = subprocess.run(command, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if answer.returncode:
        return None
    names = (os.fsdecode(name) for name in answer.stdout.split(b"\0") if name)
    return [path for path in (directory / name for name in dict.fromkeys(names)) if _is_plain(path)]


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def is_key(name: str) -> bool:
    """Whether a file's name is one that keys and passwords have."""
    return _KEYS.fullmatch(name) is not None


def _may_be_kept(path: Path, directory: Path) -> bool:
    inside = path.relative_to(directory).parts
    if any(part.startswith(".") or part in _OTHERS_FOLDERS for part in inside):
        return False
    folders = (directory.joinpath(*inside[:count]) for count in range(1, len(inside)))
    return not is_key(inside[-1]) and not any((folder / "pyvenv.cfg").is_file() for folder in folders)
