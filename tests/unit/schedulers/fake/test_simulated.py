"""Programs that are made up, several of them packed into an array index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faults.virtual_site import VirtualSite, completions
from sciflow.execution import Run
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.schedulers.fake.simulated import Course, Sight
from sciflow.store.records import read_states

HOUR, GIB = 3600.0, 1 << 30


class Stage:
    """Six combinations, three in an array index, on a virtual cluster of one core: one index after the other."""

    def __init__(self, folder: Path) -> None:
        self.seen: list[Sight] = []
        self.starts: list[float] = []
        self.course: Callable[[Sight], Course] = lambda sight: Course(HOUR, metrics={"y": sight.parameters["x"]})
        self.site = VirtualSite(folder, self._program, nodes=1, cores=1)
        self.cluster = self.site.cluster
        self.began = self.cluster.clock()
        self.workflow = ExperimentalWorkflow("packed", folder)
        request = {"max_runtime": "2 h", "memory_gb": 2, "combinations_per_index": 3}
        self.workflow.add_task("work", lambda x: {"y": x}, resources=request)
        self.workflow.add_parameter_space({"x": list(range(6))})

    def _program(self, sight: Sight) -> Course:
        self.seen.append(sight)
        self.starts.append((self.cluster.clock() - self.began) / HOUR)
        return self.course(sight)

    def indices(self) -> list[int]:
        """Return which combinations were started, in order."""
        return [sight.index for sight in self.seen]

    def states(self, run: Run) -> list[State]:
        """Return the state of each combination."""
        return [run.status().indices["work.0"][index].state for index in range(6)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Return a stage that is set."""
    made = Stage(tmp_path)
    with made.site.in_place():
        yield made


def test_one_runs_after_the_other_in_one_record(stage: Stage) -> None:
    """Each with a group of its own, times of its own, and its own results."""
    run = stage.site.submit(stage.workflow)
    stage.cluster.run()
    assert stage.states(run) == [State.COMPLETED] * 6
    assert stage.indices() == list(range(6))
    assert stage.starts == pytest.approx([stage.starts[0] + hours for hours in range(6)], abs=0.01)
    assert {(sight.seconds, sight.memory) for sight in stage.seen} == {(2 * HOUR, 2 * GIB)}
    [first, second] = run.directory.records("work.0")
    found = read_states(str(first.path), first.index) or {}
    assert list(found) == [0, 1, 2]
    assert [one.seconds for one in found.values()] == [HOUR] * 3
    assert list(read_states(str(second.path), second.index) or {}) == [3, 4, 5]
    assert run.collect().to_dataframe()["y"].tolist() == list(range(6))
    assert {job.indices[0].word for job in stage.cluster.jobs.values()} == {"COMPLETED"}


def test_one_that_fails_does_not_stop_the_others(stage: Stage) -> None:
    """By itself, by its share of the time, or by its memory; and of those only they run again."""

    def go_wrong(sight: Sight) -> Course:
        wrong = {
            0: Course(HOUR, error="ValueError: no convergence"),
            1: Course(3 * HOUR),
            4: Course(HOUR, memory=3 * GIB),
        }
        good = Course(HOUR, metrics={"y": sight.parameters["x"]})
        return wrong.get(sight.index, good) if sight.attempt == 1 else good

    stage.course = go_wrong
    run = stage.site.submit(stage.workflow)
    stage.cluster.run()
    assert stage.states(run) == [
        *(State.FAILED, State.TIMEOUT, State.COMPLETED),
        *(State.COMPLETED, State.OUT_OF_MEMORY, State.COMPLETED),
    ]
    run.retry()
    stage.cluster.run()
    assert sorted(stage.indices()[6:]) == [0, 1, 4]
    assert stage.states(run) == [State.COMPLETED] * 6
    assert set(completions(run).values()) == {1}


def test_what_has_ended_stays_when_all_of_it_is_killed(stage: Stage) -> None:
    """A node that dies takes those with it that have not ended; the index runs again with these alone."""
    run = stage.site.submit(stage.workflow)
    stage.cluster.run(seconds=1.5 * HOUR)
    stage.cluster.kill_node("n1")
    stage.cluster.run(seconds=HOUR)
    stage.cluster.revive_node("n1")
    stage.cluster.run()
    assert stage.states(run) == [State.COMPLETED] * 6
    assert stage.indices() == [0, 1, 1, 2, 3, 4, 5]
    assert set(completions(run).values()) == {1}


def test_nothing_more_starts_in_an_index_that_is_told_to_stop(stage: Stage) -> None:
    """What runs is cancelled, and what has not begun as well; what has ended is completed."""
    run = stage.site.submit(stage.workflow)
    stage.cluster.run(seconds=1.5 * HOUR)
    run.cancel()
    stage.cluster.run()
    assert stage.states(run) == [State.COMPLETED, *[State.CANCELLED] * 5]
    assert stage.indices() == [0, 1]
