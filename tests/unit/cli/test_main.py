"""The `sciflow` command: its verbs, its errors, and its exit codes."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

import sciflow as package
from sciflow.cli.main import _VERBS, cli

Command = Callable[..., Any]
PROGRAM = [str(Path(sys.executable).with_name("sciflow"))]


def test_every_verb_is_listed_and_explained(sciflow: Command) -> None:
    """`--help` lists all verbs with the first sentence of their own help."""
    answer = sciflow("--help")
    assert (answer.code, answer.err) == (0, "")
    for verb, (_, text) in _VERBS.items():
        assert f"  {verb} " in answer.out
        assert " ".join(text.split()) in " ".join(answer.out.split())
        known = command_of(verb)
        for words in [[verb, one] for one in known.commands] if isinstance(known, click.Group) else [[verb]]:
            help_of_verb = sciflow(*words, "-h")
            assert help_of_verb.code == 0
            assert "--json" in help_of_verb.out


def command_of(verb: str) -> click.Command:
    """The command of a verb."""
    command = cli.get_command(None, verb)  # type: ignore[arg-type]
    assert command is not None
    return command


@pytest.mark.parametrize("verb", _VERBS)
def test_every_argument_has_its_say(verb: str) -> None:
    """Every option of every verb has a help text."""
    known = command_of(verb)
    for command in known.commands.values() if isinstance(known, click.Group) else [known]:
        assert all(one.help for one in command.params if isinstance(one, click.Option))


def test_the_version_is_told(sciflow: Command) -> None:
    """`--version` names the program and its version."""
    answer = sciflow("--version")
    assert (answer.code, answer.out) == (0, f"sciflow {package.__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["plam"], "No such command 'plam'"),
        (["plan"], "Missing argument 'WORKFLOW'"),
        (["plan", "w.yaml", "--colour"], "No such option"),
        (["best", "a", "b", "c"], "sciflow best RUN METRIC"),
        (["logs", "a", "b", "c"], "sciflow logs RUN 'TASK[INDEX]'"),
        (["best", "m", "-n", "0"], "-n"),
        (["exec", "latest", "task", "-1"], "No such option"),
        (["exec", "latest", "task", "one"], "'one' is not a valid integer"),
    ],
)
def test_wrong_usage_is_2(sciflow: Command, arguments: list[str], told: str) -> None:
    """What cannot be understood is said on standard error; nothing is done."""
    answer = sciflow(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert told in answer.err


def test_no_verb_shows_the_help(sciflow: Command) -> None:
    """`sciflow` alone is a question."""
    answer = sciflow()
    assert answer.code == 2
    assert "Usage: sciflow" in answer.out + answer.err
    assert "collect" in answer.out + answer.err


def test_an_error_is_two_lines(sciflow: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`error:` and `hint:` on standard error, code 1, no traceback."""
    monkeypatch.chdir(tmp_path)
    answer = sciflow("status")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == (
        "error: there is no run in `sciflow-runs`\nhint: start one with `sciflow run`, or name the run's directory\n"
    )


