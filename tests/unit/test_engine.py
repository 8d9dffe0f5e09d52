"""Engine and Run: the Python front door."""

import json
import shutil
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

import sciflow
from sciflow.engine import Engine
from sciflow.errors import PlanError, ProfileError, RunError, SciflowWarning, WorkflowError
from sciflow.execution import Run, open_run
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow


def greedy(**resources: Any) -> ExperimentalWorkflow:
    """Make a workflow of one task that asks for these resources."""
    workflow = ExperimentalWorkflow("greedy")
    workflow.add_task("task", lambda: {"y": 1}, resources=resources)
    return workflow


def test_a_sweep_gives_its_results(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """From workflow to numbers in one call; the results are on disk as well."""
    results = engine.execute_parameter_sweep(squares)
    assert results.to_dataframe()["y"].tolist() == [1, 4, 9, 16]
    assert results.get_metric({"x": 2}, "sum") == 30
    assert results.path.is_file()
    assert results.path.parent.parent == engine.runs / "squares"


def test_compiling_changes_nothing(engine: Engine, squares: ExperimentalWorkflow, tmp_path: Path) -> None:
    """A plan is made without a trace on disk."""
    before = sorted(tmp_path.rglob("*"))
    compiled = engine.compile(squares)
    assert compiled.plan.instances == {"square": 4, "total": 1}
    assert set(engine.render(compiled)) == {"square.0", "total.0"}
    assert sorted(tmp_path.rglob("*")) == before


def test_a_plan_is_simulated(engine: Engine, tmp_path: Path) -> None:
    """Without a trace on disk; where there is no queue, as for any Slurm; with the policy's times from then on."""
    workflow = ExperimentalWorkflow("squares", tmp_path)
    workflow.add_task("square", lambda x: {"y": x * x}, resources={"cpu_cores": 64, "max_runtime": "30 min"})
    workflow.add_parameter_space({"x": range(6)})
    workflow.set_scheduling_policy("off_peak", {"preferred_hours": "22:00-08:00", "timezone": "UTC"})
    before = sorted(tmp_path.rglob("*"))
    now = datetime(2031, 5, 14, 16, 0, tzinfo=timezone.utc)
    simulation = engine.simulate(workflow, "1x128c", now=now)
    assert simulation.plan.profile == "generic-slurm"
    assert simulation.outcome.seconds == 6 * 3600 + 1.5 * 3600
    assert simulation.outcome.off_peak == 1
    assert engine.simulate(workflow, "1x128c", {"square": "20 min"}, now).outcomes["all at once now"].seconds == 3600
    assert sorted(tmp_path.rglob("*")) == before
    with pytest.raises(PlanError, match="profile `generic-slurm` does not say how many nodes"):
        engine.simulate(workflow)
    wrong: Any = engine.simulate
    for arguments in (("a.yaml", "1x4c"), (workflow, 4), (workflow, "1x128c", None, "2031-05-14")):
        with pytest.raises(PlanError, match=r"is no workflow|says no nodes|is no moment"):
            wrong(*arguments)


def test_a_plan_is_written_for_review(engine: Engine, squares: ExperimentalWorkflow, tmp_path: Path) -> None:
    """The scripts that are reviewed are the scripts that run, byte for byte."""
    compiled = engine.compile(squares)
    folder = engine.write_plan(compiled, tmp_path / "review")
    run = engine.run(compiled).run
    for name, text in engine.render(compiled).items():
        assert (folder / "scripts" / f"{name}.sh").read_text() == text
        assert run.directory.script(name).read_text() == text


def test_a_plan_is_written_into_an_empty_folder(engine: Engine, squares: ExperimentalWorkflow, tmp_path: Path) -> None:
    """A folder that holds something, or a file, is left as it is."""
    compiled = engine.compile(squares)
    (tmp_path / "empty").mkdir()
    engine.write_plan(compiled, tmp_path / "empty")
    (tmp_path / "file").write_text("mine")
    for taken in ("empty", "file"):
        with pytest.raises(RunError, match=f"`{tmp_path / taken}` is there already") as caught:
            engine.write_plan(compiled, tmp_path / taken)
        assert caught.value.hint == "give a new or empty folder"
    assert (tmp_path / "file").read_text() == "mine"


def test_too_much_is_reduced_with_a_warning(engine: Engine) -> None:
    """What this machine does not have is reduced, said in a warning, and noted in the manifest."""
    with pytest.warns(SciflowWarning) as caught:
        results = engine.execute_parameter_sweep(greedy(cpu_cores=10_000, memory_gb=10_000_000))
    assert len(caught) == 2
    assert "asks for 10000 cores" in str(caught[0].message)
    assert results.completed == 1
    manifest = json.loads(results.run.manifest.read_text())
    assert [str(one.message) for one in caught] == manifest["warnings"]


def test_too_much_is_refused_when_strict(engine: Engine) -> None:
    """With `strict`, of the engine or of the call, nothing is reduced and nothing written."""
    for strict_engine, strict_call in [(True, None), (False, True)]:
        one = Engine(runs=engine.runs, strict=strict_engine)
        with pytest.raises(PlanError, match="asks for 10000 cores"):
            one.execute_parameter_sweep(greedy(cpu_cores=10_000), strict=strict_call)
    assert not engine.runs.exists()
    with pytest.warns(SciflowWarning):
        Engine(runs=engine.runs, strict=True).execute_parameter_sweep(greedy(cpu_cores=10_000), strict=False)


def test_a_start_time_that_is_not_kept_is_told(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """On a machine that is not shared, a policy is noted and the run starts at once."""
    squares.set_scheduling_policy("off_peak", {"preferred_hours": "22:00-08:00"})
    with pytest.warns(SciflowWarning, match="the run starts at once"):
        assert engine.execute_parameter_sweep(squares).completed == 4


def test_a_mistake_is_found_before_anything_is_written(engine: Engine) -> None:
    """A workflow that cannot run leaves no trace."""
    workflow = ExperimentalWorkflow("wrong")
    workflow.add_task("task", lambda y: None)
    workflow.add_parameter_space({"x": [1]})
    with pytest.raises(WorkflowError, match="`y`"):
        engine.execute_parameter_sweep(workflow)
    assert not engine.runs.exists()


def test_another_scheduler_is_refused(engine: Engine, tmp_path: Path, squares: ExperimentalWorkflow) -> None:
    """A profile of a scheduler that is not known names it."""
    (tmp_path / "site.yaml").write_text("name: site\nscheduler: lsf\n")
    with pytest.raises(ProfileError, match="`lsf`"):
        Engine(str(tmp_path / "site.yaml"), engine.runs).compile(squares)


def test_runs_are_in_the_current_folder(
    squares: ExperimentalWorkflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing else is said, runs are in `sciflow-runs`, from where the program is."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    results = sciflow.Engine().execute_parameter_sweep(squares)
    assert results.path.is_relative_to(tmp_path / "here" / "sciflow-runs" / "squares")
    assert open_run().path == results.run.path


def test_a_run_is_opened(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """By its directory, its id or as the latest, a run gives plan, status and results."""
    results = engine.execute_parameter_sweep(squares)
    run = open_run(results.run.path)
    assert isinstance(run, Run)
    assert repr(run) == f"<Run {results.run.run_id}>"
    assert open_run(run.run_id, engine.runs).path == open_run(runs=engine.runs).path == run.path
    assert run.plan.instances == {"square": 4, "total": 1}
    assert run.status().counts() == {State.COMPLETED: 5}
    assert not run.status().is_driven
    assert run.results().get_metric({"x": 4}, "y") == 16
    run.directory.results.unlink()
    with pytest.raises(RunError, match="no collected results"):
        run.results()
    assert run.collect().completed == 4


def test_a_run_that_is_gone_is_not_found(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """After its folder was removed there is no run."""
    shutil.rmtree(engine.execute_parameter_sweep(squares).run.path)
    with pytest.raises(RunError, match="there is no run"):
        open_run(runs=engine.runs)


def test_what_gathers_gets_the_parameters_that_are_left(engine: Engine, tmp_path: Path) -> None:
    """As a dict and as keywords, in the function and in its context, each instance has its own."""

    def average(measure, params, context, **rest):
        assert params == rest == dict(context.parameters)
        return {"mean": sum(one["y"] for one in measure) / len(measure), "known": "+".join(params)}

    workflow = ExperimentalWorkflow("gather", tmp_path)
    workflow.add_task("measure", lambda size, seed: {"y": 10 * size + seed})
    workflow.add_task("average", average, depends_on=["measure"], over=["seed"])
    workflow.add_parameter_space({"size": [1, 2], "seed": [1, 3]})
    results = engine.execute_parameter_sweep(workflow)
    assert results.failures().empty
    assert [results.get_metric({"size": 2, "seed": seed}, "mean") for seed in (1, 3)] == [22, 22]
    assert results.get_metric({"size": 1, "seed": 1}, "known") == "size"
