"""What a result depends on: digests of code and input files, so that what is done already is known again."""

from __future__ import annotations

import functools
import hashlib
import pickle
import sys
import sysconfig
import types
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from sciflow.errors import WorkflowError
from sciflow.model.values import canonical_text
from sciflow.planning.uses import TaskUse

_BLOCK = 1 << 20
_SCALARS = (bool, int, float, complex, str, bytes, type(None))


def recipes(uses: Mapping[str, TaskUse], directory: Path) -> dict[str, str]:
    """Task → digest of its code, its input files, and the recipes of all tasks that it reads.

    Two instances with the same recipe, the same parameters and the same upstream instances give the same results, as
    far as their code is deterministic.

    Raises
    ------
    WorkflowError
        For an input file that is not there.
    """
    found: dict[str, str] = {}
    for name, use in uses.items():
        task = use.task
        parts: list[Any] = [task.kind, sorted(task.environment.items()), task.success, task.missing, task.over]
        if task.function is not None:
            parts.append(function_digest(task.function))
        else:
            assert use.template is not None
            extract = {metric: rule.model_dump(exclude_none=True) for metric, rule in task.extract.items()}
            parts += [task.command, sorted(use.template.sources.items()), extract, sorted(task.outputs)]
            parts.append(file_digests(use.template.code_files, directory))
        parts.append(file_digests(task.inputs, directory))
        parts += [(before, found[before]) for before in use.reads]
        found[name] = hashlib.sha256(canonical_text(_plain(parts)).encode()).hexdigest()[:16]
    return found


def file_digests(names: Iterable[str], directory: Path) -> dict[str, str]:
    """Path → SHA-256 of its bytes; folders by all their files.

    Raises
    ------
    WorkflowError
        For a file that is not there.
    """
    found = {}
    for name in names:
        path = directory / name
        members = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        for member in members:
            try:
                found[str(member)] = _digest(member)
            except OSError as error:
                raise WorkflowError(f"the input `{name}` cannot be read: {error.strerror}: `{member}`") from None
    return found


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def function_digest(function: Callable[..., Any]) -> str:
    """Digest of what a function does: its bytecode, its defaults, and all of the project's own code that it reaches.

    Comments, names of files and line numbers do not count; installed packages count by name only.
    """
    reader = _CodeReader()
    reader.read(function)
    return reader.digest.hexdigest()[:16]


@functools.cache
def _installed_folders() -> frozenset[Path]:
    kinds = ("stdlib", "platstdlib", "purelib", "platlib")
    return frozenset(Path(sysconfig.get_paths()[kind]).resolve() for kind in kinds)


def is_installed(path: Path) -> bool:
    """Whether a file or folder belongs to the interpreter or to an installed package, not to the project."""
    packages = {"site-packages", "dist-packages"} & set(path.parts)
    return bool(packages) or any(one == path or one in path.parents for one in _installed_folders())


class _CodeReader:
    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.seen: dict[int, Any] = {}  # keeps what it has read alive, so that no id is given twice

    def read(self, value: Any) -> None:
        """Add one value: what it is decides how far to look into it."""
        if isinstance(value, _SCALARS):
            self._add(repr(value))
            return
        if id(value) in self.seen:
            return
        self.seen[id(value)] = value
        if isinstance(value, types.FunctionType):
            self._function(value)
        elif isinstance(value, types.MethodType):
            self.read(value.__func__)
            self.read(value.__self__)
        elif isinstance(value, types.ModuleType):
            self._module(value)
        elif isinstance(value, type):
            self._class(value)
        elif type(value) is dict:
            for key in sorted(value, key=repr):
                self._add(repr(key))
                self.read(value[key])
        elif type(value) in (list, tuple, set, frozenset):
            self._add(type(value).__name__)
            for one in sorted(value, key=repr) if isinstance(value, set | frozenset) else value:
                self.read(one)
        elif isinstance(value, property):
            self.read([value.fget, value.fset, value.fdel])
        elif isinstance(getattr(value, "__wrapped__", None), types.FunctionType):
            self.read(value.__wrapped__)  # functools.lru_cache
        elif isinstance(value, functools.partial):
            self.read([value.func, value.args, value.keywords])
        else:
            self._object(value)

    def _function(self, function: types.FunctionType) -> None:
        if not self._is_ours(function.__module__, function.__code__.co_filename):
            self._add(f"{function.__module__}.{function.__qualname__}")
            return
        self._code(function.__code__)
        self.read([function.__defaults__, function.__kwdefaults__])
        for cell in function.__closure__ or ():
            try:
                self.read(cell.cell_contents)
            except ValueError:  # a name that is bound later
                self._add("empty cell")
        for name in sorted(_global_names(function.__code__)):
            if name in function.__globals__:
                self._add(name)
                self.read(function.__globals__[name])
        if wrapped := getattr(function, "__wrapped__", None):
            self.read(wrapped)

    def _code(self, code: types.CodeType) -> None:
        self._add(code.co_code.hex(), *code.co_names, *code.co_varnames)
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self._code(constant)
            else:
                self.read(constant)  # not its repr: the order of a set differs between processes

    def _module(self, module: types.ModuleType) -> None:
        path = getattr(module, "__file__", None)
        self._add(module.__name__)
        if path and self._is_ours(module.__name__, path):
            self._add(hashlib.sha256(Path(path).read_bytes()).hexdigest())

    def _class(self, kind: type) -> None:
        self._add(f"{kind.__module__}.{kind.__qualname__}")
        module = sys.modules.get(kind.__module__)
        if self._is_ours(kind.__module__, getattr(module, "__file__", None) or ""):
            self.read(kind.__bases__)
            for name, member in sorted(vars(kind).items()):
                if not name.startswith("__") or callable(member):
                    self._add(name)
                    self.read(getattr(member, "__func__", member))

    def _object(self, value: Any) -> None:
        self.read(type(value))
        try:
            self._add(hashlib.sha256(pickle.dumps(value, protocol=4)).hexdigest())
        except Exception:  # pickling runs the object's own code, which may refuse in any way
            self.read(getattr(value, "__dict__", None))

    def _is_ours(self, module: str | None, path: str) -> bool:
        if module == "__main__" or not path or path.startswith("<"):
            return True
        return not is_installed(Path(path).resolve())

    def _add(self, *texts: str) -> None:
        for text in texts:
            data = text.encode(errors="surrogatepass")
            self.digest.update(len(data).to_bytes(8, "little") + data)


def _global_names(code: types.CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _global_names(constant)
    return names


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
