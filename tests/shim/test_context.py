"""What a function gets when it asks for `context`."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sciflow_shim.context import TaskContext
from sciflow_shim.outcome import Outcome

if TYPE_CHECKING:
    from shim.conftest import Prepare

FACTS = {
    "parameters": {"x": 1},
    "task": "work",
    "instance": "abc",
    "run": "/run",
    "array": "work.0",
    "index": 3,
    "attempt": 2,
    "seed": 17,
}


@pytest.fixture
def outcome() -> Outcome:
    """Give what a context writes into."""
    return Outcome()


@pytest.fixture
def context(tmp_path: Path, outcome: Outcome) -> Iterator[TaskContext]:
    """Give a context, and put the signals back afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1)}
    yield TaskContext(FACTS, str(tmp_path / "work"), outcome)
    for number, handler in before.items():
        signal.signal(number, handler)


def test_it_knows_where_it_stands(context: TaskContext) -> None:
    """Facts are attributes."""
    assert {name: getattr(context, name) for name in FACTS} == FACTS


def test_directories_are_made_when_they_are_asked_for(context: TaskContext, tmp_path: Path) -> None:
    """A task that writes nothing has no folder."""
    assert not (tmp_path / "work").exists()
    assert context.working_directory == tmp_path / "work"
    assert context.checkpoint_directory == tmp_path / "work" / "checkpoint"
    assert (tmp_path / "work" / "checkpoint").is_dir()


def test_a_metric_with_steps_is_a_series(context: TaskContext, outcome: Outcome) -> None:
    """The last value is the metric, and all of them are kept."""
    for step in range(3):
        context.log_metric("loss", 1 / (step + 1), step=step)
    context.log_metric("alone", 5)
    context.finish()
    assert outcome.metrics == {"loss": 1 / 3, "alone": 5}
    assert [(one["name"], one["shape"]) for one in outcome.results] == [("loss.series", [3, 2])]
    assert outcome.order == ["loss", "alone"]


def test_an_array_is_saved_as_it_is_now(context: TaskContext, outcome: Outcome, tmp_path: Path) -> None:
    """What a program does to an array after it has saved it does not change what it has saved."""
    state = np.zeros(2)
    context.save_array("before", state, unit="K")
    state += 1
    context.save_array("after", state)
    outcome.write(str(tmp_path / "x"))
    assert (tmp_path / "x").read_bytes().endswith(np.array([0.0, 0, 1, 1]).tobytes())
    assert [one["attributes"].get("units") for one in outcome.results] == ["K", None]


def test_artifacts_start_from_the_working_directory(context: TaskContext, outcome: Outcome) -> None:
    """A file is named by its name, or as asked."""
    (context.working_directory / "plot.png").write_bytes(b"x")
    context.save_artifact("plot.png")
    context.save_artifact(context.working_directory / "plot.png", name="figure")
    assert [one["name"] for one in outcome.artifacts] == ["plot.png", "figure"]


def test_a_checkpoint_comes_back(context: TaskContext) -> None:
    """The last state is restored; without one, the default."""
    assert context.restore() is None
    assert context.restore({"step": 0}) == {"step": 0}
    context.checkpoint({"step": 1})
    context.checkpoint({"step": 2})
    assert context.restore() == {"step": 2}
    assert [one.name for one in context.checkpoint_directory.iterdir()] == ["state.pickle"]


def test_a_checkpoint_that_fails_leaves_the_one_before(context: TaskContext) -> None:
    """A state is replaced whole or not at all."""
    context.checkpoint(1)
    with pytest.raises(Exception, match="pickle"):
        context.checkpoint(lambda: 0)
    assert context.restore() == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_it_notices_that_it_should_stop(context: TaskContext, number: int) -> None:
    """Either signal is remembered, and ends nothing."""
    assert not context.should_stop()
    os.kill(os.getpid(), number)
    assert context.should_stop()


def test_all_of_it_reaches_the_record(prepare: Prepare) -> None:
    """What a function leaves by its context is in the record, also when the function fails in the end."""
    run = prepare(
        """
import numpy
def work(x, context):
    context.log_metric("loss", 0.5, step=1)
    context.log_metric("loss", 0.25, step=2)
    context.save_array("field", numpy.arange(4.0), unit="T")
    (context.working_directory / "a.txt").write_text("hi")
    context.save_artifact("a.txt")
    return {"seed": context.seed} if x else 1 / x
""",
        parameters={"x": [1, 0]},
    )
    assert run.execute(index=0).returncode == 0
    assert run.execute(index=1).returncode == 1
    for index, state in ((0, "COMPLETED"), (1, "FAILED")):
        record = run.record(index=index)
        assert record.attributes["state"] == state
        assert record.members["metrics"].attributes["loss"] == 0.25
        results: Any = record.members["results"].members
        assert results["loss.series"].shape == (2, 2)
        assert results["field"].attributes["units"] == "T"
        assert record.members["artifacts"].members["0"].attributes["size"] == 2
    assert run.results()["a.txt"].read_text() == "hi"
    assert run.results()["seed"] == run.facts()["seed"] != run.facts(index=1)["seed"]


def test_a_process_of_the_functions_own_can_be_ended(prepare: Prepare) -> None:
    """The context listens for signals in the function's process only, not in those that it starts."""
    run = prepare(
        """
import multiprocessing, time
def work(context):
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(100,))
    child.start()
    time.sleep(0.3)
    child.terminate()
    child.join(20)
    return {"code": child.exitcode}
"""
    )
    assert run.execute().returncode == 0
    assert run.results()["code"] == -15


def test_a_function_that_stopped_when_told_so_is_not_done(prepare: Prepare) -> None:
    """What it returned then is no result: its state is TIMEOUT, and the next attempt can go on."""
    run = prepare(
        """
import os, signal
def work(context):
    os.kill(os.getpid(), signal.SIGUSR1)
    return {"half": 1} if context.should_stop() else {"whole": 1}
"""
    )
    run.execute()
    assert run.facts()["state"] == "TIMEOUT"
    assert "should_stop()" in run.facts()["error"]


def test_a_parameter_that_is_not_there_says_how_it_could_be(prepare: Prepare) -> None:
    """A function that asks for the context only has no parameters; the error names the way out."""
    run = prepare("def work(context):\n    return context.parameters['x']\n", parameters={"x": [1, 2]})
    assert run.execute(index=0).returncode == 1
    error = run.record(index=0).attributes["error"]
    assert "`x` is none of the parameters" in error
    assert "name it in the function's signature" in error
