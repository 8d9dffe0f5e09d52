"""What was folded into zips is found by the path where it was."""

import zipfile
from pathlib import Path

import pytest

from sciflow.store import sealed
from sciflow.store.inventory import inventory, place_of
from sciflow.store.layout import RunDirectory
from sciflow.store.records import has_broken_seal, open_record, read_state, read_summary, seal_of
from sciflow_shim.record import Dataset, Group, write_record
from sciflow_shim.record_reader import read_record, verify_seal

NAME = "records/a.0/0000/3.1.h5"


@pytest.fixture
def folded(tmp_path: Path) -> tuple[RunDirectory, bytes]:
    """Return a run with a record in a zip, behind another one, and the record's bytes."""
    run = RunDirectory(tmp_path / "run")
    facts = {"state": "COMPLETED", "start": 1.0, "end": 3.0, "parameters": "{}", "run": "run", "array": "a.0"}
    data = Dataset(b"x" * 80_000, "|u1")
    members = {
        "metrics": Group({"y": 2}),
        "resources": Group(),
        "results": Group({}, {"v": data}),
        "artifacts": Group(),
    }
    write_record(tmp_path / "record.h5", Group({**facts, "index": 3, "attempt": 1}, members))
    whole = (tmp_path / "record.h5").read_bytes()
    (run / "sealed").mkdir(parents=True)
    with zipfile.ZipFile(run / "sealed" / "a.0.records.zip", "w") as opened:
        opened.writestr("records/a.0/0000/0.1.h5", b"something before it")
        opened.writestr(NAME, whole)
    with zipfile.ZipFile(run / "sealed" / "a.0.logs.zip", "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("logs/a.0/3.1.out", "é\n")
    return run, whole


def test_a_record_is_read_where_it_lies(folded: tuple[RunDirectory, bytes]) -> None:
    """By the path where it was: its place in the zip, its seal, its state, its scalars and its data."""
    run, whole = folded
    path = str(run / NAME)
    found = sealed.locate(path)
    assert found is not None
    archive, offset, size = found
    assert Path(archive).read_bytes()[offset : offset + size] == whole
    assert verify_seal(archive, offset, size) == seal_of(path) == "sealed"
    assert getattr(read_state(path, 3), "seconds", None) == 2.0
    assert getattr(read_summary(path, 3), "metrics", None) == {"y": 2}
    assert not has_broken_seal(path)
    stored = open_record(path)["results/v"]
    assert stored.length > 1 << 16
    assert bytes(stored.read()) == b"x" * 80_000
    assert read_record(archive, offset, size).attributes["index"] == 3


def test_what_was_not_folded_is_not_there(folded: tuple[RunDirectory, bytes]) -> None:
    """Another path is missing, as a file would be."""
    run, _ = folded
    assert sealed.locate(str(run / "records/a.0/0000/4.1.h5")) is None
    assert sealed.locate(str(run / "records/b.0/0000/4.1.h5")) is None
    assert read_state(str(run / "records/a.0/0000/4.1.h5"), 4) is None
    with pytest.raises(FileNotFoundError):
        open_record(str(run / "records/a.0/0000/4.1.h5"))
    assert sealed.read_log(str(run.log("a.0", 4, 1))) is None
    assert sealed.read_log(str(run.log("a.0", 3, 1))) == "é\n".encode()


def test_records_are_listed_once(folded: tuple[RunDirectory, bytes]) -> None:
    """Those in a zip and those beside it, and one that is in both by its file."""
    run, whole = folded
    path = run / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(whole)
    path.with_name("5.2.h5").write_bytes(whole)
    assert sorted((one.index, one.attempt) for one in run.records("a.0")) == [(0, 1), (3, 1), (5, 2)]
    assert inventory(run)[NAME][2] == path.stat().st_ino
    assert inventory(run)["records/a.0/0000/0.1.h5"][::2] == (19, -1)


def test_a_record_comes_back_as_a_file(folded: tuple[RunDirectory, bytes], tmp_path: Path) -> None:
    """It is written beside its place and renamed; what was not folded is not."""
    run, whole = folded
    assert sealed.restore(str(run / NAME), str(tmp_path / "back.h5"))
    assert (tmp_path / "back.h5").read_bytes() == whole
    assert not sealed.restore(str(run / "records/a.0/0000/9.1.h5"), str(tmp_path / "none.h5"))
    assert not (tmp_path / "none.h5").exists()


def test_a_damaged_zip_is_named(folded: tuple[RunDirectory, bytes]) -> None:
    """One that is cut off is an error that names it, and its records are torn."""
    run, _ = folded
    archive = run / "sealed" / "a.0.records.zip"
    archive.write_bytes(archive.read_bytes()[:-30])
    with pytest.raises(OSError, match=r"a\.0\.records\.zip` is damaged"):
        sealed.entries(str(archive))
    assert has_broken_seal(str(run / NAME))
    archive.write_bytes(b"")
    with pytest.raises(OSError, match="there is no file at 7"):
        sealed.data_of(archive, 7)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        (NAME, ("a.0", 3, 1)),
        ("records/a.0/0001/1003.2.h5", ("a.0", 1003, 2)),
        ("records/a.0/0001/3.1.h5", ("a.0", -1, -1)),
        ("records/a.0/3.1.h5", ("a.0", -1, -1)),
        ("records/a.0/0000/notes", ("a.0", -1, -1)),
        ("records/x", ("x", -1, -1)),
    ],
)
def test_a_path_stands_for_a_place(name: str, place: tuple[str, int, int]) -> None:
    """Only the path that a record would have stands for an index."""
    assert place_of(name) == place
