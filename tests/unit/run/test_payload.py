"""How a function gets to the node: what runs there is what was meant here."""

import functools
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
import textwrap
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import WorkflowError
from sciflow.run.payload import import_path, write_payload

CALL = """
import importlib, json, pickle, sys
payload, folder = json.loads(sys.argv[1]), sys.argv[2]
sys.path[:0] = payload["path"]
if "pickle" in payload:
    function = pickle.load(open(f"{folder}/{payload['pickle']}", "rb"))
else:
    function = importlib.import_module(payload["module"])
    for part in payload["qualname"].split("."):
        function = getattr(function, part)
print(json.dumps(function(3)))
"""


@pytest.fixture
def call_elsewhere(tmp_path: Path) -> Callable[..., Any]:
    """Return a function that stores a function, and calls it with 3 in an interpreter of its own, far from here."""
    folder = tmp_path / "run"
    (folder / "code").mkdir(parents=True)

    def call(function: Callable[..., Any], directory: Path = tmp_path) -> Any:
        payload = write_payload(function, "task", folder, directory)
        # The path of this process holds the tests' own folders, which a node may lack.
        payload["path"] = [one for one in payload["path"] if Path(one) == directory.resolve()]
        command = [sys.executable, "-c", CALL, json.dumps(payload), str(folder)]
        answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        assert answer.returncode == 0, answer.stderr
        return payload, json.loads(answer.stdout)

    return call


def load_by_hand(path: Path, name: str) -> types.ModuleType:
    """Load a file as a module that no import would find, as test runners and notebooks do."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


PROGRAM = """
FACTOR = 10

def inner(x):
    return FACTOR * x

def outer(x):
    return inner(x) + 1

class Model:
    def __init__(self, offset):
        self.offset = offset
    def __call__(self, x):
        return x + self.offset
    def method(self, x):
        return inner(x) + self.offset
    @staticmethod
    def fixed(x):
        return -x
"""


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """Return a module that lies beside the workflow and was imported from there."""
    (tmp_path / "beside_the_workflow.py").write_text(PROGRAM)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "beside_the_workflow", raising=False)
    return importlib.import_module("beside_the_workflow")


def test_a_module_beside_the_workflow_is_imported_there(
    call_elsewhere: Callable[..., Any], beside: types.ModuleType, tmp_path: Path
) -> None:
    """What can be imported is named, not copied; its source is kept for the reader."""
    payload, result = call_elsewhere(beside.outer)
    assert (payload["module"], payload["qualname"]) == ("beside_the_workflow", "outer")
    assert result == 31
    assert (tmp_path / "run" / "code" / "task.py").read_text().startswith("def outer(x):")


def test_a_static_method_is_imported_by_its_full_name(
    call_elsewhere: Callable[..., Any], beside: types.ModuleType
) -> None:
    """A name with dots is followed."""
    payload, result = call_elsewhere(beside.Model.fixed)
    assert payload["qualname"] == "Model.fixed"
    assert result == -3


def test_an_installed_function_is_imported(call_elsewhere: Callable[..., Any]) -> None:
    """The standard library is named like any other module."""
    payload, result = call_elsewhere(textwrap.shorten.__globals__["re"].escape.__globals__["_special_chars_map"].get)
    assert "pickle" in payload
    assert result is None
    assert "module" in call_elsewhere(json.dumps)[0]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda module: lambda x: x * 2, 6),
        (lambda module: functools.partial(module.outer), 31),
        (lambda module: module.Model(100), 103),
        (lambda module: module.Model(100).method, 130),
        (lambda module: lambda x: module.outer(x), 31),
    ],
    ids=["lambda", "partial", "callable object", "bound method", "closure over a module"],
)
def test_what_has_no_name_is_pickled(
    call_elsewhere: Callable[..., Any], beside: types.ModuleType, make: Callable[..., Any], expected: int
) -> None:
    """Lambdas, closures, partial and bound functions are stored; modules that they use are imported there."""
    payload, result = call_elsewhere(make(beside))
    assert payload["pickle"] == "code/task.pickle"
    assert result == expected


@pytest.mark.parametrize("name", ["loaded_by_hand", "tests.unit.loaded_by_hand", "sciflow_workflow_program"])
def test_a_module_that_no_import_finds_is_stored_whole(
    call_elsewhere: Callable[..., Any], tmp_path: Path, name: str
) -> None:
    """A module that was loaded from a file under some name is not looked for on the node under that name."""
    folder = tmp_path / "somewhere"
    folder.mkdir()
    (folder / "program.py").write_text(PROGRAM)
    module = load_by_hand(folder / "program.py", name)
    try:
        payload, result = call_elsewhere(module.outer)
        assert "pickle" in payload
        assert result == 31
        assert call_elsewhere(module.Model(5))[1] == 8
    finally:
        del sys.modules[name]


def test_a_module_of_the_same_name_is_no_substitute(
    call_elsewhere: Callable[..., Any], beside: types.ModuleType, tmp_path: Path
) -> None:
    """Where an import would find another file, the function that was meant is stored."""
    other = tmp_path / "other.py"
    other.write_text(PROGRAM.replace("+ 1", "+ 2"))
    module = load_by_hand(other, "beside_the_workflow")
    payload, result = call_elsewhere(module.outer)
    assert "pickle" in payload
    assert result == 32


def test_a_function_that_was_replaced_is_stored(
    call_elsewhere: Callable[..., Any], beside: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the name means now is not what was given, so the function itself goes along."""
    original = beside.outer
    monkeypatch.setattr(beside, "outer", lambda x: "another")
    payload, result = call_elsewhere(original)
    assert "pickle" in payload
    assert result == 31


