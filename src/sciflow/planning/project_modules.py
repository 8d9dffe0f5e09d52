"""Which files a project's module consists of: its own, and those of all project modules that it imports."""

from __future__ import annotations

import ast
import dis
import functools
import sys
import sysconfig
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import sciflow_shim


class Import(NamedTuple):
    """A module that is imported; `whole` where its name is bound, so that all that is loaded of it can be used."""

    module: str
    whole: bool


class _Place(NamedTuple):
    file: Path | None
    folders: tuple[str, ...]  # where its submodules are


@functools.cache
def _installed_folders() -> frozenset[Path]:
    kinds = ("stdlib", "platstdlib", "purelib", "platlib")
    ours = (Path(__file__).parents[1], Path(sciflow_shim.__file__).parent)  # wherever they are, no project's code
    return frozenset(path.resolve() for path in (*(Path(sysconfig.get_paths()[kind]) for kind in kinds), *ours))


def is_installed(path: Path) -> bool:
    """Whether a file or folder belongs to the interpreter or to an installed package, not to the project."""
    packages = {"site-packages", "dist-packages"} & set(path.parts)
    return bool(packages) or any(one == path or one in path.parents for one in _installed_folders())


def project_modules(imports: Iterable[Import]) -> dict[str, Path]:
    """Name → file of modules and of all that they import, as far as they belong to the project.

    Nothing is imported for that: what is not loaded is looked for as an import would.
    """
    found: dict[str, Path] = {}
    waiting, known = list(imports), set[Import]()
    while waiting:
        one = waiting.pop()
        if one in known or one.module == "__main__":
            continue
        known.add(one)
        place = _place(one.module)
        if place is None or not _is_project(place):
            continue
        if above := one.module.rpartition(".")[0]:
            waiting.append(Import(above, whole=False))
        if one.whole and place.folders:
            waiting += [Import(name, True) for name in list(sys.modules) if name.startswith(f"{one.module}.")]
        if place.file and one.module not in found:
            found[one.module] = place.file
            changed = place.file.stat()
            package = one.module if place.folders else above
            waiting += _imports_of_file(place.file, changed.st_mtime_ns, changed.st_size, package)
    return dict(sorted(found.items()))


def imports_of_code(code: types.CodeType, package: str) -> Iterator[Import]:
    """What the body of a function imports, inner functions included."""
    instructions = [one for one in dis.get_instructions(code) if one.opname != "EXTENDED_ARG"]
    for number, one in enumerate(instructions):
        if one.opname == "IMPORT_NAME":  # above it on the stack: how many dots, and the names after `import`
            level, names = instructions[number - 2].argval, instructions[number - 1].argval
            yield from _meant(one.argval, level, names or (), package)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from imports_of_code(constant, package)


@functools.cache
def _imports_of_file(path: Path, _mtime: int, _size: int, package: str) -> tuple[Import, ...]:
    """The imports of a module's source, wherever in it they stand."""
    if path.suffix != ".py":
        return ()
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # one that is never imported, or not by this Python; its bytes count anyway
        return ()
    found: list[Import] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found += _meant(alias.name, 0, (), package)
        elif isinstance(node, ast.ImportFrom):
            found += _meant(node.module or "", node.level, tuple(alias.name for alias in node.names), package)
    return tuple(found)


def _meant(module: str, level: int, names: tuple[str, ...], package: str) -> list[Import]:
    """The modules that one import statement means; of names after `import`, each might be one."""
    if level:
        parts = package.split(".") if package else []
        if level > len(parts):
            return []  # fails when it is run
        module = ".".join([*parts[: len(parts) - level + 1], *([module] if module else [])])
    if not names:
        return [Import(module, True), Import(module.partition(".")[0], True)]
    submodules = [Import(f"{module}.{name}", True) for name in names if name != "*"]
    return [Import(module, "*" in names), *submodules]


def _place(name: str) -> _Place | None:
    if (module := sys.modules.get(name)) is not None:
        file = getattr(module, "__file__", None)
        return _Place(Path(file) if file else None, tuple(getattr(module, "__path__", None) or ()))
    folders = None
    if above := name.rpartition(".")[0]:
        parent = _place(above)
        if parent is None or not parent.folders or not _is_project(parent):
            return None
        folders = parent.folders
    for finder in sys.meta_path:
        spec = finder.find_spec(name, folders)
        if spec is not None:
            file = Path(spec.origin) if spec.has_location and spec.origin else None
            return _Place(file, tuple(spec.submodule_search_locations or ()))
    return None


def _is_project(place: _Place) -> bool:
    if place.file:
        return place.file.is_file() and not is_installed(place.file.resolve())
    return any(not is_installed(Path(one).resolve()) for one in place.folders)
