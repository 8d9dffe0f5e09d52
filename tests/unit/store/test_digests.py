"""Digests of files are remembered, and never wrongly."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from sciflow.store import digests
from sciflow.store.digests import SMALLEST, KnownDigests, cache_file

LATER = 1e12  # seconds; when no file is new any more


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of all files that were read so far."""
    names: list[str] = []
    real = digests.file_digest

    def counted(path: Path) -> str:
        names.append(path.name)
        return real(path)

    monkeypatch.setattr(digests, "file_digest", counted)
    return names


def large(path: Path, byte: bytes = b"a") -> Path:
    """Write a file that is worth remembering."""
    path.write_bytes(byte * SMALLEST)
    return path


def known(tmp_path: Path, now: float = LATER) -> KnownDigests:
    """What a process that starts now remembers."""
    return KnownDigests(tmp_path / "cache" / "digests.json", lambda: now)


def remember(tmp_path: Path, *paths: Path, now: float = LATER) -> list[str]:
    """Digest files in a process of their own, as it were."""
    one = known(tmp_path, now)
    found = [one.digest(path).sha256 for path in paths]
    one.save()
    return found


def test_a_large_file_is_read_once(tmp_path: Path, reads: list[str]) -> None:
    """The second process takes size, time and digest from the first; so does the first when it asks again."""
    path = large(tmp_path / "data")
    first = known(tmp_path)
    facts = first.digest(path)
    assert facts == first.digest(path)
    first.save()
    assert known(tmp_path).digest(path) == facts
    assert facts.sha256 == hashlib.sha256(b"a" * SMALLEST).hexdigest()
    assert (facts.size, facts.mtime_ns) == (SMALLEST, path.stat().st_mtime_ns)
    assert reads == ["data"]


def test_a_small_file_is_read_each_time(tmp_path: Path, reads: list[str]) -> None:
    """Looking it up would cost as much, and what edits change most is always right."""
    path = tmp_path / "script"
    path.write_text("x")
    assert remember(tmp_path, path) == remember(tmp_path, path)
    assert reads == ["script", "script"]
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("change", ["content", "size", "time", "inode"])
def test_a_file_that_has_changed_is_read_again(tmp_path: Path, reads: list[str], change: str) -> None:
    """By other content at another time, by its size, by a touch, or as another file in its place with the old time."""
    path = large(tmp_path / "data")
    before = path.stat()
    remember(tmp_path, path)
    if change == "content":
        large(path, b"b")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    elif change == "size":
        path.write_bytes(b"a" * SMALLEST + b"a")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif change == "time":
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    else:
        large(tmp_path / "other", b"b").replace(path)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert remember(tmp_path, path) == [hashlib.sha256(path.read_bytes()).hexdigest()]
    assert reads == ["data", "data"]


@pytest.mark.parametrize("seconds", [-5.0, 0.0, 1.9])
def test_a_file_that_has_just_been_changed_is_not_remembered(tmp_path: Path, reads: list[str], seconds: float) -> None:
    """It may change again within the same tick of the file system's clock; nor is one from the future."""
    path = large(tmp_path / "data")
    now = path.stat().st_mtime + seconds
    remember(tmp_path, path, now=now)
    remember(tmp_path, path, now=now)
    assert reads == ["data", "data"]


