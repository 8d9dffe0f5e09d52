import array
import ast
import hashlib
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import sciflow_shim
from sciflow_shim.record import Dataset, ExternalLink, FileSlice, Group, write_record

SHIM = Path(sciflow_shim.__file__).parent
MODULES = ("record", "record_format", "record_reader")
ORDERED = ("i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")
DTYPES = ["|b1", "|i1", "|u1", "|S3", *[order + name for order in "<>" for name in ORDERED]]


def written(path: Path, root: Group) -> Any:
    """The record as h5py opens it."""
    write_record(path, root)
    return h5py.File(path, "r")


def sample(dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Random bytes as an array, the truth values as such."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.random.default_rng(1).integers(0, 2 if dtype == "|b1" else 256, size, "u1")
    return raw.view(dtype).reshape(shape)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        *[(True, "bool"), (False, "bool"), (0, "<i8"), (-(2**63), "<i8"), (2**63 - 1, "<i8")],
        *[(2**63, "<u8"), (2**64 - 1, "<u8"), (0.0, "<f8"), (-0.0, "<f8"), (math.inf, "<f8"), (5e-324, "<f8")],
        (1 - 2j, "<c16"),
    ],
)
def test_number_is_an_attribute_of_its_type(tmp_path: Path, value: Any, dtype: str) -> None:
    """Truth values, integers of 64 bits, floats and complex numbers come back with value and type."""
    with written(tmp_path / "r.h5", Group({"x": value})) as file:
        found = file.attrs["x"]
    assert found.dtype == np.dtype(dtype)
    assert found.shape == ()
    assert found == value
    assert math.copysign(1, found.real) == math.copysign(1, value.real)


def test_nan_is_an_attribute(tmp_path: Path) -> None:
    """Not-a-number comes back as such."""
    with written(tmp_path / "r.h5", Group({"x": math.nan})) as file:
        assert math.isnan(file.attrs["x"])


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, 10**40])
def test_integer_beyond_64_bits_is_its_decimal_text(tmp_path: Path, value: int) -> None:
    """An integer that no HDF5 integer holds is kept as text."""
    with written(tmp_path / "r.h5", Group({"x": value})) as file:
        assert file.attrs["x"] == str(value)


@pytest.mark.parametrize(
    "text", ["", " ", "a", "ä" * 7, "日本語 🧪", "two\nlines\r\n\ttab", "x" * 60_000, "é" * 200_000]
)
def test_text_is_an_attribute_of_any_length(tmp_path: Path, text: str) -> None:
    """A text comes back as `str`, empty, in any script, and longer than an HDF5 header."""
    with written(tmp_path / "r.h5", Group({"x": text})) as file:
        assert type(file.attrs["x"]) is str
        assert file.attrs["x"] == text


@pytest.mark.parametrize(
    ("text", "stored"),
    [("a\0b", "a\\x00b"), ("\0", "\\x00"), ("\ud800", "\\ud800"), ("caf\udce9", "caf\udce9")],
    ids=["nul", "only nul", "half a pair", "undecodable byte"],
)
def test_text_that_hdf5_cannot_hold_is_escaped(tmp_path: Path, text: str, stored: str) -> None:
    """NUL and half pairs are written escaped; bytes of a file name that are not UTF-8 survive as Python keeps them."""
    with written(tmp_path / "r.h5", Group({"x": text})) as file:
        assert file.attrs["x"] == stored


def test_none_is_an_empty_value(tmp_path: Path) -> None:
    """None comes back as h5py's Empty."""
    with written(tmp_path / "r.h5", Group({"x": None})) as file:
        assert file.attrs["x"] == h5py.Empty("f8")


@pytest.mark.parametrize(
    "values", [["a", "", "ü" * 99], [1, -2], [1.5, math.inf], [1, 2.5], [True, False], [2**63], [1j, 2], (3, 4), []]
)
def test_list_is_an_attribute_with_one_dimension(tmp_path: Path, values: Any) -> None:
    """Lists of texts, integers, floats, truth values and complex numbers come back in order."""
    with written(tmp_path / "r.h5", Group({"x": values})) as file:
        assert file.attrs["x"].shape == (len(values),)
        assert file.attrs["x"].tolist() == list(values)


