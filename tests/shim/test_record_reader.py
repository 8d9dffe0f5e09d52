import gc
import math
import os
import random
import struct
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from sciflow_shim import record_format as h5
from sciflow_shim.record import Dataset, ExternalLink, FileSlice, Group, write_record
from sciflow_shim.record_reader import RecordDataset, RecordGroup, read_record, verify_seal

NAMES = ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16", "b1")


def typical() -> Group:
    """A record such as the shim writes."""
    series = Dataset([i / 7 for i in range(50)], attributes={"unit": "s"})
    resources = Group({"peak_rss": 12_345_678, "cpu": 1.5}, {"time": series, "rss": series})
    results = Group(members={"field": Dataset(np.arange(1000.0).reshape(10, 100)), "note": Dataset("fine")})
    members = {"resources": resources, "results": results, "environment": ExternalLink("env.h5", "/python")}
    return Group({"state": "COMPLETED", "index": 17, "message": None, "tags": ["a", ""]}, members)


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """A sealed record on disk."""
    write_record(tmp_path / "r.h5", typical())
    return tmp_path / "r.h5"


def open_files() -> int:
    """How many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def with_checksum(header: bytes) -> bytes:
    """Metadata that was changed, with the checksum that it then needs."""
    return header + struct.pack("<I", h5.checksum(header))


@pytest.mark.parametrize(
    "value",
    [
        True,
        0,
        -(2**63),
        2**64 - 1,
        1.5,
        math.inf,
        1j,
        "",
        "ü\n",
        "x" * 70_000,
        None,
        ["a", ""],
        [1, 2],
        [True],
        [],
        [1j],
    ],
    ids=lambda value: repr(value)[:20],
)
def test_attribute_comes_back(tmp_path: Path, value: Any) -> None:
    """An attribute of a group and of a dataset comes back with value and type."""
    write_record(tmp_path / "r.h5", Group({"x": value}, {"d": Dataset(1, attributes={"x": value})}))
    root = read_record(tmp_path / "r.h5")
    for found in (root.attributes["x"], root["d"].attributes["x"]):
        assert type(found) is type(value)
        assert found == value


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(), (5,), (0,), (2, 3, 4), (3, 0, 2), (20_000,)], ids=str)
def test_array_comes_back(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    """Arrays of every type, in both byte orders, come back as bytes and as Python values."""
    for dtype in {np.dtype(order + name).str for order in "<>"}:
        data = np.arange(math.prod(shape)).astype(dtype).reshape(shape)
        write_record(tmp_path / "r.h5", Group(members={"x": Dataset(data)}))
        found = read_record(tmp_path / "r.h5")["x"]
        assert (found.dtype, found.shape, found.length) == (dtype, shape, data.nbytes)
        assert bytes(found.read()) == data.tobytes()
        assert found.value == data.tolist()


@pytest.mark.parametrize("count", [1, 8, 100, 100_000])
def test_offset_is_where_the_data_lies(tmp_path: Path, count: int) -> None:
    """Whoever knows offset and length can read the data without us, in a header or beside it."""
    data = np.arange(count, dtype="<f8")
    write_record(tmp_path / "r.h5", Group(members={"x": Dataset(data), "other": Dataset(bytes(77))}))
    found = read_record(tmp_path / "r.h5")["x"]
    assert np.array_equal(np.fromfile(tmp_path / "r.h5", "<f8", count, offset=found.offset), data)


def test_array_from_a_file_is_mapped_and_outlives_the_record(tmp_path: Path) -> None:
    """The bytes of a large array stay readable when the record has been dropped, replaced and deleted."""
    (tmp_path / "data").write_bytes(os.urandom(3_000_000))
    write_record(tmp_path / "r.h5", Group(members={"x": Dataset(FileSlice(tmp_path / "data", 1, 2_999_999), "|u1")}))
    view = read_record(tmp_path / "r.h5")["x"].read()
    write_record(tmp_path / "r.h5", Group())
    (tmp_path / "r.h5").unlink()
    gc.collect()
    assert view == (tmp_path / "data").read_bytes()[1:]


def test_texts_come_back(tmp_path: Path) -> None:
    """Texts, lists of them over several heaps, and bytes of fixed length come back."""
    many = [str(i) for i in range(70_000)]
    members = {
        "one": Dataset("α\nβ"),
        "many": Dataset(many),
        "shaped": Dataset(["a", "", "c", "d"], shape=(2, 2)),
        "bytes": Dataset(["ab", "c"], "S4"),
    }
    write_record(tmp_path / "r.h5", Group(members=members))
    values = {name: member.value for name, member in read_record(tmp_path / "r.h5").members.items()}
    assert values == {"one": "α\nβ", "many": many, "shaped": [["a", ""], ["c", "d"]], "bytes": [b"ab", b"c"]}


def test_group_is_read_like_a_mapping(record: Path) -> None:
    """Members come in order, by name and by path; what is not there is a KeyError."""
    root = read_record(record)
    assert list(root) == list(root.members) == ["resources", "results", "environment"]
    assert len(root) == 3
    assert "results" in root
    assert "result" not in root
    assert isinstance(root["results"], RecordGroup)
    assert isinstance(root["/results/field"], RecordDataset)
    assert root["/"] is root
    for path in ("result", "results/x", "results/field/x", "environment/x"):
        with pytest.raises(KeyError):
            root[path]


def test_group_of_5000_members(tmp_path: Path) -> None:
    """A group with 5,000 members is read in order."""
    write_record(tmp_path / "r.h5", Group(members={f"m{i}": Dataset(i) for i in range(5000)}))
    root = read_record(tmp_path / "r.h5")
    assert list(root) == [f"m{i}" for i in range(5000)]
    assert root["m4999"].value == 4999


def test_external_link_is_followed_only_when_asked(record: Path) -> None:
    """The other file may be missing until `follow` is called; then it is found from the record's directory."""
    root = read_record(record)
    link = root["environment"]
    assert isinstance(link, ExternalLink)
    assert (link.filename, link.path) == ("env.h5", "/python")
    with pytest.raises(FileNotFoundError):
        root.follow("environment")
    write_record(record.with_name("env.h5"), Group(members={"python": Group({"version": "3.9"})}))
    assert root.follow("environment").attributes == {"version": "3.9"}
    assert isinstance(root.follow("results"), RecordGroup)


