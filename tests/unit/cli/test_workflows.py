"""Verbs on workflows: init, plan, run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


def change(project: Path, **more: Any) -> None:
    """Change the project's workflow file."""
    document = json.loads((project / "workflow.yaml").read_text())
    (project / "workflow.yaml").write_text(json.dumps({**document, **more}))


def test_init_makes_what_runs(sciflow: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what it wrote and what to type next, and that works."""
    monkeypatch.chdir(tmp_path)
    answer = sciflow("init", "darts")
    assert (answer.code, answer.err) == (0, "")
    assert "wrote darts/workflow.yaml\n" in answer.out
    assert answer.out.endswith("next: cd darts && sciflow run workflow.yaml\n")
    monkeypatch.chdir(tmp_path / "darts")
    assert sciflow("plan", "workflow.yaml").code == 0


def test_init_here(sciflow: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a folder it writes into the current one; a second time it refuses."""
    monkeypatch.chdir(tmp_path)
    answer = sciflow("init", "--json")
    assert answer.code == 0
    assert set(answer.json["written"]) == {
        str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()
    }
    again = sciflow("init")
    assert (again.code, again.out) == (1, "")
    assert "is there already" in again.err
    assert sciflow("init", "elsewhere").out.count("cd elsewhere") == 1


def test_plan_shows_what_would_run(sciflow: Command, project: Path) -> None:
    """Arrays, indices, requests and dependencies, and nothing on disk."""
    before = sorted(project.rglob("*"))
    answer = sciflow("plan", "workflow.yaml")
    assert (answer.code, answer.err) == (0, "")
    assert "workflow squares on profile local: 4 combinations, 8 task instances in 2 array jobs" in answer.out
    assert "square.0" in answer.out
    assert "1 core, 256 MB, 10 min" in answer.out
    assert "square.0 (same index)" in answer.out
    assert "requested at most: 0.6667 core-hours" in answer.out
    assert sorted(project.rglob("*")) == before


def test_plan_as_json(sciflow: Command, project: Path) -> None:
    """The same plan as a document that programs read."""
    answer = sciflow("plan", "workflow.yaml", "--json")
    assert (answer.code, answer.err) == (0, "")
    document = answer.json
    assert (document["combinations"], document["tasks"]) == (4, ["square", "half"])
    assert [one["count"] for one in document["arrays"]] == [4, 4]
    assert document["arrays"][1]["after"] == [{"array": "square.0", "kind": "element"}]
    assert document["core_hours"] == pytest.approx(4 / 6)


def test_plan_writes_for_review(sciflow: Command, project: Path) -> None:
    """With `-o` the scripts and tables are there, and can be run by hand; a second time it refuses."""
    answer = sciflow("plan", "workflow.yaml", "-o", "review")
    assert answer.code == 0
    assert "written to review; `bash review/scripts/square.0.sh 0` runs an index" in answer.out
    assert len((project / "review" / "arrays" / "square.0.jsonl").read_text().splitlines()) == 4
    again = sciflow("plan", "workflow.yaml", "-o", "review", "--json")
    assert again.code == 1
    assert "is there already" in again.json["error"]
    assert sciflow("plan", "workflow.yaml", "-o", "other", "--json").json["written"] == "other"


def test_plan_warns_of_what_is_reduced(sciflow: Command, project: Path) -> None:
    """What the machine lacks is shown with the plan; with `--strict` it is an error."""
    document = json.loads((project / "workflow.yaml").read_text())
    document["tasks"][0]["resources"] = {"cpu_cores": 10_000}
    change(project, tasks=document["tasks"])
    assert "warning: task `square` asks for 10000 cores" in sciflow("plan", "workflow.yaml").out
    strict = sciflow("plan", "workflow.yaml", "--strict")
    assert strict.code == 1
    assert strict.err.startswith("error: task `square` asks for 10000 cores, but profile `local` has")
    assert "hint: ask for less" in strict.err


def test_plan_says_what_projection_saves(sciflow: Command, project: Path) -> None:
    """Tasks that run less often than there are combinations are noted; so is a start time that is not kept."""
    schedule = {"policy": "off_peak", "preferred_hours": "22:00-08:00"}
    change(project, parameters={"x": [1, 2], "y": [1, 2, 3]}, schedule=schedule)
    answer = sciflow("plan", "workflow.yaml")
    assert "note: task `square` depends on `x`: it runs 2 times, not 6" in answer.out
    assert "the run starts at once" in answer.out


@pytest.mark.parametrize("verb", ["plan", "run"])
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing.yaml"], "there is no workflow file `nothing.yaml`"),
        (["workflow.yaml", "--profile", "lokal"], "there is no cluster profile `lokal`"),
        (["broken.yaml"], "broken.yaml"),
    ],
)
def test_what_is_wrong_is_named(sciflow: Command, project: Path, verb: str, arguments: list[str], told: str) -> None:
    """The file or the profile, and the way out, before anything is run."""
    (project / "broken.yaml").write_text("name: w\ntasks:\n  - nam: x\n    command: 'true'\n")
    answer = sciflow(verb, *arguments)
    assert (answer.code, answer.out) == (1, "")
    assert told in answer.err
    assert "error: " in answer.err
    assert not (project / "sciflow-runs").exists()


