import errno
import gzip
import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from sciflow.errors import DamagedError, PackageError
from sciflow.package.bags import members, opening
from sciflow.package.bags.archive import opened, write_archive
from unit.package.bags import WHEN, small_bag, tar_member, tar_of, zip_of

OXUM = b"Payload-Oxum: 10.1\n"
BAG_INFO = ("pack/bag-info.txt", OXUM)
BAD_NAMES = {
    "/etc/evil": "absolute",
    "pack/../../evil": r"`\.\.`",
    "../evil": r"`\.\.`",
    "C:/evil": "drive",
    "c:evil": "drive",
    "pack\\..\\evil": "backslash",
    "pack//evil": "empty part",
    "pack/./evil": "empty part",
    "pack/a\nb": "control",
    "pack/a\x1b[2Jb": "control",
    "pack/cod\u202etxt.exe": "control",
    "pack/" + "a" * 256: "255 bytes",
}


def open_it(path: Path, into: Path) -> None:
    """Open a package, and do nothing with it."""
    into.mkdir(exist_ok=True)
    with opened(path, into):
        pass


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """Return the folder that archives are unpacked to, in a folder with nothing else."""
    folder = tmp_path / "around/into"
    folder.mkdir(parents=True)
    return folder


def nothing_is_left(into: Path) -> bool:
    """Whether nothing was written around there."""
    return list(into.parent.rglob("*")) == [into]


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_leaves_its_folder_is_refused(tmp_path: Path, into: Path, kind: str, name: str):
    """Absolute, upward, on a drive, or not to be told by reading: refused with the name, and nothing is written."""
    if kind == "zip":
        path = zip_of(tmp_path / "a", [BAG_INFO, (name, b"evil")])
    else:
        path = tar_of(tmp_path / "a", [tar_member(*BAG_INFO), tar_member(name, b"evil")])
    with pytest.raises(DamagedError, match=BAD_NAMES[name]):
        open_it(path, into)
    assert nothing_is_left(into)


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("pack/data/a", "pack/data/a", "there twice"),
        ("pack/data/a", "pack/data/A", "one file on some file systems"),
        ("pack/data/\u00e9", "pack/data/e\u0301", "one file on some file systems"),
        ("pack/data/x/a", "pack/DATA/b", "one file on some file systems"),
        ("pack/data/a", "pack/data/a/b", "there twice"),
        ("pack/data/a", "other/b", "more than one folder at the top, `pack` and `other`"),
        ("pack/data/a", "b", "more than one folder at the top"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_are_one_file_somewhere_are_refused(
    tmp_path: Path, into: Path, kind: str, first: str, second: str, why: str
):
    """What is unpacked does not depend on the file system, and is in one folder."""
    if kind == "zip":
        path = zip_of(tmp_path / "a", [BAG_INFO, (first, b"1"), (second, b"2")])
    else:
        path = tar_of(tmp_path / "a", [tar_member(*BAG_INFO), tar_member(first, b"1"), tar_member(second, b"2")])
    with pytest.raises(DamagedError, match=why):
        open_it(path, into)
    assert nothing_is_left(into)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (tarfile.SYMTYPE, "a symbolic link"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.CHRTYPE, "neither"),
        (tarfile.BLKTYPE, "neither"),
        (tarfile.FIFOTYPE, "neither"),
        (tarfile.GNUTYPE_SPARSE, "a file with holes"),
    ],
)
def test_what_is_no_file_in_a_tar_is_refused(tmp_path: Path, into: Path, kind: bytes, what: str):
    """Links, devices and pipes are refused with their name, wherever they point."""
    link = "pack/bag-info.txt" if kind == tarfile.LNKTYPE else "/etc/passwd"
    path = tar_of(tmp_path / "a", [tar_member(*BAG_INFO), tar_member("pack/data/x", kind=kind, link=link)])
    with pytest.raises(DamagedError, match=f"`pack/data/x` in it is {what}"):
        open_it(path, into)
    assert nothing_is_left(into)


def test_a_link_in_a_zip_is_refused(tmp_path: Path, into: Path):
    """A zip file can hold symbolic links, too."""
    link = zipfile.ZipInfo("pack/data/x")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(DamagedError, match="`pack/data/x` in it is a symbolic link"):
        open_it(zip_of(tmp_path / "a", [BAG_INFO, (link, b"/etc/passwd")]), into)
    assert nothing_is_left(into)


