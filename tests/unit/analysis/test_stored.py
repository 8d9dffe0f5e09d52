"""What stays in the records is read on demand."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sciflow.errors import ResultError, RunError
from sciflow.execution import Run
from sciflow.store.layout import RunDirectory


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
