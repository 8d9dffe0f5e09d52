"""Commands under bash, and what is taken from what they left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest

if TYPE_CHECKING:
    from shim.conftest import Prepare, PreparedRun


def run_command(prepare: Prepare, command: str, **details: Any) -> PreparedRun:
    """Run a task of one command, once for each value of `x`."""
    parameters = details.pop("parameters", {})
    run = prepare("", {"name": "work", "command": command, **details}, parameters=parameters)
    run.execute()
    return run


def extract(prepare: Prepare, command: str, **rule: Any) -> tuple[Any, str]:
    """Take one metric, and give it with the error where there is none."""
    run = run_command(prepare, command, extract={"m": rule})
    facts = run.facts()
    return (run.results()["m"], "") if facts["state"] == "COMPLETED" else (None, facts["error"])


@pytest.mark.parametrize(
    ("printed", "rule", "expected"),
    [
        ("E = -1.5e3", {"stdout": r"E = (\S+)"}, -1500.0),
        ("E = 1.5D+03", {"stdout": r"E = (\S+)"}, 1500.0),
        ("E =  -2.d0  Ry", {"stdout": r"E =(.*)Ry"}, -2.0),
        ("E = .5d-1", {"stdout": r"E = (\S+)"}, 0.05),
        ("E = 1D3", {"stdout": r"E = (\S+)", "type": "str"}, "1D3"),
        ("E = 1\\nE = 2\\n", {"stdout": r"E = (\S+)"}, 2.0),
        ("a=1 a=3", {"stdout": r"a=(\d)", "type": "int"}, 3),
        ("done in 12 s", {"stdout": r"\d+", "type": "int"}, 12),
        ("n=3.0", {"stdout": r"n=(\S+)", "type": "float"}, 3.0),
        ("ok: Yes", {"stdout": r"ok: (\w+)", "type": "bool"}, True),
        ("ok: false", {"stdout": r"ok: (\w+)", "type": "bool"}, False),
        ("phase=liquid", {"stdout": r"phase=(\w+)", "type": "str"}, "liquid"),
        ("x=nan", {"stdout": r"x=(\S+)", "type": "str"}, "nan"),
        ("\\xff\\xfe x=7", {"stdout": r"x=(\d)", "type": "int"}, 7),
    ],
)
def test_a_metric_is_taken_from_what_was_printed(
    prepare: Prepare, printed: str, rule: dict[str, Any], expected: Any
) -> None:
    """The last match counts, its group if there is one, in the type that was asked for."""
    found, error = extract(prepare, f"printf '{printed}'", **rule)
    assert error == ""
    assert found == expected
    assert type(found) is type(expected)


def test_what_goes_to_standard_error_counts_as_printed(prepare: Prepare) -> None:
    """Programs print results there, too."""
    assert extract(prepare, "echo m=1 >&2", stdout=r"m=(\d)") == (1.0, "")


@pytest.mark.parametrize(
    ("printed", "kind"),
    [("1.5", "int"), ("abc", "float"), ("maybe", "bool"), ("1e3", "int"), ("", "int"), ("1D", "float")],
)
def test_a_wrong_type_is_an_error(prepare: Prepare, printed: str, kind: str) -> None:
    """The error names the metric, what was found and what it should be."""
    _, error = extract(prepare, f"echo 'v={printed};'", stdout=r"v=(.*);", type=kind)
    assert error == f"metric `m` is '{printed}', which is no {kind}"


def test_no_match_is_an_error(prepare: Prepare) -> None:
    """The error names the pattern and where it was looked for."""
    assert extract(prepare, "echo nothing", stdout=r"E=(\S+)")[1] == r"nothing in what it printed matches `E=(\S+)`"
    found = extract(prepare_again(prepare), "echo nothing > a.log", log="a.log", pattern="E")
    assert found[1] == "nothing in `a.log` matches `E`"


def prepare_again(prepare: Prepare) -> Prepare:
    """Give a `prepare` that makes a second run beside the first."""
    return lambda *arguments, **named: prepare(*arguments, **named, name="again")


@pytest.mark.parametrize(
    ("text", "rule", "expected"),
    [
        ("E 0.1D+01\nE 0.2D+01\n", {"log": "f", "pattern": r"E (\S+)"}, 2.0),
        ('{"a": ["1d0", "-2.5D-1", 3]}', {"json": "f", "key": "a"}, [1.0, -0.25, 3.0]),
        ("x, y\n1, 0.1D+01\n3, 0.2D+01\n", {"csv": "f", "column": "y", "row": "all"}, [1.0, 2.0]),
        ("T 1\nT 2\n", {"log": "f", "pattern": r"T (\d)"}, 2.0),
        ('{"a": {"b": [1, 2.5]}}', {"json": "f", "key": "a.b.1"}, 2.5),
        ('{"a": [1, 2]}', {"json": "f", "key": "a", "type": "int"}, [1, 2]),
        ('{"a": true}', {"json": "f", "key": "a", "type": "bool"}, True),
        ("x,y\n1,2\n3,4\n", {"csv": "f", "column": "y"}, 4.0),
        ("x, y\n1, 2\n3, 4\n", {"csv": "f", "column": "y", "row": "first"}, 2.0),
        ("x,y\n1,2\n3,4\n", {"csv": "f", "column": "x", "row": "all"}, [1.0, 3.0]),
        ("x,y\n1,2\n3,4\n5,6\n", {"csv": "f", "column": "x", "row": 1, "type": "int"}, 3),
        ("x\na\n", {"csv": "f", "column": "x", "row": -1, "type": "str"}, "a"),
    ],
)
def test_a_metric_is_taken_from_a_file(
    prepare: Prepare, tmp_path: Path, text: str, rule: dict[str, Any], expected: Any
) -> None:
    """A log by pattern, JSON by key, CSV by column and row."""
    (tmp_path / "source").write_text(text)
    assert extract(prepare, f"cp {tmp_path}/source f", **rule) == (expected, "")


@pytest.mark.parametrize(
    ("text", "rule", "error"),
    [
        (None, {"log": "f", "pattern": "a"}, "No such file"),
        (None, {"json": "f", "key": "a"}, "No such file"),
        (None, {"csv": "f", "column": "a"}, "No such file"),
        (None, {"hdf5": "f", "dataset": "a"}, "No such file"),
        ("{", {"json": "f", "key": "a"}, "Expecting"),
        ("{}", {"json": "f", "key": "a.b"}, "`f` has no `a.b`"),
        ('{"a": [1]}', {"json": "f", "key": "a.7"}, "`f` has no `a.7`"),
        ('{"a": null}', {"json": "f", "key": "a"}, "metric `m` is None, which is no float"),
        ('{"a": 1.5}', {"json": "f", "key": "a", "type": "int"}, "metric `m` is 1.5, which is no int"),
        ("", {"csv": "f", "column": "a"}, "`f` has no column `a`"),
        ("x,y\n1,2\n", {"csv": "f", "column": "z"}, "`f` has no column `z` but ['x', 'y']"),
        ("x,y\n", {"csv": "f", "column": "x"}, "`f` has 0 rows, no row last"),
        ("x,y\n1,2\n", {"csv": "f", "column": "x", "row": 5}, "`f` has 1 rows, no row 5"),
        ("x,y\n1\n", {"csv": "f", "column": "y"}, "metric `m` is None, which is no float"),
        ("no hdf5", {"hdf5": "f", "dataset": "a"}, "file signature not found"),
    ],
)
def test_a_file_without_the_value_is_an_error(
    prepare: Prepare, tmp_path: Path, text: str | None, rule: dict[str, Any], error: str
) -> None:
    """What is missing is named, and fails the index although the command ended well."""
    if text is not None:
        (tmp_path / "source").write_text(text)
    found, message = extract(prepare, "true" if text is None else f"cp {tmp_path}/source f", **rule)
    assert found is None
    assert error in message


def test_metrics_are_taken_from_hdf5(prepare: Prepare, tmp_path: Path) -> None:
    """Numbers, arrays and texts by their path."""
    with h5py.File(tmp_path / "source.h5", "w") as file:
        file["run/energy"] = -1.5
        file["run/series"] = np.arange(3)
    rules = {
        "energy": {"hdf5": "out.h5", "dataset": "run/energy"},
        "series": {"hdf5": "out.h5", "dataset": "run/series", "type": "int"},
    }
    run = run_command(prepare, f"cp {tmp_path}/source.h5 out.h5", extract=rules)
    assert run.results() == {"energy": -1.5, "series": [0, 1, 2]}


def test_a_dataset_that_is_not_there_is_an_error(prepare: Prepare, tmp_path: Path) -> None:
    """The error names it."""
    h5py.File(tmp_path / "source.h5", "w").close()
    found = extract(prepare, f"cp {tmp_path}/source.h5 f", hdf5="f", dataset="a/b")
    assert found == (None, "`f` has no dataset `a/b`")


def test_outputs_become_artifacts(prepare: Prepare) -> None:
    """Files and folders that a command promises are in its record."""
    run = run_command(prepare, "mkdir d; echo hi > d/a; echo x > out", outputs=["out", "d"])
    found = run.results()
    assert (found["out"].read_text(), (found["d"] / "a").read_text()) == ("x\n", "hi\n")


def test_a_missing_output_fails(prepare: Prepare) -> None:
    """A promise that is not kept is no success, even with exit code 0."""
    facts = run_command(prepare, "true", outputs=["out"]).facts()
    assert (facts["state"], facts["exit_code"]) == ("FAILED", 0)
    assert facts["error"] == "the command ended well, but its output `out` is not there"


def test_a_command_finds_its_parameters(prepare: Prepare) -> None:
    """As variables under their names, as variables of sciflow's, and in a file."""
    value = "a 'b' \"$(id)\" ü\n"
    run = prepare(
        "",
        {"name": "work", "command": 'printf "%s|%s|%s" {{ x }} "$x" "$SCIFLOW_PARAMETER_x"; echo "$PATH" > {{ PATH }}'},
        parameters={"x": [value], "PATH": ["seen"]},
    )
    run.execute()
    assert run.log() == "|".join([value] * 3)
    work = next((run.path / "work" / "work").iterdir())
    assert json.loads((work / "parameters.json").read_text()) == {"x": value, "PATH": "seen"}
    assert "/bin" in (work / "seen").read_text()


