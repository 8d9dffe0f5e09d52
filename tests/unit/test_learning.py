"""Plans by what an earlier run has measured: which run that is, and that nothing runs twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sciflow.engine import Engine
from sciflow.errors import RunError, SciflowWarning
from sciflow.execution import Run
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.store.layout import RunDirectory
from sciflow.testing import FakeCluster, fake_slurm

# The pilot has seen two numbers and the study has more: of that a plan warns rightly, which its own tests show.
pytestmark = pytest.mark.filterwarnings("ignore:.*(is a guess|tells nothing of|have not ended yet)")
__all__ = ["fake_slurm"]  # a fixture, which pytest finds by its name here


def squaring(folder: Path, count: int = 2, **resources: object) -> ExperimentalWorkflow:
    """Make a workflow that squares numbers, one of them with much memory, and asks for much too much."""

    def square(x):
        return {"y": x * x, "held": len(bytes(1 << 8) * (1 << 20 if x == 1 else 1))}

    workflow = ExperimentalWorkflow("squares", folder)
    workflow.add_task("square", square, resources={"memory_gb": 8, "max_runtime": "4 h", **resources})
    workflow.add_parameter_space({"x": list(range(count))})
    return workflow


@pytest.fixture
def pilot(engine: Engine, tmp_path: Path) -> Run:
    """Return a run of two instances, done on this machine."""
    return engine.run(engine.compile(squaring(tmp_path, memory_gb=0.5))).run


def learning(engine: Engine, profile: str | Path = "generic-slurm", learn_from: str | Path = "latest") -> Engine:
    """Return an engine that looks for the same runs."""
    return Engine(str(profile), engine.runs, learn_from=learn_from)


@pytest.mark.parametrize("name", ["latest", "id", "path"])
def test_a_plan_asks_for_what_a_run_has_measured(engine: Engine, pilot: Run, tmp_path: Path, name: str) -> None:
    """By its name, its folder or as the latest; the workflow's own requests are far above that."""
    named = {"latest": "latest", "id": pilot.run_id, "path": str(pilot.path)}[name]
    compiled = learning(engine, learn_from=named).compile(squaring(tmp_path, 40))
    (array,) = compiled.plan.arrays
    assert array.resources.memory_bytes <= 512 * 1024**2
    assert array.resources.runtime_seconds == 300
    assert compiled.plan.notes[0].startswith(f"`square` asks for what run `{pilot.run_id}` has learned: memory 8 GB → ")


def test_what_was_learned_says_how_long_it_takes(engine: Engine, pilot: Run, tmp_path: Path) -> None:
    """A simulation runs as long as was measured, and compares that with what the workflow asks for."""
    workflow = squaring(tmp_path, 40)
    simulation = learning(engine).simulate(workflow, "1x8c,16g")
    assert simulation.outcome.seconds < 60
    assert simulation.outcome.seconds < simulation.outcomes["as the workflow asks, nothing learned"].seconds
    assert simulation.notes[0].startswith(f"`square` runs as long as was learned from run `{pilot.run_id}`; ")
    said = learning(engine).simulate(workflow, "1x8c,16g", {"square": "1 min"})
    assert said.outcome.seconds == 300
    assert said.notes[0].startswith("`square` runs 1 min, as was said; ")


def test_the_same_command_submits_once(engine: Engine, pilot: Run, tmp_path: Path, fake_slurm: FakeCluster) -> None:
    """The latest run is by then the one that it has made, and the pilot may have measured more since."""
    learned = learning(engine, fake_slurm.profile)
    first = learned.submit(squaring(tmp_path, 5))
    assert json.loads(first.directory.manifest.read_text())["learned_from"]["run"] == pilot.run_id
    assert len(fake_slurm.jobs) == 1
    assert fake_slurm.jobs[0].request.memory == first.plan.arrays[0].resources.memory_bytes
    assert learned.submit(squaring(tmp_path, 5)).run_id == first.run_id
    forget_half(pilot)
    assert learned.compile(squaring(tmp_path, 5)).plan.arrays != first.plan.arrays
    with pytest.warns(SciflowWarning, match="has not ended"):
        assert learned.submit(squaring(tmp_path, 5)).run_id == first.run_id
    with pytest.warns(SciflowWarning, match="has not ended"):
        assert learning(engine, fake_slurm.profile, pilot.run_id).submit(squaring(tmp_path, 5)).run_id == first.run_id
    assert len(fake_slurm.jobs) == 1
    assert learned.calls(learned.compile(squaring(tmp_path, 5))) == []