def test_a_link_in_a_folder_is_refused(tmp_path: Path):
    """A package that is a folder holds no links, so that nothing outside of it is read as its own."""
    folder = small_bag(tmp_path / "pack")
    (folder / "data/run/link").symlink_to("/etc")
    with pytest.raises(DamagedError, match=r"`data/run/link` in .* is a symbolic link"), opened(folder):
        pass


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_of_more_than_its_bag_tells_is_refused(
    tmp_path: Path, into: Path, kind: str, monkeypatch: pytest.MonkeyPatch
):
    """What would fill the disk is refused by what the archive declares, before it is unpacked."""
    monkeypatch.setattr(members, "_BESIDE", 1 << 20)
    bomb = bytes(2 << 20)
    if kind == "zip":
        path = zip_of(tmp_path / "a", [BAG_INFO, ("pack/data/bomb", bomb)])
    else:
        path = tar_of(tmp_path / "a", [tar_member(*BAG_INFO), tar_member("pack/data/bomb", bomb)])
    assert path.stat().st_size < 1 << 14
    with pytest.raises(DamagedError, match=r"would be 2,097,\d+ bytes or more, and its `bag-info.txt` tells of 10"):
        open_it(path, into)
    assert nothing_is_left(into)


def declaring(path: Path, size: int) -> Path:
    """Let the last member of a zip declare another size than it has."""
    data = bytearray(path.read_bytes())
    data[(place := data.rindex(b"PK\x01\x02") + 24) : place + 4] = size.to_bytes(4, "little")
    path.write_bytes(data)
    return path


def test_a_member_that_is_not_as_long_as_declared_is_found_while_it_is_unpacked(tmp_path: Path, into: Path):
    """Bytes are counted: a member that says less than it holds, or more, is damaged, and all is removed."""
    for size in (3, 300):
        path = declaring(zip_of(tmp_path / "a", [BAG_INFO, ("pack/data/x", b"x" * 100)]), size)
        with pytest.raises(DamagedError, match="`data/x`"):
            open_it(path, into)
        assert nothing_is_left(into)


def test_a_bomb_that_declares_itself_is_refused_by_its_ratio(tmp_path: Path, into: Path):
    """A bag that tells of many bytes in a tiny archive is no bag that somebody has packed in earnest."""
    held = [("pack/bag-info.txt", b"Payload-Oxum: 4294967290.1\n"), ("pack/data/x", bytes(1 << 20))]
    path = declaring(zip_of(tmp_path / "a", held), (1 << 32) - 6)
    with pytest.raises((DamagedError, PackageError), match="would"):
        open_it(path, into)
    assert nothing_is_left(into)


def test_members_that_share_their_bytes_are_refused(tmp_path: Path, into: Path):
    """Two entries of one place are how a small archive unpacks to a huge one."""
    path = zip_of(tmp_path / "a", [BAG_INFO, ("pack/data/x", b"x" * 100), ("pack/data/y", b"x" * 100)])
    data = bytearray(path.read_bytes())
    last = data.rindex(b"PK\x01\x02")
    before = data.rindex(b"PK\x01\x02", 0, last)
    data[last + 42 : last + 46] = data[before + 42 : before + 46]
    path.write_bytes(data)
    with pytest.raises(DamagedError, match="overlaps"):
        open_it(path, into)


