"""What a function does, digested: its bytecode, and all of the project's own code and data that it reaches."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sciflow.planning.code_digest import function_digest, reached_modules

_NUMBER = itertools.count()


def digest(folder: Path, source: str, name: str = "f") -> str:
    """Digest a function of a module with this text."""
    path = folder / f"identity_{next(_NUMBER)}.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location("identity_module", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["identity_module"] = module
    try:
        spec.loader.exec_module(module)
        return function_digest(getattr(module, name))
    finally:
        del sys.modules["identity_module"]


SOURCE = """
import functools, math
LIMIT = 3
KNOWN = {"b": [1, 2], "a": {3, 4}}

class Base:
    def step(self): return 1

class Model(Base):
    rate = 0.1
    @property
    def twice(self): return 2 * self.rate
    @staticmethod
    def fixed(): return 5

def helper(x):
    return x + LIMIT

@functools.lru_cache
def cached(x):
    return x * 7

def f(x, scale=2, *, shift=0):
    model = Model()
    inner = lambda y: y + 11
    return helper(x) * scale + shift + cached(x) + model.step() + math.sqrt(KNOWN["b"][0]) + inner(x)
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x + LIMIT", "x - LIMIT"),
        ("LIMIT = 3", "LIMIT = 4"),
        ('"b": [1, 2]', '"b": [1, 3]'),
        ("{3, 4}", "{3, 5}"),
        ("scale=2", "scale=3"),
        ("shift=0", "shift=1"),
        ("x * 7", "x * 8"),
        ("rate = 0.1", "rate = 0.2"),
        ("return 1\n", "return 2\n"),
        ("2 * self.rate", "3 * self.rate"),
        ("return 5", "return 6"),
        ("y + 11", "y + 12"),
        ("math.sqrt", "math.exp"),
    ],
)
def test_code_that_is_reached_counts(tmp_path: Path, old: str, new: str) -> None:
    """The function, its defaults, its helpers, their data, and the classes that it makes with their bases."""
    assert old in SOURCE
    assert digest(tmp_path, SOURCE) != digest(tmp_path, SOURCE.replace(old, new))


def test_what_does_not_change_the_result_does_not_count(tmp_path: Path) -> None:
    """Comments, blank lines, the file's name, and functions that are not reached."""
    other = (
        "# a comment\n\n" + SOURCE.replace("return helper", "# another\n    return helper") + "\ndef g(): return 1\n"
    )
    assert digest(tmp_path, SOURCE) == digest(tmp_path, other)


def _in_every_process(folder: Path, program: str) -> set[bytes]:
    return {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=folder,
            env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(folder)},
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in (1, 2, 3)
    }


STABLE = """
import collections, dataclasses, enum, functools, itertools
WORDS = {'ab', 'cd', 'ef', 'gh'}
def words(x): return x in {'a', 'b', 'c', 'd', 'e'} or x in WORDS
def one(): return 1
def two(): return 2
def three(): return 3
KEYED = {one: 1, two: {three, one}, (1, 2): 3}
def keyed(x): return KEYED[x]
@dataclasses.dataclass
class Tagged:
    tags: set
    more: object = None
TAGGED = Tagged({'a', 'b', 'c', 'dd', 'e'}, Tagged({one, two}, {'k': 'a b', 'l': 'a b'}))
def tagged(x): return TAGGED
class Plain: pass
INSTANCE = Plain()
BY_INSTANCE = {INSTANCE: {Plain, Tagged}, one: frozenset({INSTANCE, two})}
def by_instance(x): return BY_INSTANCE
Pair = collections.namedtuple('Pair', 'a b')
PAIR = Pair(1, {'x', 'y', 'z'})
def pair(x): return PAIR
ORDERED = collections.OrderedDict(k={'p', 'q', 'r'}, f=lambda: {'u', 'v'})
def ordered(x): return ORDERED
class Kind(enum.Enum):
    A = 1
def kind(x): return Kind.A, Kind('A')
"""


@pytest.mark.parametrize("name", ["words", "keyed", "tagged", "by_instance", "pair", "ordered", "kind"])
def test_digests_are_the_same_in_every_process(tmp_path: Path, name: str) -> None:
    """Sets have another order in each, and objects another address; the digest is the same."""
    (tmp_path / "stable.py").write_text(STABLE)
    program = (
        "import stable\nfrom sciflow.planning.code_digest import function_digest\n"
        f"print(function_digest(stable.{name}))"
    )
    assert len(_in_every_process(tmp_path, program)) == 1


