"""Functions get what they name, and every way in which they end is told."""

from __future__ import annotations

import hashlib
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sciflow_shim.function import _LATE, TRACEBACK_LIMIT, call_function, load_function
from sciflow_shim.inputs import FileChanged
from sciflow_shim.outcome import Outcome

if TYPE_CHECKING:
    from shim.conftest import Prepare, PreparedRun

FACTS = {
    "task": "work",
    "instance": "i",
    "run": "r",
    "array": "work.0",
    "index": 0,
    "attempt": 1,
    "seed": 3,
}


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Put back the signals that a context takes."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def call(run: PreparedRun, task: str = "work", index: int = 0, function: Any = None) -> tuple[Outcome, int]:
    """Call a task's function in this process."""
    array = run.array(task)
    return call_function(array, array.line(index), {**FACTS, "index": index}, str(run.path / "none"), function)


@pytest.mark.parametrize(
    ("signature", "expression", "expected"),
    [
        ("x", "x", 1),
        ("b, x", "[b, x]", ["t", 1]),
        ("x, /, b", "[x, b]", [1, "t"]),
        ("*, b", "b", "t"),
        ("params", "params", {"x": 1, "b": "t", "c": (1, 2)}),
        ("parameters", "sorted(parameters)", ["b", "c", "x"]),
        ("config", "config['b']", "t"),
        ("**kwargs", "sorted(kwargs)", ["b", "c", "x"]),
        ("x, **rest", "sorted(rest)", ["b", "c"]),
        ("context", "[context.seed, context.task]", [3, "work"]),
        ("ctx, x", "[ctx.index, x]", [0, 1]),
        ("c", "c", (1, 2)),
        ("x, other=9", "[x, other]", [1, 9]),
    ],
)
def test_a_function_gets_what_it_names(prepare: Prepare, signature: str, expression: str, expected: Any) -> None:
    """Parameters by name or all at once, positional or not, and the context."""
    program = f"def work({signature}): return {{'got': repr({expression})}}"
    run = prepare(program, parameters={"x": [1], "b": ["t"], "c": [{"tuple": [1, 2]}]})
    outcome, code = call(run)
    assert (code, outcome.error) == (0, {})
    assert outcome.metrics == {"got": repr(expected)}


def test_results_of_earlier_tasks_are_arguments(prepare: Prepare) -> None:
    """By the task's name, or all at once as a dict."""
    run = prepare(
        """
def first(x): return {"y": 10 * x}
def second(first): return {"z": first["y"] + 1, "parameters": first.parameters}
def third(inputs): return {"names": sorted(inputs), "sum": inputs["first"]["y"] + inputs["second"]["z"]}
""",
        {"name": "first", "python": "first"},
        {"name": "second", "python": "second", "depends_on": ["first"]},
        {"name": "third", "python": "third", "depends_on": ["first", "second"]},
        parameters={"x": [1, 2]},
    )
    for task in ("first", "second", "third"):
        assert run.execute(task, 1).returncode == 0
    assert run.results("second", 1) == {"z": 21, "parameters": {"x": 2}}
    assert run.results("third", 1) == {"names": ["first", "second"], "sum": 41}


@pytest.mark.parametrize(
    ("body", "kind", "message", "code"),
    [
        ("1 / 0", "ZeroDivisionError", "division by zero", 1),
        ("raise SystemExit", "SystemExit", "the function called sys.exit(None) instead of returning", 0),
        ("raise SystemExit(0)", "SystemExit", "the function called sys.exit(0) instead of returning", 0),
        ("raise SystemExit(3)", "SystemExit", "the function called sys.exit(3) instead of returning", 3),
        ("raise SystemExit('no')", "SystemExit", "the function called sys.exit('no') instead of returning", 1),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", "", 1),
        ("raise GeneratorExit('x')", "GeneratorExit", "x", 1),
        ("raise Mute", "Mute", "<its text cannot be made: RuntimeError>", 1),
        ("return {'a/b': 1}", "ValueError", "a result cannot be named 'a/b'", 1),
        ("return lambda: open", "", "", 0),
    ],
)
def test_every_end_is_told(prepare: Prepare, body: str, kind: str, message: str, code: int) -> None:
    """An exception of any kind becomes type, message and exit code."""
    run = prepare(f"""
class Mute(Exception):
    def __str__(self): raise RuntimeError
def work(): {body}
""")
    outcome, found = call(run)
    assert found == code
    assert outcome.error.get("type", "") == kind
    assert outcome.error.get("message", "").startswith(message)


def test_the_traceback_is_the_users(prepare: Prepare, capsys: pytest.CaptureFixture[str]) -> None:
    """It starts at the user's function, ends at the user's line, and is printed too."""
    run = prepare("def work(): return inner()\ndef inner():\n    raise KeyError('here')  # the line")
    outcome, _ = call(run)
    text = outcome.error["traceback"]
    assert "raise KeyError('here')  # the line" in text
    assert "sciflow_shim" not in text
    assert capsys.readouterr().err == text