def test_a_command_finds_the_results_before_it(prepare: Prepare) -> None:
    """Metrics as variables and in a file, outputs by their path, in decks too; arrays stay in the record."""
    run = prepare(
        """
import numpy
def first(x): return {"y": 2 * x, "flag": True, "a": numpy.zeros(2), "l": [1, 2]}
""",
        {"name": "first", "python": "first"},
        {"name": "made", "command": "echo {{ x }} > 'the file'", "outputs": ["the file"]},
        {
            "name": "work",
            "command": "cat {{ inputs.made['the file'] }}; echo {{ inputs.first.y }}; cp inputs.json copy.json; "
            "echo {{ inputs.first.flag }}",
            "depends_on": ["first", "made"],
        },
        parameters={"x": [21]},
    )
    for task in ("first", "made", "work"):
        assert run.execute(task).returncode == 0
    assert run.log() == "21\n42\ntrue\n"
    work = next((run.path / "work" / "work").iterdir())
    found = json.loads((work / "copy.json").read_text())
    assert found["first"] == {"y": 42, "flag": True, "a": "<ndarray>", "l": [1, 2]}


def test_results_with_names_that_look_alike_are_told_apart(prepare: Prepare) -> None:
    """`best_loss` of `train` is not `loss` of `train_best`; what is not asked for is not handed over."""
    run = prepare(
        """
def train(x): return {"best_loss": 1, "trace": [0.123456789] * 20000}
def train_best(x): return {"loss": 2}
""",
        {"name": "train", "python": "train"},
        {"name": "train_best", "python": "train_best"},
        {
            "name": "work",
            "command": "echo {{ inputs.train.best_loss }} {{ inputs.train_best.loss }}; env | grep -c ^SCIFLOW_INPUT_",
            "depends_on": ["train", "train_best"],
        },
        parameters={"x": [1]},
    )
    for task in ("train", "train_best", "work"):
        run.execute(task)
    assert run.log() == "1 2\n2\n"


