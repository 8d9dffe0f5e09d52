"""Verbs that meet failures: retry, tend."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unit.fake_slurm import FakeSlurm

Command = Callable[..., Any]


def latest(project: Path) -> Path:
    """Return the newest run directory."""
    return (project / "sciflow-runs" / "latest").resolve()


def files_of(run: Path) -> dict[str, bytes]:
    """Return all that is in a run directory, but for what the scheduler last said."""
    return {
        str(path.relative_to(run)): path.read_bytes()
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name not in ("observed.json", "lock")
    }


@pytest.fixture
def queued(sciflow: Command, project: Path, site: Path, slurm: FakeSlurm) -> Path:
    """Return the run directory of `project`, run on a cluster: `square[2]` has failed, `half[2]` was held back."""
    sciflow("submit", "workflow.yaml", "--profile", site)
    return latest(project)


def mended(project: Path, run: Path) -> None:
    """Let what is run from now on end well, though its command is the same."""
    for path in (run / "arrays").glob("square.0*.jsonl"):
        path.write_text(path.read_text().replace("-ne 3", "-ne 9"))


# --- retry -n


def test_a_dry_run_shows_what_would_be_done_and_what_to_type(sciflow: Command, queued: Path, slurm: FakeSlurm) -> None:
    """By task, cause and error; nothing changes."""
    before = files_of(queued)
    answer = sciflow("retry", "-n")
    assert (answer.code, answer.err) == (0, "")
    assert [" ".join(line.split()) for line in answer.out.splitlines()] == [
        f"run {queued.name}",
        "task count cause error what is done why indices",
        "square 1 application error ended with exit code 1; the last it printed: y=N again square.0[2]",
        "half 1 upstream failed with its upstream half.0[2]",
        f"next: sciflow retry {queued.name}",
    ]
    assert files_of(queued) == before
    assert len(slurm.calls("sbatch")) == 2


def test_a_dry_run_as_json_has_all_indices(sciflow: Command, queued: Path) -> None:
    """Each kind of failure with what is done about it."""
    document = sciflow("retry", "-n", "--json").json
    assert document["run"] == queued.name
    first, second = document["decisions"]
    assert first["error"]
    assert {**first, "error": ""} == {
        "task": "square",
        "cause": "application_error",
        "error": "",
        "action": "again",
        "why": "",
        "count": 1,
        "indices": "square.0[2]",
    }
    assert (second["cause"], second["action"]) == ("upstream_failed", "with its upstream")


def test_what_to_type_next_has_the_same_options(sciflow: Command, queued: Path) -> None:
    """Quoted for a shell."""
    words = ["--only", "application_error", "--indices", "square[2]", "--scale", "memory=2"]
    answer = sciflow("retry", "-n", *words, "--force", "--release")
    assert answer.out.splitlines()[-1] == (
        f"next: sciflow retry {queued.name} --only application_error --indices 'square[2]' --scale memory=2 "
        "--force --release"
    )
    assert "256 MB → 512 MB" in answer.out


def test_long_lists_of_indices_are_shortened(sciflow: Command, project: Path, site: Path, slurm: FakeSlurm) -> None:
    """JSON has them whole."""
    document = {"name": "odd", "parameters": {"x": {"range": [80]}}}
    document["tasks"] = [{"name": "odd", "command": "test $(( {{ x }} % 2 )) -eq 0"}]
    document["recovery"] = {"brake": "off"}
    (project / "odd.yaml").write_text(json.dumps(document))
    slurm.hold()
    sciflow("run", "odd.yaml")
    shown = sciflow("retry", "-n").out.splitlines()
    assert shown[2].endswith(",…")
    assert len(shown[2]) < 180
    [group] = sciflow("retry", "-n", "--json").json["decisions"]
    assert group["count"] == 40
    assert group["indices"].endswith(",77,79]")


def test_a_dry_run_ends_as_the_retry_would(sciflow: Command, queued: Path, slurm: FakeSlurm) -> None:
    """With 3 where nothing is tried again."""
    sciflow("retry")
    answer = sciflow("retry", "-n")
    assert "nothing is tried again" in answer.out
    assert (answer.code, sciflow("retry").code) == (3, 3)


# --- retry


def test_what_slurm_refuses_is_an_error_after_all_else(sciflow: Command, queued: Path, slurm: FakeSlurm) -> None:
    """What was to be tried again is as it was before, says why, and what can be typed; JSON has it as well."""
    slurm.fails("sbatch", "sbatch: error: Batch job submission failed: Invalid account")
    answer = sciflow("retry")
    assert answer.code == 1
    assert "refused" in answer.out
    assert "Invalid account" in answer.err
    answer = sciflow("retry", "--json")
    assert answer.code == 1
    [refused] = answer.json["refused"]
    assert (refused["array"], refused["indices"]) == ("square.0", "2")
    assert "Invalid account" in refused["error"]
    shown = sciflow("status")
    assert "has ended, with failures" in shown.out
    assert "1 × square was not tried again: Slurm refuses" in shown.out
    assert f"next: sciflow retry {queued.name} -n" in shown.out
    assert shown.code == 3
    slurm.works("sbatch")
    assert sciflow("retry").code == 0
    assert "was not tried again" not in sciflow("status").out


def test_a_node_that_is_used_again_is_told(sciflow: Command, queued: Path) -> None:
    """Also before it is done."""
    events = '{"time": 1, "event": "exclude", "node": "n7", "until": 9e9, "why": "all fail"}\n'
    with (queued / "journal.jsonl").open("a") as journal:
        journal.write(events)
    assert "node n7 will be used again" in sciflow("retry", "-n", "--include", "n7").out
    assert "node n7 is used again" in sciflow("retry", "--include", "n7").out


def test_what_failed_is_submitted_again(sciflow: Command, queued: Path, slurm: FakeSlurm) -> None:
    """The jobs are told, and what to type next; the second time there is nothing to do."""
    slurm.hold()
    answer = sciflow("retry")
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert ["square.0", "103", "1"] in [line.split() for line in lines]
    assert ["half.0", "104", "1"] in [line.split() for line in lines]
    assert lines[-1] == f"next: sciflow status {queued.name} --watch"
    assert [call.partition(" --array")[2] for call in slurm.calls("sbatch")[2:]] == [
        "=2 scripts/square.0.sh",
        "=2 --dependency=aftercorr:103 scripts/half.0.sh",
    ]
    again = sciflow("retry")
    assert (again.code, again.out) == (0, f"run {queued.name}: nothing has failed\n")
    assert sciflow("status").code == 4


def test_a_retry_as_json(sciflow: Command, queued: Path, slurm: FakeSlurm) -> None:
    """What was decided, submitted, released and avoided."""
    slurm.hold()
    document = sciflow("retry", "--json").json
    assert [one["action"] for one in document.pop("decisions")] == ["again", "with its upstream"]
    assert document == {
        "run": queued.name,
        "jobs": {"103": {"array": "square.0", "indices": 1}, "104": {"array": "half.0", "indices": 1}},
        "waiting": [],
        "refused": [],
        "released": [],
        "avoided": [],
        "throttled": [],
        "notes": [],
    }


def test_waiting_for_a_retry_collects(sciflow: Command, queued: Path, project: Path) -> None:
    """What was done is said first; then the end, as `status` shows it."""
    mended(project, queued)
    answer = sciflow("retry", "--wait")
    assert answer.code == 0
    assert answer.err.splitlines()[0] == f"run {queued.name}"
    assert answer.out.splitlines()[0].startswith(f"run {queued.name} of squares is complete")
    assert answer.out.splitlines()[-1] == f"4 of 4 combinations completed; results: {queued / 'results.h5'}"


def test_what_is_given_up_is_told_with_the_way_out(sciflow: Command, queued: Path, slurm: FakeSlurm) -> None:
    """Nothing is done, and the exit code tells that something has failed."""
    sciflow("retry")
    before = files_of(queued)
    for words in ([], ["-n"]):
        answer = sciflow("retry", *words)
        assert answer.code == 3
        assert "it failed twice with the same error" in answer.out
        assert answer.out.splitlines()[-2:] == [
            "nothing is tried again",
            f"next: sciflow retry {queued.name} --force   # all the same",
        ]
    assert files_of(queued) == before
    slurm.hold()
    assert sciflow("retry", "--force").code == 0
    assert len(slurm.calls("sbatch")) == 6


def test_nothing_has_failed(sciflow: Command, finished: Path) -> None:
    """Of all, or of what is meant."""
    assert sciflow("retry", "--indices", "square[0]").out == f"run {finished.name}: nothing of that has failed\n"
    assert sciflow("retry", "--indices", "square[0]").code == 0


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (["--only", "timout"], "`timout` is no cause of a failure", "did you mean `timeout`?"),
        (["--scale", "memory=lots"], "`lots` is no factor for `memory`", "write it like `memory=2`"),
        (["--scale", "cores=2"], "`cores` cannot be scaled", "write `memory=2` or `runtime=2`"),
        (["--include", "n7"], "node `n7` is not avoided", "no node of this run is"),
        (["--release", "--include", "n7"], "node `n7` is not avoided", "no node of this run is"),
        (["--indices", "cube"], "has no task `cube`", ""),
        (["--indices", "square[9]"], "9", ""),
        (["--indices", "square["], "`square[` names no task or indices", "write it like `train_model`"),
    ],
)
@pytest.mark.parametrize("dry", [["-n"], []])
def test_what_is_wrong_is_named_and_nothing_changes(
    sciflow: Command, queued: Path, slurm: FakeSlurm, words: list[str], error: str, hint: str, dry: list[str]
) -> None:
    """With the way out; also by a dry run."""
    before = files_of(queued)
    answer = sciflow("retry", *words, *dry)
    assert (answer.code, answer.out) == (1, "")
    assert error in answer.err.splitlines()[0]
    assert hint in answer.err
    assert files_of(queued) == before
    assert len(slurm.calls("sbatch")) == 2


def test_a_run_that_is_not_there(sciflow: Command, project: Path) -> None:
    """As for every verb."""
    assert sciflow("retry", "nowhere").code == 1
    assert sciflow("tend", "nowhere").code == 1
    assert sciflow("retry", "--no-such-option").code == 2


# --- tend


def test_tending_does_it_all_once(sciflow: Command, queued: Path, slurm: FakeSlurm) -> None:
    """Retries, collects, and writes down what was done; nobody follows where nobody was to."""
    slurm.hold()
    answer = sciflow("tend")
    assert (answer.code, answer.err) == (4, "")
    lines = answer.out.splitlines()
    assert f"next: sciflow status {queued.name} --watch" in lines
    assert lines[-2:] == ["now: 6 COMPLETED, 2 PENDING", f"what was done so far: {queued / 'recovery.md'}"]
    assert "## What was done" in (queued / "recovery.md").read_text()
    assert (queued / "results.h5").is_file()
    assert len(slurm.calls("sbatch")) == 4


def test_the_job_that_tends_lets_the_next_one_follow(
    sciflow: Command, project: Path, site: Path, slurm: FakeSlurm
) -> None:
    """As it is called in the script of the small job."""
    slurm.hold()
    sciflow("submit", "workflow.yaml", "--profile", site, "--autonomous")
    run = latest(project)
    assert "-m sciflow tend --chain -- " in (run / "scripts" / "tend.sh").read_text()
    slurm.hold(False)
    rows = (slurm.state / "queue").read_text().splitlines()
    done = [row.replace("PENDING", "COMPLETED") if "|N/A|tend" in row else row for row in rows]
    (slurm.state / "queue").write_text("\n".join(done) + "\n")
    answer = sciflow("tend", "--chain", "--json", "--", run)
    assert answer.code == 4
    assert answer.json["next"] == "104"
    assert answer.json["counts"] == {"PENDING": 8}
    assert sciflow("tend", "--chain", "--json", "--", run).json["next"] == "104"
    assert "job 104 looks after it next" in sciflow("tend", "--chain", "--", run).out


def test_tending_a_run_on_this_machine(sciflow: Command, finished: Path) -> None:
    """It is retried to its end."""
    answer = sciflow("tend", "--json")
    assert answer.code == 3
    assert answer.json["counts"] == {"COMPLETED": 6, "FAILED": 1, "UPSTREAM_FAILED": 1}
    assert answer.json["next"] is None
    assert (finished / "recovery.md").is_file()
    again = sciflow("tend")
    assert "nothing is tried again" in again.out
