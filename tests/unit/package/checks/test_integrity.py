import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sciflow.package.bags.bag import TAG_MANIFEST, add_to_bag
from sciflow.package.checks.integrity import check_payload, check_tag_files
from sciflow.package.checks.verification import Verification
from unit.package.bags import small_bag


def checked(folder: Path) -> Verification:
    """What is found of the bytes of a bag."""
    found = Verification("here")
    found.checked("own files", *check_tag_files(folder))
    found.checked("payload", *check_payload(folder))
    return found


def told(found: Verification) -> set[tuple[str, str]]:
    """Kind and path of all problems."""
    return {(problem.kind, problem.path) for problem in found.problems}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small bag; who changes it puts it back."""
    files = {"package.json": b"{}", "run/plan.json": b"{}", "project/f.py": b"def f(x):\n    return x\n"}
    return small_bag(tmp_path_factory.mktemp("integrity") / "small", files)


@pytest.fixture
def copy(small: Path, tmp_path: Path) -> Path:
    """Return a copy of it."""
    return Path(shutil.copytree(small, tmp_path / "small"))


@settings(max_examples=80, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(1, 255))
@example(place=0.0, bit=0x20)
def test_any_byte_that_is_another_one_is_found(small: Path, place: float, bit: int):
    """Wherever a byte is flipped in a package, it is damaged, and the file is named."""
    paths = sorted(path for path in small.rglob("*") if path.is_file())
    places = [(path, offset) for path in paths for offset in range(path.stat().st_size)]
    path, offset = places[int(place * len(places))]
    data = path.read_bytes()
    path.write_bytes(data[:offset] + bytes([data[offset] ^ bit]) + data[offset + 1 :])
    name = path.relative_to(small).as_posix()
    try:
        found = checked(small)
        assert found.verdict != "valid"
        assert name == TAG_MANIFEST or ("changed", name) in told(found)
    finally:
        path.write_bytes(data)


def test_every_byte_of_the_list_of_the_own_files_counts(small: Path):
    """The one file that no digest is written of: each flip of each bit in it is found."""
    path = small / TAG_MANIFEST
    data = path.read_bytes()
    try:
        for offset in range(0, len(data), 7):
            for bit in (0x20, 0x01, 0x80):
                path.write_bytes(data[:offset] + bytes([data[offset] ^ bit]) + data[offset + 1 :])
                assert checked(small).verdict != "valid", (offset, bit)
    finally:
        path.write_bytes(data)


def remove(name: str) -> Callable[[Path], Any]:
    """Remove a file."""
    return lambda folder: (folder / name).unlink()


def write(name: str, data: str = "new") -> Callable[[Path], Any]:
    """Write a file."""
    return lambda folder: (folder / name).write_text(data)


@pytest.mark.parametrize(
    ("change", "verdict", "problem"),
    [
        (remove("data/project/f.py"), "incomplete", ("missing", "data/project/f.py")),
        (remove("data/run/plan.json"), "incomplete", ("missing", "data/run/plan.json")),
        (remove("manifest-sha256.txt"), "damaged", ("missing", "manifest-sha256.txt")),
        (remove("tagmanifest-sha256.txt"), "incomplete", ("missing", "tagmanifest-sha256.txt")),
        (remove("bag-info.txt"), "incomplete", ("missing", "bag-info.txt")),
        (remove("bagit.txt"), "damaged", ("missing", "bagit.txt")),
        (write("data/project/new.py"), "damaged", ("added", "data/project/new.py")),
        (write("new.txt"), "damaged", ("added", "new.txt")),
        (write("fetch.txt", "https://x.org/a 3 data/a\n"), "damaged", ("added", "fetch.txt")),
        (write("data/project/f.py"), "damaged", ("changed", "data/project/f.py")),
        (write("bagit.txt"), "damaged", ("changed", "bagit.txt")),
        (write("manifest-sha256.txt", "../../x\n"), "damaged", ("changed", "manifest-sha256.txt")),
        (write("manifest-sha256.txt", "0  ../../etc/passwd\n"), "damaged", ("changed", "manifest-sha256.txt")),
        (write("bag-info.txt", "\xff: x"), "damaged", ("changed", "bag-info.txt")),
    ],
)
def test_what_is_missing_added_or_changed_is_named(copy: Path, change: Any, verdict: str, problem: tuple[str, str]):
    """Each file by its name, and the verdict says whether it is damaged or only incomplete."""
    change(copy)
    found = checked(copy)
    assert problem in told(found)
    assert found.verdict == verdict


def test_all_problems_are_told_at_once(copy: Path):
    """Not only the first one; and files that were added by the bag's own means are no problem."""
    add_to_bag(copy, {"verdicts/1.json": b"{}"})
    assert told(checked(copy)) == set()
    (copy / "data/project/f.py").write_text("other")
    (copy / "data/run/plan.json").unlink()
    (copy / "data/more").write_text("more")
    assert told(checked(copy)) == {
        ("changed", "data/project/f.py"),
        ("missing", "data/run/plan.json"),
        ("added", "data/more"),
    }