DIFFERENT = {
    "nested dictionaries": (
        "C = {'model': {'lr': 0.1}, 'steps': 10}\ndef f(x): return C",
        "C = {'model': {'lr': 0.1, 'steps': 10}}\ndef f(x): return C",
    ),
    "nested lists": ("C = [1, [2], 3]\ndef f(x): return C", "C = [1, [2, 3]]\ndef f(x): return C"),
    "nested tuples": ("def f(x): return x in (1, (2,), 3)", "def f(x): return x in (1, (2, 3))"),
    "which of two": (
        "def a(x): return 1\ndef b(x): return 2\nchosen = a\ndef f(x): return a, b, chosen(x)",
        "def a(x): return 1\ndef b(x): return 2\nchosen = b\ndef f(x): return a, b, chosen(x)",
    ),
    "what is tried": (
        "def a(): 0\ndef b(): 0\ndef f(x):\n try:\n  a()\n  b()\n except ValueError: pass\n",
        "def a(): 0\ndef b(): 0\ndef f(x):\n try:\n  a()\n except ValueError: pass\n else:\n  b()\n",
    ),
    "stars": ("def f(*a): return 1", "def f(**a): return 1"),
    "keyword only": ("def f(a, b): return 1", "def f(a, *, b): return 1"),
    "positional only": ("def f(a, b): return 1", "def f(a, /, b): return 1"),
    "wrapper": (
        "class A:\n  @staticmethod\n  def g(x): return x\ndef f(x): return A.g(1)",
        "class A:\n  @classmethod\n  def g(x): return x\ndef f(x): return A.g(1)",
    ),
    "an object that holds a function": (
        "class H:\n  def __init__(s, g): s.g = g\ndef a(x): return 1\nh = H(a)\ndef f(x): return h.g(x)",
        "class H:\n  def __init__(s, g): s.g = g\ndef a(x): return 2\nh = H(a)\ndef f(x): return h.g(x)",
    ),
    "a dictionary of another kind": (
        "import collections\ndef a(x): return 1\nh = collections.OrderedDict(a=a)\ndef f(x): return h['a'](x)",
        "import collections\ndef a(x): return 2\nh = collections.OrderedDict(a=a)\ndef f(x): return h['a'](x)",
    ),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_is_different_has_another_digest(tmp_path: Path, name: str) -> None:
    """Where members end, what is repeated, and how a function is called all count."""
    one, other = DIFFERENT[name]
    assert digest(tmp_path, one) == digest(tmp_path, one)
    assert digest(tmp_path, one) != digest(tmp_path, other)


def test_closures_partials_and_methods_are_looked_into() -> None:
    """What they hold makes them different."""

    def made(value: Any) -> Any:
        return lambda: value

    class Model:
        def __init__(self, rate: float) -> None:
            self.rate = rate

        def fit(self) -> float:
            return self.rate

    def power(x: float, n: int) -> float:
        return x**n

    def recursive(n: int) -> int:
        return recursive(n - 1) if n else 0

    assert function_digest(made(1)) == function_digest(made(1))
    assert function_digest(made(1)) != function_digest(made(2))
    assert function_digest(made(np.arange(3))) != function_digest(made(np.arange(3.0)))
    assert function_digest(functools.partial(power, n=2)) != function_digest(functools.partial(power, n=3))
    assert function_digest(Model(1).fit) == function_digest(Model(1).fit)
    assert function_digest(Model(1).fit) != function_digest(Model(2).fit)
    assert function_digest(recursive) == function_digest(recursive)


def test_installed_packages_count_by_name() -> None:
    """A function of the standard library is what its name says."""
    assert function_digest(itertools.chain) != function_digest(itertools.count)
    assert function_digest(os.path.join) == function_digest(os.path.join)


IMPORTS = {
    "program.py": (
        "import lib, pkg\nfrom pkg import loaded\ndef via_module(x): return lib.g(x)\n"
        "def via_package(x): return pkg.phys.g(x)\n"
        "def inside(x):\n    def inner():\n        from lazy import g\n        return g(x)\n    return inner()\n"
        "def named(x): return loaded(x)\n"
    ),
    "lib.py": "from deep import g\n",
    "deep.py": "import json\ndef g(x): return x\n",
    "pkg/__init__.py": "from .chosen import loaded\nfrom . import phys\n",
    "pkg/chosen.py": "def loaded(x): return x\n",
    "pkg/phys.py": "from . import base\ndef g(x): return base.g(x)\n",
    "pkg/base.py": "def g(x): return x\n",
    "lazy.py": "import deeper\ndef g(x): return x\n",
    "deeper.py": "",
    "aside.py": "",
}


def _write(folder: Path) -> None:
    for name, text in IMPORTS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


def _answer(folder: Path, name: str, what: str) -> str:
    program = (
        f"import program\nfrom sciflow.planning.code_digest import *\nanswer = {what}(program.{name})\n"
        "print(answer if isinstance(answer, str) else ' '.join(sorted(answer)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("function", "file", "counts"),
    [
        ("via_module", "lib.py", True),
        ("via_module", "deep.py", True),
        ("via_module", "pkg/phys.py", False),
        ("via_package", "pkg/phys.py", True),
        ("via_package", "pkg/base.py", True),
        ("via_package", "deep.py", False),
        ("inside", "lazy.py", True),
        ("inside", "deeper.py", True),
        ("inside", "lib.py", False),
        ("named", "pkg/chosen.py", False),
    ],
)
def test_imports_are_followed(tmp_path: Path, function: str, file: str, counts: bool) -> None:
    """A module counts with all that it imports, also one that is imported by the function; other modules do not."""
    _write(tmp_path)
    before = _answer(tmp_path, function, "function_digest")
    with (tmp_path / file).open("a") as out:
        out.write("# more\nMORE = 1\n")
    assert (_answer(tmp_path, function, "function_digest") != before) == counts


@pytest.mark.parametrize(
    ("function", "reached"),
    [
        ("via_module", "deep lib program"),
        ("via_package", "pkg pkg.base pkg.chosen pkg.phys program"),
        ("inside", "deeper lazy program"),
        ("named", "pkg.chosen program"),
    ],
)
def test_the_modules_that_are_reached_are_known(tmp_path: Path, function: str, reached: str) -> None:
    """The project's own, in which a function is, or whose names it uses; nothing that is installed."""
    _write(tmp_path)
    assert _answer(tmp_path, function, "reached_modules") == reached


def test_installed_functions_reach_no_module() -> None:
    """Their code is not the project's."""
    assert reached_modules(np.mean) == {}
    assert reached_modules(os.path.join) == {}
