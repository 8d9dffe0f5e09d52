import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import bagit
import pytest

from sciflow.errors import DamagedError, PackageError
from sciflow.package.bags.bag import add_to_bag, make_bag, name_problem
from unit.package.bags import WHEN, small_bag


def text_of(folder: Path) -> dict[str, str]:
    """The bag's own files."""
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def test_other_programs_find_the_bag_valid(tmp_path: Path):
    """What reads bags anywhere finds nothing wrong, names with spaces, accents and percent signs included."""
    names = ["a", "ü/ñ 1.txt", "100%.txt", "a  b", "*", "#x", "~x", "run/.hidden", "e\u0301"]
    folder = small_bag(tmp_path / "pack", {name: name.encode() for name in names})
    checked = subprocess.run(
        [sys.executable, "-m", "bagit", "--validate", str(folder)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert bagit.Bag(str(folder)).payload_entries().keys() == {f"data/{name}" for name in names}


def test_a_bag_is_the_same_wherever_and_whenever_it_is_made(tmp_path: Path):
    """Its date is the given one, in UTC, and nothing of this machine is in it."""
    one = text_of(small_bag(tmp_path / "one"))
    (two := tmp_path / "two").mkdir()
    for name in ("zz", "run"):  # another order on disk
        (two / name).mkdir()
    (two / "zz").rmdir()
    (two / "run/a.txt").write_bytes(b"a" * 700)
    (two / "package.json").write_bytes(b'{"format": 1}')
    east = WHEN.astimezone(timezone(timedelta(hours=13)))
    make_bag(two, {"External-Identifier": "run-1"}, east)
    assert text_of(two) == one
    assert "Bagging-Date: 2026-03-01" in one["bag-info.txt"]
    assert set(one) == {"bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"}
    lines = one["tagmanifest-sha256.txt"].splitlines()
    assert lines == sorted(lines, key=lambda line: line.split()[1])


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\u2028b", "a%0Ab", "a%0db", "a%25b", " a", "a ", "a\\b"])
def test_a_name_that_programs_read_in_different_ways_is_refused(tmp_path: Path, name: str):
    """No bag is made that some find valid and others damaged; the folder is as it was."""
    (folder := tmp_path / "pack").mkdir()
    (folder / name).write_text("1")
    assert name_problem(name)
    with pytest.raises(PackageError, match="cannot be in a package"):
        make_bag(folder, {}, WHEN)
    assert [path.name for path in folder.iterdir()] == [name]


def test_a_link_is_not_bagged(tmp_path: Path):
    """What a link points to is not taken for the package's own."""
    (folder := tmp_path / "pack").mkdir()
    (folder / "x").symlink_to("/etc/passwd")
    with pytest.raises(DamagedError, match=r"`x` .* is a symbolic link"):
        make_bag(folder, {}, WHEN)


def test_hundreds_of_files_take_little_time(tmp_path: Path):
    """A package of a thousand records is bagged within two seconds; this one is about half as large."""
    for number in range(700):
        (folder := tmp_path / f"pack/run/{number % 2}").mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.h5").write_bytes(b"x" * 8000)
    before = time.process_time()
    make_bag(tmp_path / "pack", {}, WHEN)
    assert time.process_time() - before < 1


def test_files_are_added_to_a_bag(tmp_path: Path):
    """New files and others in the place of old ones: the bag is valid again, and says how large it is."""
    folder = small_bag(tmp_path / "pack")
    (tmp_path / "other").write_bytes(b"b" * 10)
    add_to_bag(folder, {"verdicts/1.json": b"{}", "run/a.txt": tmp_path / "other"})
    assert bagit.Bag(str(folder)).validate()
    assert "Payload-Oxum: 25.3\n" in (folder / "bag-info.txt").read_text()
    assert (folder / "data/run/a.txt").read_bytes() == b"b" * 10


def test_a_damaged_bag_stays_damaged_when_files_are_added(tmp_path: Path):
    """Adding makes nothing valid that is not: neither a changed file, nor a changed manifest."""
    folder = small_bag(tmp_path / "pack")
    (folder / "data/run/a.txt").write_bytes(b"b" * 700)
    add_to_bag(folder, {"more": b"1"})
    with pytest.raises(bagit.BagValidationError, match=r"a\.txt"):
        bagit.Bag(str(folder)).validate()
    manifest = folder / "manifest-sha256.txt"
    manifest.write_text(manifest.read_text().upper())
    with pytest.raises(DamagedError, match=r"manifest-sha256\.txt` is not as it was packed"):
        add_to_bag(folder, {"even_more": b"1"})
    assert not (folder / "data/even_more").exists()


def test_a_date_before_midnight_elsewhere_is_that_of_utc(tmp_path: Path):
    """The date does not depend on where the package is made."""
    (tmp_path / "pack").mkdir()
    make_bag(tmp_path / "pack", {}, datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=5))))
    assert "Bagging-Date: 2025-12-31\n" in (tmp_path / "pack/bag-info.txt").read_text()
