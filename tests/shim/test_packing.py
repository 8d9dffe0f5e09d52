"""Every kind of value that a researcher returns, through a real record and back."""

from __future__ import annotations

import collections
import datetime
import enum
import math
import os
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sciflow_shim.artifacts import describe_file
from sciflow_shim.outcome import Outcome
from sciflow_shim.packing import pack, pack_returned

Kept = Callable[[Any], Any]
NESTED: list[Any] = []
for _ in range(150):
    NESTED = [NESTED]


class Colour(enum.Enum):
    RED = "red"


PLAIN = {
    "zero": 0,
    "int": -7,
    "largest": 2**63 - 1,
    "smallest": -(2**63),
    "beyond": 2**63,
    "huge": 10**40,
    "float": 0.1,
    "tiny": 5e-324,
    "infinity": math.inf,
    "true": True,
    "text": "naïve ☃ \n",
    "empty text": "",
    "text with nul": "a\0b",
    "half a pair": "\udcff",
    "long text": "x" * 40_000,
    "none": None,
    "bytes": b"\0\xff",
    "complex": 1 + 2j,
    "list": [1, 2, 3],
    "floats": [1.0, 2.5, math.inf],
    "mixed list": [1, 2.0, "three", None, True],
    "beyond in list": [2**70, 1],
    "bools": [True, False],
    "empty list": [],
    "tuple": (1, 2),
    "mixed tuple": (1, "a"),
    "empty tuple": (),
    "texts": ["a", ""],
    "dict": {"a": 1, "b": {"c": [1.5, {"d": None}]}},
    "empty dict": {},
    "keys": {1: "a", (2, 3): "b"},
    "nested": NESTED,
    "set": {1, 2},
    "fraction": Fraction(1, 3),
    "date": datetime.date(2024, 2, 29),
    "enum": Colour.RED,
    "ordered": collections.OrderedDict(a=1),
    "range": range(3),
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_values_come_back_as_they_were(kept: Kept, name: str) -> None:
    """A Python value comes back with its value and its type, in a mapping and by itself."""
    value = PLAIN[name]
    found = kept({name: value})
    assert found == {name: value}
    assert type(found[name]) is type(value)
    if value is not None and not isinstance(value, dict):
        assert kept(value) == value


def test_nan_and_minus_zero_come_back(kept: Kept) -> None:
    """What compares in strange ways is kept too."""
    found = kept({"nan": math.nan, "zero": -0.0, "list": [math.nan, -0.0], "mixed": [math.nan, None]})
    assert math.isnan(found["nan"])
    assert math.copysign(1, found["zero"]) == -1
    assert math.isnan(found["list"][0])
    assert math.copysign(1, found["list"][1]) == -1
    assert math.isnan(found["mixed"][0])


def test_nothing_returned_is_nothing(kept: Kept) -> None:
    """A function without a return gives None to the next."""
    assert kept(None) is None


def test_names_come_in_the_order_in_which_they_were_returned(kept: Kept) -> None:
    """Metrics, arrays and objects do not sort themselves."""
    value = {"z": 1, "array": np.arange(3), "a": "x", "object": {"k": 1}, "b": 2.0}
    assert list(kept(value)) == list(value)


def test_thousands_of_metrics_are_kept(kept: Kept) -> None:
    """A mapping may be long."""
    value = {f"metric_{i}": i for i in range(10_000)}
    assert kept(value) == value


DTYPES = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16", "g", "G", "S5", "U5", "O"]
DTYPES += [">i4", ">f8", ">c16", ">U3", "M8[D]", "M8[ns]", ">M8[s]", "m8[us]", "i4,f8", "V3"]


def an_array(dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Give an array of a dtype with distinct elements."""
    numbers = np.arange(math.prod(shape)).reshape(shape)
    if dtype == "V3":
        return np.frombuffer(bytes(range(3 * numbers.size)), "V3").reshape(shape)
    return numbers.astype(dtype)


@pytest.mark.parametrize("shape", [(4,), (0,), (2, 3), (1, 0, 2)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_come_back_as_they_were(kept: Kept, dtype: str, shape: tuple[int, ...]) -> None:
    """Whatever its dtype and shape, an array has the same elements and kind of element afterwards."""
    value = an_array(dtype, shape)
    found = kept({"a": value})["a"]
    assert type(found) is np.ndarray
    assert (found.shape, found.dtype.newbyteorder("=")) == (value.shape, value.dtype.newbyteorder("="))
    np.testing.assert_array_equal(found, value)


@pytest.mark.parametrize(
    "value",
    [
        np.arange(12).reshape(3, 4).T,
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.arange(10)[::-2],
        np.broadcast_to(np.float32(1.5), (3, 2)),
        np.array(["", "  spaces  ", "ünï", "a\0b"]),
        np.array(["\udcff", "a"]),
        np.array(["2024-02-29T01:02:03", "NaT"], "M8[s]"),
        np.array([np.nan, -0.0, np.inf]),
    ],
    ids=["transposed", "fortran", "strided", "broadcast", "texts", "no texts", "dates", "floats"],
)
def test_unusual_arrays_come_back(kept: Kept, value: np.ndarray) -> None:
    """Order in memory and odd elements make no difference."""
    found = kept({"a": value})["a"]
    assert found.dtype == value.dtype
    np.testing.assert_array_equal(found, value)


def test_what_came_back_can_be_changed(kept: Kept) -> None:
    """A task may write into what it got."""
    found = kept({"a": np.zeros(1000)})["a"]
    found += 1
    assert found.sum() == 1000


@pytest.mark.parametrize("dtype", ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "U", "S"])
def test_numpy_scalars_become_plain_ones(kept: Kept, dtype: str) -> None:
    """A NumPy number or text is the Python value that it stands for."""
    value = np.ones(1, dtype)[0]
    found = kept({"x": value})["x"]
    assert found == value
    assert not hasattr(found, "dtype")


@pytest.mark.parametrize(
    "value",
    [np.datetime64("2024-02-29T00:00:00", "ns"), np.timedelta64(5, "ms"), np.datetime64("NaT"), np.longdouble("0.1")],
    ids=["date", "duration", "no date", "long double"],
)
def test_scalars_that_python_has_not_keep_their_type(kept: Kept, value: Any) -> None:
    """A date does not become a number of nanoseconds."""
    found = kept({"x": value})["x"]
    assert type(found) is type(value)
    np.testing.assert_array_equal(found, value)


def test_a_mask_is_not_lost(kept: Kept) -> None:
    """Masked elements stay masked: what lies under a mask is no result."""
    found = kept({"a": np.ma.masked_array([1.0, 2.0], [True, False]), "one": np.ma.masked})
    assert found["a"].mask.tolist() == [True, False]
    assert found["one"] is np.ma.masked


TABLES = {
    "numbers": pd.DataFrame({"a": [1, 2], "b": [0.5, math.nan], "c": [True, False]}),
    "empty": pd.DataFrame({"a": np.zeros(0)}),
    "nothing": pd.DataFrame(),
    "texts": pd.DataFrame({"a": ["x", None], "b": [1, 2]}),
    "index": pd.DataFrame({"a": [1, 2]}, index=["x", "y"]),
    "dates": pd.DataFrame({"when": pd.to_datetime(["2024-01-01", None])}),
    "levels": pd.DataFrame({("a", "b"): [1]}),
    "slash": pd.DataFrame({"m/s": [1.0]}),
    "numbered": pd.DataFrame([[1, 2]]),
    "twice": pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "nullable": pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_come_back_as_they_were(kept: Kept, name: str) -> None:
    """Columns, their types, their order and the index stay."""
    pd.testing.assert_frame_equal(kept({"t": TABLES[name]})["t"], TABLES[name])


def test_a_series_comes_back(kept: Kept) -> None:
    """So do the other things of pandas."""
    value = pd.Series([1, 2], index=["a", "b"], name="s")
    pd.testing.assert_series_equal(kept({"s": value})["s"], value)


def test_functions_and_local_classes_come_back(kept: Kept) -> None:
    """What pickle refuses cloudpickle takes."""
    factor = 3

    class Local:
        value = 5

    found = kept({"f": lambda x: factor * x, "o": Local()})
    assert found["f"](2) == 6
    assert found["o"].value == 5


def test_a_list_that_holds_itself_comes_back(kept: Kept) -> None:
    """A value need not be a tree."""
    value: list[Any] = [1]
    value.append(value)
    found = kept({"v": value})["v"]
    assert found[1] is found


@pytest.mark.parametrize("value", [threading.Lock(), (i for i in range(3)), [threading.Lock()]])
def test_what_cannot_be_kept_is_named(value: Any) -> None:
    """The error says which result it is."""
    with pytest.raises(TypeError, match="result `model` cannot be kept: cannot pickle"):
        pack(Outcome(), "model", value, ".")


@pytest.mark.parametrize("name", ["", "a/b", "a\0b", ".", "..", "\udcff"])
def test_names_that_a_record_cannot_hold_are_refused(name: str) -> None:
    """A name is a text without a slash."""
    with pytest.raises(ValueError, match="cannot be named"):
        pack(Outcome(), name, 1, ".")


def test_files_and_folders_come_back_as_paths(kept: Kept, tmp_path: Path) -> None:
    """A path becomes an artifact; relative ones start from the base."""
    (tmp_path / "out.txt").write_text("hello")
    (tmp_path / "folder" / "sub").mkdir(parents=True)
    (tmp_path / "folder" / "sub" / "a").write_text("a")
    found = kept({"file": Path("out.txt"), "folder": tmp_path / "folder"})
    assert found == {"file": tmp_path / "out.txt", "folder": tmp_path / "folder"}
    assert found["file"].read_text() == "hello"
    assert kept(Path("out.txt")) == tmp_path / "out.txt"


def test_a_file_is_described_by_size_and_digest(tmp_path: Path) -> None:
    """The digest is that of the bytes; a folder's depends on the names in it too."""
    (tmp_path / "a").write_bytes(b"abc")
    described = describe_file("x", str(tmp_path / "a"))
    assert (described["size"], described["files"]) == (3, 1)
    assert described["sha256"].startswith("ba7816bf8f01cfea")
    before = describe_file("x", str(tmp_path))["sha256"]
    (tmp_path / "a").rename(tmp_path / "b")
    assert describe_file("x", str(tmp_path))["sha256"] != before


def test_a_missing_file_is_an_error() -> None:
    """A path to nothing is no result."""
    with pytest.raises(FileNotFoundError):
        pack(Outcome(), "x", Path("/nowhere/at/all"), ".")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe by itself is refused, and one among files is left out."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="neither file nor folder"):
        describe_file("x", str(tmp_path / "pipe"))
    assert describe_file("x", str(tmp_path))["files"] == 0


@pytest.mark.parametrize("first", [1, np.zeros(3), pd.DataFrame({"a": [1]}), {"k": 1}])
@pytest.mark.parametrize("last", [2, np.ones(2), {"k": 2}])
def test_of_two_values_under_one_name_the_last_counts(tmp_path: Path, first: Any, last: Any) -> None:
    """Nothing of the first is left, whatever kind it was."""
    outcome, alone = Outcome(), Outcome()
    pack(outcome, "other", np.zeros(1), ".")
    pack(alone, "other", np.zeros(1), ".")
    pack(outcome, "x", first, ".")
    pack(outcome, "x", last, ".")
    pack(alone, "x", last, ".")
    outcome.write(str(tmp_path / "a"))
    alone.write(str(tmp_path / "b"))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_mapping_with_other_keys_is_one_value() -> None:
    """Only texts can name results."""
    outcome = Outcome()
    pack_returned(outcome, {1: 2}, ".")
    assert (outcome.returned, outcome.order) == ("value", ["result"])
