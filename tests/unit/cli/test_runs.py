"""Verbs on runs: status, logs, exec."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.store.lock import hold

Command = Callable[..., Any]
PROGRAM = [str(Path(sys.executable).with_name("sciflow"))]


def test_status_of_a_run_that_has_ended(sciflow: Command, finished: Path) -> None:
    """Counts and index ranges by state, the failure and what to type next; some failed, so 3."""
    answer = sciflow("status")
    assert (answer.code, answer.err) == (3, "")
    assert f"run {finished.name} of squares has ended, with failures" in answer.out
    rows = [line.split() for line in answer.out.splitlines()]
    assert ["square.0", "COMPLETED", "3", "0-1,3"] in rows
    assert ["half.0", "UPSTREAM_FAILED", "1", "2"] in rows
    assert f"next: sciflow logs {finished.name} 'square.0[2]'" in answer.out


@pytest.mark.parametrize("name", ["latest", "id", "path", None])
def test_a_run_is_named_in_any_way(sciflow: Command, finished: Path, name: str | None) -> None:
    """By `latest`, its id, its directory, or not at all."""
    arguments = {"latest": ["latest"], "id": [finished.name], "path": [finished], None: []}[name]
    assert sciflow("status", *arguments, "--json").json["run"] == finished.name


def test_status_as_json(sciflow: Command, finished: Path) -> None:
    """The same as a document."""
    answer = sciflow("status", "--json")
    assert (answer.code, answer.err) == (3, "")
    assert answer.json["tasks"] == {
        "square": {"COMPLETED": 3, "FAILED": 1},
        "half": {"COMPLETED": 3, "UPSTREAM_FAILED": 1},
    }
    assert answer.json["path"] == str(finished)


def test_a_run_that_is_not_finished_is_4(sciflow: Command, finished: Path) -> None:
    """What still waits is 4, driven or not; what to type next is said when nobody drives it."""
    for path in (finished / "records").rglob("3.1.h5"):
        path.unlink()
    lines = [line for line in (finished / "journal.jsonl").read_text().splitlines() if '"index": 3' not in line]
    (finished / "journal.jsonl").write_text("\n".join(lines) + "\n")
    answer = sciflow("status")
    assert answer.code == 4
    assert "is not running and not finished" in answer.out
    assert ["half.0", "PENDING", "1", "3"] in [line.split() for line in answer.out.splitlines()]
    with hold(finished / "driver.lock"):
        answer = sciflow("status")
    assert answer.code == 4
    assert " of squares is running" in answer.out


def has_an_end(journal: Path) -> bool:
    """Whether a run's journal tells of an index that has ended."""
    return journal.exists() and '"ended"' in journal.read_text()


@pytest.mark.parametrize(
    ("others", "going", "following"),
    [
        ([], "was stopped", "the same `sciflow run …` goes on with it"),
        (["later"], "is not running and not finished", "the same `sciflow run …` goes on with it"),
        (["broken"], "has ended, with failures", "sciflow logs {run} 'broken.0[0]'\nnext: sciflow retry {run} -n"),
    ],
)
def test_a_run_that_was_stopped_goes_on(
    sciflow: Command, project: Path, others: list[str], going: str, following: str
) -> None:
    """After Ctrl-C status says how to go on; logs are for what has failed."""
    tasks = {
        "wait": {"command": f"touch {project}/there; sleep 1000"},
        "later": {"command": "true", "depends_on": ["wait"]},
        "broken": {"command": "false"},
    }
    document = {"name": "slow", "tasks": [{"name": name, **tasks[name]} for name in ("wait", *others)]}
    (project / "slow.yaml").write_text(json.dumps(document))
    driver = subprocess.Popen([*PROGRAM, "run", "slow.yaml"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = project / "sciflow-runs" / "latest" / "journal.jsonl"
    while not ((project / "there").exists() and ("broken" not in others or has_an_end(journal))):
        assert driver.poll() is None
    driver.send_signal(signal.SIGINT)
    assert driver.wait() == 130
    answer = sciflow("status")
    assert ["wait.0", "CANCELLED", "1", "0"] in [line.split() for line in answer.out.splitlines()]
    assert f" of slow {going}; " in answer.out
    assert answer.out.endswith(f"\nnext: {following.format(run=journal.parent.resolve().name)}\n")


def test_a_complete_run_is_0(sciflow: Command, project: Path) -> None:
    """All completed."""
    text = (project / "workflow.yaml").read_text().replace("test {{ x }} -ne 3", "true")
    (project / "workflow.yaml").write_text(text)
    assert sciflow("run", "workflow.yaml").code == 0
    answer = sciflow("status")
    assert answer.code == 0
    assert " of squares is complete" in answer.out
    assert "next:" not in answer.out


def test_many_kinds_of_failure_are_cut(sciflow: Command, project: Path) -> None:
    """Eight kinds are shown, the most frequent first; JSON has all."""
    document = json.loads((project / "workflow.yaml").read_text())
    document["tasks"] = [{"name": "task", "command": "w=abcdefghij; echo kind ${w:$(( {{ x }} % 10 )):1}; false"}]
    document |= {"parameters": {"x": list(range(1, 22))}, "recovery": {"brake": "off"}}
    (project / "workflow.yaml").write_text(json.dumps(document))
    sciflow("run", "workflow.yaml")
    answer = sciflow("status")
    shown = [line for line in answer.out.splitlines() if " × task FAILED" in line]
    assert len(shown) == 8
    assert shown[0].startswith(
        "3 × task FAILED: ended with exit code 1; the last it printed: kind b  [task.0[0,10,20]]"
    )
    assert "… and 2 more kinds of failure (`--json` has all)" in answer.out
    assert len(sciflow("status", "--json").json["failures"]) == 10


def test_failures_that_differ_in_numbers_are_one_kind(sciflow: Command, project: Path) -> None:
    """They are one line, without the numbers; JSON has the cause and one whole error. Here are no nodes."""
    document = json.loads((project / "workflow.yaml").read_text())
    document["tasks"] = [{"name": "task", "command": "echo kind {{ x }}; false"}]
    (project / "workflow.yaml").write_text(json.dumps(document))
    sciflow("run", "workflow.yaml")
    line = "4 × task FAILED: ended with exit code 1; the last it printed: kind N  [task.0[0-3]]"
    assert line in sciflow("status").out.splitlines()
    [failure] = sciflow("status", "--json").json["failures"]
    assert failure == {
        "task": "task",
        "state": "FAILED",
        "cause": "application_error",
        "signature": "ended with exit code 1; the last it printed: kind N",
        "error": "ended with exit code 1; the last it printed: kind 1",
        "count": 4,
        "indices": "task.0[0-3]",
        "nodes": {},
        "by": "",
    }


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("float('x')", "4 × f FAILED: ValueError in broken.py:2: could not convert string to float: 'x'  [f.0[0-3]]"),
        (
            "int(f'x{x}')",
            "4 × f FAILED: ValueError in broken.py:2 (for example: invalid literal for int() with base 10: 'x1')  "
            "[f.0[0-3]]",
        ),
    ],
)
def test_errors_of_functions_are_told_by_where_they_were_raised(
    sciflow: Command, project: Path, body: str, line: str
) -> None:
    """What was raised at the same line is one kind, whatever its message, of which one is shown."""
    (project / "broken.py").write_text(f"def f(x):\n    return {body}\n")
    document = {"name": "broken", "parameters": {"x": [1, 2, 3, 4]}, "tasks": [{"name": "f", "python": "broken:f"}]}
    (project / "workflow.yaml").write_text(json.dumps(document))
    sciflow("run", "workflow.yaml")
    assert line in sciflow("status").out.splitlines()