def test_a_long_traceback_keeps_its_end(prepare: Prepare) -> None:
    """What a record keeps is bounded, and ends with the error."""
    outcome, _ = call(prepare("def work(): raise ValueError('x' * 100_000 + 'end')"))
    assert len(outcome.error["traceback"]) == TRACEBACK_LIMIT
    assert outcome.error["traceback"].endswith("end\n")
    assert len(outcome.error["message"]) == 2_000


@pytest.mark.parametrize("how", ["sys.stderr.close()", "sys.stderr = None", "sys.stderr = 5"])
def test_an_error_is_told_without_a_stream(prepare: Prepare, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that closed what it prints to still has its error in the outcome."""
    import io

    monkeypatch.setattr(sys, "stderr", io.StringIO())
    outcome, _ = call(prepare(f"import sys\ndef work():\n    {how}\n    raise ValueError('still')"))
    assert outcome.error["message"] == "still"


def test_a_pickled_function_is_loaded(prepare: Prepare) -> None:
    """What cannot be imported comes from its file."""
    run = prepare("def work(): return 5")
    array = run.array()
    (run.path / "code" / "work.pickle").write_bytes(pickle.dumps(max))
    array.task["function"] = {"pickle": "code/work.pickle", "path": []}
    assert load_function(array) is max


def test_code_that_has_changed_since_the_plan_is_not_run(prepare: Prepare) -> None:
    """What it gives would be kept under the recipe of the old code."""
    run = prepare("def work(): return 5")
    array = run.array()
    module = run.path.parent / "programs.py"
    array.task["function"]["modules"] = {str(module): hashlib.sha256(module.read_bytes()).hexdigest()}
    assert load_function(array)() == 5
    module.write_text("def work(): return 6")
    with pytest.raises(FileChanged, match=r"`programs\.py` has changed since the run was planned; put it back"):
        load_function(array)
    module.unlink()
    with pytest.raises(FileChanged, match=r"`programs\.py` cannot be read any more: No such file"):
        load_function(array)


def test_what_cannot_be_loaded_is_an_error_of_the_index(prepare: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that fails when it is imported fails each index, with its own words."""
    run = prepare("import os\nif 'NO_LICENCE' in os.environ:\n    raise OSError('no licence')\ndef work(): pass")
    sys.modules.pop("programs")
    monkeypatch.setenv("NO_LICENCE", "1")
    outcome, code = call(run)
    assert (code, outcome.error["type"], outcome.error["message"]) == (1, "OSError", "no licence")


def test_a_loaded_function_is_not_loaded_again(prepare: Prepare) -> None:
    """A fork server hands on what it has."""
    outcome, _ = call(prepare("def work(): return 1"), function=lambda: 2)
    assert outcome.metrics == {"result": 2}


def test_relative_paths_start_where_the_function_ran(prepare: Prepare, tmp_path: Path) -> None:
    """From the workflow's directory, or from the working directory once there is one."""
    run = prepare(
        """
from pathlib import Path
def work(x, context):
    folder = context.working_directory if x else Path()
    (folder / "out.txt").write_text("hi")
    return {"file": Path("out.txt")}
""",
        parameters={"x": [0, 1]},
    )
    for index in (0, 1):
        assert run.execute(index=index).returncode == 0
    assert run.results(index=0)["file"] == tmp_path / "out.txt"
    assert run.results(index=1)["file"].parent.parent == run.path / "work" / "work"


@pytest.mark.parametrize("name", sorted(_LATE))
def test_a_file_of_the_project_is_not_taken_for_one_of_pythons_own(prepare: Prepare, tmp_path: Path, name: str) -> None:
    """What the shim loads late is Python's own, whatever the project's files are called."""
    program = """
class Odd(dict): pass
def work(x, context):
    context.save_array("saved", [1.0, 2.0])
    if x: raise ValueError("on purpose")
    return {"list": [1, 2], "odd": {1: 2}}
"""
    run = prepare(program, parameters={"x": [0, 1]})
    (tmp_path / f"{name}.py").write_text("raise RuntimeError('a file of the project')")
    for index, code in ((0, 0), (1, 1)):
        command = run.command("work.0", str(index))  # from another folder: `-m` would look in this one first
        done = subprocess.run(command, env=run.environment, cwd=run.path, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
    assert run.results() == {"list": [1, 2], "odd": {1: 2}, "saved": [1.0, 2.0]}
    facts = run.facts(index=1)
    assert (facts["error_type"], facts["error"]) == ("ValueError", "on purpose")
    assert "on purpose" in facts["traceback"]
