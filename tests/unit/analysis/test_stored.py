"""What stays in the records is read on demand."""

from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from sciflow.errors import ResultError, RunError
from sciflow.execution import Run
from sciflow.store.layout import RunDirectory
from sciflow_shim.array import Array
from sciflow_shim.attempt import Attempt
from sciflow_shim.outcome import Outcome, read_outcome


def test_a_series_is_that_of_the_last_attempt(staged: RunDirectory, leave_record: Callable[..., Path]) -> None:
    """By default the last attempt that can be read, or the one that is named; one that left none is an error."""
    run = Run(staged)
    with pytest.raises(ResultError, match=r"square\.0\[2\]: none of its attempts has left a record"):
        run.series("square", 2)
    leave_record(staged, "square.0", 2, 1, "FAILED")
    torn = leave_record(staged, "square.0", 2, 2)
    assert list(run.series("square", 2)) == ["time", "rss_bytes", "cpu_seconds", "read_bytes", "write_bytes"]
    torn.write_bytes(torn.read_bytes()[:50])
    assert "time" in run.series("square", 2)
    with pytest.raises(ResultError, match="attempt 2 has left no record that can be read"):
        run.series("square", 2, attempt=2)
    with pytest.raises(RunError, match="has the instances 0-3, not 9"):
        run.series("square", 9)


def test_an_unknown_table_or_instance_is_named(staged: RunDirectory, leave_record: Callable[..., Path]) -> None:
    """What there is not is said, with the nearest that there is."""
    leave_record(staged, "square.0", 0, y=1)
    results = Run(staged).collect()
    with pytest.raises(ResultError, match="there is no table `attempt`") as caught:
        results.to_dataframe("attempt")
    assert "attempts" in caught.value.hint
    with pytest.raises(ResultError, match="there is no instance 9 of `square`"):
        results.array("square", 9, "v")


def test_series_of_all_instances_are_read_one_after_the_other(staged: RunDirectory) -> None:
    """Each completed instance that has logged gives its series, by its number; a figure shows their mean."""
    for index, points in ((0, [(0, 4.0), (1, 2.0)]), (2, [(0, 8.0), (1, 4.0)])):
        leave_series(staged, index, points)
    leave_series(staged, 3, [(0, 100.0)], "FAILED")
    results = Run(staged).collect()
    found = {number: array.tolist() for number, array in results.each_array("square", "loss.series")}
    assert found == {0: [[0, 4], [1, 2]], 2: [[0, 8], [1, 4]]}
    frame = results.plot("convergence", "loss").numbers.frame()
    assert frame["middle"].tolist() == [6, 3]
    assert list(results.each_array("square", "lost.series")) == []


def leave_series(
    run: RunDirectory, index: int, points: Sequence[tuple[float, float]], state: str = "COMPLETED"
) -> None:
    """Leave a record of an instance that has logged a loss."""
    one = Attempt(Array(str(run.path), "square.0"), index, 1)
    one.state, one.end = state, one.start + 2
    outcome = Outcome()
    flat = array("d", [number for point in points for number in point])
    outcome.add_result("loss.series", "<f8", [len(points), 2], flat, kind="series")
    run.record("square.0", index, 1).parent.mkdir(parents=True, exist_ok=True)
    outcome.write(one.outcome_path)
    written = read_outcome(one.outcome_path)
    assert written is not None
    one.outcome = written
    one.write()
