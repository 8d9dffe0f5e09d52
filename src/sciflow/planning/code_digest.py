"""Digest of what a function does: its bytecode, and all of the project's own code and data that it reaches."""

from __future__ import annotations

import functools
import hashlib
import io
import pickle
import sys
import types
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from sciflow.planning.project_modules import Import, imports_of_code, is_installed, project_modules
from sciflow.store.digests import file_digest

_SCALARS = (bool, int, float, complex, str, bytes, type(None))


def function_digest(function: Callable[..., Any]) -> str:
    """Digest of what a function does: its bytecode, its defaults, and all of the project's own code that it reaches.

    Functions count by what they do: comments, names of files and line numbers do not matter. A module that is used as
    a module, or imported by a function, counts by its file and the files of all project modules that it imports.
    Installed packages count by name only.
    """
    reader = _CodeReader()
    reader.read(function)
    return reader.digest.hexdigest()[:16]


def reached_modules(function: Callable[..., Any]) -> dict[str, Path]:
    """Name → file of the project's modules that a function reaches, its own among them."""
    reader = _CodeReader()
    reader.read(function)
    return dict(sorted(reader.modules.items()))


class _CodeReader:
    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.modules: dict[str, Path] = {}
        # The number of the first visit, and the value, kept alive so that no id is given twice.
        self.seen: dict[int, tuple[int, Any]] = {}

    def read(self, value: Any) -> None:
        """Add one value: what it is decides how far to look into it."""
        if type(value) in _SCALARS:
            self._add(type(value).__name__, repr(value))
        elif type(value) in (tuple, frozenset) and _is_constant(value):
            self._members(value)  # whether equal constants are one object is up to the compiler
        elif id(value) in self.seen:
            self._add("again", self._number(value))
        else:
            self.seen[id(value)] = (len(self.seen), value)
            self._first(value)

    def _first(self, value: Any) -> None:
        if isinstance(value, types.FunctionType):
            self._function(value)
        elif isinstance(value, types.MethodType):
            self._parts("method", value.__func__, value.__self__)
        elif isinstance(value, types.ModuleType):
            self._module(value)
        elif isinstance(value, type):
            self._class(value)
        elif type(value) is dict:
            self._add("dict", str(len(value)))
            for key in sorted(value, key=self._order):
                self.read(key)
                self.read(value[key])
        elif type(value) in (list, tuple, set, frozenset):
            self._members(value)
        elif isinstance(value, property):
            self._parts("property", value.fget, value.fset, value.fdel)
        elif isinstance(value, staticmethod | classmethod):
            self._parts(type(value).__name__, value.__func__)
        elif isinstance(getattr(value, "__wrapped__", None), types.FunctionType):
            self._parts(type(value).__qualname__, value.__wrapped__)  # functools.lru_cache
        elif isinstance(value, functools.partial):
            self._parts("partial", value.func, value.args, value.keywords)
        else:
            self._object(value)

    def _parts(self, kind: str, *parts: Any) -> None:
        self._add(kind, str(len(parts)))
        for part in parts:
            self.read(part)

    def _members(self, value: Collection[Any]) -> None:
        is_set = isinstance(value, set | frozenset)
        self._parts(type(value).__name__, *(sorted(value, key=self._order) if is_set else value))

    def _order(self, value: Any) -> str:
        """A text to sort by that is the same in every process, which the repr of a function is not."""
        if type(value) in _SCALARS:
            return f"{type(value).__name__} {value!r}"
        other = _CodeReader()
        other.seen, other.modules = dict(self.seen), self.modules
        other.read(value)
        return other.digest.hexdigest()

    def _function(self, function: types.FunctionType) -> None:
        space = function.__globals__
        if not _is_ours(function.__module__, function.__code__.co_filename):
            self._add("function", f"{function.__module__}.{function.__qualname__}")
            return
        self._reach(space.get("__name__"), function.__code__.co_filename)
        self._add("own function")
        self._code(function.__code__)
        self.read(function.__defaults__)
        self.read(function.__kwdefaults__)
        for cell in function.__closure__ or ():
            try:
                self.read(cell.cell_contents)
            except ValueError:  # a name that is bound later
                self._add("empty cell")
        for name in sorted(_global_names(function.__code__)):
            if name in space:
                self._add("global", name)
                self.read(space[name])
        package = space.get("__package__") or (space.get("__name__") or "").rpartition(".")[0]
        self._files(project_modules(imports_of_code(function.__code__, package)))
        if wrapped := getattr(function, "__wrapped__", None):
            self.read(wrapped)

    def _code(self, code: types.CodeType) -> None:
        counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        exceptions = getattr(code, "co_exceptiontable", b"")  # Python 3.10 has it in the bytecode
        self._add("code", repr(counts), code.co_code.hex(), exceptions.hex())
        for names in (code.co_names, code.co_varnames, code.co_cellvars, code.co_freevars):
            self._add(str(len(names)), *names)
        self._add(str(len(code.co_consts)))
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self._code(constant)
            else:
                self.read(constant)  # not its repr: the order of a set differs between processes

    def _module(self, module: types.ModuleType) -> None:
        self._add("module", module.__name__)
        if sys.modules.get(module.__name__) is module:
            self._files(project_modules([Import(module.__name__, True)]))
        elif (path := getattr(module, "__file__", None)) and _is_ours(None, path):
            self._files({module.__name__: Path(path)})

    def _files(self, modules: dict[str, Path]) -> None:
        for name, path in modules.items():
            self._add("file of", name, file_digest(path))
        self.modules.update(modules)

    def _class(self, kind: type) -> None:
        self._add("class", f"{kind.__module__}.{kind.__qualname__}")
        if kind.__module__ in sys.builtin_module_names:
            return
        file = getattr(sys.modules.get(kind.__module__), "__file__", None) or ""
        if not _is_ours(kind.__module__, file):
            return
        self._reach(kind.__module__, file)
        self.read(type(kind))
        self.read(kind.__bases__)
        for name, member in sorted(vars(kind).items()):
            if not name.startswith("__") or callable(member) or isinstance(member, staticmethod | classmethod):
                self._add("member", name)
                self.read(member)

    def _object(self, value: Any) -> None:
        self._add("object")
        self.read(type(value))
        stream = io.BytesIO()
        try:
            _ObjectPickler(stream, self).dump(value)
        except Exception:  # pickling runs the object's own code, which may refuse in any way
            self.read(getattr(value, "__dict__", None))
        else:
            self._add(hashlib.sha256(stream.getbuffer()).hexdigest())

    def token(self, value: Any) -> str | None:
        """What stands for a part of an object in its pickle; none where pickle says enough about it."""
        if type(value) is str:
            return f"text {value}"  # pickle writes a second mention of the same object in another way
        if isinstance(value, types.FunctionType | types.ModuleType | type) or type(value) in (set, frozenset):
            self.read(value)
            return f"visit {self._number(value)}" if id(value) in self.seen else f"visit {self._order(value)}"
        return None

    def _number(self, value: Any) -> str:
        return str(self.seen[id(value)][0])

    def _reach(self, module: str | None, file: str) -> None:
        if module and file and Path(file).is_file():
            self.modules[module] = Path(file)

    def _add(self, *texts: str) -> None:
        for text in texts:
            data = text.encode(errors="surrogatepass")
            self.digest.update(len(data).to_bytes(8, "little") + data)


class _ObjectPickler(pickle.Pickler):
    """Pickle stores functions and classes by name and sets in any order: they are read for what they hold."""

    def __init__(self, stream: io.BytesIO, reader: _CodeReader) -> None:
        super().__init__(stream, protocol=4)
        self.reader = reader

    def persistent_id(self, obj: Any) -> Any:
        return self.reader.token(obj)


def _is_constant(value: Any) -> bool:
    if type(value) in (tuple, frozenset):
        return all(_is_constant(one) for one in value)
    return type(value) in _SCALARS


def _is_ours(module: str | None, path: str) -> bool:
    if path.startswith("<frozen "):
        return False
    if module == "__main__" or not path or path.startswith("<"):
        return True
    return not is_installed(Path(path).resolve())


def _global_names(code: types.CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _global_names(constant)
    return names
