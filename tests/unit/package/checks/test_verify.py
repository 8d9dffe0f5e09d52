import json
import os
import shutil
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sciflow.errors import PackageError
from sciflow.package.bags.archive import opened, write_archive
from sciflow.package.bags.bag import TAG_MANIFEST, add_to_bag, digest_of, make_bag
from sciflow.package.checks.verification import Verification
from sciflow.package.checks.verify import verify, verify_folder
from unit.package.bags import WHEN, small_bag, zip_of

FACTS: dict[str, Any] = {
    "format": 1,
    "name": "small",
    "run": "run-1",
    "workflow": "small",
    "sciflow": "0.1.0",
    "state": {"combinations": 2, "completed": 2},
    "contents": {"run": ["run/"], "project": ["project/"]},
    "left_out": [{"path": "run/work", "why": "scratch"}],
    "redacted": {},
}


def files_of(**facts: Any) -> dict[str, bytes]:
    """The files of the smallest package that is valid."""
    code = b"def f(x):\n    return x\n"
    return {
        "package.json": json.dumps({**FACTS, **facts}).encode(),
        "ro-crate-metadata.json": b'{"@graph": []}',
        "README.md": b"read me\n",
        "run/manifest.json": b'{"format": 1, "directory": "/home/a", "code": {}, "tasks": {"t": {}}}',
        "run/plan.json": b'{"format": 1}',
        "run/code/t.json": json.dumps({"function": {"modules": {"/home/a/f.py": digest(code)}}}).encode(),
        "project/f.py": code,
    }


def digest(data: bytes) -> str:
    """SHA-256."""
    import hashlib

    return hashlib.sha256(data).hexdigest()


def checked(folder: Path) -> Verification:
    """What is found in a package that is open."""
    found = Verification("here")
    verify_folder(folder, found)
    return found


