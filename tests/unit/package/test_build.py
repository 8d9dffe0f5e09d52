"""A package is made: of any run, wherever it lies, the same each time, and whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import time
import zipfile
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bagit
import pytest

from sciflow.analysis.table import RunTable
from sciflow.engine import Engine
from sciflow.errors import PackageError, RunError
from sciflow.execution import open_run
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.package import build, layout
from sciflow.package.bags.archive import opened
from sciflow.package.build import create_package
from sciflow.package.checks.verify import verify
from sciflow.store import sealed
from sciflow.store.layout import RunDirectory
from unit.package.spins import SECRETS


def _facts(package: Path) -> dict[str, Any]:
    with opened(package) as folder:
        return json.loads((folder / layout.PAYLOAD / layout.FACTS).read_text(encoding="utf-8"))


def _stamps(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_size) for path in [folder, *folder.rglob("*")]}


def test_a_package_is_a_bag_that_holds_what_every_package_holds(unpacked: Path) -> None:
    """It is valid by the library's own check, and has the run, tables, figures, a report and instructions."""
    bagit.Bag(str(unpacked.parent)).validate()
    assert verify(unpacked.parent).is_valid
    for path in (layout.README, layout.REPRODUCE, layout.TABLE, layout.REPORT, layout.CITATION, layout.FACTS):
        assert (unpacked / path).is_file(), path
    for name in ("manifest.json", "plan.json", "journal.jsonl", "results.h5", "scripts/templates.json"):
        assert (unpacked / layout.RUN / name).is_file(), name
    assert sorted(path.name for path in (unpacked / layout.FIGURES).glob("e_vs_t*")) == ["e_vs_t.png", "e_vs_t.svg"]
    facts = json.loads((unpacked / layout.FACTS).read_text(encoding="utf-8"))
    assert facts["state"] == {
        "complete": True,
        "counts": {"COMPLETED": 6},
        "missing": {},
        "combinations": 4,
        "completed": 4,
    }
    assert (facts["format"], facts["name"], facts["workflow"]) == (layout.FORMAT, "spins_v1", "spins")


