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