def told(found: Verification) -> set[tuple[str, str]]:
    """Kind and path of all problems."""
    return {(problem.kind, problem.path) for problem in found.problems}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the smallest package; who changes it puts it back."""
    return small_bag(tmp_path_factory.mktemp("verify") / "small", files_of())


@pytest.fixture
def copy(small: Path, tmp_path: Path) -> Path:
    """Return a copy of it."""
    return Path(shutil.copytree(small, tmp_path / "small"))


def test_what_is_as_it_was_packed_is_valid(small: Path):
    """All is looked at, and the code is compared with what ran."""
    found = checked(small)
    assert found.verdict == "valid"
    assert [(check.count, check.is_well) for check in found.checks if "project" in check.what] == [(1, True)]
    document = json.loads(json.dumps(found.to_document()))
    assert (document["verdict"], document["run"], document["problems"]) == ("valid", "run-1", [])
    assert document["left_out"] == FACTS["left_out"]


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
    except PackageError:  # it says that its format is 9
        assert name == "data/package.json"
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
    """Not only the first one."""
    (copy / "data/project/f.py").write_text("other")
    (copy / "data/README.md").unlink()
    (copy / "data/more").write_text("more")
    assert told(checked(copy)) == {
        ("changed", "data/project/f.py"),
        ("other code", "data/project/f.py"),
        ("missing", "data/README.md"),
        ("added", "data/more"),
    }


def rebagged(folder: Path, files: dict[str, bytes]) -> Path:
    """A bag that is valid, as somebody would make it who has changed something."""
    return small_bag(folder, files)


def test_code_that_is_not_what_ran_is_found_in_a_valid_bag(tmp_path: Path):
    """Whoever changes code and makes the bag anew is found by the digests that the run itself has."""
    files = {**files_of(), "project/f.py": b"def f(x):\n    return 2 * x\n"}
    found = checked(rebagged(tmp_path / "small", files))
    assert told(found) == {("other code", "data/project/f.py")}
    assert found.problems[0].why == "`f.py` is not the file that the run had"
    assert found.verdict == "damaged"


def test_code_from_elsewhere_is_compared_too(tmp_path: Path):
    """Modules of other folders lie in a place of their own, under the name of their folder."""
    files, code = files_of(), b"y = 1\n"
    modules = {"/opt/lab/lib/pkg/m.py": digest(code), "/opt/lab/other/m.py": digest(code)}
    files["run/code/t.json"] = json.dumps({"function": {"modules": modules}}).encode()
    files |= {"project/outside/1-lib/pkg/m.py": code, "project/outside/2-other/m.py": b"y = 2\n"}
    found = checked(rebagged(tmp_path / "small", files))
    assert told(found) == {("other code", "data/project/outside/2-other/m.py")}
    assert [check.count for check in found.checks if "project" in check.what] == [2]


def test_code_without_its_secrets_is_no_other_code(tmp_path: Path):
    """What was redacted is said, and is no problem."""
    files = {**files_of(redacted={"project/f.py": 2}), "project/f.py": b"def f(x):\n    return '[redacted]'\n"}
    found = checked(rebagged(tmp_path / "small", files))
    assert found.verdict == "valid"
    assert found.notes == ["`project/f.py` is what ran but for 2 secrets that were taken out of it"]


def test_what_the_package_promises_must_be_there(tmp_path: Path):
    """Folders and files of `package.json`, and what every package has."""
    files = files_of(contents={"figures": ["figures/"], "report": ["report.html"]})
    del files["README.md"]
    found = checked(rebagged(tmp_path / "small", files))
    assert told(found) == {("missing", f"data/{name}") for name in ("figures/", "report.html", "README.md")}
    assert found.verdict == "incomplete"


def test_a_newer_format_is_an_error_with_both_numbers(tmp_path: Path):
    """It says what can be done; a package with more keys than are known opens."""
    with pytest.raises(PackageError, match="has format 2, and this sciflow knows formats up to 1") as error:
        checked(rebagged(tmp_path / "newer", files_of(format=2)))
    assert "newer sciflow" in error.value.hint
    assert checked(rebagged(tmp_path / "more", files_of(more={"x": 1}))).verdict == "valid"


@pytest.mark.parametrize(
    "facts",
    [
        {"contents": ["a"]},
        {"contents": {"a": 3}},
        {"contents": {"a": [3, "../../etc/passwd", "/etc/passwd"]}},
        {"left_out": {"a": 1}, "redacted": [1], "state": 3, "warnings": "x"},
        {"left_out": [1, "a"]},
        {"format": "1"},
        {"format": None},
    ],
)
def test_documents_of_other_shapes_do_not_confuse(tmp_path: Path, facts: dict[str, Any]):
    """Whatever stands in `package.json`, a verdict is given, and nothing outside the package is looked at."""
    found = checked(rebagged(tmp_path / "small", files_of(**facts)))
    assert all(path in ("data/package.json", "") for _, path in told(found))
    json.dumps(found.to_document())


@pytest.mark.parametrize("name", ["package.json", "ro-crate-metadata.json", "run/manifest.json", "run/plan.json"])
@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b"\xff", b"[" * 100_000, b"3"])
def test_a_document_that_is_none_is_unreadable(tmp_path: Path, name: str, data: bytes):
    """In a bag that is valid, too."""
    found = checked(rebagged(tmp_path / "small", {**files_of(), name: data}))
    assert ("unreadable", f"data/{name}") in told(found)


def test_nothing_of_a_package_runs_while_it_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Neither what it would import, nor what would be unpickled, nor what would be found from its folder."""
    mark = tmp_path / "ran"
    evil = f"open({str(mark)!r}, 'w').close()\n".encode()
    pickled = b"cbuiltins\nexec\n(V" + evil.strip().replace(b"\n", b"") + b"\ntR."
    files = files_of()
    for name in ("packaged_functions.py", "sitecustomize.py", "usercustomize.py", "conftest.py", "setup.py", "json.py"):
        files[f"project/{name}"] = files[name] = evil
    files |= {"run/code/t.pickle": pickled, "run/results.h5": pickled, "run/shim/sciflow_shim/__init__.py": evil}
    files |= {"reproduce.sh": f"touch {mark}\n".encode(), "bagit.py": evil, "h5py.py": evil}
    folder = rebagged(tmp_path / "evil", files)
    monkeypatch.chdir(folder / "data")
    loaded = set(sys.modules)
    found = checked(folder)
    assert told(found) == {("unreadable", "data/run/results.h5")}
    assert not mark.exists()
    origins = {name: getattr(sys.modules[name], "__file__", None) or "" for name in set(sys.modules) - loaded}
    assert not {name for name, origin in origins.items() if origin.startswith(str(folder))}


def with_environment(captured: Any) -> dict[str, bytes]:
    """The files of a package that tells where it was made."""
    document = {"format": 1, "locked": "e1", "environments": {"e1": {"attempts": 2, "captured": captured}}}
    return {**files_of(), "environment/environments.json": json.dumps(document).encode()}


