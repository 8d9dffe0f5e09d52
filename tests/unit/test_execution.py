"""Runs in a queue, from Python: handed over, followed, waited for, cancelled."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from sciflow.engine import Engine
from sciflow.errors import PlanError, ProfileError, RunError, SchedulerError, SciflowWarning, TransportError
from sciflow.execution import Run, open_run
from sciflow.model.parameters import ParameterSpace
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.follow import follow, wait
from sciflow.run.wish import make_wish
from sciflow.store.lock import hold
from unit.fake_slurm import FakeSlurm


@pytest.fixture
def remote(site: Path, tmp_path: Path) -> Engine:
    """Return an engine for the site."""
    return Engine(str(site), tmp_path / "runs")


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the pauses that were made; they take no time, but a clock shows it."""
    pauses: list[float] = []
    monkeypatch.setattr("sciflow.execution.follow", partial(follow, clock=lambda: sum(pauses), pause=pauses.append))
    monkeypatch.setattr("sciflow.execution.wait", partial(wait, clock=lambda: sum(pauses)))
    return pauses


# --- handing over


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


# --- to the end


def test_a_sweep_on_a_cluster_gives_its_results(
    remote: Engine, squares: ExperimentalWorkflow, slurm: FakeSlurm
) -> None:
    """As on this machine."""
    results = remote.execute_parameter_sweep(squares)
    assert results.get_metric({"x": 3}, "y") == 9
    assert results.completed == 4
    assert [state for *_, state in slurm.queue()] == ["COMPLETED"] * 5


def test_waiting_ends_when_all_is_settled(
    remote: Engine, squares: ExperimentalWorkflow, slurm: FakeSlurm, seconds: list[float]
) -> None:
    """Where the records tell all, nobody is asked and nobody pauses."""
    run = remote.submit(squares)
    assert run.wait().is_complete
    assert seconds == []
    assert slurm.calls("squeue") == []


def test_waiting_does_not_last_longer_than_it_may(
    remote: Engine, squares: ExperimentalWorkflow, slurm: FakeSlurm, seconds: list[float]
) -> None:
    """The run goes on by itself."""
    slurm.hold()
    run = remote.submit(squares)
    with pytest.raises(RunError, match="the run has not ended within 60 s"):
        run.wait(60)
    assert 60 <= sum(seconds) < 62
    assert 5 < len(slurm.calls("squeue")) < 15


def test_what_does_not_fit_is_fed_by_who_follows(
    remote: Engine, squares: ExperimentalWorkflow, slurm: FakeSlurm, site: Path, seconds: list[float]
) -> None:
    """Two indices at a time, until all has run."""
    site.write_text(site.read_text() + "limits: {submitted_indices: 2}\n")
    run = remote.submit(squares)
    assert len(slurm.queue()) == 2
    assert run.wait().is_complete
    scripts = [call.split()[-1] for call in slurm.calls("sbatch")]
    assert scripts == ["scripts/square.0.sh", "scripts/square.1.sh", "scripts/total.0.sh"]