def test_run_to_the_end_with_a_failure_is_3(sciflow: Command, project: Path) -> None:
    """Counts, what failed and why, what to type next; progress and notes are not on standard output."""
    answer = sciflow("run", "workflow.yaml")
    assert answer.code == 3
    lines = answer.out.splitlines()
    assert " of squares has ended, with failures; " in lines[0]
    assert "3 of 4 combinations completed; results: " in lines[-1]
    assert any(line.startswith("1 × square FAILED: ended with exit code 1") for line in lines)
    assert any(line.startswith("1 × half UPSTREAM_FAILED") for line in lines)
    assert any(line.startswith("next: sciflow logs ") for line in lines)
    assert answer.err == ""


def test_run_again_goes_on(sciflow: Command, project: Path, finished: Path) -> None:
    """The same command tries again what failed, in the same run."""
    answer = sciflow("run", "workflow.yaml")
    assert answer.code == 3
    assert answer.out.startswith(f"went on with run {finished.name}\n")
    document = sciflow("run", "workflow.yaml", "--json").json
    assert (document["continued"], document["reused"], document["run"]) == (True, 0, finished.name)
    assert sorted(path.name for path in (finished / "records" / "square.0" / "0000").iterdir()) == [
        *("0.1.h5", "1.1.h5", "2.1.h5", "2.2.h5", "2.3.h5"),
        "3.1.h5",
    ]


def test_run_takes_over_what_is_done(sciflow: Command, project: Path, finished: Path) -> None:
    """An axis that was made longer runs what is new, and says what it did not repeat."""
    change(project, parameters={"x": [1, 2, 4, 6]})
    answer = sciflow("run", "workflow.yaml")
    assert answer.code == 0
    assert answer.out.startswith("6 task instances were taken over from earlier runs\n")
    assert "4 of 4 combinations completed" in answer.out
    fresh = sciflow("run", "workflow.yaml", "--fresh", "--json")
    assert fresh.code == 0
    assert (fresh.json["continued"], fresh.json["reused"]) == (False, 0)


def test_run_as_json(sciflow: Command, project: Path) -> None:
    """One document: where the run is, what its states are, and where the results are."""
    answer = sciflow("run", "workflow.yaml", "--json")
    assert answer.code == 3
    document = answer.json
    assert document["combinations"] == {"completed": 3, "total": 4}
    assert document["tasks"]["square"] == {"COMPLETED": 3, "FAILED": 1}
    assert document["arrays"]["half.0"] == {"COMPLETED": "0-1,3", "UPSTREAM_FAILED": "2"}
    assert document["is_driven"] is False
    assert Path(document["results"]).is_file()
    [failed, held] = document["failures"]
    assert (failed["task"], failed["state"], failed["indices"], failed["count"]) == (
        "square",
        "FAILED",
        "square.0[2]",
        1,
    )
    assert held["state"] == "UPSTREAM_FAILED"


def test_run_says_warnings_on_standard_error(sciflow: Command, project: Path) -> None:
    """What was reduced or noted is no data."""
    document = json.loads((project / "workflow.yaml").read_text())
    document["tasks"][0]["resources"] = {"cpu_cores": 10_000}
    change(project, tasks=document["tasks"], parameters={"x": [1, 2], "y": [0, 1]})
    answer = sciflow("run", "workflow.yaml")
    assert answer.code == 0
    assert "warning: task `square` asks for 10000 cores" in answer.err
    assert "note: task `square` depends on `x`" in answer.err
    assert "warning: " not in answer.out
