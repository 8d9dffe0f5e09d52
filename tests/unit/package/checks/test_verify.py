import json
import os
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sciflow.errors import DamagedError, PackageError
from sciflow.package.bags.bag import add_to_bag, make_bag
from sciflow.package.checks.verification import Verification
from sciflow.package.checks.verify import verify, verify_folder, whole_package
from sciflow.store.digests import file_digest
from unit.package.bags import WHEN, zip_of
from unit.package.checks.conftest import edit

Anew = Callable[[], Verification]


def told(found: Verification) -> set[tuple[str, str]]:
    """Kind and path of all problems."""
    return {(problem.kind, problem.path) for problem in found.problems}


def test_a_package_of_a_run_is_valid_as_file_and_as_folder(packed: Path, unpacked: Path):
    """All that a run leaves is found in order, in little time; records are looked at one by one."""
    before = time.process_time()
    found = verify(packed)
    assert time.process_time() - before < 5
    assert found.problems == []
    counts = {check.what: check.count for check in found.checks}
    assert counts["records"] == 6
    assert "`report.html`" in found.notes[-1]
    assert verify(unpacked.parent).verdict == "valid"
    document = json.loads(json.dumps(found.to_document()))
    assert (document["verdict"], document["workflow"], document["problems"]) == ("valid", "spins", [])


def test_a_package_that_contradicts_itself_is_damaged(payload: Path, bag_anew: Anew):
    """Whoever changes a number and makes the bag anew, with a list of files that fits, is found by the records."""
    edit(payload / "results/combinations.csv", "17.0", "17.5")
    path = payload / "package.json"
    edit(path, digest_in(path, "results/combinations.csv"), file_digest(payload / "results/combinations.csv"))
    found = bag_anew()
    assert found.verdict == "damaged"
    assert told(found) == {("contradiction", "data/results/combinations.csv")}
    with pytest.raises(DamagedError, match=r"is damaged: .*combinations.csv.*column `heat`, row 2, says `17.5`"):
        whole_package(payload, "spins.zip")


def digest_in(path: Path, name: str) -> str:
    """The digest that `package.json` has of a file."""
    return next(one["sha256"] for one in json.loads(path.read_bytes())["files"] if one["path"] == name)


def test_a_missing_record_is_missing_and_nothing_is_collected_without_it(payload: Path, bag_anew: Anew):
    """The package is incomplete, and is told as that."""
    (payload / "run/records/analyse.0/0000/1.1.h5").unlink()
    found = bag_anew()
    assert found.verdict == "incomplete"
    assert told(found) == {("missing", "data/run/records/analyse.0/0000/1.1.h5")}


def test_a_package_stays_valid_with_a_verdict_added(payload: Path):
    """What those who ran it again have found is added to the bag, and told."""
    make_bag(payload, {"External-Identifier": "spins_v1"}, WHEN)
    said = {"when": "2026-12-01", "verdict": "reproduced", "asked": {"sample": 2}, "instances": {"reproduced": 3}}
    add_to_bag(payload, {"verdicts/1.json": json.dumps(said).encode(), "verdicts/2.json": b"[1]"})
    assert whole_package(payload, "here")["name"] == "spins_v1"
    notes = verify(payload).notes
    assert "verdict of 2026-12-01, on a sample of 2: reproduced (3 reproduced)" in notes
    assert "verdict of ?, on all of it: ?" in notes


def test_nothing_of_a_package_runs_while_it_is_checked(payload: Path, bag_anew: Anew, monkeypatch: pytest.MonkeyPatch):
    """Neither what it would import, nor what would be unpickled, nor what would be found from its folder."""
    mark = payload.parent / "ran"
    evil = f"open({str(mark)!r}, 'w').close()\n".encode()
    pickled = b"cbuiltins\nexec\n(V" + evil.strip().replace(b"\n", b"") + b"\ntR."
    names = ("packaged_functions", "sitecustomize", "usercustomize", "conftest", "setup", "json", "spins_code")
    for name in names:
        (payload / f"project/{name}.py").write_bytes(evil)
        (payload / f"{name}.py").write_bytes(evil)
    (payload / "run/code/t.pickle").write_bytes(pickled)
    (payload / "run/shim/sciflow_shim/__init__.py").write_bytes(evil)
    (payload / "reproduce.sh").write_text(f"touch {mark}\n")
    # The list of files fits, so that all that can be looked at is.
    path = payload / "package.json"
    document = json.loads(path.read_bytes())
    there = [one for one in payload.rglob("*") if one.is_file()]
    document["files"] = [
        {"path": name, "sha256": file_digest(one)}
        for one in there
        if (name := one.relative_to(payload).as_posix()) not in ("package.json", "ro-crate-metadata.json")
    ]
    path.write_text(json.dumps(document))
    monkeypatch.chdir(payload)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loaded = set(sys.modules)
    found = bag_anew()
    assert "cells of tables by the records" in {check.what for check in found.checks}
    assert told(found) == {("other code", "data/project/spins_code.py")}
    assert not mark.exists()
    origins = {name: getattr(sys.modules[name], "__file__", None) or "" for name in set(sys.modules) - loaded}
    assert not {name for name, origin in origins.items() if origin.startswith(str(payload))}


def test_another_machine_is_graded_and_no_reason_for_a_verdict(unpacked: Path, monkeypatch: pytest.MonkeyPatch):
    """What differs here is told with what it may affect, and the package is as valid as anywhere."""
    here = {"python": {"implementation": "CPython", "version": "2.7.1"}}
    monkeypatch.setattr("sciflow.package.checks.verify.present", lambda: here)
    found = Verification("here")
    verify_folder(unpacked.parent, found)
    assert found.verdict == "valid"
    grades = {one["subject"]: one["grade"] for one in found.environment["differences"]}
    assert found.environment["grade"] == "missing"
    assert grades["python"] == "different"


def test_environments_that_cannot_be_read_are_told(payload: Path, bag_anew: Anew):
    """An environment that nobody knows is not said to be the same."""
    (payload / "environment/environments.json").write_text('{"format": 1}')
    found = bag_anew()
    verify_folder(payload, found)
    assert ("unreadable", "data/environment/environments.json") in told(found)
    assert found.environment == {}


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


def test_a_package_that_may_only_be_read_is_checked(unpacked: Path):
    """Nothing is written to it: all files are as they were, to their times."""
    files = list(unpacked.parent.rglob("*"))
    before = {path: (path.stat().st_mtime_ns, path.is_dir() or file_digest(path)) for path in files}
    for path in files:
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert whole_package(unpacked.parent, "here")["name"] == "spins_v1"
    assert before == {
        path: (path.stat().st_mtime_ns, path.is_dir() or file_digest(path)) for path in unpacked.parent.rglob("*")
    }
    for path in files:
        path.chmod(0o755)


def test_hundreds_of_files_are_checked_in_seconds(payload: Path, bag_anew: Anew):
    """Bytes of many files take little time."""
    for number in range(500):
        (payload / f"run/logs/{number}.out").write_bytes(os.urandom(1000))
    before = time.process_time()
    assert len(bag_anew().problems) == 500
    assert time.process_time() - before < 3


def test_a_file_added_to_an_archive_is_named(packed: Path, tmp_path: Path):
    """The archive is opened, and what was not packed is told."""
    path = tmp_path / "a.zip"
    path.write_bytes(packed.read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("spins_v1/data/project/more.py", "x")
    assert told(verify(path)) == {("added", "data/project/more.py")}
