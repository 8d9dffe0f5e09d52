import string
import tempfile
from pathlib import Path

import h5py
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from property.record_comparison import MANY, check_read, seen, write_with_h5py
from sciflow_shim import record_format as h5
from sciflow_shim.record import Dataset, ExternalLink, Group, write_record
from sciflow_shim.record_reader import read_record, verify_seal

NO_NUL = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
NAMES = st.text(st.one_of(NO_NUL, st.sampled_from(string.ascii_letters)), min_size=1, max_size=300).filter(
    lambda name: "/" not in name and name != "."
)
TEXTS = st.text(NO_NUL)
INTEGERS = st.integers(-(2**63), 2**64 - 1)
SCALARS = st.one_of(
    st.booleans(),
    INTEGERS,
    st.floats(),
    st.complex_numbers(),
    TEXTS,
    st.builds(lambda t, n: t * n, TEXTS, st.just(9999)),
)
LISTS = st.one_of(
    st.lists(TEXTS, max_size=9),
    st.lists(st.floats(), max_size=99),
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=99),
    st.lists(st.booleans(), max_size=9),
)
ATTRIBUTES = st.dictionaries(NAMES, st.one_of(SCALARS, LISTS, st.none()), max_size=30)
DTYPES = st.one_of(
    arrays.boolean_dtypes(),
    arrays.integer_dtypes(endianness="?"),
    arrays.unsigned_integer_dtypes(endianness="?"),
    arrays.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    arrays.complex_number_dtypes(endianness="?", sizes=(64, 128)),
    arrays.byte_string_dtypes(min_len=1),
)
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9)
DATA = st.one_of(arrays.arrays(DTYPES, SHAPES), TEXTS, st.lists(TEXTS, min_size=1, max_size=30))
DATASETS = st.builds(lambda data, attributes: Dataset(data, attributes=attributes), DATA, ATTRIBUTES)
# h5py drops what is superfluous in a path, such as a `/` at its end
PATHS = st.lists(NAMES, max_size=3).map(lambda names: "/" + "/".join(names))
LINKS = st.builds(ExternalLink, TEXTS.filter(bool), PATHS)
TREES = st.recursive(
    st.builds(Group, ATTRIBUTES),
    lambda groups: st.builds(Group, ATTRIBUTES, st.dictionaries(NAMES, groups | DATASETS | LINKS, max_size=12)),
    max_leaves=20,
)


@settings(max_examples=10_000 if MANY else 200, deadline=None)
@given(tree=TREES)
def test_record_is_what_h5py_would_have_written(tree: Group) -> None:
    """h5py sees the same in our file as in its own of the same tree; our reader gives back the tree; the seal holds."""
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "ours.h5"), Path(folder, "theirs.h5")
        write_record(ours, tree)
        with h5py.File(theirs, "w", track_order=True, libver="latest") as file:
            write_with_h5py(file, tree)
        with h5py.File(ours) as left, h5py.File(theirs) as right:
            assert seen(left) == seen(right)
        assert verify_seal(ours) == "sealed"
        check_read(read_record(ours), tree)


@given(data=st.binary(min_size=1, max_size=300))
def test_checksum_is_that_of_hdf5(data: bytes) -> None:
    """HDF5 opens a group whose header, with its checksum, holds any text and name."""
    name = data.hex()
    with tempfile.TemporaryDirectory() as folder:
        write_record(Path(folder, "r.h5"), Group({name: data.hex()}))
        with h5py.File(Path(folder, "r.h5")) as file:
            assert file.attrs[name] == name


@given(text=st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_stored(text: str) -> None:
    """Whatever `str` Python can hold is written, and read back the same by h5py and by our reader."""
    stored = h5.encode_text(text).decode("utf-8", "surrogateescape")
    with tempfile.TemporaryDirectory() as folder:
        write_record(Path(folder, "r.h5"), Group({"x": text}))
        with h5py.File(Path(folder, "r.h5")) as file:
            assert file.attrs["x"] == read_record(Path(folder, "r.h5")).attributes["x"] == stored


@settings(max_examples=500)
@given(
    content=st.binary(max_size=400), start=st.sampled_from([b"", b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n\3\x08\x08"])
)
def test_garbage_never_raises(content: bytes, start: bytes) -> None:
    """Any bytes at all are torn, without an exception."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(start + content)
        file.flush()
        assert verify_seal(file.name) == "torn"