def test_file_is_closed_with_the_last_object(record: Path) -> None:
    """A group keeps the file open; when nothing is left of the record, it is closed."""
    before = open_files()
    results = read_record(record)["results"]
    assert open_files() == before + 1
    assert results["note"].value == "fine"
    del results
    gc.collect()
    assert open_files() == before


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_file_of_another_writer_is_refused(tmp_path: Path, libver: str) -> None:
    """An HDF5 file that h5py wrote is refused by name, and has no seal."""
    with h5py.File(tmp_path / "other.h5", "w", libver=libver) as file:
        file["x"] = np.arange(100)
    with pytest.raises(ValueError, match=r"`.*other.h5` is not a record, or it is cut off"):
        read_record(tmp_path / "other.h5")
    assert verify_seal(tmp_path / "other.h5") == "torn"


@pytest.mark.parametrize(
    "content",
    [b"", b"\x89HDF", b"\x89HDF\r\n\x1a\n" * 100, bytes(500), random.Random(1).randbytes(500)],
    ids=["empty", "short", "signatures", "zeros", "noise"],
)
def test_garbage_is_refused(tmp_path: Path, content: bytes) -> None:
    """Bytes that are no HDF5 file are a ValueError to the reader, and torn."""
    (tmp_path / "r.h5").write_bytes(content)
    with pytest.raises(ValueError, match="is not a record"):
        read_record(tmp_path / "r.h5")
    assert verify_seal(tmp_path / "r.h5") == "torn"


def test_seal_of_a_whole_record(record: Path, tmp_path: Path) -> None:
    """A record is sealed or unsealed as it was written; a file that is not there is an error."""
    assert verify_seal(record) == "sealed"
    write_record(tmp_path / "open.h5", typical(), seal=False)
    assert verify_seal(tmp_path / "open.h5") == "unsealed"
    with pytest.raises(FileNotFoundError):
        verify_seal(tmp_path / "missing.h5")


def test_seal_is_checked_by_blocks(tmp_path: Path) -> None:
    """The seal of a record of many blocks holds, and one flipped bit in the last block breaks it."""
    write_record(tmp_path / "r.h5", Group(members={"x": Dataset(bytes(5_000_000))}))
    assert verify_seal(tmp_path / "r.h5") == "sealed"
    with (tmp_path / "r.h5").open("r+b") as file:
        file.seek(-200, os.SEEK_END)
        file.write(b"\1")
    assert verify_seal(tmp_path / "r.h5") == "torn"


def change_last_header(record: Path, written: bytes, found: bytes) -> None:
    """Change what the last header says, and make its checksum right again."""
    whole = record.read_bytes()
    start = whole.rindex(b"OHDR")
    end = start + 7 + whole[start + 6]
    header = whole[start:end]
    assert header.count(written) == 1
    record.write_bytes(whole[:start] + with_checksum(header.replace(written, found)) + whole[end + 4 :])


