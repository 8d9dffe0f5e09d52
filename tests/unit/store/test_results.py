"""`results.h5`: columns keep their values and their types."""

import math
import subprocess
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sciflow.errors import RunError
from sciflow.store.results import Tables, read_tables, write_tables
from unit.lists_as_tables import tables_of

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(st.characters())
    | st.lists(st.integers() | st.text(), max_size=3).map(tuple)
)
names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
columns = st.dictionaries(names, st.lists(scalars, min_size=3, max_size=3))


def tables(combinations: dict[str, list[Any]], **more: Any) -> Tables:
    """Make tables of these combinations and no instances."""
    return tables_of(combinations, {}, ["x"], ["y"], {"run": "r", **more})


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal, numbers by their value, all else with its type."""
    if isinstance(one, float) and isinstance(other, int | float) and not isinstance(other, bool):
        return one == float(other)
    return type(one) is type(other) and one == other


@given(columns)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
def test_any_column_comes_back(tmp_path: Path, combinations: dict[str, list[Any]]) -> None:
    """Whatever parameters and metrics there are, names, order and values survive the file, what is missing too."""
    write_tables(tmp_path / "results.h5", tables(combinations))
    known = read_tables(tmp_path / "results.h5")
    assert list(known.combinations) == list(combinations)
    for name, values in combinations.items():
        for value, found in zip(values, known.combinations[name], strict=True):
            assert same(found, value), (name, value, found)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], "int"),
        ([1.5, math.nan], "float"),
        ([1.5, None], "float"),
        ([1, 0.5], "float"),
        ([1, 0.5, None], "float"),
        ([True, False], "bool"),
        (["a", "é"], "str"),
        (["a", "b\0"], "json"),
        (["a", "half a pair \ud800"], "json"),
        ([1, None], "int"),
        ([True, None], "bool"),
        (["a", None], "str"),
        ([2**63, 1], "json"),
        ([None, None], "float"),
        ([True, 1], "json"),
        ([], "json"),
    ],
)
def test_other_programs_find_plain_datasets(tmp_path: Path, values: list[Any], kind: str) -> None:
    """Numbers are stored as numbers and texts as texts; only what is mixed becomes JSON."""
    write_tables(tmp_path / "results.h5", tables({"y": values}))
    with h5py.File(tmp_path / "results.h5") as file:
        group: Any = file["combinations"]
        assert list(group) == ["combination", "y"]
        dataset = group["y"]
        assert dataset.attrs["kind"] == kind
        assert dataset.shape == (len(values),)


@pytest.mark.parametrize("values", [[None, None], [0.1, None], [1, 0.5], [1, None], [2, 1], [0.5, 1.5]])
def test_parameters_come_back_exactly(tmp_path: Path, values: list[Any]) -> None:
    """A parameter that is None, or an integer among floats, stays what it is: it names its combination."""
    write_tables(tmp_path / "results.h5", tables({"x": values}))
    found = read_tables(tmp_path / "results.h5").combinations["x"]
    assert [(type(value), value) for value in found] == [(type(value), value) for value in values]


@pytest.mark.parametrize("values", [[1, 2], [0.5, 1.5], [True, False], ["a", "b"], [1, None]])
def test_a_slash_in_a_name_makes_no_folder(tmp_path: Path, values: list[Any]) -> None:
    """A column named `a/b` is one column, whatever it holds."""
    write_tables(tmp_path / "results.h5", tables({"a/b": values, "a": values}))
    assert read_tables(tmp_path / "results.h5").combinations == {"a/b": values, "a": values}


def test_missing_values_are_none_to_us_and_no_numbers_to_others(tmp_path: Path) -> None:
    """What is missing is told from a NaN that was computed, and every other reader sees no number there."""
    columns = {
        "f": [1.5, None, math.nan],
        "i": [2, None, 1 - 2**63],
        "s": ["", None, "(none)"],
        "b": [True, None, False],
    }
    write_tables(tmp_path / "results.h5", tables(columns))
    known = read_tables(tmp_path / "results.h5").combinations
    assert known["f"][:2] == [1.5, None]
    assert math.isnan(known["f"][2])
    assert {name: known[name] for name in "isb"} == {name: columns[name] for name in "isb"}
    with h5py.File(tmp_path / "results.h5") as file:
        group: Any = file["combinations"]
        assert np.isnan(group["f"][1:]).all()
        assert group["i"].attrs["_FillValue"] == group["i"][1] == -(2**63)


def test_xarray_opens_every_table(tmp_path: Path) -> None:
    """Each table is a netCDF group of one dimension, with units, numbers as numbers and truth values as such."""
    columns = {
        "x": [1, 2, 3],
        "e": [0.5, None, 2.5],
        "ok": [True, False, True],
        "who": ["é", "b", ""],
        "n": [1, None, 3],
    }
    units = {("combinations", "e"): {"units": "eV"}}
    write_tables(tmp_path / "results.h5", tables(columns), units)
    with xarray.open_dataset(tmp_path / "results.h5", group="combinations", engine="h5netcdf") as found:
        assert dict(found.sizes) == {"combination": 3}
        assert found["e"].attrs["units"] == "eV"
        assert found["ok"].dtype == bool
        assert found["who"].values.tolist() == columns["who"]
        assert found["x"].dtype == "int64"
        assert found["n"].isnull().values.tolist() == [False, True, False]


def test_h5dump_shows_plain_names_and_types(tmp_path: Path) -> None:
    """What is listed are the columns by their names, and none is JSON where it has a type."""
    write_tables(tmp_path / "results.h5", tables({"rate": [0.1, None], "label": ["a", "b"]}))
    dump = subprocess.run(["h5dump", "-H", tmp_path / "results.h5"], capture_output=True, text=True, check=True).stdout
    assert 'DATASET "rate" {\n         DATATYPE  H5T_IEEE_F64LE' in dump
    assert 'DATASET "label" {\n         DATATYPE  H5T_STRING' in dump


def test_columns_whose_names_hdf5_cannot_have(tmp_path: Path) -> None:
    """Names with slashes, of dots alone, or that of the dimension are told apart, and come back."""
    columns = {name: [position] for position, name in enumerate(["a/b", "a|b", ".", "..", "", "combination", "a/b|"])}
    write_tables(tmp_path / "results.h5", tables(columns))
    assert dict(read_tables(tmp_path / "results.h5").combinations) == columns


def test_the_first_format_still_opens(tmp_path: Path) -> None:
    """A file of the first format, whose datasets were numbered, gives the same tables."""
    with h5py.File(tmp_path / "results.h5", "w") as file:
        file.attrs.update({"format": 1, "parameters": '["x"]', "metrics": '["y"]', "facts": '{"run": "r"}'})
        for group in ("combinations", "instances"):
            file.create_group(group, track_order=True)
        for number, (name, kind, data) in enumerate(
            [("x", "int", [1, 2]), ("y", "float", [0.5, math.nan]), ("z", "json", ['"a"', "[1, 2]"])]
        ):
            dataset = file["combinations"].create_dataset(f"{number:04d} {name}", data=data)  # pyright: ignore
            dataset.attrs.update({"name": name, "kind": kind})
    known = read_tables(tmp_path / "results.h5")
    assert list(known.combinations) == ["x", "y", "z"]
    assert (known.combinations["x"], known.combinations["z"]) == ([1, 2], ["a", (1, 2)])
    assert (known.parameters, known.metrics, known.facts["run"]) == (["x"], ["y"], "r")


def test_facts_come_back(tmp_path: Path) -> None:
    """Names of parameters and metrics, and the facts, however many, survive the file."""
    names = {f"metric number {i}": "task" for i in range(5000)}
    write_tables(tmp_path / "results.h5", tables({"x": [1]}, metric_tasks=names))
    known = read_tables(tmp_path / "results.h5")
    assert (known.parameters, known.metrics) == (["x"], ["y"])
    assert known.facts == {"run": "r", "metric_tasks": names, "parameters": ["x"], "metrics": ["y"]}


def test_nothing_is_left_beside_the_file(tmp_path: Path) -> None:
    """Written or failed, there is no half-made file, and a failure leaves the old one."""
    write_tables(tmp_path / "results.h5", tables({"x": [1]}))
    with pytest.raises(TypeError):
        write_tables(tmp_path / "results.h5", tables({"x": [object()]}))
    assert [path.name for path in tmp_path.iterdir()] == ["results.h5"]
    assert read_tables(tmp_path / "results.h5").combinations == {"x": [1]}


def test_results_that_were_not_collected_name_the_command(tmp_path: Path) -> None:
    """Without a file the error says what to type."""
    with pytest.raises(RunError, match="has no collected results") as caught:
        read_tables(tmp_path / "results.h5")
    assert caught.value.hint == f"sciflow collect {tmp_path}"


@pytest.mark.parametrize("data", [b"", b"no HDF5", b"\x89HDF\r\n\x1a\n" + bytes(200)])
def test_a_damaged_file_is_named(tmp_path: Path, data: bytes) -> None:
    """A file that is no HDF5 is an error that names it."""
    (tmp_path / "results.h5").write_bytes(data)
    with pytest.raises(RunError, match=r"results\.h5` cannot be read") as caught:
        read_tables(tmp_path / "results.h5")
    assert caught.value.hint == "collect it again"


def test_a_newer_format_is_named(tmp_path: Path) -> None:
    """A file of a later sciflow is refused by its format."""
    write_tables(tmp_path / "results.h5", tables({"x": [1]}))
    with h5py.File(tmp_path / "results.h5", "a") as file:
        file.attrs["format"] = 99
    with pytest.raises(RunError, match="has format 99, which is newer"):
        read_tables(tmp_path / "results.h5")


def test_a_file_without_its_tables_is_damaged(tmp_path: Path) -> None:
    """An HDF5 file of something else is no results file."""
    with h5py.File(tmp_path / "results.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(RunError, match="cannot be read"):
        read_tables(tmp_path / "results.h5")
