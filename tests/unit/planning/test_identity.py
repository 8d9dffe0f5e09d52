"""What a result depends on: digests of code and input files."""

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

from sciflow.errors import WorkflowError
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.identity import file_digests, function_digest, recipes
from sciflow.planning.uses import find_uses

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


def test_digests_are_the_same_in_every_process(tmp_path: Path) -> None:
    """Sets have another order in each; the digest has not."""
    (tmp_path / "sets.py").write_text(
        "WORDS = {'ab', 'cd', 'ef', 'gh'}\ndef f(x): return x in {'a', 'b', 'c', 'd', 'e'} or x in WORDS\n"
    )
    program = "import sets\nfrom sciflow.planning.identity import function_digest\nprint(function_digest(sets.f))"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in range(3)
    }
    assert len(found) == 1


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


def test_files_are_digested_by_their_bytes(tmp_path: Path) -> None:
    """A folder by all files in it; one that is missing is named."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"1")
    found = file_digests(["data", "b"], tmp_path)
    assert list(found) == [str(tmp_path / "data" / "a"), str(tmp_path / "b")]
    assert len(set(found.values())) == 1
    with pytest.raises(WorkflowError, match="the input `c` cannot be read: No such file or directory: "):
        file_digests(["c"], tmp_path)


def _recipes(folder: Path, **changes: Any) -> dict[str, str]:
    details: dict[str, Any] = {"command": "bash {{ workflow_dir }}/a.sh {{ x }}", "inputs": ["b"], **changes}
    workflow = ExperimentalWorkflow("w", folder)
    workflow.add_parameter_space({"x": [1]})
    workflow.add_task("one", **details)
    workflow.add_task("two", command="true", depends_on="one")
    workflow.add_task("other", command="true")
    return recipes(find_uses(workflow), folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"command": "bash {{ workflow_dir }}/a.sh -v {{ x }}"},
        {"environment": {"A": "1"}},
        {"outputs": ["o"]},
        {"success": "x > 0"},
        {"missing": "skip"},
        {"files": {"in": "deck.j2"}},
        {"extract": {"m": {"stdout": "x"}}},
        {"inputs": []},
    ],
)
def test_a_recipe_is_that_of_the_task_and_of_all_before_it(tmp_path: Path, changes: Any) -> None:
    """A change reaches the tasks that read the changed one, and no other."""
    for name in ("a.sh", "b", "deck.j2"):
        (tmp_path / name).write_text("1")
    before, after = _recipes(tmp_path), _recipes(tmp_path, **changes)
    assert before == _recipes(tmp_path)
    assert (before["one"] != after["one"], before["two"] != after["two"]) == (True, True)
    assert before["other"] == after["other"]


@pytest.mark.parametrize("name", ["a.sh", "b"])
def test_files_that_a_task_reads_belong_to_its_recipe(tmp_path: Path, name: str) -> None:
    """Inputs that are declared, and programs beside the workflow that the command names."""
    for one in ("a.sh", "b"):
        (tmp_path / one).write_text("1")
    before = _recipes(tmp_path)
    (tmp_path / name).write_text("2")
    assert _recipes(tmp_path)["two"] != before["two"]