def test_an_error_is_json_when_asked_for(sciflow: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `--json`, the error is a document as well, and still said to people."""
    monkeypatch.chdir(tmp_path)
    answer = sciflow("status", "--json")
    assert answer.code == 1
    assert answer.json == {
        "error": "there is no run in `sciflow-runs`",
        "hint": "start one with `sciflow run`, or name the run's directory",
    }
    assert answer.err.startswith("error: there is no run")


def test_a_traceback_comes_with_debug_only(tmp_path: Path) -> None:
    """`--debug` shows where an error comes from."""
    for more, shown in [([], False), (["--debug"], True)]:
        answer = subprocess.run(
            [*PROGRAM, *more, "plan", "nothing.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (answer.returncode, answer.stdout) == (1, "")
        assert ("Traceback" in answer.stderr) == shown
        assert "there is no workflow file `nothing.yaml`" in answer.stderr


def test_a_mistake_of_ours_says_so(sciflow: Command, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody foresaw is named by its type, with the way to report it."""

    def broken(*arguments: Any, **more: Any) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("sciflow.loading.load_workflow", broken)
    answer = sciflow("plan", "workflow.yaml")
    assert answer.code == 1
    assert answer.err.startswith("error: ZeroDivisionError: division by zero\nhint: this is a mistake in sciflow")
    with pytest.raises(ZeroDivisionError):
        cli.main(["--debug", "plan", "workflow.yaml"], standalone_mode=False)


def test_an_error_of_the_system_names_the_file(sciflow: Command, project: Path) -> None:
    """What the system refuses is said in its words, with the file."""
    (project / "taken").write_text("")
    answer = sciflow("init", "taken")
    assert answer.code == 1
    assert answer.err == "error: File exists: `taken`\n"
    assert "mistake in sciflow" not in answer.err


def test_ctrl_c_is_130(project: Path) -> None:
    """A run that is stopped says how to go on, leaves no program behind, and goes on when it is called again."""
    (project / "slow.yaml").write_text(
        json.dumps(
            {
                "name": "slow",
                "parameters": {"x": [1, 2, 3]},
                "tasks": [
                    {
                        "name": "wait",
                        "command": f"cd {project}; test -e go || "
                        "{ echo $$ > {{ x }}.new; mv {{ x }}.new {{ x }}.pid; sleep 1000; }",
                    }
                ],
            }
        )
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen(
            [*PROGRAM, "run", "slow.yaml"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        while not any(one.read_text() for one in project.glob("*.pid")):
            assert process.poll() is None
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (130, "")
        assert "stopped; the same command goes on from here" in err
        assert "Traceback" not in err
        for path in project.glob("*.pid"):
            with pytest.raises(ProcessLookupError):
                os.kill(int(path.read_text()), 0)
            path.unlink()
    (project / "go").touch()
    answer = subprocess.run([*PROGRAM, "run", "slow.yaml"], capture_output=True, text=True, check=False)
    assert answer.returncode == 0
    assert "went on with run" in answer.stdout
    assert "3 of 3 combinations completed" in answer.stdout


def test_warnings_are_said_in_words(project: Path) -> None:
    """Those of sciflow without a place in its code, all others as Python shows them; neither is data."""
    (project / "experiment.py").write_text(
        "import warnings, sciflow\n"
        "workflow = sciflow.ExperimentalWorkflow('w')\n"
        "workflow.add_task('t', command='true')\n"
        "warnings.warn('mind the gap', sciflow.SciflowWarning)\n"
        "warnings.warn('mind the step', UserWarning)\n"
    )
    answer = subprocess.run([*PROGRAM, "plan", "experiment.py"], capture_output=True, text=True, check=True)
    assert "mind" not in answer.stdout
    assert "warning: mind the gap\n" in answer.stderr
    assert re.search(r"experiment\.py:5: UserWarning: mind the step\n", answer.stderr)


def test_a_reader_that_has_had_enough_is_no_error(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sciflow … | head` ends without a word of complaint, but for its exit code."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # Python itself loses what is cut short then
    document = json.loads((project / "workflow.yaml").read_text())
    document["tasks"] = [{"name": f"{'task' * 20}-{number}", "command": "true"} for number in range(300)]
    (project / "workflow.yaml").write_text(json.dumps(document))
    process = subprocess.Popen(
        [*PROGRAM, "plan", "workflow.yaml", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 1


def test_it_runs_as_a_module(tmp_path: Path) -> None:
    """`python -m sciflow` is the same command."""
    answer = subprocess.run(
        [sys.executable, "-m", "sciflow", "--version"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert answer.stdout == f"sciflow {package.__version__}\n"


def test_options_come_from_the_environment_too(
    sciflow: Command, project: Path, finished: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`SCIFLOW_RUNS` says where runs are, and `--runs` says it again."""
    monkeypatch.chdir(tmp_path)
    assert sciflow("status").code == 1
    assert sciflow("--runs", project / "sciflow-runs", "status").code == 3
    monkeypatch.setenv("SCIFLOW_RUNS", str(project / "sciflow-runs"))
    assert sciflow("status").code == 3
