"""The shim starts with the standard library alone, on Python 3.9."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sciflow_shim

FOLDER = Path(sciflow_shim.__file__).parent
FILES = sorted(FOLDER.glob("*.py"))
VERMIN = "from vermin import main; main()"
QUESTION = """
import sys
sys.path.insert(0, sys.argv[1])
import sciflow_shim.__main__
for name, module in list(sys.modules.items()):
    print(name.partition(".")[0], getattr(module, "__file__", None))
"""


def test_nothing_else_is_loaded() -> None:
    """A fresh interpreter without site-packages has all that it takes."""
    found = subprocess.run(
        [sys.executable, "-S", "-E", "-c", QUESTION, str(FOLDER.parent)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    names = {line.split()[0] for line in found.stdout.splitlines()}
    assert names - set(sys.stdlib_module_names) - {"__main__", "sciflow_shim"} == set()
    assert "sciflow_shim" in names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_is_python_3_9(path: Path) -> None:
    """What runs on the node parses with the Python of the node."""
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_annotations_are_not_evaluated(path: Path) -> None:
    """Newer types stand in annotations only, which Python 3.9 does not look at."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    defines = any(isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AnnAssign) for node in ast.walk(tree))
    assert imports or not defines


def younger_than_3_9(path: Path) -> str:
    """What of a file or folder needs a newer Python than 3.9: modules, functions, arguments, syntax."""
    command = [sys.executable, "-c", VERMIN, "--target=3.9-", "--no-tips", "--violations", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "Minimum required versions" in done.stdout, done.stdout + done.stderr
    return done.stdout if done.returncode else ""


def test_nothing_is_used_that_python_3_9_does_not_have() -> None:
    """No module, function or argument of the standard library is younger, also where it is imported late."""
    assert younger_than_3_9(FOLDER) == ""


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import tomllib", "'tomllib' module"),
        ("from itertools import pairwise", "'itertools.pairwise'"),
        ("x = list(zip([1], [2], strict=True))", "'zip(strict)'"),
        ("import sys\nx = sys.orig_argv", "'sys.orig_argv'"),
        ("import hashlib\ndef f(file): return hashlib.file_digest(file, 'md5')", "'hashlib.file_digest'"),
        ("match 1:\n    case 1: pass", "pattern matching"),
    ],
)
def test_what_is_too_young_would_be_found(tmp_path: Path, line: str, found: str) -> None:
    """The check sees modules, functions, arguments and syntax of Python 3.10 and later."""
    (tmp_path / "young.py").write_text(line + "\n")
    assert found in younger_than_3_9(tmp_path / "young.py")


def test_nothing_of_sciflow_is_imported() -> None:
    """The shim stands alone, also in what it imports late."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in names if name.partition(".")[0] == "sciflow"], path.name


def test_starting_is_cheap() -> None:
    """Modules that take long to import are not among those that every index loads."""
    found = subprocess.run(
        [sys.executable, "-S", "-E", "-c", QUESTION, str(FOLDER.parent)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    names = {line.split()[0] for line in found.stdout.splitlines()}
    assert not names & {"subprocess", "asyncio", "multiprocessing", "logging", "dataclasses", "argparse", "http", "ssl"}
