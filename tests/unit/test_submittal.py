"""What was compiled is handed to a scheduler: the calls, what is said before, and what goes on."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path

import pytest

from sciflow.engine import Engine
from sciflow.errors import PlanError, ProfileError, SchedulerError, SciflowWarning, TransportError
from sciflow.execution import Run, open_run
from sciflow.model.parameters import ParameterSpace
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from unit.fake_slurm import FakeSlurm


def test_a_workflow_is_handed_over(remote: Engine, squares: ExperimentalWorkflow, slurm: FakeSlurm) -> None:
    """One call for each array job, from the run directory; the run goes on by itself."""
    slurm.hold()
    run = remote.submit(squares)
    assert isinstance(run, Run)
    assert slurm.calls("sbatch") == [
        f"sbatch --parsable --job-name=square.0.{run.run_id}.1 scripts/square.0.sh",
        f"sbatch --parsable --job-name=total.0.{run.run_id}.2 --dependency=afterany:101 scripts/total.0.sh",
    ]
    status = run.status()
    assert status.counts() == {State.PENDING: 5}
    assert status.indices["square.0"][0].reason == "waits for free cores, memory or GPUs"
    assert open_run(runs=remote.runs).path == run.path
    assert run.profile.name == "site"


def test_a_second_submission_goes_on_with_the_run(
    remote: Engine, squares: ExperimentalWorkflow, slurm: FakeSlurm
) -> None:
    """Nothing is submitted twice, unless a new run is asked for, which says what is still in the queue."""
    slurm.hold()
    first = remote.submit(squares)
    again = remote.hand_over(remote.compile(squares))
    assert (again.run.path, again.continued, again.handed.jobs) == (first.path, True, {})
    assert len(slurm.calls("sbatch")) == 2
    with pytest.warns(SciflowWarning, match=f"`sciflow cancel {first.path}` ends it"):
        other = Engine(remote.profile, remote.runs, fresh=True).submit(squares)
    assert other.path != first.path
    assert len(slurm.calls("sbatch")) == 4


def test_after_its_deadline_a_run_goes_on(
    remote: Engine, tmp_path: Path, slurm: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same command finds the run, and notes that it is late; what has not begun is refused."""
    slurm.hold()
    workflow = ExperimentalWorkflow("late", tmp_path)
    workflow.add_task("show", command="echo {{ x }}", resources={"max_runtime_hours": 8})
    workflow.add_parameter_space({"x": list(range(40))})
    end = datetime.now(timezone.utc) + timedelta(hours=20)
    policy = {"preferred_hours": "22:00-06:00", "deadline": f"{end:%Y-%m-%d %H:%M}", "timezone": "UTC"}
    workflow.set_scheduling_policy("off_peak", policy)
    first = remote.submit(workflow)

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Later:
            return cls.fromtimestamp(end.timestamp() + 60, tz)

    monkeypatch.setattr("sciflow.planning.build.datetime", Later)
    compiled = remote.compile(workflow)
    assert "has passed: the earliest possible end is" in compiled.plan.notes[-1]
    assert f"run `{first.run_id}` has begun" in compiled.plan.notes[-1]
    assert remote.calls(compiled) == []
    again = remote.hand_over(compiled)
    assert (again.run.path, again.handed.jobs) == (first.path, {})
    with pytest.raises(PlanError, match="has passed"):
        Engine(remote.profile, remote.runs, fresh=True).compile(workflow)
    workflow.add_task("more", command="echo {{ x }}")
    with pytest.raises(PlanError, match="has passed"):
        remote.compile(workflow)


def test_what_earlier_runs_have_finished_is_taken_over(remote: Engine, tmp_path: Path, slurm: FakeSlurm) -> None:
    """A space that has grown submits what is new."""

    def grown(*values: int) -> ExperimentalWorkflow:
        workflow = ExperimentalWorkflow("grows", tmp_path)
        workflow.add_task("show", command="echo {{ x }}")
        workflow.add_parameter_space({"x": list(values)})
        return workflow

    remote.submit(grown(1, 2))
    done = remote.hand_over(remote.compile(grown(1, 2, 3)))
    assert (done.continued, done.reused) == (False, 2)
    assert list(done.handed.jobs.values()) == [("show.0", 1)]
    assert "--array=2" in slurm.calls("sbatch")[-1]


def test_warnings_are_given_before_anything_is_submitted(
    remote: Engine, squares: ExperimentalWorkflow, slurm: FakeSlurm
) -> None:
    """And strictly they are errors."""
    squares.space = ParameterSpace.from_document({"x": [1, 2], "unused": [1]})
    with pytest.warns(SciflowWarning, match="no task uses the parameter `unused`"):
        remote.submit(squares)
    remote.strict = True
    with pytest.raises(PlanError, match="no task uses the parameter `unused`"):
        remote.submit(squares)


def test_a_profile_decides_between_run_and_submit(
    engine: Engine, remote: Engine, squares: ExperimentalWorkflow, slurm: FakeSlurm
) -> None:
    """Each says what the other is for, and nothing is written."""
    with pytest.raises(ProfileError) as caught:
        engine.hand_over(engine.compile(squares))
    assert caught.value.message == "profile `local` has no queue to submit to"
    assert "`sciflow run`" in caught.value.hint
    with pytest.raises(ProfileError) as caught:
        remote.run(remote.compile(squares))
    assert caught.value.message == "profile `site` has a queue"
    assert "`sciflow submit`" in caught.value.hint
    assert not remote.runs.exists()


def test_a_refusal_leaves_a_run_that_the_same_call_goes_on_with(
    remote: Engine, squares: ExperimentalWorkflow, slurm: FakeSlurm
) -> None:
    """Slurm's words, and the way out; when the cause is gone it is submitted."""
    slurm.fails("sbatch", "sbatch: error: Batch job submission failed: Invalid qos specification")
    with pytest.raises(SchedulerError, match=r"array job `square\.0` of task `square` .* Invalid qos specification"):
        remote.submit(squares)
    run = open_run(runs=remote.runs)
    assert "Invalid qos" in run.status().indices["square.0"][0].reason
    slurm.works("sbatch")
    assert remote.submit(squares).path == run.path
    assert run.status().counts() == {State.COMPLETED: 5}


def test_without_slurm_nothing_is_submitted(
    remote: Engine, squares: ExperimentalWorkflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command that is missing is named, and another way to run."""
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(TransportError, match="there is no command `sbatch` on this machine") as caught:
        remote.submit(squares)
    assert "profile `local`" in caught.value.hint


def test_the_calls_are_shown_before_anything_is_done(
    remote: Engine, squares: ExperimentalWorkflow, slurm: FakeSlurm
) -> None:
    """Of a new run, and of one that goes on."""
    compiled = remote.compile(squares)
    assert remote.calls(compiled) == [
        "sbatch --parsable --job-name=square.0.RUN.1 scripts/square.0.sh",
        "sbatch --parsable --job-name=total.0.RUN.2 --dependency=afterany:square.0 scripts/total.0.sh",
    ]
    assert slurm.calls() == []
    assert not remote.runs.exists()
    slurm.hold()
    remote.hand_over(compiled)
    assert remote.calls(compiled) == []
