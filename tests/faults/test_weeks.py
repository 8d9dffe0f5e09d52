"""Weeks on a virtual cluster, in seconds: chains, a run that nobody watches, a bad node."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from faults.virtual_site import VirtualSite, completions
from sciflow.execution import Run
from sciflow.model.recovery import RecoveryPolicy
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.jobs import Index
from sciflow.schedulers.fake.simulated import Course, Sight
from sciflow.store.journal import Journal

MINUTE, HOUR, DAY, GIB = 60.0, 3600.0, 86_400.0, 1 << 30


def study(folder: Path, values: list[int], request: dict[str, object], **task: object) -> ExperimentalWorkflow:
    """Return a workflow of two tasks index by index, and one over all; programs are made up."""

    def relax(x):
        return {"y": x}

    def use(relax):
        return {"z": relax["y"]}

    def total(use):
        return {"n": len(use)}

    workflow = ExperimentalWorkflow("study", folder)
    workflow.add_task("relax", relax, resources=request, **task)  # type: ignore[arg-type]
    workflow.add_task("use", use, depends_on=["relax"], resources={"max_runtime": "01:00:00", "memory_gb": 1})
    workflow.add_task("total", total, depends_on=["use"], over="all")
    workflow.add_parameter_space({"x": values})
    return workflow


def after_that(sight: Sight) -> Course:
    """What the second and the last task do: little, and always well."""
    return Course(10 * MINUTE, metrics={"z": sight.parameters.get("x", 0)})


def final_states(run: Run) -> Counter[State]:
    """State → how many, by the run directory alone."""
    return Counter(one.state for one in run.status(offline=True).everyone())


def test_a_task_of_sixty_days_finishes_in_links_of_two(tmp_path: Path) -> None:
    """At a walltime limit of two days, with a node that dies now and then, only work since a checkpoint is repeated."""
    work, every = 60 * DAY, 5 * HOUR
    seen: list[Sight] = []

    def program(sight: Sight) -> Course:
        if not sight.array.startswith("relax"):
            return after_that(sight)
        seen.append(sight)
        return Course(work - sight.done, checkpoint_every=every, metrics={"y": 1})

    site = VirtualSite(tmp_path, program)
    request = {"max_runtime": "60-00:00:00", "memory_gb": 1}
    with site.in_place() as cluster:
        run = site.submit(study(tmp_path, [1], request, checkpoints=True), autonomous=True)
        for day in (7, 24, 41):
            cluster.clock.after(day * DAY, lambda: cluster.kill_node("n1"))
            cluster.clock.after((day + 1) * DAY, lambda: cluster.revive_node("n1"))
        cluster.run()
        assert final_states(run) == {State.COMPLETED: 3}
    assert run.plan.array("relax.0").links == 31
    assert 32 <= len(seen) <= 38
    # Each starts from the last checkpoint of the one before: a multiple of what lies between two, and never less.
    done = [sight.done for sight in seen]
    assert done == sorted(done)
    assert len(set(done)) == len(done)
    assert all(one % every == 0 for one in done)
    states = [record.state for record in records(run, "relax.0")]
    assert states.count(State.COMPLETED) == 1
    assert states.count(State.RUNNING) == 3  # of the node that died
    worked = sum(record.seconds for record in records(run, "relax.0"))
    assert worked - work <= len(seen) * every


def records(run: Run, array: str) -> list:
    """Return all records of an array job."""
    from sciflow.store.records import read_state

    found = [read_state(one.path, one.index) for one in run.directory.records(array)]
    return [one for one in found if one is not None]


def troubles(cluster: VirtualCluster, seed: int) -> None:
    """Let a node die for a while, or an index be preempted, once an hour or so, as long as anything is queued."""
    chance = random.Random(seed)

    def happen() -> None:
        if not cluster.queued():
            return
        node = chance.choice(list(cluster.nodes.values()))
        if chance.random() < 0.3 and node.is_up:
            cluster.kill_node(node.name)
            cluster.clock.after(chance.uniform(10 * MINUTE, 2 * HOUR), lambda: cluster.revive_node(node.name))
        elif node.running and chance.random() * node.cores < len(node.running):
            cluster.preempt(chance.choice(list(node.running.values())))
        cluster.clock.after(chance.expovariate(1 / HOUR), happen)

    cluster.clock.after(HOUR, happen)


@pytest.mark.parametrize("count", [150, pytest.param(500, marks=pytest.mark.slow)])
def test_a_study_ends_complete_while_nobody_watches(tmp_path: Path, count: int) -> None:
    """Nodes die, memory and time run out, programs fail, the queue takes a part of it: all completes, nothing twice."""

    def program(sight: Sight) -> Course:
        if not sight.array.startswith("relax"):
            return after_that(sight)
        chance = random.Random(sight.parameters["x"])
        memory = int((1 + 3 * chance.random() ** 3) * GIB)
        seconds = chance.uniform(1, 4) * HOUR * (1 if chance.random() < 0.95 else 2)
        fails = chance.random() < 0.02 and sight.attempt == 1
        error = "ValueError: no convergence" if fails else ""
        return Course(seconds, memory=memory, error=error, metrics={"y": sight.parameters["x"]})

    site = VirtualSite(tmp_path, program, nodes=8, submitted_indices=3 * count // 5, seed=1)
    workflow = study(tmp_path, list(range(count)), {"max_runtime": "05:00:00", "memory_gb": 3})
    with site.in_place() as cluster:
        began = cluster.clock()
        run = site.submit(workflow, autonomous=True)
        troubles(cluster, seed=7)
        cluster.run()
        days = (cluster.clock() - began) / DAY
        assert final_states(run) == {State.COMPLETED: 2 * count + 1}
    found = completions(run)
    assert set(found.values()) == {1}
    assert len(found) == 2 * count + 1
    assert days < 7
    assert site.tended <= 60
    assert cluster.calls["squeue"] + cluster.calls["sacct"] <= 10 * site.tended
    causes = {event["cause"] for event in Journal(run.directory.journal).events() if event["event"] == "retry"}
    assert causes >= {"out_of_memory", "timeout", "application_error", "upstream_failed"}
    assert (run.path / "results.h5").exists()


def test_each_gets_more_of_what_it_lacked(tmp_path: Path) -> None:
    """Of two that are tried again together, one ran out of memory and one of time: each has a request of its own."""

    def program(sight: Sight) -> Course:
        if not sight.array.startswith("relax"):
            return after_that(sight)
        return Course(HOUR, memory=3 * GIB) if sight.parameters["x"] == 1 else Course(3 * HOUR, memory=GIB)

    site = VirtualSite(tmp_path, program)
    workflow = study(tmp_path, [1, 2], {"max_runtime": "02:00:00", "memory_gb": 2})
    with site.in_place() as cluster:
        run = site.submit(workflow)
        cluster.run()
        run.retry()
        cluster.run()
        assert final_states(run) == {State.COMPLETED: 5}
    again = [job.request for job in cluster.jobs.values() if job.script.stem.startswith("relax.0@")]
    assert sorted((one.memory / GIB, one.seconds / HOUR) for one in again) == [(2.0, 3.0), (3.0, 2.0)]


@pytest.mark.slow
def test_a_bad_node_is_avoided_for_a_day(tmp_path: Path) -> None:
    """What is submitted in the 24 hours after a node was found out does not go there; what comes later does."""
    broken = 10 * HOUR
    starts: list[tuple[float, float, str]] = []

    def program(sight: Sight) -> Course:
        if sight.node == "n3" and site.cluster.clock() - began < broken:
            return Course(20 * MINUTE, error="OSError: [Errno 5] Input/output error")
        return Course(30 * MINUTE, metrics={"y": 1})

    site = VirtualSite(tmp_path, program, nodes=4, cores=4, submitted_indices=100)
    workflow = study(tmp_path, list(range(700)), {"max_runtime": "01:00:00", "memory_gb": 1})
    workflow.recovery = RecoveryPolicy(retries=3)

    def note(what: str, index: Index) -> None:
        if what == "started" and index.job.is_array:
            submitted = site.cluster.accounting.accounts[index.job.order].visible
            starts.append((submitted, site.cluster.clock(), index.node.name if index.node else ""))

    with site.in_place() as cluster:
        began = cluster.clock()
        cluster.listeners.append(note)
        run = site.submit(workflow, autonomous=True)
        cluster.run()
        assert final_states(run) == {State.COMPLETED: 1401}
    [excluded] = [event for event in Journal(run.directory.journal).events() if event["event"] == "exclude"]
    assert excluded["node"] == "n3"
    assert excluded["until"] - excluded["time"] == pytest.approx(24 * HOUR, abs=0.01)
    lag = cluster.rules.lag
    meanwhile = [node for sent, _, node in starts if excluded["time"] + lag < sent < excluded["until"]]
    assert meanwhile
    assert "n3" not in meanwhile
    assert "n3" in [node for sent, _, node in starts if sent > excluded["until"] + lag]