def check_damage(record: Path, count: int) -> None:
    """Cut and flip a sealed record at random: the seal finds it, and the reader raises nothing but ValueError."""
    whole = record.read_bytes()
    source = random.Random(count)
    damaged = record.with_name("damaged.h5")
    for turn in range(count):
        at = source.randrange(len(whole))
        flipped = bytes([whole[at] ^ source.randrange(1, 256)])
        damaged.write_bytes(whole[:at] if turn % 2 else whole[:at] + flipped + whole[at + 1 :])
        assert verify_seal(damaged) == "torn", (turn, at)
        try:
            read_everything(read_record(damaged))
        except ValueError:
            continue
        assert turn % 2 == 0, "a record that was cut off was read"


def read_everything(group: RecordGroup) -> None:
    """Decode all values of a record."""
    for member in group.members.values():
        if isinstance(member, RecordGroup):
            read_everything(member)
        elif isinstance(member, RecordDataset):
            assert member.value is not None


def test_damage_is_found(record: Path) -> None:
    """2,000 random cuts and flips of a sealed record are all found."""
    check_damage(record, 2000)


@pytest.mark.slow
def test_much_damage_is_found(record: Path) -> None:
    """10,000 random cuts and flips of a sealed record are all found."""
    check_damage(record, 10_000)


def test_every_cut_and_every_byte_of_a_small_record(tmp_path: Path) -> None:
    """In a small record every cut, and every flipped byte of superblock, headers and seal, is found."""
    write_record(tmp_path / "r.h5", Group({"index": 1}, {"x": Dataset([1.0] * 9)}))
    whole = (tmp_path / "r.h5").read_bytes()
    damaged = tmp_path / "damaged.h5"
    for at in range(len(whole)):
        for content in (whole[:at], whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]):
            damaged.write_bytes(content)
            assert verify_seal(damaged) == "torn"


def test_bytes_after_the_end_are_found(record: Path) -> None:
    """A record with something appended is torn, and refused."""
    record.write_bytes(record.read_bytes() + b"\0")
    assert verify_seal(record) == "torn"
    with pytest.raises(ValueError, match="is not a record, or it is cut off"):
        read_record(record)


def test_reference_out_of_the_file_is_refused(tmp_path: Path) -> None:
    """Metadata that points beyond the file is a ValueError, also where its checksum is right."""
    write_record(tmp_path / "r.h5", Group())
    whole = (tmp_path / "r.h5").read_bytes()
    superblock = with_checksum(whole[:36] + struct.pack("<Q", len(whole) + 8))
    (tmp_path / "r.h5").write_bytes(superblock + whole[48:])
    with pytest.raises(ValueError, match=r"`.*r.h5` is damaged, .*lie beyond its end"):
        read_record(tmp_path / "r.h5")


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (h5.encode_datatype("<f8"), h5.encode_datatype("<f8")[:1] + b"\x30" + h5.encode_datatype("<f8")[2:]),
        (struct.pack("<BHBH", h5.LAYOUT, 18, 0, 0) + b"\3\1", struct.pack("<BHBH", h5.LAYOUT, 18, 0, 0) + b"\4\2"),
        (h5.encode_dataspace((9,)), h5.encode_dataspace((8,))),
        (struct.pack("<BHBH", h5.LAYOUT, 18, 0, 0), struct.pack("<BHBH", 99, 18, 0, 0)),
    ],
    ids=["datatype", "layout", "shape", "no layout"],
)
def test_what_the_writer_never_writes_is_refused(tmp_path: Path, written: bytes, found: bytes) -> None:
    """A header that is whole, but says what only other writers say, is a ValueError that names the file."""
    write_record(tmp_path / "r.h5", Group(members={"x": Dataset([1.0] * 9)}))
    change_last_header(tmp_path / "r.h5", written, found)
    with pytest.raises(ValueError, match=r"`.*r.h5` is damaged, or not a record that sciflow wrote"):
        _ = read_record(tmp_path / "r.h5")["x"].value


@pytest.mark.parametrize("size", [60_000, 1 << 40])
def test_data_beyond_the_end_is_refused(tmp_path: Path, size: int) -> None:
    """A header that claims more data than the file holds is a ValueError when it is read, small or large."""
    write_record(tmp_path / "r.h5", Group(members={"x": Dataset([1.0] * 9)}))
    change_last_header(tmp_path / "r.h5", struct.pack("<Q", 72), struct.pack("<Q", size))
    found = read_record(tmp_path / "r.h5")["x"]
    with pytest.raises(ValueError, match=r"`.*r.h5` is damaged.*lie beyond its end"):
        found.read()


def test_texts_that_are_damaged_are_refused(tmp_path: Path) -> None:
    """A reference to a heap that is none is a ValueError that names the file."""
    write_record(tmp_path / "r.h5", Group({"x": "text"}))
    whole = (tmp_path / "r.h5").read_bytes()
    (tmp_path / "r.h5").write_bytes(whole.replace(b"GCOL", b"GCOM"))
    with pytest.raises(ValueError, match=r"`.*r.h5` is damaged.*no texts at 48"):
        read_record(tmp_path / "r.h5")
