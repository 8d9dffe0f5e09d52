"""The files of a project that a run is made of: those that are known to be used, and what lies around them."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sciflow.planning.code_digest import reached_modules
from sciflow.planning.compiled import Compiled
from sciflow.planning.project_modules import Import, is_installed, project_modules

# Folders that hold no project's code, whatever is in them.
_OTHERS_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages", "dist-packages", "sciflow-runs"})
# Names of what opens doors; hidden files are left out anyway.
_KEYS = re.compile(
    r".*\.(pem|key|p12|pfx|kdbx|keystore|jks|ovpn|gpg)|id_(rsa|dsa|ecdsa|ed25519)(\.pub)?|"
    r"\.?((.*[_-])?(credentials?|secrets?|passwords?)|htpasswd|netrc|token)(\.[a-z0-9]+)?|"
    r"\.env(?!\.(example|sample|template|dist)$)(\..+)?|"
    r"\.(pgpass|npmrc|pypirc|my\.cnf|mylogin\.cnf|s3cfg|boto|dockercfg|vault-token|vault_pass)|_netrc|kubeconfig",
    re.IGNORECASE,
)
# A bag, such as a package of an earlier run, and the folder in which one was run again: what came out is no code.
_MARKS = ("pyvenv.cfg", "bagit.txt", "reproduction.json")
_HOOKS_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


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
    again
        Modules in the workflow's directory that are found from a folder around it → that folder: where the directory
        is moved away from there, they must be there, too.
    """

    directory: Path
    used: set[Path] = field(default_factory=set)
    near: set[Path] = field(default_factory=set)
    import_path: list[Path] = field(default_factory=list)
    again: dict[Path, Path] = field(default_factory=dict)


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
    scripts: set[Path] = set()
    for use in compiled.uses.values():
        if use.task.function is not None:
            modules |= reached_modules(use.task.function)
        scripts |= {_written(workflow.directory, name) for name in (use.template.code_files if use.template else ())}
        found.used |= {_written(workflow.directory, deck) for deck in use.task.files.values()}
    # To import a module takes more than its functions use.
    modules |= project_modules(Import(name, whole=False) for name in list(modules))
    modules = {name: _written(workflow.directory, path) for name, path in modules.items()}
    found.used |= set(modules.values())
    scripts |= set(_programs(workflow.source, directory, found.used | scripts))
    found.used |= scripts | {path for one in scripts if one.suffix == ".py" for path in _imported_beside(one)}
    found.used = {path for path in found.used if path.is_file() and not is_installed(path.resolve())}
    roots = {path: root for name, path in modules.items() if (root := _root(name, path))}
    entries = dict.fromkeys(_written(workflow.directory, entry or Path.cwd()) for entry in sys.path)
    found.import_path = [one for one in entries if one in roots.values() and one != directory and not is_installed(one)]
    found.again = {
        path: root
        for path, root in roots.items()
        if root in found.import_path and path in found.used and directory in path.parents and root in directory.parents
    }
    if directory.is_relative_to(runs):  # the runs lie beside the code
        runs = runs / workflow.name
    found.near = {path for path in _around(directory, found.used, runs) if path not in found.used}
    return found


def _written(directory: Path, path: str | Path) -> Path:
    """A file as it is called in the workflow's directory, which may be by a link; elsewhere, what it really is."""
    real, whole = directory.resolve(), Path(os.path.normpath(directory.absolute() / path))
    for home in (directory.absolute(), real):
        if whole.is_relative_to(home):
            return real / whole.relative_to(home)
    return whole.resolve()


def _programs(source: Path | None, directory: Path, used: Iterable[Path]) -> Iterator[Path]:
    """The file that the workflow was written in: the one that was loaded, or the program that runs now."""
    if source is not None:
        yield source.resolve()
        return
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    if main:
        path = Path(main).resolve()
        is_inside = path.is_relative_to(directory) and _Keeper(directory).may_keep(path)
        if is_inside or path.parent in {one.parent for one in used}:
            yield path


def _root(module: str, path: Path) -> Path | None:
    """The folder of the import path in which a module is found by its name; None where its name says otherwise."""
    parts = path.parent.parts if path.stem == "__init__" else (*path.parent.parts, path.name.partition(".")[0])
    names = tuple(module.split("."))
    return Path(*parts[: -len(names)]) if parts[-len(names) :] == names else None


