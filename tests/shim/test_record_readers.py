"""Records in the hands of others: xarray, pandas, and a writer that copies nothing."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray

from property.record_comparison import seen
from sciflow_shim import files
from sciflow_shim.attempt import Attempt
from sciflow_shim.outcome import Outcome, read_outcome
from sciflow_shim.packing import pack_returned
from sciflow_shim.record import Dataset, Group, write_record
from sciflow_shim.record_reader import read_record

if TYPE_CHECKING:
    from shim.conftest import Prepare

LARGE = 64 << 20  # bytes of an array
LITTLE = 5 << 20  # bytes that writing it may take
PROGRAM = """
import numpy as np
import pandas as pd

def work(x):
    return {
        "energy": np.linspace(0, 1, 6).reshape(2, 3),
        "image": np.asfortranarray(np.arange(6, dtype=">i4").reshape(3, 2)),
        "mask": np.array([True, False]),
        "names": np.array(["ä", "bc"]),
        "wave": np.array([1 + 2j, 3]),
        "table": pd.DataFrame({"t": [0.5, 1.5, 2.5], "n": [1, 2, 3]}),
        "accuracy": 0.75,
    }
"""


@pytest.fixture
def record(prepare: Prepare) -> Path:
    """Return a record that the shim has written of an index with arrays and a table."""
    results = {"energy": {"type": "array", "unit": "J"}}
    run = prepare(PROGRAM, {"name": "work", "python": "work", "results": results}, parameters={"x": [1]})
    done = run.execute()
    assert done.returncode == 0, done.stderr
    return run.path / files.record("work.0", 0, 1)


def test_xarray_opens_the_results(record: Path) -> None:
    """Arrays of every kind come with values, shape, type and unit, without anything of sciflow's."""
    with xarray.open_dataset(record, engine="h5netcdf", group="results", phony_dims="sort") as found:
        assert found["energy"].attrs["units"] == "J"
        assert np.array_equal(found["energy"].values, np.linspace(0, 1, 6).reshape(2, 3))
        assert np.array_equal(found["image"].values, np.arange(6).reshape(3, 2))
        assert found["mask"].values.tolist() == [True, False]
        assert found["wave"].values.tolist() == [1 + 2j, 3]


def test_xarray_opens_the_whole_record_as_a_tree(record: Path) -> None:
    """Every group is there, with its attributes; the table becomes a data frame."""
    # What is linked from elsewhere is no part of the file for xarray.
    whole = as_tree(record)
    del whole.members["environment"]
    write_record(record, whole)
    with xarray.open_datatree(record, engine="h5netcdf", phony_dims="sort") as tree:
        assert tree.attrs["state"] == "COMPLETED"
        assert tree["metrics"].attrs["accuracy"] == 0.75
        frame = tree["results/table"].to_dataset().to_dataframe()
    assert frame["t"].tolist() == [0.5, 1.5, 2.5]
    assert frame["n"].dtype == np.int64


def test_pandas_takes_a_table_and_the_series(record: Path) -> None:
    """The columns of a group are those of a data frame: by h5py, and by our reader without a copy of its own."""
    with h5py.File(record) as file:
        group: Any = file["results/table"]
        frame = pd.DataFrame({name: column[()] for name, column in group.items()}, columns=["t", "n"])
    expected = pd.DataFrame({"t": [0.5, 1.5, 2.5], "n": [1, 2, 3]})
    pd.testing.assert_frame_equal(frame, expected)
    columns = read_record(record)["results/table"].members
    read = {name: np.frombuffer(column.read(), column.dtype) for name, column in columns.items()}
    pd.testing.assert_frame_equal(pd.DataFrame(read, columns=["t", "n"]), expected)


def as_tree(path: Path) -> Group:
    """What our reader sees, as a tree that can be written."""

    def copied(group: Any) -> Group:
        members: dict[str, Any] = {}
        for name, one in group.members.items():
            if hasattr(one, "members"):
                members[name] = copied(one)
            elif hasattr(one, "read"):
                text = one.dtype == "str"
                members[name] = Dataset(one.value if text else one.read(), one.dtype, one.shape, one.attributes)
            else:
                members[name] = one
        return Group(group.attributes, members)

    return copied(read_record(path))


def test_what_is_read_can_be_written_again(record: Path, tmp_path: Path) -> None:
    """Read and written once more, a record is the same to h5py; what it links to is not part of it."""
    write_record(tmp_path / "again.h5", as_tree(record))
    with h5py.File(record) as before, h5py.File(tmp_path / "again.h5") as after:
        assert seen(after) == seen(before)


@pytest.fixture
def taken() -> Iterator[Callable[[Callable[[], Any]], int]]:
    """Return a function that calls another, and gives how many bytes of memory that has taken at most."""
    tracemalloc.start()

    def measure(act: Callable[[], Any]) -> int:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        act()
        return tracemalloc.get_traced_memory()[1] - before

    yield measure
    tracemalloc.stop()


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", "<f2", "<c16", "|u1", "|b1", "|S8", ">i2"])
def test_a_large_array_is_written_without_a_copy(
    tmp_path: Path, taken: Callable[[Callable[[], Any]], int], dtype: str
) -> None:
    """The buffer of NumPy goes into the file as it is, in every byte order."""
    data = np.ones(LARGE // np.dtype(dtype).itemsize, dtype)
    assert taken(lambda: data.copy()) >= LARGE  # what a copy would look like
    assert taken(lambda: write_record(tmp_path / "r.h5", Group({}, {"x": Dataset(data)}))) < LITTLE
    assert np.array_equal(np.frombuffer(read_record(tmp_path / "r.h5")["x"].read(), dtype), data)


def test_a_large_result_goes_to_its_record_without_a_copy(
    prepare: Prepare, taken: Callable[[Callable[[], Any]], int]
) -> None:
    """From what a function returned to the sealed record, no more than a block of it is in memory a second time."""
    run = prepare("def work(): pass", {"name": "work", "python": "work", "results": {"r": {"type": "array"}}})
    attempt = Attempt(run.array(), 0, 1)
    attempt.clear()
    data = np.arange(LARGE // 8, dtype="<f8").reshape(1024, -1)

    def record() -> None:
        outcome = Outcome()
        pack_returned(outcome, {"r": data}, "")
        outcome.write(attempt.outcome_path)
        found = read_outcome(attempt.outcome_path)
        assert found is not None
        attempt.outcome = found
        attempt.judge(0, None)
        attempt.close()

    assert taken(record) < LITTLE
    assert attempt.state == "COMPLETED"
    assert np.array_equal(np.frombuffer(run.record()["results/r"].read()).reshape(data.shape), data)


def test_a_next_task_maps_a_large_result(prepare: Prepare, taken: Callable[[Callable[[], Any]], int]) -> None:
    """What a later task gets is read from the file as it is used, not at once."""
    run = prepare(f"import numpy as np\ndef work(): return {{'r': np.zeros({LARGE // 8})}}")
    assert run.execute().returncode == 0
    assert taken(lambda: run.results()["r"][:10].sum()) < LITTLE