def test_attributes_and_members_keep_their_order(tmp_path: Path) -> None:
    """Names come back in the order in which they were given, not sorted."""
    names = [f"n{(7 * i) % 30}" for i in range(30)]
    members: dict[str, Any] = {name: Group() for name in names}
    members.update(link=ExternalLink("other.h5"), array=Dataset(1.0))
    with written(tmp_path / "r.h5", Group(dict.fromkeys(names, 1), members)) as file:
        assert list(file.attrs) == names
        assert list(file) == [*names, "link", "array"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 5, 7), (0,), (4, 0, 2)], ids=str)
def test_array_comes_back_byte_for_byte(tmp_path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    """Arrays of every type, byte order and shape come back with type, shape, bytes and unit, given a dtype or not."""
    data = sample(dtype, shape)
    buffer = memoryview(data.tobytes())
    members = {
        "given": Dataset(buffer, dtype, shape, {"unit": "m"}),
        "found": Dataset(data, attributes={"unit": "m"}),
    }
    with written(tmp_path / "r.h5", Group(members=members)) as file:
        for found in (file["given"], file["found"]):
            assert isinstance(found, h5py.Dataset)
            assert (found.dtype, found.shape, found.attrs["unit"]) == (np.dtype(dtype), shape, "m")
            # h5py gives a lone number in the machine's byte order
            assert np.asarray(found[()], dtype).tobytes() == data.tobytes()


@pytest.mark.parametrize("count", [8, 9, 5000])
def test_array_of_python_is_a_buffer(tmp_path: Path, count: int) -> None:
    """`array.array` needs no dtype, whether the data lies in the header or beside it."""
    data = array.array("d", [i / 3 for i in range(count)])
    with written(tmp_path / "r.h5", Group(members={"x": Dataset(data)})) as file:
        assert file["x"][()].tolist() == data.tolist()


def test_buffer_that_is_not_contiguous_is_copied_in_order(tmp_path: Path) -> None:
    """A transposed or strided array comes back as NumPy shows it."""
    data = np.arange(600.0).reshape(20, 30)
    with written(tmp_path / "r.h5", Group(members={"t": Dataset(data.T), "s": Dataset(data[::3, ::-2])})) as file:
        assert np.array_equal(file["t"][()], data.T)
        assert np.array_equal(file["s"][()], data[::3, ::-2])


@pytest.mark.parametrize(
    ("data", "dtype", "expected"),
    [
        (3, None, np.int64(3)),
        (2.5, ">f4", np.float32(2.5)),
        (True, None, np.True_),
        ([1, 2, 300], "<u2", np.array([1, 2, 300], "<u2")),
        ([1, 2j], "<c8", np.array([1, 2j], "<c8")),
        (range(4), None, np.arange(4)),
        (["ab", "c"], "S2", np.array([b"ab", b"c"])),
        ([b"ab", b"c"], "|S4", np.array([b"ab", b"c"], "S4")),
    ],
    ids=str,
)
def test_scalars_and_lists_are_datasets(tmp_path: Path, data: Any, dtype: str | None, expected: Any) -> None:
    """A number is a dataset without dimensions, a list one with a single dimension."""
    with written(tmp_path / "r.h5", Group(members={"x": Dataset(data, dtype)})) as file:
        found = file["x"][()]
    assert found.shape == expected.shape
    assert np.array_equal(found, expected)


def test_texts_are_datasets(tmp_path: Path) -> None:
    """One text, and 70,000 of them (more than one heap of HDF5 holds), come back through `.asstr()`."""
    texts = [f"{'ü' * (i % 5)}{i % 7 or ''}" for i in range(90_000)]
    shaped = Dataset(["a", "b", "", "d"], shape=(2, 2))
    members = {"one": Dataset("α\nβ"), "all": Dataset(texts), "shaped": shaped, "none": Dataset([], "str")}
    with written(tmp_path / "r.h5", Group(members=members)) as file:
        assert file["one"].asstr()[()] == "α\nβ"
        assert file["all"].asstr()[()].tolist() == texts
        assert file["shaped"].asstr()[()].tolist() == [["a", "b"], ["", "d"]]
        assert file["none"].asstr()[()].tolist() == []


def test_data_in_another_file_is_copied(tmp_path: Path) -> None:
    """A slice of a file becomes a dataset: a large one, a small one, and none at all."""
    data = sample("<f8", (400_000,))
    (tmp_path / "result.bin").write_bytes(b"header" + data.tobytes())
    members = {
        "all": Dataset(FileSlice(tmp_path / "result.bin", 6, data.nbytes), "<f8", (400, 1000)),
        "three": Dataset(FileSlice(tmp_path / "result.bin", 6, 24), "<f8"),
        "none": Dataset(FileSlice(tmp_path / "result.bin", 6, 0), "<f8"),
    }
    with written(tmp_path / "r.h5", Group(members=members)) as file:
        assert file["all"][()].tobytes() == data.tobytes()
        assert file["three"][()].tobytes() == data[:3].tobytes()
        assert file["none"].shape == (0,)


def test_file_slice_beyond_the_end_leaves_nothing(tmp_path: Path) -> None:
    """Data that is cut off is an error, the record before it stays, and nothing half-written is left."""
    (tmp_path / "short.bin").write_bytes(b"12345")
    write_record(tmp_path / "r.h5", Group({"attempt": 1}))
    data = Dataset(FileSlice(tmp_path / "short.bin", 0, 800), "<f8")
    with pytest.raises(ValueError, match="ends 795 bytes before the data to be copied"):
        write_record(tmp_path / "r.h5", Group({"attempt": 2}, {"x": data}))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.h5", "short.bin"]
    with h5py.File(tmp_path / "r.h5") as file:
        assert file.attrs["attempt"] == 1


def test_group_holds_5000_links_and_nests(tmp_path: Path) -> None:
    """A group with 5,000 members, and groups within groups, open in h5py."""
    deep = Group({"level": 40})
    for level in reversed(range(40)):
        deep = Group({"level": level}, {"next": deep})
    many = {f"member {i}": Group({"i": i}) for i in range(5000)}
    with written(tmp_path / "r.h5", Group(members={"many": Group(members=many), "deep": deep})) as file:
        assert list(file["many"]) == list(many)
        assert file["many/member 4999"].attrs["i"] == 4999
        assert file["deep" + "/next" * 40].attrs["level"] == 40


def test_external_link_opens_the_other_file(tmp_path: Path) -> None:
    """An external link is resolved from the record's directory, as h5py does it."""
    (tmp_path / "environments").mkdir()
    (tmp_path / "records").mkdir()
    write_record(tmp_path / "environments" / "ä b.h5", Group(members={"python": Group({"version": "3.9"})}))
    link = ExternalLink("../environments/ä b.h5", "/python")
    with written(tmp_path / "records" / "r.h5", Group(members={"environment": link})) as file:
        found = file.get("environment", getlink=True)
        assert isinstance(found, h5py.ExternalLink)
        assert (found.filename, found.path) == (link.filename, link.path)
        assert file["environment"].attrs["version"] == "3.9"


@pytest.mark.parametrize(
    ("root", "message"),
    [
        (Group({"x": object()}), r"`/@x` cannot be stored: `object` is not a type that a record can hold"),
        (Group({"x": ["a", 1]}), r"`/@x` .*`int`, `str`: a record holds"),
        (Group({"x": [None]}), r"`/@x` .*`NoneType`: a record holds"),
        (Group({"x": [0.0] * 8200}), r"`/@x` .*: it takes \d+ bytes, .*: make it a dataset"),
        (Group({"": 1}), r"`/@` .*: a name is neither empty nor holds a NUL"),
        (Group({1: 1}), r"`/@1` .*: a name is a str, and not `int`"),  # type: ignore[dict-item]
        (Group(members={"a": Group({"b\0": 1})}), r"`/a@b\0` .*: a name is neither empty nor holds a NUL"),
        (Group(members={"a/b": Group()}), r"`/a/b` .*: a name is neither `.` nor holds a `/`"),
        (Group(members={".": Group()}), r"`/\.` .*: a name is neither `.` nor holds a `/`"),
        (Group(members={"a": 1}), r"`/a` .*: a member is a Group, a Dataset or an ExternalLink, and not `int`"),
        (Group(members={"a": Dataset(b"12", "<f8", (1,))}), r"`/a` .*: 2 bytes of data, but shape \(1,\) of `<f8`"),
        (Group(members={"a": Dataset(b"12", "str")}), r"`/a` .*: the data of `str` is a str or a list of str"),
        (Group(members={"a": Dataset(object())}), r"`/a` .*: .*bytes-like"),
        (Group(members={"a": Dataset(np.array(["x"]))}), r"`/a` .*: the buffer's format `.*` has no dtype here"),
        (Group(members={"a": Dataset([300], "|u1")}), r"`/a` cannot be stored"),
        (Group(members={"a": Dataset(["abc"], "S2")}), r"`/a` .*: a text of 3 bytes where 2 are kept"),
        (Group(members={"a": Dataset(FileSlice("f", 0, 8))}), r"`/a` .*: data in another file needs a dtype"),
        (Group(members={"a": Dataset(FileSlice("f", -1, 8), "<f8")}), r"`/a` .*: data in another file needs a dtype"),
        (Group({"x": [2**2000, 1j]}), r"`/@x` .*too large"),
    ],
)
def test_what_cannot_be_stored_is_named(tmp_path: Path, root: Group, message: str) -> None:
    """A value, name or shape that HDF5 cannot hold is an error that names its place, and no file is left."""
    with pytest.raises(ValueError, match=f"(?s){message}"):
        write_record(tmp_path / "r.h5", root)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fsync", [False, True])
def test_digest_is_that_of_the_bytes_before_it(tmp_path: Path, fsync: bool) -> None:
    """`head -c -64 record | sha256sum` prints what `tail -c 64 record` does."""
    digest = write_record(tmp_path / "r.h5", Group({"x": 1}, {"a": Dataset(bytes(3 << 20))}), fsync=fsync)
    data = (tmp_path / "r.h5").read_bytes()
    assert hashlib.sha256(data[:-64]).hexdigest() == digest
    assert data[-64:] == digest.encode()


def test_record_without_a_seal_opens_too(tmp_path: Path) -> None:
    """A record without a seal has no digest, and h5py reads it."""
    assert write_record(tmp_path / "r.h5", Group({"x": 1}), seal=False) == ""
    with h5py.File(tmp_path / "r.h5") as file:
        assert file.attrs["x"] == 1


def test_same_tree_gives_the_same_bytes(tmp_path: Path) -> None:
    """Nothing but the tree is in the file: no time, no path."""
    root = Group({"x": "text"}, {"a": Dataset([1.0] * 100)})
    assert write_record(tmp_path / "a.h5", root) == write_record(tmp_path / "b.h5", root)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


@pytest.mark.skipif(shutil.which("h5dump") is None, reason="h5dump of hdf5-tools is not installed")
@pytest.mark.parametrize("command", [["h5dump"], ["h5dump", "-B", "-p"], ["h5stat"], ["h5debug"]], ids=" ".join)
def test_tools_of_hdf5_read_it(tmp_path: Path, command: list[str]) -> None:
    """The tools of the HDF5 library find nothing wrong."""
    members: dict[str, Any] = {name.strip("<|>") + name[0]: Dataset(sample(name, (3, 4)), name) for name in DTYPES}
    members.update(text=Dataset(["a", "b"]), group=Group({"t": True, "n": None, "s": "text"}), none=Dataset([]))
    write_record(tmp_path / "r.h5", Group({"state": "COMPLETED"}, members))
    done = subprocess.run([*command, tmp_path / "r.h5"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "r.h5" in done.stdout


def test_modules_need_nothing_but_a_few_of_the_standard_library(tmp_path: Path) -> None:
    """Writing and reading a small record loads no third-party module, and none that is slow to load."""
    program = f"""
import sys
sys.path.insert(0, {str(SHIM.parent)!r})
from sciflow_shim.record import Dataset, Group, write_record
from sciflow_shim.record_reader import read_record, verify_seal
write_record("r.h5", Group({{"state": "COMPLETED"}}, {{"x": Dataset([1.0] * 99)}}))
assert verify_seal("r.h5") == "sealed"
assert read_record("r.h5")["x"].value == [1.0] * 99
print(*(name for name in sys.modules if not name.startswith("sciflow_shim")))
"""
    run = [sys.executable, "-S", "-E", "-c", program]
    loaded = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.split()
    assert {name.partition(".")[0] for name in loaded} - {"__main__"} <= sys.stdlib_module_names
    assert not {"typing", "pathlib", "re", "inspect", "dataclasses", "pickle", "mmap"} & set(loaded)


@pytest.mark.parametrize("module", MODULES)
def test_modules_are_python_3_9(module: str) -> None:
    """The modules hold no syntax that is younger than Python 3.9."""
    ast.parse((SHIM / f"{module}.py").read_text(), feature_version=(3, 9))