def test_whoever_cannot_feed_follows_all_the_same(
    remote: Engine, squares: ExperimentalWorkflow, slurm: FakeSlurm, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else holds the run: a note says so, and nothing is submitted."""
    site.write_text(site.read_text() + "limits: {submitted_indices: 2}\n")
    run = remote.submit(squares)
    monkeypatch.setattr("sciflow.run.submit.hold", lambda path: hold(path, patience=0.0))
    with hold(run.directory.lock):
        status = next(run.follow())
    assert len(status.notes) == 1
    assert "is being driven by" in status.notes[0]
    assert len(slurm.calls("sbatch")) == 1


def test_a_status_asks_nobody_where_it_is_to_be_offline(
    remote: Engine, squares: ExperimentalWorkflow, slurm: FakeSlurm
) -> None:
    """What was last heard still counts."""
    slurm.hold()
    run = remote.submit(squares)
    assert run.status(offline=True).indices["square.0"][0].reason == (
        "it has been submitted; the scheduler has not answered since"
    )
    run.status()
    asked = len(slurm.calls())
    assert run.status(offline=True).indices["square.0"][0].reason == "waits for free cores, memory or GPUs"
    assert len(slurm.calls()) == asked


def test_a_run_here_is_followed_by_its_records(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """There is nobody to ask."""
    run = engine.execute_parameter_sweep(squares).run
    assert [one.is_complete for one in open_run(run.path).follow()] == [True]


# --- cancelling


def test_a_run_is_cancelled(remote: Engine, squares: ExperimentalWorkflow, slurm: FakeSlurm) -> None:
    """Some indices of it, then the rest."""
    slurm.hold()
    run = remote.submit(squares)
    assert run.cancel({"square.0": [1, 2]}) == {"square.0": [1, 2]}
    assert slurm.calls("scancel") == ["scancel 101_[1-2]"]
    assert run.status().counts("square") == {State.CANCELLED: 2, State.PENDING: 2}
    assert run.cancel() == {"square.0": [0, 3], "total.0": [0]}
    assert slurm.calls("scancel")[1:] == ["scancel 101_[0,3]", "scancel 102"]
    assert run.status().counts() == {State.CANCELLED: 5}
    assert run.cancel() == {}


def test_a_run_here_is_stopped_where_it_is_driven(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """That is said."""
    run = open_run(engine.execute_parameter_sweep(squares).run.path)
    with pytest.raises(RunError) as caught:
        run.cancel()
    assert caught.value.message == f"run `{run.run_id}` is driven on this machine"
    assert "Ctrl-C" in caught.value.hint


# --- failures


@pytest.fixture
def fragile(tmp_path: Path) -> ExperimentalWorkflow:
    """Return a workflow of four, of which one fails, and of one after all of these."""

    def square(x):
        if x == 3:
            raise ValueError("three")
        return {"y": x * x}

    def total(square):
        return {"sum": sum(one["y"] for one in square)}

    workflow = ExperimentalWorkflow("fragile", tmp_path)
    workflow.add_task("square", square)
    workflow.add_task("total", total, depends_on=["square"], over="all")
    workflow.add_parameter_space({"x": [1, 2, 3, 4]})
    return workflow


def test_what_would_be_tried_again_is_shown_without_doing_it(
    remote: Engine, fragile: ExperimentalWorkflow, slurm: FakeSlurm
) -> None:
    """For all that has failed, or for what is meant; by a status that was asked for already, too."""
    run = remote.submit(fragile)
    actions = [(one.place, one.action.value) for one in run.decide()]
    assert actions == [(("square.0", 2), "again"), (("total.0", 0), "with its upstream")]
    assert run.decide(status=run.status()) == run.decide()
    assert [one.action.value for one in run.decide(make_wish("timeout"))] == ["left alone"]
    assert len(slurm.calls("sbatch")) == 2


def test_a_run_in_a_queue_is_tried_again(remote: Engine, fragile: ExperimentalWorkflow, slurm: FakeSlurm) -> None:
    """What was done is given; it fails in the same way, and is given up."""
    run = remote.submit(fragile)
    done = run.retry()
    assert list(done.handed.jobs.values()) == [("square.0", 1), ("total.0", 1)]
    assert (done.status, done.besides, done.is_idle) == (None, 0, False)
    again = run.retry()
    assert again.is_idle
    assert [one.why for one in again.decisions] == [
        "it failed twice with the same error",
        "something that it needs is not tried again",
    ]


def test_a_run_on_this_machine_is_tried_again_to_its_end(engine: Engine, fragile: ExperimentalWorkflow) -> None:
    """The state of all is given, and who watches hears of it; where there is nothing to do nobody does."""
    run = open_run(engine.execute_parameter_sweep(fragile).run.path)
    heard: list[str] = []
    done = run.retry(watch=lambda _status: lambda event: heard.append(event["event"]))
    assert done.status is not None
    assert done.status.counts() == {State.COMPLETED: 3, State.FAILED: 1, State.UPSTREAM_FAILED: 1}
    assert done.status.indices["square.0"][2].attempt == 2
    assert "ended" in heard
    heard.clear()
    idle = run.retry(watch=lambda _status: lambda event: heard.append(event["event"]))
    assert (idle.is_idle, heard) == (True, [])
    assert idle.status is not None
    assert not idle.status.is_driven


def test_a_sealed_run_in_which_nothing_is_tried_again_stays_sealed(
    engine: Engine, fragile: ExperimentalWorkflow
) -> None:
    """Its files are few as before."""
    run = open_run(engine.execute_parameter_sweep(fragile).run.path)
    run.retry()
    run.seal()
    before = sorted(path for path in run.path.rglob("*") if path.is_file())
    assert run.retry().is_idle
    assert sorted(path for path in run.path.rglob("*") if path.is_file()) == before
    done = run.retry(make_wish(is_forced=True))
    assert done.status is not None
    assert done.status.indices["square.0"][2].attempt == 3


def test_no_node_is_avoided_on_this_machine(engine: Engine, fragile: ExperimentalWorkflow) -> None:
    """So none can be used again."""
    run = open_run(engine.execute_parameter_sweep(fragile).run.path)
    for act in (run.decide, run.retry):
        with pytest.raises(RunError, match="node `n1` is not avoided"):
            act(make_wish(trusted=["n1"]))


def test_tending_once_retries_and_collects(remote: Engine, fragile: ExperimentalWorkflow, slurm: FakeSlurm) -> None:
    """And nobody follows."""
    run = remote.submit(fragile)
    done = run.tend()
    assert len(done.recovered.handed.jobs) == 2
    assert done.chained is None
    assert done.status.counts() == {State.COMPLETED: 3, State.FAILED: 1, State.UPSTREAM_FAILED: 1}
    assert run.results().completed == 3
    assert len(slurm.calls("sbatch")) == 4


def test_an_autonomous_run_is_looked_after_from_each_retry_on(
    remote: Engine, fragile: ExperimentalWorkflow, slurm: FakeSlurm
) -> None:
    """Where all had ended there was nobody; then there is one again, once."""
    run = remote.submit(fragile, autonomous=True)
    assert run.status().is_autonomous
    assert run.chain() is None
    slurm.hold()
    run.retry()
    small = [call for call in slurm.calls("sbatch") if call.endswith("scripts/tend.sh")]
    assert len(small) == 1
    chained = run.chain()
    assert chained is not None
    assert not chained.is_new
    assert run.retry().is_idle
    assert run.cancel() == {"square.0": [2], "total.0": [0]}
    assert slurm.calls("scancel")[0] == f"scancel {chained.job}"
    assert not run.status().is_autonomous
    assert run.chain() is None