def test_what_lives_in_this_process_only_is_refused(tmp_path: Path) -> None:
    """A function that holds a lock or an open file names its task and says what to do."""
    (tmp_path / "code").mkdir()
    lock = threading.Lock()
    with pytest.raises(WorkflowError, match="the function of task `train` cannot be stored: TypeError") as caught:
        write_payload(lambda x: lock, "train", tmp_path, tmp_path)
    assert "open it inside the function" in caught.value.hint


def test_a_function_without_source_is_stored(call_elsewhere: Callable[..., Any], tmp_path: Path) -> None:
    """What was typed at a prompt has no source to keep, and runs all the same."""
    space: dict[str, Any] = {"__name__": "__main__"}
    exec("base = 4\ndef typed(x):\n    return base ** x", space)
    assert call_elsewhere(space["typed"])[1] == 64
    assert not (tmp_path / "run" / "code" / "task.py").exists()


def test_the_import_path_is_the_projects_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workflow's folder first, then what the user has added; nothing that is installed, nothing twice."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lib").mkdir()
    monkeypatch.setattr(sys, "path", ["", str(tmp_path / "lib"), str(tmp_path / "gone"), "lib", os.__file__, *sys.path])
    found = import_path(tmp_path / "lib" / "..")
    assert found[:2] == [str(tmp_path), str(tmp_path / "lib")]
    assert len(found) == len(set(found))
    assert not {sysconfig.get_paths()[kind] for kind in ("stdlib", "platstdlib", "purelib", "platlib")} & set(found)


def test_the_modules_are_noted_by_their_bytes(beside: types.ModuleType, tmp_path: Path) -> None:
    """Those that the node imports: not the workflow's own program, nor what is installed."""
    (tmp_path / "code").mkdir()
    text = "import beside_the_workflow, json\ndef f(x):\n    return json.dumps(beside_the_workflow.inner(x))\n"
    (tmp_path / "program.py").write_text(text)
    program = load_by_hand(tmp_path / "program.py", "sciflow_workflow_program")
    try:
        stored = write_payload(program.f, "task", tmp_path, tmp_path)["modules"]
    finally:
        del sys.modules["sciflow_workflow_program"]
    assert stored == {str(tmp_path / "beside_the_workflow.py"): hashlib.sha256(PROGRAM.encode()).hexdigest()}
    assert write_payload(beside.outer, "task", tmp_path, tmp_path)["modules"] == stored
    assert write_payload(json.dumps, "task", tmp_path, tmp_path)["modules"] == {}