def test_a_file_that_changes_while_it_is_read_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows what its digest is of."""
    path = large(tmp_path / "data")

    def changed(path: Path) -> str:
        large(path, b"b")
        os.utime(path, ns=(1, 1))
        return "of half of it"

    monkeypatch.setattr(digests, "file_digest", changed)
    remember(tmp_path, path)
    monkeypatch.undo()
    assert remember(tmp_path, path) == [hashlib.sha256(b"b" * SMALLEST).hexdigest()]


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"\xff", b'{"format": 2, "files": {}}', b'{"format": 1}', b'{"format": 1, "files": []}'),
        b'{"format": 1, "files": {"PATH": 7}}',
        b'{"format": 1, "files": {"PATH": []}}',
        b'{"format": 1, "files": {"PATH": [65536, 1, 2, 3, "wrong"]}}',
    ],
)
def test_what_is_torn_or_strange_is_not_believed(tmp_path: Path, content: bytes) -> None:
    """The file is read, and what is remembered is written anew."""
    path = large(tmp_path / "data")
    cache = tmp_path / "cache" / "digests.json"
    cache.parent.mkdir()
    cache.write_bytes(content.replace(b"PATH", str(path).encode()))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert remember(tmp_path, path) == [digest]
    assert json.loads(cache.read_bytes())["files"][str(path)][-1] == digest


@pytest.mark.parametrize("obstacle", ["a file in the way", "a full disk"])
def test_where_nothing_can_be_kept_files_are_read_again(
    tmp_path: Path, reads: list[str], obstacle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no failure, and leaves nothing half-written."""
    path = large(tmp_path / "data")
    if obstacle == "a file in the way":
        (tmp_path / "cache").write_text("")
    else:

        def full(*_: Any, **__: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(json, "dump", full)
    assert remember(tmp_path, path) == remember(tmp_path, path)
    assert reads == ["data", "data"]
    assert obstacle == "a file in the way" or list((tmp_path / "cache").iterdir()) == []


def test_two_processes_keep_what_the_other_has_found(tmp_path: Path, reads: list[str]) -> None:
    """What was saved between the start and the end of another process is not lost."""
    a, b = large(tmp_path / "a"), large(tmp_path / "b")
    one, other = known(tmp_path), known(tmp_path)
    for process, path in ((one, a), (other, b)):
        process.digest(path)
    one.save()
    other.save()
    assert len(remember(tmp_path, a, b)) == 2
    assert reads == ["a", "b"]


def test_many_at_once_leave_a_whole_file(tmp_path: Path) -> None:
    """Whoever is last wins, and what is there can be read at any time."""
    paths = [large(tmp_path / str(number)) for number in range(8)]
    threads = [threading.Thread(target=remember, args=(tmp_path, path)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert json.loads((tmp_path / "cache" / "digests.json").read_text())["files"]


def test_only_so_many_are_remembered(tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest are forgotten first, and the file is the user's alone."""
    monkeypatch.setattr(digests, "MOST", 2)
    paths = [large(tmp_path / name) for name in "abc"]
    for path in paths:
        remember(tmp_path, path)
    remember(tmp_path, *paths[1:])
    assert reads == ["a", "b", "c"]
    remember(tmp_path, paths[0])
    assert reads == ["a", "b", "c", "a"]
    assert stat.S_IMODE((tmp_path / "cache" / "digests.json").stat().st_mode) == 0o600


def test_the_cache_is_where_users_keep_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """In `XDG_CACHE_HOME` if it is a path from the root, else in `~/.cache`; one without a home has none."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/fast")
    assert cache_file() == Path("/fast/sciflow/digests.json")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/anna")
    assert cache_file() == Path("/home/anna/.cache/sciflow/digests.json")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_file() == Path("/home/anna/.cache/sciflow/digests.json")
    monkeypatch.setenv("HOME", "~")
    assert cache_file() is None


def test_one_without_a_home_reads_files_again(
    tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No folder named `~` is made where the command was typed."""
    monkeypatch.setattr(digests, "cache_file", lambda: None)
    monkeypatch.chdir(tmp_path)
    path = large(tmp_path / "data")
    for _ in range(2):
        one = KnownDigests(clock=lambda: LATER)
        assert one.digest(path) == one.digest(path)
        one.save()
    assert reads == ["data", "data"]
    assert [one.name for one in tmp_path.iterdir()] == ["data"]


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """The caller says what it was to be."""
    with pytest.raises(FileNotFoundError):
        known(tmp_path).digest(tmp_path / "nothing")