def _imported_beside(script: Path) -> Iterator[Path]:
    """The modules beside a script that it imports, with those that they import; of a package, all of its modules."""
    waiting, seen = [script], {script}
    while waiting:
        for name in _imports_of(waiting.pop()):
            module, package = script.parent / f"{name}.py", script.parent / name
            members = [module] if module.is_file() else sorted(package.rglob("*.py")) if package.is_dir() else []
            new = [one for one in members if one not in seen and not _OTHERS_FOLDERS & set(one.parts)]
            seen.update(new)
            waiting += new
            yield from new


def _imports_of(path: Path) -> set[str]:
    try:
        return _imported(ast.parse(path.read_bytes()))
    except (OSError, SyntaxError, ValueError):  # gone, of another Python, or none at all
        return set()


def _imported(tree: ast.AST) -> set[str]:
    """The first words of what is imported, wherever that stands."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def _around(directory: Path, used: Iterable[Path], runs: Path) -> Iterator[Path]:
    """What git knows in the workflow's directory; without it, what is beside the files that are used."""
    keeper = _Keeper(directory)
    found = [] if _is_everybodys(directory) else _known_to_git(directory, runs)
    if not found:
        folders = {path.parent for path in used if path.is_relative_to(directory)}
        for folder in sorted(folders):
            if not _is_everybodys(folder) and folder.resolve() == folder and os.access(folder, os.R_OK):
                found += folder.iterdir()
    beginning = f"{runs}{os.sep}"
    yield from (path for path in found if not str(path).startswith(beginning) and keeper.may_keep(path))


def _is_everybodys(folder: Path) -> bool:
    """Whether a folder is one in which anything lies, and not a project's."""
    if folder in {Path("/"), Path(tempfile.gettempdir()).resolve(), Path("/tmp")}:  # noqa: S108
        return True
    try:
        return Path.home().resolve().is_relative_to(folder)
    except RuntimeError:  # neither a variable nor the system tells of a home
        return False


def _known_to_git(directory: Path, runs: Path) -> list[Path]:
    """The paths below a folder that git tracks or would, other repositories in it too; none without a repository."""
    top = next((folder for folder in (directory, *directory.parents) if (folder / ".git").exists()), None)
    if top is None:
        return []  # that is a hundred times faster than to ask git
    # Runs may be very many files, and git would look at each of them.
    left = [f"--exclude={name}/" for name in sorted(_OTHERS_FOLDERS)]
    if runs.is_relative_to(directory):
        left.append(f"--exclude=/{_literally(runs.relative_to(top).as_posix())}/")
    command = ["git", "-C", str(directory), "ls-files", "-z", "--cached", "--others", "--exclude-standard", *left]
    # A hook of git has variables that name its own repository.
    environment = {name: value for name, value in os.environ.items() if name not in _HOOKS_VARIABLES}
    try:
        answer = subprocess.run(command, capture_output=True, timeout=20, check=False, env=environment)
    except (OSError, subprocess.TimeoutExpired):
        return []
    if answer.returncode:
        return []
    found = []
    for name in dict.fromkeys(os.fsdecode(one) for one in answer.stdout.split(b"\0") if one):
        path = directory / name
        if path.is_dir():  # a submodule, or a repository that this one does not know
            is_other = (path / ".git").exists() and not path.is_symlink()
            found += _known_to_git(path, runs) if is_other else []
        else:
            found.append(path)
    return found


def _literally(name: str) -> str:
    return re.sub(r"([\\*?\[\]!# ])", r"\\\1", name)


def is_key(name: str) -> bool:
    """Whether a file's name is one that keys and passwords have."""
    return _KEYS.fullmatch(name) is not None


class _Keeper:
    """Says which files of a folder may be kept though nobody has said that they are used."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._folders: dict[Path, bool] = {directory: True}

    def may_keep(self, path: Path) -> bool:
        """Whether it is a file and no key; a link, only to such a file within the folder."""
        name = path.name
        if name.startswith(".") or is_key(name) or not self._may_keep_of(path.parent) or not path.is_file():
            return False
        if not path.is_symlink():
            return True
        real = path.resolve()
        return real.is_relative_to(self._directory) and self.may_keep(real)

    def _may_keep_of(self, folder: Path) -> bool:
        if folder not in self._folders:
            is_others = folder.name.startswith(".") or folder.name in _OTHERS_FOLDERS or folder == folder.parent
            is_marked = any((folder / name).is_file() for name in _MARKS)
            self._folders[folder] = not is_others and not is_marked and self._may_keep_of(folder.parent)
        return self._folders[folder]
