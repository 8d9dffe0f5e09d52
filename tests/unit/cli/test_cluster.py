"""Verbs on what runs in a queue: submit, cancel."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unit.fake_slurm import FakeSlurm

Command = Callable[..., Any]


@pytest.fixture
def submit(sciflow: Command, project: Path, site: Path, slurm: FakeSlurm) -> Command:
    """Return a function that submits `project` to the site, with more words."""
    return lambda *words: sciflow("submit", "workflow.yaml", "--profile", site, *words)


def latest(project: Path) -> Path:
    """Return the newest run directory."""
    return (project / "sciflow-runs" / "latest").resolve()


# --- submit


def test_submitting_tells_what_was_submitted(submit: Command, slurm: FakeSlurm, project: Path) -> None:
    """The run, its array jobs with their ids, and what to type next."""
    slurm.hold()
    answer = submit()
    run = latest(project)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines() == [
        f"run {run.name} in {run}",
        "array     job  indices",
        "square.0  101        4",
        "half.0    102        4",
        f"next: sciflow status {run.name} --watch",
    ]


def test_submitting_again_submits_nothing(submit: Command, slurm: FakeSlurm, project: Path) -> None:
    """That is said."""
    slurm.hold()
    submit()
    answer = submit()
    assert answer.code == 0
    assert answer.out.splitlines()[:2] == [f"went on with run {latest(project).name}", "nothing is left to submit"]
    assert len(slurm.calls("sbatch")) == 2


def test_a_submission_as_json(submit: Command, slurm: FakeSlurm, project: Path) -> None:
    """The same as a document."""
    slurm.hold()
    answer = submit("--json")
    run = latest(project)
    assert answer.json == {
        "run": run.name,
        "path": str(run),
        "continued": False,
        "reused": 0,
        "jobs": {"101": {"array": "square.0", "indices": 4}, "102": {"array": "half.0", "indices": 4}},
        "found": [],
        "waiting": [],
        "failed": 0,
        "notes": [],
        "next": None,
    }
    assert answer.err == ""


def test_a_dry_run_shows_the_calls(submit: Command, slurm: FakeSlurm, project: Path) -> None:
    """They can be typed; nothing is submitted or written."""
    answer = submit("-n")
    assert answer.code == 0
    assert answer.out.splitlines() == [
        "sbatch --parsable --job-name=square.0.RUN.1 scripts/square.0.sh",
        "sbatch --parsable --job-name=half.0.RUN.2 --dependency=aftercorr:square.0 scripts/half.0.sh",
    ]
    assert slurm.calls() == []
    assert not (project / "sciflow-runs").exists()
    assert submit("--dry-run", "--json").json == {"calls": answer.out.splitlines()}


def test_a_dry_run_says_what_no_call_shows(submit: Command, slurm: FakeSlurm) -> None:
    """The small job that tends a run, and that nothing is left."""
    assert submit("-n", "--autonomous").err == (
        "note: one small job more is submitted after these, which tends the run\n"
    )
    submit()
    answer = submit("-n")
    assert (answer.out, answer.err) == ("", "note: nothing is left to submit\n")


def test_what_a_small_site_does_not_take_yet(submit: Command, slurm: FakeSlurm, site: Path) -> None:
    """It is named, and who submits it later."""
    site.write_text(site.read_text() + "limits: {submitted_indices: 6, indices_per_array: 4}\n")
    slurm.hold()
    answer = submit()
    lines = answer.out.splitlines()
    assert answer.code == 0
    assert ["half.0", "102", "2"] in [line.split() for line in lines]
    assert "not submitted yet, since the site takes no more at a time: half.0" in lines
    assert lines[-1] == "next: the same command, `sciflow status --watch` or `--wait` submits it when there is room"
    answer = submit()
    assert "nothing is left to submit" not in answer.out
    assert "not submitted yet" in answer.out


def test_a_job_that_was_cut_off_is_found_again(submit: Command, slurm: FakeSlurm, project: Path) -> None:
    """It is not submitted twice, and its id is told."""
    slurm.hold()
    submit()
    journal = latest(project) / "journal.jsonl"
    lines = [line for line in journal.read_text().splitlines() if '"job": "102"' not in line]
    journal.write_text("\n".join(lines) + "\n")
    answer = submit()
    assert "found again in the queue: 102" in answer.out.splitlines()
    assert len(slurm.calls("sbatch")) == 2


def test_what_was_taken_over_is_told(submit: Command, slurm: FakeSlurm, project: Path) -> None:
    """From an earlier run of a smaller space."""
    submit()
    document = json.loads((project / "workflow.yaml").read_text())
    document["parameters"] = {"x": [1, 2, 3, 4, 5]}
    (project / "workflow.yaml").write_text(json.dumps(document))
    slurm.hold()
    answer = submit()
    assert "6 task instances were taken over from earlier runs" in answer.out.splitlines()


def test_warnings_and_notes_are_said_beside_the_data(submit: Command, slurm: FakeSlurm, project: Path) -> None:
    """On standard error; strictly, warnings are errors."""
    document = json.loads((project / "workflow.yaml").read_text())
    document["parameters"]["unused"] = [1]
    document["tasks"].append({"name": "once", "command": "true"})
    (project / "workflow.yaml").write_text(json.dumps(document))
    answer = submit("-n")
    assert answer.code == 0
    assert answer.err.startswith("warning: no task uses the parameter `unused`")
    assert "note: task `once` depends on no parameter: it runs once, not 4 times" in answer.err.splitlines()
    answer = submit("--strict")
    assert answer.code == 1
    assert answer.err.startswith("error: no task uses the parameter `unused`")
    assert slurm.calls() == []


def test_a_refusal_is_told_with_the_way_out(submit: Command, slurm: FakeSlurm) -> None:
    """In Slurm's own words."""
    slurm.fails("sbatch", "sbatch: error: Batch job submission failed: Invalid qos specification")
    answer = submit()
    assert (answer.code, answer.out) == (1, "")
    error, hint = answer.err.splitlines()
    assert error == (
        "error: Slurm refuses array job `square.0` of task `square` (1 core, 256 MB, 10 min): "
        "Batch job submission failed: Invalid qos specification"
    )
    assert hint.startswith("hint: `sacctmgr show assoc user=$USER")


