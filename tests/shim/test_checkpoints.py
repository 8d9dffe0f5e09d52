"""What a record says of checkpoints."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from sciflow_shim import checkpoints, files

if TYPE_CHECKING:
    from pathlib import Path

    from shim.conftest import Prepare, PreparedRun

PROGRAM = """
import os
def work(context):
    step = context.restore(0)
    print("from", step)
    context.checkpoint(step + 1)
    if step < 2:
        os.kill(os.getpid(), 9)
    return {"step": step}
"""


def checkpoint(run: PreparedRun, attempt: int) -> dict[str, Any]:
    """Return what the record of an attempt says of checkpoints."""
    return dict(run.record(attempt=attempt)["checkpoint"].attributes)


def test_nothing_is_said_where_there_is_no_checkpoint(prepare: Prepare) -> None:
    """An empty folder is none, and does not stay."""
    run = prepare("def work(context): context.checkpoint_directory")
    assert run.execute().returncode == 0
    assert "checkpoint" not in run.record()
    assert not (run.path / "work").exists() or not list((run.path / "work").rglob("*/checkpoint"))


def test_the_record_says_from_which_checkpoint_an_attempt_went_on(prepare: Prepare) -> None:
    """When it was written, by which attempt, and whether it was used; also of attempts that were killed."""
    run = prepare(PROGRAM)
    assert [run.execute().returncode for _ in range(3)] == [1, 1, 0]
    first, second, third = (checkpoint(run, attempt) for attempt in (1, 2, 3))
    assert (first["found"], first["left_files"]) == (False, 1)
    assert (second["found"], second["attempt"], second["files"]) == (True, 1, 1)
    assert second["time"] == first["left_time"]
    assert (third["attempt"], third["time"]) == (2, second["left_time"])
    assert third["bytes"] == second["left_bytes"] > 0
    assert run.facts(attempt=3)["note_restored"]
    assert run.log(attempt=3) == "from 2\n"


def test_a_command_has_a_checkpoint_folder(prepare: Prepare) -> None:
    """It is there before the command starts, and stays for the next attempt."""
    command = 'cat "$SCIFLOW_CHECKPOINT_DIR"/step || true; echo again > "$SCIFLOW_CHECKPOINT_DIR"/step; test -e $X'
    run = prepare("", {"name": "work", "command": command.replace("$X", "/none")})
    run.execute()
    run.execute()
    assert run.log(attempt=2) == "again\n"
    assert checkpoint(run, 2)["attempt"] == 1


def test_a_checkpoint_that_cannot_be_read_is_named(prepare: Prepare) -> None:
    """It is not thrown away: perhaps other code can read it."""
    run = prepare("def work(context): return context.restore()")
    folder = run.path / files.work("work", run.array().line(0)["id"]) / "checkpoint"
    folder.mkdir(parents=True)
    (folder / "state.pickle").write_bytes(b"no pickle")
    assert run.execute().returncode == 1
    error = run.facts()["error"]
    assert error.startswith(f"the checkpoint `{folder}/state.pickle` cannot be read, and is left as it is: ")
    assert error.endswith("Remove it to start from the beginning")
    assert checkpoint(run, 1)["attempt"] == 0  # nobody of this run has written it


def test_only_so_many_files_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of a million files costs no more than one of ten thousand; what vanishes meanwhile is not counted."""
    folder = tmp_path / "checkpoint" / "deep"
    folder.mkdir(parents=True)
    for number in range(5):
        (folder / str(number)).write_text("x")
    (folder / "gone").symlink_to("nowhere")
    assert checkpoints.look(str(tmp_path))["files"] == 5
    monkeypatch.setattr(checkpoints, "_MOST", 3)
    assert 2 <= checkpoints.look(str(tmp_path))["files"] <= 3
    os.utime(folder / "0", (1, 1))
    assert checkpoints.look(str(tmp_path / "deep")) == {}


def test_a_program_that_was_warned_and_ends_is_not_done(prepare: Prepare) -> None:
    """A command that traps the signal and ends with any code but 0 says that it is to go on."""
    command = (
        """trap 'touch "$SCIFLOW_CHECKPOINT_DIR"/saved; exit 5' USR1; touch ready; while true; do sleep 0.05; done"""
    )
    run = prepare("", {"name": "work", "command": command, "resources": {"max_runtime_hours": 3 / 3600}})
    run.execute()
    facts = run.facts()
    assert (facts["state"], facts["exit_code"]) == ("TIMEOUT", 5)
    assert facts["error"] == (
        "it was told that its time was nearly up, and ended with exit code 5; the next attempt can go on"
    )
    assert checkpoint(run, 1)["left_files"] == 1
    assert json.loads(facts["parameters"]) == {}