@pytest.mark.parametrize(
    ("command", "deck", "error"),
    [
        ("echo [{{ inputs.first.accuracy }}]", "", "task first returned no accuracy"),
        ("echo '[{{ inputs.first.accuracy }}]'", "", "task first returned no accuracy"),
        (
            "cat in.txt",
            "a = {{ inputs.first.accuracy }}",
            "`in.txt` cannot be written: task first returned no accuracy",
        ),
        (
            "echo {{ inputs.first.many }}",
            "",
            "result `many` of task `first` is a list: commands get single values only",
        ),
        ("cat in.txt", "a = {{ inputs.first.a }}", "result `a` of task `first` is a ndarray"),
    ],
)
def test_a_result_that_is_not_there_fails(
    prepare: Prepare, tmp_path: Path, command: str, deck: str, error: str
) -> None:
    """A typo is no empty text, and a list or array no argument."""
    (tmp_path / "deck.j2").write_text(deck)
    run = prepare(
        "import numpy\ndef first(x): return {'y': 1, 'many': [1, 2], 'a': numpy.zeros(2)}",
        {"name": "first", "python": "first"},
        {
            "name": "work",
            "command": command,
            "depends_on": ["first"],
            **({"files": {"in.txt": "deck.j2"}} if deck else {}),
        },
        parameters={"x": [1]},
    )
    run.execute("first")
    assert run.execute().returncode == 1
    assert run.facts()["state"] == "FAILED"
    assert error in run.facts()["error"]