def test_another_machine_is_graded_and_no_reason_for_a_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What differs here is told with what it may affect, and the package is as valid as anywhere."""
    captured = {"distributions": {"no-such-thing": "1.0"}, "python": {"implementation": "CPython", "version": "2.7.1"}}
    here = {"python": {"implementation": "CPython", "version": "3.12.1"}}
    monkeypatch.setattr("sciflow.package.checks.verify.present", lambda: here)
    found = checked(rebagged(tmp_path / "small", with_environment(captured)))
    assert found.verdict == "valid"
    assert found.environment["grade"] == "missing"
    assert [(one["subject"], one["grade"]) for one in found.environment["differences"]] == [
        ("distribution no-such-thing", "missing"),
        ("python", "different"),
    ]


def test_where_nothing_was_captured_nothing_is_compared(tmp_path: Path):
    """An environment that nobody knows is not said to be the same."""
    assert checked(rebagged(tmp_path / "small", with_environment({}))).environment["compared"] is False
    broken = {**files_of(), "environment/environments.json": b'{"format": 1}'}
    assert told(checked(rebagged(tmp_path / "broken", broken))) == {
        ("unreadable", "data/environment/environments.json")
    }


def test_an_archive_that_reaches_out_is_damaged(tmp_path: Path):
    """The verdict tells why it was not unpacked."""
    found = verify(zip_of(tmp_path / "a.zip", [("../x", b"1")]), tmp_path)
    assert found.verdict == "damaged"
    assert "leaves its folder" in found.problems[0].why
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_what_is_no_package_is_an_error(tmp_path: Path):
    """Nothing there, something else there, a folder of something else."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("text")
    for name, why in (("nothing", "there is no package"), ("text", "is no package"), ("folder", "is no package")):
        with pytest.raises(PackageError, match=why):
            verify(tmp_path / name)


def test_a_package_of_a_run_is_valid_as_file_and_as_folder(packed: Path, unpacked: Path):
    """All that a run leaves is found in order, in little time; records are looked at one by one."""
    before = time.process_time()
    found = verify(packed)
    assert time.process_time() - before < 5
    assert found.problems == []
    counts = {check.what: check.count for check in found.checks}
    assert counts["records of completed task instances"] == 6
    assert verify(unpacked.parent).verdict == "valid"


def test_a_record_that_was_changed_or_left_out_of_a_new_bag_is_found(unpacked: Path, tmp_path: Path):
    """Records carry seals of their own, and results name them."""
    payload = Path(shutil.copytree(unpacked, tmp_path / "changed"))
    records = sorted((payload / "run/records").rglob("*.h5"))
    data = records[0].read_bytes()
    records[0].write_bytes(data[:900] + bytes([data[900] ^ 1]) + data[901:])
    records[1].unlink()
    make_bag(payload, {}, WHEN)
    places = [record.relative_to(payload).as_posix() for record in records[:2]]
    assert told(checked(payload)) == {("changed", f"data/{places[0]}"), ("missing", f"data/{places[1]}")}


def test_a_package_stays_valid_with_a_verdict_added(copy: Path):
    """What those who ran it again have found is added to the bag."""
    add_to_bag(copy, {"verdicts/1.json": b"{}"})
    assert checked(copy).verdict == "valid"


def test_a_package_that_may_only_be_read_is_checked(copy: Path, tmp_path: Path):
    """Nothing is written to it: all files are as they were, to their times."""
    before = {path: (path.stat().st_mtime_ns, path.is_dir() or digest_of(path)) for path in copy.rglob("*")}
    for path in before:
        path.chmod(0o555 if path.is_dir() else 0o444)
    checked(copy)
    assert before == {path: (path.stat().st_mtime_ns, path.is_dir() or digest_of(path)) for path in copy.rglob("*")}
    for path in before:
        path.chmod(0o755)


def test_hundreds_of_files_are_checked_in_seconds(tmp_path: Path):
    """Bytes of many files take little time, also from an archive: a thousand records no ten seconds."""
    files = {**files_of(), **{f"run/logs/{number}.out": os.urandom(1000) for number in range(500)}}
    folder = rebagged(tmp_path / "many", files)
    write_archive(folder, tmp_path / "many.zip", WHEN)
    before = time.process_time()
    assert verify(tmp_path / "many.zip").verdict == "valid"
    assert time.process_time() - before < 3


def test_a_file_added_to_an_archive_is_named(small: Path, tmp_path: Path):
    """The archive is opened, and what was not packed is told."""
    write_archive(Path(shutil.copytree(small, tmp_path / "small")), tmp_path / "a.zip", WHEN)
    with zipfile.ZipFile(tmp_path / "a.zip", "a") as archive:
        archive.writestr("small/data/project/more.py", "x")
    assert told(verify(tmp_path / "a.zip")) == {("added", "data/project/more.py")}
    with opened(tmp_path / "a.zip") as folder:
        assert checked(folder).verdict == "damaged"
