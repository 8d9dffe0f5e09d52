"""What was compiled is run on this machine: a second call does what is left."""

from pathlib import Path

import pytest

from sciflow.engine import Engine
from sciflow.model.workflow import ExperimentalWorkflow


def test_failures_are_tried_again(engine: Engine, tmp_path: Path) -> None:
    """The same call after a failure runs what failed, and what waited for it, once more."""
    (tmp_path / "broken").touch()
    broken = str(tmp_path / "broken")

    def first(x):
        from pathlib import Path

        if x == 2 and Path(broken).exists():
            raise ValueError("no")
        return {"y": x}

    workflow = ExperimentalWorkflow("retry", tmp_path)
    workflow.add_task("first", first)
    workflow.add_task("second", lambda first, x: {"z": -x}, depends_on=["first"])
    workflow.add_parameter_space({"x": [1, 2]})
    assert engine.execute_parameter_sweep(workflow).completed == 1
    (tmp_path / "broken").unlink()
    done = engine.run(engine.compile(workflow))
    assert done.continued
    assert done.status.is_complete
    attempts = {place: one.attempt for place, one in done.status.indices["first.0"].items()}
    assert attempts == {0: 1, 1: 2}


@pytest.mark.parametrize("damage", ["torn", "seal", "missing"])
def test_a_damaged_record_is_made_again(engine: Engine, squares: ExperimentalWorkflow, damage: str) -> None:
    """A complete run of which a record was damaged is not complete; the same call repairs it."""
    run = engine.run(engine.compile(squares)).run
    path = run.directory.record("square.0", 1, 1)
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(b"" if damage == "torn" else bytes(data))
    if damage == "missing":
        path.unlink()
    done = engine.run(engine.compile(squares))
    assert (done.continued, done.status.is_complete) == (True, True)
    assert done.status.indices["square.0"][1].attempt == 2
    assert run.collect().to_dataframe()["y"].tolist() == [1, 4, 9, 16]


def test_what_was_skipped_is_gathered_later(engine: Engine, tmp_path: Path) -> None:
    """What went on without a failed instance runs again with it, and so does what was made from that."""
    (tmp_path / "broken").touch()
    broken = str(tmp_path / "broken")

    def one(x):
        from pathlib import Path

        if x == 2 and Path(broken).exists():
            raise ValueError("no")
        return {"y": x}

    workflow = ExperimentalWorkflow("skips", tmp_path)
    workflow.add_task("one", one)
    workflow.add_task(
        "all", lambda one: {"sum": sum(each["y"] for each in one)}, depends_on=["one"], over="all", missing="skip"
    )
    workflow.add_task("last", lambda all: {"twice": 2 * all["sum"]}, depends_on=["all"])
    workflow.add_parameter_space({"x": [1, 2, 3]})
    assert engine.execute_parameter_sweep(workflow).completed == 2
    (tmp_path / "broken").unlink()
    results = engine.execute_parameter_sweep(workflow)
    assert (results.get_metric({"x": 1}, "sum"), results.get_metric({"x": 1}, "twice")) == (6, 12)
