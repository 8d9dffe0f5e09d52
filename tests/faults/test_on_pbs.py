"""Whole runs on a virtual PBS, with and without its history of jobs that are over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from faults.virtual_site import VirtualSite, completions
from sciflow.errors import SciflowError
from sciflow.model.cause import Cause
from sciflow.model.recovery import RecoveryPolicy
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.wish import Wish
from sciflow.schedulers.fake.jobs import Index
from sciflow.schedulers.fake.pbs.site import TWO_WEEKS
from sciflow.schedulers.fake.simulated import Course, Sight

HOUR, GIB = 3600.0, 1 << 30
PATIENCE = 600.0  # seconds; what a scheduler does not tell may still become known meanwhile
DONE = State.COMPLETED
HISTORY = pytest.mark.parametrize("remembered", [TWO_WEEKS, 0.0], ids=["history", "no history"])


def study(folder: Path, count: int) -> ExperimentalWorkflow:
    """Return a workflow of two tasks index by index, and one over all."""

    def work(x):
        return {"y": x}

    def after(work):
        return {"z": work["y"]}

    def total(after):
        return {"n": len(after)}

    made = ExperimentalWorkflow("study", folder)
    request = {"max_runtime": "02:00:00", "memory_gb": 2}
    made.add_task("work", work, resources=request)
    made.add_task("after", after, depends_on=["work"], resources=request)
    made.add_task("total", total, depends_on=["after"], over="all", resources=request)
    made.add_parameter_space({"x": list(range(count))})
    made.recovery = RecoveryPolicy(retries=2, max_attempts=6)
    return made


def metrics(sight: Sight) -> Mapping[str, int]:
    """What a program returns."""
    x = sight.parameters.get("x", 0)
    return {"work": {"y": x}, "after": {"z": x}, "total": {"n": 1}}[sight.array.partition(".")[0]]


def well(sight: Sight) -> Course:
    """Let a program run for an hour, and well."""
    return Course(HOUR, memory=GIB, metrics=metrics(sight))


@HISTORY
def test_each_failure_is_tried_again_by_its_cause(tmp_path: Path, remembered: float) -> None:
    """More memory, more time, the same again: under names of their own, with maps for indices that `-J` cannot name."""

    def program(sight: Sight) -> Course:
        x = sight.parameters.get("x", -1)
        if sight.array.startswith("work") and x in (0, 3):
            return Course(HOUR, memory=3 * GIB, metrics=metrics(sight))
        if sight.array.startswith("work") and x == 5:
            return Course(2.5 * HOUR, memory=GIB, metrics=metrics(sight))
        if sight.array.startswith("work") and x in (1, 4, 6) and sight.attempt == 1:
            return Course(HOUR, error="ValueError: not yet")
        return well(sight)

    site = VirtualSite(tmp_path, program, scheduler="pbs", remembered=remembered)
    with site.in_place() as cluster:
        run = site.submit(study(tmp_path, 8))
        cluster.run()
        decided = {one.place: one.cause for one in run.decide() if one.place[0] == "work.0"}
        assert decided == {
            **dict.fromkeys([("work.0", 0), ("work.0", 3)], Cause.OUT_OF_MEMORY),
            ("work.0", 5): Cause.TIMEOUT,
            **dict.fromkeys([("work.0", one) for one in (1, 4, 6)], Cause.APPLICATION_ERROR),
        }
        cluster.clock.sleep(PATIENCE)
        run.retry()
        maps = {path.stem.partition(".2")[0]: path.read_text().split() for path in run.path.glob("arrays/*.map")}
        cluster.run()
        assert Counter(one.state for one in run.status().everyone()) == {DONE: 17}
    assert ["1", "4", "6"] in maps.values()
    assert set(completions(run).values()) == {1}
    asked = {job.request.memory for job in cluster.jobs.values() if job.name.startswith("work.0")}
    assert max(asked) > 2 * GIB


@HISTORY
def test_a_wide_run_flows_through_a_narrow_queue(tmp_path: Path, remembered: float) -> None:
    """Nobody is there: small jobs submit what did not fit, and never more than may be queued."""
    site = VirtualSite(tmp_path, well, scheduler="pbs", remembered=remembered, submitted_indices=8)
    most = [0]

    def count(_what: str, _index: Index) -> None:
        most[0] = max(most[0], site.cluster.queued())

    site.cluster.listeners.append(count)
    with site.in_place() as cluster:
        run = site.submit(study(tmp_path, 13), autonomous=True)
        cluster.run()
        assert Counter(one.state for one in run.status(offline=True).everyone()) == {DONE: 27}
    assert set(completions(run).values()) == {1}
    assert 6 <= most[0] <= 8
    assert site.tended > 3


@HISTORY
def test_what_is_cancelled_stays_so_until_it_is_asked_for(tmp_path: Path, remembered: float) -> None:
    """Some that run and some that wait; what needs them is held back, the others complete, and later so do these."""
    site = VirtualSite(tmp_path, well, nodes=1, cores=3, scheduler="pbs", remembered=remembered)
    with site.in_place() as cluster:
        run = site.submit(study(tmp_path, 6))
        cluster.run(seconds=HOUR / 2)
        assert run.cancel({"work.0": [0, 4, 5]}) == {"work.0": [0, 4, 5]}
        cluster.run()
        found = {array: [one.state for one in states.values()] for array, states in run.status().indices.items()}
        lost, held = State.CANCELLED, State.UPSTREAM_FAILED
        assert found == {
            "work.0": [lost, DONE, DONE, DONE, lost, lost],
            "after.0": [held, DONE, DONE, DONE, held, held],
            "total.0": [held],
        }
        assert not run.retry().handed.jobs
        cluster.clock.sleep(PATIENCE)
        run.retry(Wish(only=frozenset({Cause.CANCELLED})))
        cluster.run()
        assert {one.state for one in run.status().everyone()} == {DONE}
        run.cancel()
        assert {one.state for one in run.status().everyone()} == {DONE}
    assert set(completions(run).values()) == {1}


@HISTORY
def test_while_it_runs_its_status_is_told(tmp_path: Path, remembered: float) -> None:
    """What runs, what waits and why; also after the server was silent for a while."""
    site = VirtualSite(tmp_path, well, nodes=1, cores=2, scheduler="pbs", remembered=remembered)
    with site.in_place() as cluster:
        run = site.submit(study(tmp_path, 4))
        cluster.run(seconds=HOUR / 2)
        states = run.status().indices["work.0"]
        assert [one.state for one in states.values()] == [State.RUNNING] * 2 + [State.PENDING] * 2
        waiting = run.status().indices["after.0"][0]
        assert (waiting.state, waiting.reason) == (State.PENDING, "waits for the array job before it")
        cluster.faults.silence("controller", HOUR)
        cluster.run(seconds=HOUR)
        assert State.UNKNOWN not in {one.state for one in run.status().everyone()}
        cluster.run()
        assert {one.state for one in run.status().everyone()} == {DONE}


@HISTORY
def test_a_lost_reply_costs_nothing(tmp_path: Path, remembered: float) -> None:
    """The same command looks for the job by its name before it submits anything again."""
    site = VirtualSite(tmp_path, well, scheduler="pbs", remembered=remembered)
    with site.in_place() as cluster:
        cluster.faults.lose_replies()
        with pytest.raises(SciflowError, match="PBS did not answer"):
            site.submit(study(tmp_path, 3))
        run = site.submit(study(tmp_path, 3))
        cluster.run()
        assert {one.state for one in run.status().everyone()} == {DONE}
    assert Counter(job.name.partition(".")[0] for job in cluster.jobs.values()) == {"work": 1, "after": 1, "total": 1}