def test_a_command_that_gathers_gets_rows(prepare: Prepare) -> None:
    """Results over an axis come with the parameters of each."""
    run = prepare(
        "def first(x): return {'y': 2 * x}",
        {"name": "first", "python": "first"},
        {"name": "work", "command": "cp inputs.json {{ inputs | length }}.json", "depends_on": ["first"], "over": "x"},
        parameters={"x": [1, 2]},
    )
    for index in (0, 1):
        run.execute("first", index)
    assert run.execute().returncode == 0
    work = next((run.path / "work" / "work").iterdir())
    rows = json.loads((work / "1.json").read_text())["first"]
    assert rows == [{"parameters": {"x": 1}, "results": {"y": 2}}, {"parameters": {"x": 2}, "results": {"y": 4}}]


def test_decks_are_written_first(prepare: Prepare, tmp_path: Path) -> None:
    """Input decks are there, in their folders, when the command starts."""
    (tmp_path / "deck.j2").write_text("x = {{ x }}\nhome = {{ workflow_dir }}\n")
    task = {"name": "work", "command": "cat sub/run.in", "files": {"sub/run.in": "deck.j2"}}
    run = prepare("", task, parameters={"x": [1.5]})
    run.execute()
    assert run.log() == f"x = 1.5\nhome = {tmp_path}\n"


@pytest.mark.parametrize(
    ("command", "code"),
    [("false; echo on", 1), ("false | true", 1), ("exit 7", 7), ("no_such_program", 127), ("if", 2)],
)
def test_a_line_that_fails_ends_the_command(prepare: Prepare, command: str, code: int) -> None:
    """Nothing goes on after a failure, in a pipe neither."""
    run = run_command(prepare, command)
    assert (run.facts()["state"], run.facts()["exit_code"]) == ("FAILED", code)
    assert "on" not in run.log().split()


def test_the_last_line_printed_is_in_the_error(prepare: Prepare) -> None:
    """Who reads the status sees what the program had to say."""
    facts = run_command(prepare, "echo fine; echo 'lattice is singular' >&2; exit 3").facts()
    assert facts["error"] == "ended with exit code 3; the last it printed: lattice is singular"


def test_a_very_long_command_runs(prepare: Prepare) -> None:
    """What is longer than one argument may be is handed over in another way."""
    text = "x" * 300_000
    run = run_command(prepare, f"printf %s {text} | wc -c")
    assert run.log().strip() == "300000"


def test_the_environment_of_a_task_counts(prepare: Prepare) -> None:
    """What a task sets is set, whatever the parameters say."""
    task = {"name": "work", "command": "echo $MODE $x", "environment": {"MODE": "fast", "x": "set"}}
    run = prepare("", task, parameters={"x": [1]})
    run.execute()
    assert run.log() == "fast set\n"


def test_programs_in_a_pipe_end_quietly(prepare: Prepare) -> None:
    """A program whose reader has gone is ended by the kernel, as at a prompt."""
    run = run_command(prepare, "set +o pipefail; yes | head -n 1")
    assert (run.facts()["state"], run.log()) == ("COMPLETED", "y\n")