def test_a_profile_is_needed_and_must_have_a_queue(sciflow: Command, project: Path) -> None:
    """One is a mistake of usage, the other of the profile."""
    assert sciflow("submit", "workflow.yaml").code == 2
    answer = sciflow("submit", "workflow.yaml", "--profile", "local")
    assert answer.code == 1
    assert "profile `local` has no queue to submit to" in answer.err
    assert not (project / "sciflow-runs").exists()


def test_waiting_collects_and_the_exit_code_tells(submit: Command, slurm: FakeSlurm, project: Path) -> None:
    """What was submitted is said first; then the end, as `status` shows it, and where the results are."""
    answer = submit("--wait")
    run = latest(project)
    assert answer.code == 3
    assert answer.err.splitlines()[0] == f"run {run.name} in {run}"
    assert "6 COMPLETED, 1 FAILED, 1 UPSTREAM_FAILED" in answer.err.splitlines()
    lines = answer.out.splitlines()
    assert lines[0].startswith(f"run {run.name} of squares has ended, with failures; ")
    assert lines[-1] == f"3 of 4 combinations completed; results: {run / 'results.h5'}"
    assert (run / "results.h5").is_file()


def test_waiting_as_json(submit: Command, slurm: FakeSlurm, project: Path) -> None:
    """One document with all of it, after a fresh start."""
    answer = submit("--wait", "--json", "--fresh")
    assert answer.code == 3
    document = answer.json
    assert document["tasks"] == {
        "square": {"COMPLETED": 3, "FAILED": 1},
        "half": {"COMPLETED": 3, "UPSTREAM_FAILED": 1},
    }
    assert document["combinations"] == {"completed": 3, "total": 4}
    assert document["results"] == str(latest(project) / "results.h5")
    assert document["jobs"]["101"] == {"array": "square.0", "indices": 4}


# --- submit --autonomous


def test_a_run_is_looked_after_by_a_small_job(submit: Command, slurm: FakeSlurm, project: Path) -> None:
    """It waits for the first of the jobs to end, and is told with the others."""
    slurm.hold()
    answer = submit("--autonomous")
    assert answer.code == 0
    assert "job 103 looks after it next, and nobody need be here" in answer.out.splitlines()
    call = slurm.calls("sbatch")[-1]
    assert call.startswith(f"sbatch --parsable --job-name=tend.{latest(project).name}.3 ")
    assert "--dependency=afterany:101?afterany:102 " in call
    assert call.endswith(" scripts/tend.sh")


def test_submitting_an_autonomous_run_again_sends_no_second_small_job(
    submit: Command, slurm: FakeSlurm, project: Path
) -> None:
    """The one that waits is told again, also where the run was submitted without it first."""
    slurm.hold()
    submit()
    assert submit("--autonomous", "--json").json["next"] == "103"
    assert submit("--autonomous", "--json").json["next"] == "103"
    assert len(slurm.calls("sbatch")) == 3


def test_nobody_looks_after_a_run_that_has_ended(submit: Command, sciflow: Command, slurm: FakeSlurm) -> None:
    """Here all has ended at once, and the scheduler has said so."""
    submit()
    sciflow("status")
    assert submit("--autonomous", "--json").json["next"] is None
    assert len(slurm.calls("sbatch")) == 2


def test_somebody_looks_after_a_failure_that_is_not_settled(submit: Command, slurm: FakeSlurm) -> None:
    """All has ended at once, and nobody has asked the scheduler yet."""
    assert submit("--autonomous", "--json").json["next"] == "103"
    assert len(slurm.calls("sbatch")) == 3