def test_logs_print_what_was_printed(sciflow: Command, finished: Path) -> None:
    """One index's output, by instance or by array."""
    for place in ("square[1]", "square.0[1]"):
        answer = sciflow("logs", place)
        assert (answer.code, answer.out, answer.err) == (0, "y=4\n", "")
    assert sciflow("logs", finished.name, "square[3]").out == "y=16\n"
    document = sciflow("logs", "square[2]", "--json").json
    assert (document["state"], document["attempt"], document["log"]) == ("FAILED", 1, "y=9\n")


def test_logs_of_an_earlier_attempt(sciflow: Command, finished: Path) -> None:
    """Every attempt has its own; one that never was is an error."""
    sciflow("run", "workflow.yaml")
    assert sciflow("logs", "square[2]", "--json").json["attempt"] == 2
    assert sciflow("logs", "square[2]", "--attempt", "1", "--json").json["attempt"] == 1
    answer = sciflow("logs", "square[2]", "--attempt", "9")
    assert answer.code == 1
    assert "was started 2 times" in answer.err


def test_logs_of_what_printed_nothing(sciflow: Command, project: Path) -> None:
    """That nothing was printed is said on standard error; the data is empty."""
    document = json.loads((project / "workflow.yaml").read_text())
    document["tasks"] = [{"name": "silent", "command": "true"}]
    (project / "workflow.yaml").write_text(json.dumps(document))
    sciflow("run", "workflow.yaml")
    answer = sciflow("logs", "silent[0]")
    assert (answer.code, answer.out) == (0, "")
    assert answer.err == "silent.0[0] is COMPLETED and has printed nothing\n"
    assert sciflow("logs", "silent[0]", "--json").json["log"] == ""


@pytest.mark.parametrize(
    ("place", "told"), [("square", "names no index"), ("cube[0]", "has no task `cube`"), ("square[4]", "0-3, not 4")]
)
def test_an_index_that_is_not_there_is_told(sciflow: Command, finished: Path, place: str, told: str) -> None:
    """The error says what there is."""
    answer = sciflow("logs", place)
    assert (answer.code, answer.out) == (1, "")
    assert told in answer.err


def test_exec_runs_an_index_again(sciflow: Command, finished: Path) -> None:
    """It is a new attempt: what it printed is data, how it ended is said; the exit code tells."""
    answer = sciflow("exec", "latest", "square", "1")
    assert (answer.code, answer.out) == (0, "y=4\n")
    assert "square.0[1] is COMPLETED" in answer.err
    answer = sciflow("exec", "latest", "square", "2")
    assert (answer.code, answer.out) == (3, "y=9\n")
    assert "square.0[2] is FAILED: ended with exit code 1" in answer.err
    document = sciflow("exec", "latest", "square", "1", "--json").json
    assert (document["attempt"], document["state"], document["log"]) == (3, "COMPLETED", "y=4\n")


def test_exec_of_a_run_that_is_driven_is_refused(sciflow: Command, finished: Path) -> None:
    """While somebody drives the run, nothing is run beside it."""
    with hold(finished / "driver.lock"):
        answer = sciflow("exec", "latest", "square", "1")
    assert (answer.code, answer.out) == (1, "")
    assert "is being driven by" in answer.err
    assert not list((finished / "records").rglob("1.2.h5"))


def test_exec_of_what_is_not_there_is_told(sciflow: Command, finished: Path) -> None:
    """A task or an instance that the run does not have runs nothing."""
    for arguments in (["cube", "0"], ["square", "99"]):
        answer = sciflow("exec", "latest", *arguments)
        assert (answer.code, answer.out) == (1, "")
        assert answer.err.startswith("error: ")
