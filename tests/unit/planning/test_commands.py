"""The text of commands and input decks for each task instance."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import WorkflowError, WorkflowFileError
from sciflow.model.task import make_task
from sciflow.planning.commands import CommandTemplate, EarlierResults
from sciflow_shim import files

COMPILE = make_task("compile", None, "cc", (), {"outputs": ["ising"], "extract": {"size": {"stdout": "x"}}})
TRAIN = make_task("train-2", print, None, (), {})
HOSTILE = 'it\'s "$(touch hit)" `touch hit` \\ ; touch hit\n*é漢'


def template(command: str, folder: Path, **details: Any) -> CommandTemplate:
    """Make the template of a task that may use `x`, `y`, and the results of two earlier tasks."""
    return CommandTemplate(make_task("run", None, command, (), details), folder, ("x", "y"), ("compile", "train-2"))


INPUTS = {"compile": EarlierResults(COMPILE, "1f", {"x": 1}), "train-2": EarlierResults(TRAIN, "2e", {"x": 1})}


def test_what_a_command_mentions(tmp_path: Path) -> None:
    """Parameters and earlier tasks, in conditions and loops too; a name that the template sets is none."""
    made = template(
        "{% set z = x %}{% for i in range(2) %}run {{ z }} {{ i }}{% endfor %} {{ inputs.compile.ising }}", tmp_path
    )
    assert (made.parameters, made.inputs) == ({"x"}, {"compile"})
    assert template("{{ inputs['train-2'].loss }}", tmp_path).inputs == {"train-2"}
    assert template("{{ inputs | length }}", tmp_path).inputs == {"compile", "train-2"}
    assert template("true", tmp_path).inputs == frozenset()


@pytest.mark.parametrize(
    ("command", "names", "wants_all"),
    [
        ("run $x", {"x"}, False),
        ('run "${y:-none}" $xy', {"y"}, False),
        ("run $SCIFLOW_PARAMETER_y", {"y"}, False),
        ("python train.py parameters.json $x", {"x"}, True),
        ("python train.py x y", set(), False),
    ],
)
def test_what_a_command_takes_from_its_environment(
    tmp_path: Path, command: str, names: set[str], wants_all: bool
) -> None:
    """A parameter that is used as a shell variable is mentioned as well; the file of parameters holds all."""
    found = template(command, tmp_path)
    assert (found.parameters, found.wants_all_parameters) == (names, wants_all)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("run {{ x }} {{ y }}", "run 3 'a b'"),
        ('run "{{ y }}"', 'run "a b"'),
        ("run {% if x > 2 %}--large{% endif %}", "run --large"),
        ("run {{ x * 2 }} {{ '%03d' % x }}", "run 6 003"),
        ("run {{ y | upper }} {{ y | raw }}", "run 'A B' a b"),
        ("run {{ (x > 2) | raw }} {{ none | raw }}.", "run true ."),
        ("{{ inputs.compile.ising }} {{ x }}", '"${SCIFLOW_RUN_DIR}"/work/compile/1f/ising 3'),
        ("cat {{ inputs.compile.ising ~ '.log' }}", 'cat "${SCIFLOW_RUN_DIR}"/work/compile/1f/ising.log'),
        (
            "run {{ inputs['train-2'].loss }}",
            'run "${SCIFLOW_INPUT_train_2_loss_e9ee4d01?task train-2 returned no loss}"',
        ),
        ("run {{ inputs.compile.size }}", 'run "${SCIFLOW_INPUT_compile_size_3e80aee2?task compile returned no size}"'),
        ("run {{ inputs.compile.parameters.x }}", "run 1"),
        (
            "run {{ inputs[y[:0] ~ 'compile'].size }}",
            'run "${SCIFLOW_INPUT_compile_size_3e80aee2?task compile returned no size}"',
        ),
        ("run {{ (inputs.compile.__len__ is defined) | raw }}", "run false"),
        ("run {{ 'constant text' }}", "run 'constant text'"),
        ("run \n", "run \n"),
    ],
)
def test_commands_are_rendered_with_values_quoted(tmp_path: Path, command: str, expected: str) -> None:
    """Values, what is computed of them, outputs and results of earlier tasks."""
    assert template(command, tmp_path).render({"x": 3, "y": "a b"}, INPUTS) == expected


def test_the_workflows_folder_may_have_any_name(tmp_path: Path) -> None:
    """`workflow_dir` is absolute, and quoted where it stands."""
    folder = tmp_path / "it's here"
    folder.mkdir()
    (folder / "a.sh").write_text("")
    made = template("bash {{ workflow_dir }}/a.sh > {{ workflow_dir }}/b.sh", folder)
    assert made.render({}, {}).startswith("bash '")
    assert f"{folder}/a.sh".replace("'", "'\"'\"'").removesuffix("/a.sh") in made.render({}, {})
    assert made.code_files == ["a.sh"]


@pytest.mark.parametrize("place", ["{{ y }}", '"{{ y }}"', "'{{ y }}'", "\"$(printf %s. '{{ y }}')\""])
def test_hostile_values_arrive_as_they_are(tmp_path: Path, place: str) -> None:
    """Real bash gets the value as one argument, and runs nothing of it."""
    text = template(f"printf '%s' {place}", tmp_path).render({"x": 1, "y": HOSTILE}, {})
    done = subprocess.run(["bash", "-e", "-c", text], cwd=tmp_path, capture_output=True, check=True, timeout=20)
    assert done.stdout.decode() == HOSTILE + ("." if "$(" in place else "")
    assert list(tmp_path.iterdir()) == []


def test_input_decks_have_values_as_they_are(tmp_path: Path) -> None:
    """Nothing is quoted in a file; what the run decides is marked for the node."""
    (tmp_path / "deck.j2").write_text("n = {{ x }}\nname = {{ y }}\nexe = {{ inputs.compile.ising }}\nend\n")
    made = template("run", tmp_path, files={"in/run.in": "deck.j2"})
    assert made.parameters == {"x", "y"}
    assert made.render_files({"x": 1, "y": HOSTILE}, INPUTS) == {
        "in/run.in": f"n = 1\nname = {HOSTILE}\nexe = {files.RUN_MARK}/work/compile/1f/ising\nend\n"
    }


@pytest.mark.parametrize(
    ("command", "reason", "hint"),
    [
        ("{{ z }}", "the command of task `run` mentions `z`, which is no parameter", "known are `x`, `y`, `inputs`"),
        ("{{ workflow_dri }}", "mentions `workflow_dri`", "did you mean `workflow_dir`?"),
        ("{{ inputs.compil.x }}", "reads `inputs.compil`, which is no task before it", "did you mean `compile`?"),
        ("a\n{{ x", "the command of task `run` is no template, line 2: ", ""),
        ("{% include 'x' %}", "cannot be rendered", ""),
        ("{{ inputs.compile.isng }}", "task `compile` has no output or metric `isng`", ""),
        ("{{ y.__class__.__mro__ }}", "cannot be rendered", ""),
        ("{{ x.nothing }}", "cannot be rendered", ""),
        ("{{ x + y }}", "cannot be rendered at {'x': 3, 'y': 'a b'}: unsupported operand", ""),
        ("{% macro m(v) %}--v={{ v }}{% endmacro %}{{ m(x) }}", "a macro or block with values", "in place"),
        ("a \x02 {{ x }}", "holds a control character", ""),
        ("echo `{{ y }}`", "the command of task `run` has a value between backquotes", "use `$(…)`"),
    ],
)
def test_what_is_wrong_in_a_command(tmp_path: Path, command: str, reason: str, hint: str) -> None:
    """The task and the name, line or value are in the message; Python's internals are out of reach."""
    with pytest.raises(WorkflowError) as caught:
        template(command, tmp_path).render({"x": 3, "y": "a b"}, INPUTS)
    assert "the command of task `run`" in caught.value.message
    assert reason in caught.value.message
    assert hint in caught.value.hint


def test_what_is_wrong_in_a_deck(tmp_path: Path) -> None:
    """The template's file is named, and what it becomes."""
    with pytest.raises(
        WorkflowFileError, match=r"`no.j2`, the template of `a.in` in task `run` cannot be read .*No such"
    ):
        template("run", tmp_path, files={"a.in": "no.j2"})
    (tmp_path / "bytes.j2").write_bytes(b"\xff")
    with pytest.raises(WorkflowFileError, match="it is no UTF-8 text"):
        template("run", tmp_path, files={"a.in": "bytes.j2"})
    (tmp_path / "a.j2").write_text("{{ z }}")
    with pytest.raises(WorkflowError, match=r"`a.j2`, the template of `a.in` in task `run` mentions `z`"):
        template("run", tmp_path, files={"a.in": "a.j2"})
    (tmp_path / "b.j2").write_text("{{ x / 0 }}")
    with pytest.raises(
        WorkflowError, match=r"file `a.in` of task `run` cannot be rendered at {'x': 3}: division by zero"
    ):
        template("run", tmp_path, files={"a.in": "b.j2"}).render_files({"x": 3, "y": 1}, {})