def test_cancelling_an_autonomous_run_ends_that_too(
    submit: Command, sciflow: Command, slurm: FakeSlurm, project: Path
) -> None:
    """The small job goes first, so that it does not try again what is cancelled; a part leaves it alone."""
    slurm.hold()
    submit("--autonomous")
    sciflow("cancel", "--only", "half[1]")
    assert slurm.calls("scancel") == ["scancel 102_[1]"]
    answer = sciflow("cancel")
    assert answer.code == 0
    assert slurm.calls("scancel")[1:] == ["scancel 103", "scancel 101", "scancel 102_[0,2-3]"]
    assert sciflow("tend").code == 3
    assert len(slurm.calls("sbatch")) == 3


# --- cancel


def test_a_run_is_cancelled_whole(submit: Command, sciflow: Command, slurm: FakeSlurm, project: Path) -> None:
    """What was cancelled is told, index by index; afterwards there is nothing left."""
    slurm.hold()
    submit()
    answer = sciflow("cancel")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines() == [
        f"run {latest(project).name}",
        "cancelled square.0[0-3]",
        "cancelled half.0[0-3]",
    ]
    assert slurm.calls("scancel") == ["scancel 101", "scancel 102"]
    name = latest(project).name
    assert sciflow("cancel", name).out == f"run {name}\nnothing was left to cancel\n"


def test_some_of_a_run_is_cancelled(submit: Command, sciflow: Command, slurm: FakeSlurm, project: Path) -> None:
    """By task, by instance and by index, all together."""
    slurm.hold()
    submit()
    answer = sciflow("cancel", "--only", "square[1-2]", "--only", "square.0[3]", "--only", "half.0[0]", "--json")
    assert answer.json == {"run": latest(project).name, "cancelled": {"square.0": "1-3", "half.0": "0"}}
    assert slurm.calls("scancel") == ["scancel 101_[1-3]", "scancel 102_[0]"]


def test_what_is_not_there_is_not_cancelled(submit: Command, sciflow: Command, slurm: FakeSlurm) -> None:
    """And neither is the rest."""
    slurm.hold()
    submit()
    answer = sciflow("cancel", "--only", "square[1]", "--only", "cube")
    assert answer.code == 1
    assert "has no task `cube`" in answer.err
    assert slurm.calls("scancel") == []


def test_a_run_on_this_machine_is_not_cancelled_from_elsewhere(sciflow: Command, finished: Path) -> None:
    """The way out is told."""
    answer = sciflow("cancel")
    assert answer.code == 1
    assert answer.err.splitlines() == [
        f"error: run `{finished.name}` is driven on this machine",
        "hint: stop it with Ctrl-C where it runs",
    ]


# --- status


def test_the_status_of_a_run_in_a_queue(submit: Command, sciflow: Command, slurm: FakeSlurm, project: Path) -> None:
    """Why it waits, in plain words; not finished is 4."""
    slurm.hold()
    submit()
    answer = sciflow("status")
    assert answer.code == 4
    assert f"run {latest(project).name} of squares is in the queue; " in answer.out
    assert "4 × square waits for free cores, memory or GPUs  [square.0[0-3]]" in answer.out.splitlines()
    document = sciflow("status", "--json").json
    assert document["waiting"][0] == {
        "task": "square",
        "reason": "waits for free cores, memory or GPUs",
        "count": 4,
        "indices": "square.0[0-3]",
    }


def test_an_offline_status_needs_no_scheduler(
    submit: Command, sciflow: Command, slurm: FakeSlurm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine without its commands the last word counts; online, what is wrong is a note."""
    slurm.hold()
    submit()
    sciflow("status")
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    answer = sciflow("status", "--offline")
    assert answer.code == 4
    assert "4 × square waits for free cores, memory or GPUs  [square.0[0-3]]" in answer.out.splitlines()
    assert "note:" not in answer.out
    answer = sciflow("status")
    assert answer.code == 4
    notes = [line for line in answer.out.splitlines() if line.startswith("note: ")]
    assert len(notes) == 2
    assert notes[0].startswith("note: the controller has not answered since ")
    assert notes[0].endswith(": there is no command `squeue` on this machine")


def test_watching_says_each_change_once(submit: Command, sciflow: Command, slurm: FakeSlurm) -> None:
    """On standard error, where there is no terminal; in the end the status is the answer."""
    submit()
    answer = sciflow("status", "--watch")
    assert answer.code == 3
    assert answer.err == "6 COMPLETED, 1 FAILED, 1 UPSTREAM_FAILED\n"
    assert "has ended, with failures" in answer.out
    assert sciflow("status", "--watch", "--json").json["tasks"]["square"] == {"COMPLETED": 3, "FAILED": 1}


def test_the_log_of_a_job_script_is_shown_beside_that_of_the_program(
    submit: Command, sciflow: Command, slurm: FakeSlurm, site: Path
) -> None:
    """What set-up lines print is no data; where the program never started it tells why."""
    site.write_text(site.read_text() + 'setup: ["echo no licence server"]\n')
    submit()
    answer = sciflow("logs", "square[1]")
    assert (answer.code, answer.out) == (0, "y=4\n")
    assert answer.err == "[the job script and the scheduler] no licence server\n"
    assert sciflow("logs", "square[1]", "--json").json["job_log"] == "no licence server\n"