def test_what_is_learned_of_a_run_that_is_not_over_is_warned_of(engine: Engine, pilot: Run, tmp_path: Path) -> None:
    """It is the longest that are still missing."""
    assert learning(engine).compile(squaring(tmp_path, 2)).plan.warnings == ()
    forget_half(pilot)
    assert learning(engine).compile(squaring(tmp_path, 1)).plan.warnings[:1] == (
        f"in run `{pilot.run_id}` 1 of 2 instances of `square` has not ended: what takes longest may be among them, "
        "and the chance is that of the others",
    )


def forget_half(run: Run) -> None:
    """Let a run tell of one instance less, as if it had gone on since it was looked at."""
    directory = RunDirectory(run.path)
    for record in list(directory.records("square.0")):
        if record.index == 1:
            Path(record.path).unlink()


def test_other_work_is_another_run(engine: Engine, pilot: Run, tmp_path: Path, fake_slurm: FakeCluster) -> None:
    """With a request of its own, and so it is if that is fresh."""
    learned = learning(engine, fake_slurm.profile, pilot.run_id)
    runs = {learned.submit(squaring(tmp_path, 5)).run_id}
    with pytest.warns(SciflowWarning, match="may still be in the queue"):
        runs.add(learned.submit(squaring(tmp_path, 5, cpu_cores=2)).run_id)
    with pytest.warns(SciflowWarning, match="may still be in the queue"):
        runs.add(Engine(str(fake_slurm.profile), engine.runs, fresh=True).submit(squaring(tmp_path, 5)).run_id)
    assert len(runs) == 3


@pytest.mark.parametrize("is_learned", [True, False])
def test_what_is_in_the_queue_is_not_queued_again_for_other_requests(
    engine: Engine, pilot: Run, tmp_path: Path, fake_slurm: FakeCluster, is_learned: bool
) -> None:
    """Whether `--learn-from` is forgotten at the second submission, or added, its requests stay, and a note says so."""
    engines = [learning(engine, fake_slurm.profile, pilot.run_id), Engine(str(fake_slurm.profile), engine.runs)]
    before, after = engines if is_learned else engines[::-1]
    first = before.submit(squaring(tmp_path, 5))
    compiled = after.compile(squaring(tmp_path, 5))
    said = f"as learned from run `{pilot.run_id}`" if is_learned else "as the workflow says"
    note = f"run `{first.run_id}` is in the queue and asks {said}: that stays; `--fresh` starts anew"
    assert after.calls(compiled) == []
    assert after.changes(compiled).note == note
    done = after.hand_over(compiled)
    assert (done.run.run_id, done.continued, done.note) == (first.run_id, True, note)
    assert len(fake_slurm.jobs) == 1
    assert before.hand_over(before.compile(squaring(tmp_path, 5))).note == ""
    first.cancel()
    again = after.hand_over(compiled)
    assert (again.continued, again.note) == (False, "")


def test_here_it_goes_on_with_what_was_learned(engine: Engine, pilot: Run, tmp_path: Path) -> None:
    """What the pilot has finished is taken over; the same again finds all of it done, in the space's order."""
    learned = learning(engine, "local")
    done = learned.run(learned.compile(squaring(tmp_path, 5, memory_gb=0.5)))
    assert (done.reused, done.status.is_complete) == (2, True)
    assert done.run.collect().to_dataframe()["y"].tolist() == [0, 1, 4, 9, 16]
    again = learned.run(learned.compile(squaring(tmp_path, 5, memory_gb=0.5)))
    assert (again.run.run_id, again.continued) == (done.run.run_id, True)


def test_a_run_of_other_tasks_teaches_nothing(engine: Engine, pilot: Run) -> None:
    """The error names both."""
    other = ExperimentalWorkflow("other")
    other.add_task("cube", lambda: {"y": 1})
    with pytest.raises(RunError) as caught:
        learning(engine).compile(other)
    assert caught.value.message == (
        f"run `{pilot.run_id}` of workflow `squares` has the tasks `square`, and workflow `other` has `cube`: they "
        "have none in common"
    )


def test_a_run_in_which_nothing_is_done_teaches_nothing(engine: Engine, staged: RunDirectory, tmp_path: Path) -> None:
    """The error says where to look."""
    with pytest.raises(RunError, match="has no completed instance of `square`: nothing can be learned") as caught:
        learning(engine, learn_from=staged.path).compile(squaring(tmp_path))
    assert caught.value.hint.startswith("`sciflow status ")