def test_the_same_run_gives_the_same_bytes_and_is_not_changed(
    spins: Path, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also copied to another path and name, in another time zone, with another umask, and without what was collected.

    Not a file of the run is touched, and none is made.
    """
    copy = tmp_path / "elsewhere" / "by-another-name"
    shutil.copytree(spins, copy, copy_function=shutil.copy)  # with the times of now
    for name in ("results.h5", "collected.json"):
        (copy / name).unlink()
    stamps = _stamps(copy)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    before = os.umask(0o077)
    try:
        again = create_package(copy, "spins_v1").export(tmp_path / "again.zip")
    finally:
        os.umask(before)
        monkeypatch.delenv("TZ")
        time.tzset()
    assert again.read_bytes() == packed.read_bytes()
    assert _stamps(copy) == stamps


def test_a_run_that_failed_in_part_is_packaged_and_says_so(finished: Path, tmp_path: Path) -> None:
    """`package.json` says which indices are missing, and the README says it before all else."""
    made = create_package(finished, "partial", with_figures=False)
    state = _facts(made.export(tmp_path / "p.tar.gz"))["state"]
    assert verify(tmp_path / "p.tar.gz").is_valid
    assert state == made.state
    assert not state["complete"]
    assert (state["combinations"], state["completed"]) == (4, 3)
    assert state["missing"] == {"square.0": {"FAILED": "2"}, "half.0": {"UPSTREAM_FAILED": "2"}}
    with opened(tmp_path / "p.tar.gz") as folder:
        text = (folder / "data" / layout.README).read_text(encoding="utf-8")
    assert "- `square.0`: FAILED 2\n- `half.0`: UPSTREAM_FAILED 2\n" in text
    assert "**The run is not complete (ended with failures): 3 of 4 combinations have all their results" in text


def test_a_run_with_failures_is_the_same_each_time_and_names_no_passing_folder(finished: Path, tmp_path: Path) -> None:
    """Its report tells how its logs are looked at by the run's id, never by a folder that only packaging knew."""
    package = create_package(finished, "partial", with_figures=False)
    folder, again = package.export(tmp_path / "one"), package.export(tmp_path / "two")
    first, second = (dict(_relative(one)) for one in (folder, again))
    assert [name for name in first if first[name] != second.get(name)] == []
    assert [name for name, data in first.items() if b"/sciflow-package-" in data] == []
    report = first[f"data/{layout.REPORT}"].decode()
    assert f"sciflow logs {finished.name} &#39;square.0[2]&#39;" in report


def test_a_run_of_which_nothing_ran_is_packaged(staged: RunDirectory, tmp_path: Path) -> None:
    """What was planned is in it, and that nothing was run is said."""
    facts = _facts(create_package(staged).export(tmp_path / "empty.zip"))
    assert verify(tmp_path / "empty.zip").is_valid
    assert facts["state"]["counts"] == {"PENDING": 5}
    assert facts["state"]["completed"] == 0
    with opened(tmp_path / "empty.zip") as folder:
        text = (folder / "data" / layout.README).read_text(encoding="utf-8")
    assert "0 of 4 combinations have all their results" in text
    assert "No combination has a number as its result" in text


def test_a_sealed_run_is_packaged_as_it_is(spins: Path, tmp_path: Path) -> None:
    """Its records stay folded, and its table is that of the run before it was sealed."""
    copy = tmp_path / spins.name
    shutil.copytree(spins, copy)
    open_run(copy).seal()
    create_package(copy, "sealed", with_figures=False).export(tmp_path / "out")
    payload = tmp_path / "out" / "data"
    assert list((payload / "run" / "sealed").glob("*.records.zip"))
    assert not list(payload.glob("run/records/**/*.h5"))
    assert (payload / layout.TABLE).read_text().count("COMPLETED") == 4
    secrets = [secret.encode() for secret in SECRETS.values()]
    assert [name for name, data in _strings(payload) if any(one in data for one in secrets)] == []
    assert verify(payload.parent).is_valid
    assert RunTable(RunDirectory(payload / "run")).completed == 4
    assert b"key [redacted]" in (sealed.read_log(str(payload / "run" / "logs" / "simulate.0" / "0.1.out")) or b"")


def test_a_run_that_goes_on_is_packaged_as_it_is_now(staged: RunDirectory, leave_record: Any, tmp_path: Path) -> None:
    """What is done counts, what is being done is told, and files that are being written are left alone."""
    leave_record(staged, "square.0", 0, y=1)
    leave_record(staged, "square.0", 1, state="RUNNING")
    (staged.record("square.0", 0, 1).parent / ".2.1.outcome").write_bytes(b"half")
    made = create_package(staged, with_figures=False)
    with opened(made.export(tmp_path / "now.zip")) as folder:
        names = [path.name for path in folder.rglob("*")]
    assert made.state["counts"]["COMPLETED"] == 1
    assert ".2.1.outcome" not in names
    assert "0.1.h5" in names


@pytest.mark.parametrize("name", ["", "a/b", "../up", ".hidden", "x" * 101, "with space", "trailing.", "ü"])
def test_names_that_no_folder_can_have_everywhere_are_refused(spins: Path, name: str) -> None:
    """A package's name is that of a folder on any file system."""
    with pytest.raises(PackageError, match="cannot name a package"):
        create_package(spins, name)


def test_where_it_goes_follows_from_the_target(spins: Path, tmp_path: Path) -> None:
    """A folder that is there, or a slash, means a zip in it; another name is the package itself."""
    package = create_package(spins, "spins_v1", with_figures=False)
    taken = tmp_path / "there" / "spins_v1.zip"
    taken.mkdir(parents=True)
    for target in (tmp_path / "there", f"{tmp_path}/there/", taken):
        with pytest.raises(PackageError, match=f"`{taken}` is there already"):
            package.export(target)
    assert package.export(tmp_path / "deep" / "as-folder") == tmp_path / "deep" / "as-folder"
    assert (tmp_path / "deep" / "as-folder" / "bagit.txt").is_file()


def test_a_folder_that_is_a_package_is_the_place_itself(spins: Path, tmp_path: Path) -> None:
    """A second export writes nothing into the first: it is refused, naming the way out, or takes its place."""
    package, place = create_package(spins, "spins_v1", with_figures=False), tmp_path / "spins"
    package.export(place)
    (place / "data" / layout.README).write_text("changed")
    for target in (place, f"{place}/", place / "more.zip"):
        with pytest.raises(PackageError) as refused:
            package.export(target)
        assert "`--overwrite`" in refused.value.hint
    assert not verify(place).is_valid
    package.export(f"{place}/", overwrite=True)
    assert verify(place).is_valid
    assert [path.name for path in tmp_path.iterdir()] == ["spins"]
    with pytest.raises(PackageError, match="names no file"):
        package.export("")


def test_nothing_is_replaced_unless_that_is_said(spins: Path, tmp_path: Path) -> None:
    """A file that is there stays as it is; with `overwrite` it is replaced."""
    target = tmp_path / "mine.zip"
    target.write_text("mine")
    package = create_package(spins, with_figures=False)
    with pytest.raises(PackageError, match="is there already"):
        package.export(target)
    assert target.read_text() == "mine"
    package.export(target, overwrite=True)
    with zipfile.ZipFile(target) as archive:
        assert {name.partition("/")[0] for name in archive.namelist()} == {package.name}
    assert [path.name for path in tmp_path.iterdir()] == ["mine.zip"]


@pytest.mark.parametrize("name", ["a.rar", "a.tar.bz2", "a.7z"])
def test_other_kinds_of_archives_are_refused_before_anything_is_done(spins: Path, tmp_path: Path, name: str) -> None:
    """An ending that is not written is an error that says which are, and nothing is left behind."""
    with pytest.raises(PackageError, match="does not write"):
        create_package(spins, with_figures=False).export(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_too_small_is_refused_before_anything_is_written(
    spins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says how much is needed and how much there is; not even the target's folder is made."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 0, 100_000))
    with pytest.raises(PackageError, match=r"needs .* bytes, and .* has 100,000 left"):
        create_package(spins, with_figures=False).export(tmp_path / "deep" / "a.zip")
    assert not list(tmp_path.iterdir())


def test_a_place_within_the_run_is_refused(finished: Path) -> None:
    """A package changes nothing of its run."""
    with pytest.raises(PackageError, match="lies in the run that is packaged"):
        create_package(finished, with_figures=False).export(finished / "work" / "a.zip")


def test_what_goes_away_meanwhile_is_told(
    staged: RunDirectory, leave_record: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that goes on removes files; the package is made without them, and says so."""
    record = leave_record(staged, "square.0", 1, state="RUNNING")
    package = create_package(staged, with_figures=False)
    monkeypatch.setattr(build, "require_space", lambda *_: record.unlink())
    package.export(tmp_path / "out")
    [one] = [one for one in package.left_out if one.path.endswith("1.1.h5")]
    assert "there no more" in one.why


def test_a_record_with_a_secret_stops_it_and_nothing_is_left_behind(
    staged: RunDirectory, leave_record: Any, tmp_path: Path
) -> None:
    """The record is named, and not even the target's folder is made."""
    leave_record(staged, "square.0", 0, y=1, note="AKIAABCDEFGHIJKLMNOP")
    with pytest.raises(PackageError, match=r"records/square\.0/0000/0\.1\.h5` \(of task `square`\) holds"):
        create_package(staged, with_figures=False).export(tmp_path / "deep" / "a.zip")
    assert not (tmp_path / "deep").exists()
    assert not list(tmp_path.glob(".*"))


def test_what_is_no_run_cannot_be_packaged(tmp_path: Path) -> None:
    """A folder without a manifest is no run."""
    with pytest.raises(RunError):
        create_package(tmp_path, runs=tmp_path)


def test_a_wish_that_makes_no_sense_is_refused(spins: Path) -> None:
    """An author without a name and a size that is none are refused at once."""
    with pytest.raises(PackageError, match="author"):
        create_package(spins, authors=["<ada@example.org>"])
    with pytest.raises(PackageError, match="no size"):
        create_package(spins, largest=-1)


def _strings(path: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder, and in it what zips hold."""
    for file in sorted(one for one in path.rglob("*") if one.is_file()):
        yield str(file), file.read_bytes()
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as inside:
                for name in inside.namelist():
                    yield f"{file}!{name}", inside.read(name)


@pytest.mark.parametrize("where", SECRETS)
def test_no_secret_is_in_any_byte_of_a_package(unpacked: Path, where: str) -> None:
    """Wherever people leave secrets, they do not get into a package."""
    secret = SECRETS[where].encode()
    assert [name for name, data in _strings(unpacked.parent) if secret in data] == []


def test_secrets_are_replaced_and_counted(unpacked: Path) -> None:
    """What was taken out is told by file, and what is around it is still there."""
    facts = json.loads((unpacked / layout.FACTS).read_text(encoding="utf-8"))
    assert "run/logs/simulate.0/0.1.out" in facts["redacted"]
    assert "run/arrays/simulate.0.jsonl" in facts["redacted"]
    assert "key [redacted]" in (unpacked / "run/logs/simulate.0/0.1.out").read_text()
    readme = (unpacked / layout.README).read_text(encoding="utf-8")
    assert f"were looked for: {sum(facts['redacted'].values())} were taken out" in readme
    assert "[redacted]@db.example.org" in (unpacked / "run/arrays/simulate.0.jsonl").read_text()


def test_what_holds_no_secret_is_packed_byte_for_byte(unpacked: Path, spins: Path) -> None:
    """Nothing but what was taken out is changed in the files of the run; results and digests are made anew."""
    redacted = json.loads((unpacked / layout.FACTS).read_text(encoding="utf-8"))["redacted"]
    count = 0
    made_anew = ("results.h5", "project.sha256")
    for path in (one for one in (unpacked / "run").rglob("*") if one.is_file() and one.name not in made_anew):
        is_same = path.read_bytes() == (spins / path.relative_to(unpacked / "run")).read_bytes()
        assert is_same == (path.relative_to(unpacked).as_posix() not in redacted), path
        count += is_same
    assert count > 50


def _relative(folder: Path) -> Iterator[tuple[str, bytes]]:
    return ((name.removeprefix(f"{folder}/"), data) for name, data in _strings(folder))


def test_inputs_code_and_workflow_are_in_it(spins: Path, unpacked: Path) -> None:
    """They lie as they lay around the workflow, and one of them says all that was run."""
    for name in ("field.csv", "LICENSE"):
        assert (unpacked / "project" / name).read_bytes() == (spins.parents[2] / name).read_bytes()
    assert (unpacked / "project" / "spins_code.py").is_file()
    assert (unpacked / layout.WORKFLOW).is_file()


def test_a_secret_as_a_parameter_is_refused(tmp_path: Path) -> None:
    """It would be in every record, which are not changed: nothing is written, and the parameter is named."""
    workflow = ExperimentalWorkflow("asks", tmp_path)
    workflow.add_task("ask", command="true {{ token }}")
    workflow.add_parameter_space({"token": ["ghp_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"]})
    engine = Engine(runs=tmp_path / "runs")
    run = RunDirectory(engine.write_plan(engine.compile(workflow), tmp_path / "runs" / "asks" / "1"))
    with pytest.raises(PackageError, match="parameter `token`"):
        create_package(run).export(tmp_path / "out" / "a.zip")
    assert not (tmp_path / "out").exists()


def test_a_result_file_with_a_secret_that_cannot_be_taken_out_is_left_out(tmp_path: Path) -> None:
    """The package is made without it, and says why."""
    workflow = ExperimentalWorkflow("stores", tmp_path)
    command = "printf '\\0\\0token=AKIAABCDEFGHIJKLMNOP\\0' > out.bin"
    workflow.add_task("store", command=command, outputs=["out.bin"])
    workflow.add_parameter_space({})
    run = Engine(runs=tmp_path / "runs").execute_parameter_sweep(workflow).run
    package = create_package(run, with_figures=False)
    payload = package.export(tmp_path / "out") / "data"
    [one] = [one for one in package.left_out if one.path.endswith("out.bin")]
    assert "looks like a secret" in one.why
    assert not (payload / one.path).exists()
    assert one.path in (payload / layout.README).read_text()
