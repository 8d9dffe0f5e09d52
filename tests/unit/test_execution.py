"""Runs in a queue, from Python: handed over, followed, waited for, cancelled."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from sciflow.engine import Engine
from sciflow.errors import RunError
from sciflow.execution import open_run
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.follow import follow, wait
from sciflow.run.wish import make_wish
from sciflow.store.lock import hold
from unit.fake_slurm import FakeSlurm


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the pauses that were made; they take no time, but a clock shows it."""
    pauses: list[float] = []
    monkeypatch.setattr("sciflow.execution.follow", partial(follow, clock=lambda: sum(pauses), pause=pauses.append))
    monkeypatch.setattr("sciflow.execution.wait", partial(wait, clock=lambda: sum(pauses)))
    return pauses


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
    """There is one job for that from the submission on, since nobody knew yet how it ends; it stays the only one."""
    run = remote.submit(fragile, autonomous=True)
    assert run.status().is_autonomous
    assert (chained := run.chain()) is not None
    assert not chained.is_new
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
