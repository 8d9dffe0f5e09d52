"""A compiled workflow becomes a run directory, whole or not at all."""

import json
import os
import re
import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from sciflow.engine import Engine
from sciflow.errors import RunError, WorkflowError
from sciflow.model.plan import ArrayJob
from sciflow.model.policy import SchedulingPolicy
from sciflow.model.recovery import RecoveryPolicy
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.stage import identity, new_run_id, note_recovery, stage
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory, read_document, runs_of
from sciflow.store.manifest import read_policies, read_recovery, task_retries
from unit.scripted import blank_scripts


def staged_by(engine: Engine, workflow: ExperimentalWorkflow) -> RunDirectory:
    """Stage a workflow as a run of the engine's."""
    compiled = engine.compile(workflow)
    return stage(compiled, engine.runs, blank_scripts())


def test_ids_sort_by_age() -> None:
    """A later second has a greater id; in the same second no two are alike."""
    early = new_run_id(datetime(2025, 1, 31, 23, 59, 59, tzinfo=timezone.utc))
    late = new_run_id(datetime(2025, 2, 1, 0, 0, 0, tzinfo=timezone.utc))
    assert early < late
    assert re.fullmatch(r"20250131-235959-[0-9a-f]{5}", early)
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{5}", new_run_id())


def test_all_files_are_there(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """Manifest, plan, scripts, tables, code and shim are written; nothing is collected or journalled yet."""
    run = staged_by(engine, squares)
    files = {str(path.relative_to(run.path)) for path in run.path.rglob("*") if path.is_file()}
    assert files - {one for one in files if one.startswith("shim/")} == {
        "manifest.json",
        "plan.json",
        "workflow.json",
        *(f"arrays/{name}.0.json{more}" for name in ("square", "total") for more in ("", "l")),
        *(f"scripts/{name}.0.sh" for name in ("square", "total")),
        "scripts/templates.json",
        *(f"code/{name}.{kind}" for name in ("square", "total") for kind in ("json", "pickle", "py")),
        "code/project.zip",
    }
    assert "shim/sciflow_shim/__main__.py" in files
    assert not [one for one in files if "__pycache__" in one]


def test_the_run_is_private_and_latest(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """Only the user can look into it; `latest` points to it, also when the folder of runs is moved."""
    run = staged_by(engine, squares)
    assert stat.S_IMODE(run.path.stat().st_mode) == 0o700
    moved = engine.runs.rename(engine.runs.with_name("moved"))
    assert (moved / "latest").resolve() == moved / "squares" / run.run_id
    assert sorted(path.name for path in moved.iterdir()) == ["latest", "squares"]


def test_latest_follows_the_newest(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """Every new run takes `latest` over."""
    for _ in range(2):
        run = staged_by(engine, squares)
        assert (engine.runs / "latest").resolve() == run.path


def test_the_manifest_says_what_was_asked(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """Workflow, space, tasks, requests, policy, code and machine stand in one JSON file."""
    squares.set_scheduling_policy("off_peak", {"preferred_hours": "22:00-08:00"})
    squares.set_resource_requirements({"square": {"memory_gb": lambda x: x / 10, "cpu_cores": 1}})
    squares.metadata["author"] = "A. Müller"
    run = staged_by(engine, squares)
    manifest = json.loads(run.manifest.read_text(encoding="utf-8"))
    assert (manifest["format"], manifest["run"], manifest["workflow"]) == (1, run.run_id, "squares")
    assert manifest["tasks"]["total"]["depends_on"] == ["square"]
    assert manifest["tasks"]["total"]["over"] == "all"
    assert manifest["policy"]["policy"] == "off_peak"
    assert "lambda" in manifest["resources"]["square"]["memory_gb"]
    assert manifest["metadata"] == {"author": "A. Müller"}
    assert manifest["directory"] == str(squares.directory)
    assert manifest["interpreter"] == sys.executable
    assert datetime.fromisoformat(manifest["created"]).tzinfo is not None


def test_the_space_is_rebuilt_from_the_manifest_alone(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """Rules that a file can say are in the manifest; combinations of functions are in a table with a digest."""
    document = json.loads(staged_by(engine, squares).manifest.read_text())["space"]
    assert document["axes"] == {"x": [1, 2, 3, 4]}
    squares.add_constraint(lambda x: x != 2)
    run = staged_by(engine, squares)
    document = json.loads(run.manifest.read_text())["space"]
    assert (document["table"], document["names"]) == ("combinations.jsonl", ["x"])
    assert run.combinations.read_text() == "[1]\n[3]\n[4]\n"


def describe(array: ArrayJob) -> str:
    """Stand in for a script: all that is known of an array job."""
    return repr(array)


def identity_of(engine: Engine, workflow: ExperimentalWorkflow) -> str:
    """Compile a workflow for its identity."""
    return identity(engine.compile(workflow), describe)


CHANGES: dict[str, Callable[[ExperimentalWorkflow], Any]] = {
    "a constraint": lambda one: one.add_constraint("x < 4"),
    "a request": lambda one: one.set_resource_requirements({"square": {"memory_gb": 0.1}}),
    "a task": lambda one: one.add_task("other", lambda x: None),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_the_work_changes_the_identity(engine: Engine, squares: ExperimentalWorkflow, name: str) -> None:
    """Instances, requests and tasks are the work."""
    before = identity_of(engine, squares)
    CHANGES[name](squares)
    assert identity_of(engine, squares) != before


def test_another_script_is_another_identity(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """A site that edits its profile or its template of scripts runs the work in another way."""
    compiled = engine.compile(squares)
    assert identity(compiled, describe) != identity(compiled, lambda array: describe(array) + "# x")


def test_a_start_time_is_no_work(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """Compiled again an hour later, an off-peak plan begins at another time and is the same work."""
    compiled = engine.compile(squares)
    begins = [replace(array, begin=datetime(2031, 5, 17, 22, tzinfo=timezone.utc)) for array in compiled.plan.arrays]
    later = replace(compiled, plan=replace(compiled.plan, arrays=tuple(begins)))
    assert identity(compiled, describe) == identity(later, describe)


def test_the_same_work_has_the_same_identity(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """Figures, metadata and the day on which it is compiled are no work."""
    before = identity_of(engine, squares)
    squares.add_visualization("figure", {"type": "line", "x_axis": "x", "value": "y"})
    squares.metadata["note"] = "again"
    assert identity_of(engine, squares) == before


def test_a_run_that_cannot_be_written_leaves_nothing(
    engine: Engine, squares: ExperimentalWorkflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever step fails, there is no half-made run, and `latest` is as it was."""
    first = staged_by(engine, squares)
    real = Path.write_text

    def full(self: Path, *arguments: Any, **more: Any) -> int:
        if self.name == "manifest.json":
            raise OSError(28, "No space left on device")
        return real(self, *arguments, **more)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(RunError, match="cannot be written: No space left on device") as caught:
        staged_by(engine, squares)
    assert str(engine.runs / "squares") in caught.value.message
    assert [run.run_id for run in runs_of(engine.runs)] == [first.run_id]
    assert [path.name for path in (engine.runs / "squares").iterdir()] == [first.run_id]
    assert (engine.runs / "latest").resolve() == first.path


def test_a_mistake_in_the_workflow_leaves_nothing(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """A function that cannot be stored is found while the run is written, which is then gone."""
    handle = (squares.directory / "file").open("w")
    squares.add_task("bad", lambda x: handle)
    with handle, pytest.raises(WorkflowError, match="cannot be stored"):
        staged_by(engine, squares)
    assert list((engine.runs / "squares").iterdir()) == []


def test_what_a_killed_staging_left_is_removed_a_day_later(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """Half-made runs go when they are old, and stay while somebody may still write them."""
    for name, age in [(".old.partial", 90_000), (".new.partial", 10)]:
        (engine.runs / "squares" / name).mkdir(parents=True)
        path = engine.runs / "squares" / name
        os.utime(path, (path.stat().st_atime - age, path.stat().st_mtime - age))
    run = staged_by(engine, squares)
    left = {path.name for path in (engine.runs / "squares").iterdir()}
    assert left == {".new.partial", run.run_id}


def test_a_file_in_the_way_is_named(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """Where the folder of runs is a file, the error says which."""
    engine.runs.write_text("")
    with pytest.raises(RunError, match="cannot be written: Not a directory"):
        staged_by(engine, squares)


def test_a_workflow_named_latest_is_refused(engine: Engine) -> None:
    """Its folder would be where the link to the newest run is."""
    workflow = ExperimentalWorkflow("latest")
    workflow.add_task("task", lambda: None)
    with pytest.raises(RunError, match="named `latest`") as caught:
        staged_by(engine, workflow)
    assert caught.value.hint == "give it another name"
    assert not engine.runs.exists()


# --- when it starts


def test_a_run_needs_no_calendar_files(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """What they say is in the manifest, with the zone, and another present day makes no other run."""
    (squares.directory / "h.txt").write_text("2030-12-25\n")
    (squares.directory / "p.csv").write_text("hour,p\n" + "".join(f"{hour},{hour}\n" for hour in range(24)))
    said = {"preferred_hours": "22:00-08:00", "holidays": "h.txt", "timezone": "Europe/Berlin"}
    squares.set_scheduling_policy("off_peak", said)
    cheap = {"policy": "cheapest", "tariff": "p.csv", "max_wait_hours": 3}
    squares.tasks["total"] = squares.tasks["total"].model_copy(update={"schedule": SchedulingPolicy(**cheap)})
    run = staged_by(engine, squares)
    for name in ("h.txt", "p.csv"):
        (squares.directory / name).unlink()
    policies = read_policies(run)
    assert policies.general.filled() == SchedulingPolicy(policy="off_peak", **{**said, "holidays": ["2030-12-25"]})
    assert policies.of("total").tariff == tuple(float(hour) for hour in range(24))


def test_a_calendar_that_is_not_there_leaves_nothing(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """It is found before anything is written."""
    squares.set_scheduling_policy("immediate", {"blackouts": "gone.ics"})
    with pytest.raises(WorkflowError, match="`blackouts`: there is no file"):
        staged_by(engine, squares)
    assert not engine.runs.exists()


# --- how failures are met


def goes_on(engine: Engine, workflow: ExperimentalWorkflow, run: RunDirectory) -> list[dict[str, Any]]:
    """Note in a run what a workflow says of failures now, and return what the journal tells of that."""
    note_recovery(engine.compile(workflow), run)
    return [event for event in Journal(run.journal).events() if event["event"] == "recovery"]


def test_a_run_that_goes_on_meets_failures_as_is_said_now(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """Also those of one task; that changes no result, so it is no other run. The same again is not noted."""
    run = staged_by(engine, squares)
    assert goes_on(engine, squares, run) == []
    squares.set_recovery_policy({"retries": 3, "canaries": 1})
    assert len(goes_on(engine, squares, run)) == 1
    assert len(goes_on(engine, squares, run)) == 1
    assert read_recovery(run) == RecoveryPolicy(retries=3, canaries=1)
    squares.tasks["square"] = squares.tasks["square"].model_copy(update={"retries": 0})
    assert len(goes_on(engine, squares, run)) == 2
    assert task_retries(run) == {"square": 0}
    squares.tasks["square"] = squares.tasks["square"].model_copy(update={"retries": None})
    squares.set_recovery_policy({})
    assert len(goes_on(engine, squares, run)) == 3
    assert (read_recovery(run), task_retries(run)) == (RecoveryPolicy(), {})


def test_a_run_that_goes_on_has_the_brake_that_is_said_now(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """The nodes read it from the header of the array job, of which all else stays as it is."""
    run = staged_by(engine, squares)
    before = read_document(run.header("square.0"))
    assert "brake" not in before
    for said, brake in ((2, 2), ("off", 0), ("auto", 0)):
        squares.set_recovery_policy({"brake": said})
        goes_on(engine, squares, run)
        assert read_document(run.header("square.0")) == {**before, "brake": brake}


def test_a_chain_has_the_script_of_its_later_links(tmp_path: Path, squares: ExperimentalWorkflow) -> None:
    """They go on, under the same request; what is no chain has none."""
    profile = tmp_path / "site.yaml"
    profile.write_text(
        "name: site\nscheduler: slurm\npartitions: {short: {max_runtime: 1 h, default: true}}\ntemplates: blank\n"
    )
    squares.tasks["square"] = squares.tasks["square"].model_copy(update={"checkpoints": True})
    squares.set_resource_requirements({"square": {"max_runtime_hours": 3}})
    run = staged_by(Engine(str(profile), tmp_path / "runs"), squares)
    document = read_document(run.header("square.0@next"))
    assert document["goes_on"] is True
    assert document["request"]["runtime_seconds"] == 3600
    assert run.script("square.0@next").stat().st_mode & 0o111
    assert not run.header("total.0@next").exists()
