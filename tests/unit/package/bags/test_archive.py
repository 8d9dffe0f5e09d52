import errno
import os
import stat
import tarfile
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest

from sciflow.errors import PackageError
from sciflow.package.bags.archive import opened, write_archive
from unit.package.bags import WHEN, small_bag


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    """Return a small package, as a folder, with a program in it."""
    folder = small_bag(
        tmp_path / "pack", {"package.json": b"{}", "reproduce.sh": b"true\n", "run/ü 1.h5": b"\0" * 3000}
    )
    (folder / "data/reproduce.sh").chmod(0o700)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """Path → bytes of all files below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("ending", [".zip", ".tar.gz", ".tgz", ""])
def test_a_package_is_the_same_after_it_was_packed_and_opened(bag: Path, tmp_path: Path, ending: str):
    """Every file comes back with its bytes, programs can be run, and the folder has the package's name."""
    before = files(bag)
    write_archive(bag, tmp_path / f"out/pack{ending}", WHEN)
    with opened(tmp_path / f"out/pack{ending}") as folder:
        assert files(folder) == before
        assert folder.name == "pack"
        assert stat.S_IMODE((folder / "data/reproduce.sh").stat().st_mode) == 0o755
        assert stat.S_IMODE((folder / "data/package.json").stat().st_mode) == 0o644
        was_at = folder
    assert was_at.exists() == (ending == "")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"pack{ending}"]


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
def test_the_same_package_gives_the_same_bytes(bag: Path, tmp_path: Path, ending: str):
    """Times, modes that say who may read, and the archive's name do not matter."""
    write_archive(bag, tmp_path / f"one{ending}", WHEN)
    for path in bag.rglob("*.json"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    write_archive(bag, tmp_path / f"two{ending}", WHEN)
    assert (tmp_path / f"one{ending}").read_bytes() == (tmp_path / f"two{ending}").read_bytes()


def test_members_are_of_no_user_and_of_the_given_time(bag: Path, tmp_path: Path):
    """Nothing in an archive tells who packed it, where and when."""
    for name in ("one.zip", "one.tar.gz"):
        write_archive(bag, tmp_path / name, WHEN)
    with tarfile.open(tmp_path / "one.tar.gz") as packed:
        told = {(one.uid, one.gid, one.uname, one.gname, one.mtime) for one in packed}
    assert told == {(0, 0, "", "", int(WHEN.timestamp()))}
    with zipfile.ZipFile(tmp_path / "one.zip") as packed:
        assert {one.date_time for one in packed.infolist()} == {(2026, 3, 1, 12, 30, 10)}
    assert (tmp_path / "one.tar.gz").read_bytes()[4:8] == bytes(4)


@pytest.mark.parametrize("ending", [".zip", ".tar.gz", ""])
def test_what_is_there_is_replaced_only_when_that_is_said(bag: Path, tmp_path: Path, ending: str):
    """An export never takes another's place by itself, and not that of a folder that is no package at all."""
    target = tmp_path / f"out{ending}"
    small_bag(target) if not ending else target.write_bytes(b"mine")
    before = files(target) if not ending else target.read_bytes()
    with pytest.raises(PackageError, match="is there already"):
        write_archive(bag, target, WHEN)
    assert (files(target) if not ending else target.read_bytes()) == before
    write_archive(bag, target, WHEN, overwrite=True)
    with opened(target) as folder:
        assert "data/reproduce.sh" in files(folder)
    if not ending:
        (target / "bagit.txt").unlink()
        with pytest.raises(PackageError, match="no package"):
            write_archive(small_bag(tmp_path / "more"), target, WHEN, overwrite=True)


def test_other_archives_are_not_written(bag: Path, tmp_path: Path):
    """An ending that stands for another archive is no folder's name."""
    with pytest.raises(PackageError, match=r"ends in `\.7z`"):
        write_archive(bag, tmp_path / "out.7z", WHEN)


def test_a_link_is_not_packed(bag: Path, tmp_path: Path):
    """A package holds files only, and whoever packs hears so."""
    (bag / "data/link").symlink_to("/etc/passwd")
    with pytest.raises(PackageError, match="data/link` is no file"):
        write_archive(bag, tmp_path / "out.zip", WHEN)
    assert not (tmp_path / "out.zip").exists()


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
def test_a_full_disk_leaves_nothing_behind(bag: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str):
    """What was begun is removed, and the message says what to do."""

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("sciflow.package.bags.archive.os.fsync", full)
    with pytest.raises(PackageError, match="No space left") as caught:
        write_archive(bag, tmp_path / f"out{ending}", WHEN)
    assert "free some space" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]


def test_what_does_not_fit_is_not_begun(bag: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Where the disk has less room than what cannot be compressed, no byte is written."""
    (bag / "data/wheel.whl").write_bytes(b"x" * 5000)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("sciflow.package.bags.archive.shutil.disk_usage", lambda _path: usage(10**6, 10**6, 4999))
    with pytest.raises(PackageError, match="needs 5,000 bytes"):
        write_archive(bag, tmp_path / "out.zip", WHEN)
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]