def test_a_header_that_would_fill_the_memory_is_not_read(tmp_path: Path, into: Path):
    """The long headers of a tar file are read only up to a length."""
    info = tarfile.TarInfo("pack/x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 32
    (tmp_path / "a").write_bytes(gzip.compress(info.tobuf() + bytes(1 << 20)))
    with pytest.raises(DamagedError, match="too long"):
        open_it(tmp_path / "a", into)


def test_an_encrypted_zip_is_refused(tmp_path: Path, into: Path):
    """What cannot be read is not asked a password for."""
    path = zip_of(tmp_path / "a", [BAG_INFO, ("pack/data/x", b"x" * 100)])
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(DamagedError, match="`pack/data/x` in it is encrypted"):
        open_it(path, into)


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
def test_an_archive_that_was_cut_off_is_damaged(tmp_path: Path, into: Path, ending: str):
    """Wherever it ends too early, it is not taken for a package."""
    whole = tmp_path / f"a{ending}"
    write_archive(small_bag(tmp_path / "pack"), whole, WHEN)
    data = whole.read_bytes()
    for end in range(10, len(data) - 1, 37):
        whole.write_bytes(data[:end])
        with pytest.raises(DamagedError, match="damaged, or cut off"):
            open_it(whole, into)
        assert nothing_is_left(into)


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
def test_a_flipped_byte_is_found_or_does_not_matter(tmp_path: Path, into: Path, ending: str):
    """Each byte of an archive that is another one: refused, or every file is still what it was."""
    whole = tmp_path / f"a{ending}"
    folder = small_bag(tmp_path / "pack")
    write_archive(folder, whole, WHEN)
    wanted = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    data = whole.read_bytes()
    refused = 0
    for place in range(0, len(data), 7):
        whole.write_bytes(data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :])
        try:
            with opened(whole, into) as found:
                have = {path.relative_to(found): path.read_bytes() for path in found.rglob("*") if path.is_file()}
        except PackageError:
            refused += 1
        else:
            # A name that is another one in an archive is what the bag's manifests find.
            assert have == wanted or have.keys() != wanted.keys()
        assert nothing_is_left(into)
    assert refused > len(data) / 14


@pytest.mark.parametrize("data", [b"", b"PK", b"hello, world" * 100, b"\x1f\x8b", b"PK\x03\x04" + b"x" * 100])
def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path, into: Path, data: bytes):
    """Any other file is refused in words, whatever it is called."""
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(PackageError, match=r"is no package|damaged, or cut off"):
        open_it(tmp_path / "a.zip", into)


def test_an_archive_without_a_bag_is_refused(tmp_path: Path, into: Path):
    """What does not say how large it is is not unpacked."""
    with pytest.raises(DamagedError, match=r"no `bag-info\.txt`"):
        open_it(zip_of(tmp_path / "a", [("pack/data/x", b"1")]), into)
    with pytest.raises(DamagedError, match="how large"):
        open_it(zip_of(tmp_path / "b", [("pack/bag-info.txt", b"Payload-Oxum: many\n")]), into)


def test_archives_in_an_archive_stay_closed(tmp_path: Path, into: Path):
    """A bomb within a package is a file like any other."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("zeros", bytes(1 << 22))
    path = zip_of(tmp_path / "a", [BAG_INFO, ("pack/data/inner.zip", inner.getvalue())])
    with opened(path, into) as folder:
        assert (folder / "data/inner.zip").read_bytes() == inner.getvalue()
        assert len(list(folder.rglob("*"))) == 3


def test_what_people_pack_by_themselves_is_opened(tmp_path: Path, into: Path):
    """Folders as members, and names that begin with `./`, as `tar` and file managers write them."""
    folder = small_bag(tmp_path / "pack", {"big": os.urandom(3 << 20), "a": b"1" * 512, "b": b"2"})
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as packed:
        packed.add(folder, "./pack")
    with opened(tmp_path / "a.tgz", into) as found:
        assert {path.name for path in (found / "data").iterdir()} == {"big", "a", "b"}
        assert (found / "data/big").read_bytes() == (folder / "data/big").read_bytes()


def test_a_full_disk_while_unpacking_leaves_nothing(tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch):
    """It is said what to do, and the folder is removed."""
    path = zip_of(tmp_path / "a", [BAG_INFO])

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(opening, "_write", full)
    with pytest.raises(PackageError, match="No space left"):
        open_it(path, into)
    assert nothing_is_left(into)


@pytest.mark.parametrize(
    ("data", "told"), [(b"", "it is empty"), (b"a text\n", "its bytes are neither those of a zip")]
)
def test_a_file_that_only_has_the_name_of_an_archive_is_told_by_what_is_in_it(
    tmp_path: Path, data: bytes, told: str
) -> None:
    """What is in a file counts, and not its name; that it is empty is said."""
    (tmp_path / "bad.zip").write_bytes(data)
    with pytest.raises(PackageError, match=told), opened(tmp_path / "bad.zip"):
        pass
