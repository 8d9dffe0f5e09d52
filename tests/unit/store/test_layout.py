"""The run directory: its paths, its documents, and how runs are found."""

import json
from pathlib import Path

import pytest

from sciflow.errors import RunError
from sciflow.store.layout import RunDirectory, find_run, read_document, runs_of, write_whole


def make_run(runs: Path, workflow: str, run_id: str) -> Path:
    """Make what counts as a run: a folder with a manifest."""
    folder = runs / workflow / run_id
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text('{"format": 1}')
    return folder


def test_every_path_is_inside_the_run(tmp_path: Path) -> None:
    """Whatever is asked for lies in the run directory."""
    run = RunDirectory(tmp_path / "r")
    paths = [run.manifest, run.plan, run.journal, run.combinations, run.results, run.lock, run / "work"]
    paths += [run.script("a.0"), run.log("a.0", 1, 2), run.record("a.0", 1, 2), run.lines("a.0"), run.header("a.0")]
    assert all(run.path in path.parents for path in paths)
    assert len(set(paths)) == len(paths)


def test_a_run_is_named_by_its_folder(tmp_path: Path) -> None:
    """The run's id is the name of its folder, and its path is absolute."""
    run = RunDirectory(tmp_path / "x" / ".." / "20260101-000000-abcd")
    assert run.run_id == "20260101-000000-abcd"
    assert run.path == tmp_path / "20260101-000000-abcd"
    assert str(run.path) in repr(run)


def test_records_are_listed_over_all_shards(tmp_path: Path) -> None:
    """Every record of an array is found, and nothing else that lies there."""
    run = RunDirectory(tmp_path)
    for index, attempt in [(0, 1), (0, 2), (999, 1), (1000, 1), (123456, 3)]:
        run.record("a.0", index, attempt).parent.mkdir(parents=True, exist_ok=True)
        run.record("a.0", index, attempt).touch()
    for stray in (".0.1.outcome", ".7.1.h5.partial", "notes.txt", "x.1.h5"):
        (run / "records" / "a.0" / "0000" / stray).touch()
    (run / "records" / "a.0" / "README").touch()
    found = {(one.index, one.attempt) for one in run.records("a.0")}
    assert found == {(0, 1), (0, 2), (999, 1), (1000, 1), (123456, 3)}
    assert {one.path for one in run.records("a.0")} == {str(run.record("a.0", *place)) for place in found}


def test_an_array_without_records_has_none(tmp_path: Path) -> None:
    """Before the first index has ended there is no folder, which is no error."""
    assert list(RunDirectory(tmp_path).records("a.0")) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"format": 2}', "newer sciflow"),
        ('{"format": 1', "cannot be read"),
        ("[1, 2]", "no JSON object"),
        ("", "cannot be read"),
    ],
)
def test_a_document_that_cannot_be_used_says_why(tmp_path: Path, text: str, told: str) -> None:
    """Damaged documents, and those of a newer format, are named."""
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(RunError, match=told) as caught:
        read_document(tmp_path / "plan.json")
    assert str(tmp_path / "plan.json") in caught.value.message


def test_a_folder_without_documents_is_no_run(tmp_path: Path) -> None:
    """A missing document names the folder and what it lacks."""
    with pytest.raises(RunError, match=r"is no run directory: it has no `plan\.json`"):
        read_document(tmp_path / "plan.json")


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    """Text and bytes replace what was there, and nothing is left beside it."""
    for data in ("first", b"second", "dritte Übung"):
        write_whole(tmp_path / "file", data)
        expected = data if isinstance(data, bytes) else data.encode()
        assert (tmp_path / "file").read_bytes() == expected
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """What cannot be written whole does not touch what is there."""
    (tmp_path / "file").write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(tmp_path / "file", "half a pair \ud800")
    assert (tmp_path / "file").read_text() == "old"


def test_runs_are_listed_newest_first(tmp_path: Path) -> None:
    """Of one workflow or of all, the newest run comes first."""
    for workflow, run_id in [("a", "20250101-1"), ("b", "20250301-1"), ("a", "20250201-1")]:
        make_run(tmp_path, workflow, run_id)
    assert [run.run_id for run in runs_of(tmp_path)] == ["20250301-1", "20250201-1", "20250101-1"]
    assert [run.run_id for run in runs_of(tmp_path, "a")] == ["20250201-1", "20250101-1"]
    assert runs_of(tmp_path / "nowhere") == []


def test_what_is_no_run_is_not_listed(tmp_path: Path) -> None:
    """Runs that are being written, links to runs, and other folders do not count."""
    run = make_run(tmp_path, "a", "20250101-1")
    make_run(tmp_path, "a", ".20250202-1.partial")
    (tmp_path / "a" / "link").symlink_to(run)
    (tmp_path / "a" / "empty").mkdir()
    (tmp_path / "latest").symlink_to(run)
    assert [found.run_id for found in runs_of(tmp_path)] == ["20250101-1"]


def test_a_run_is_found_by_path_id_or_latest(tmp_path: Path) -> None:
    """Directory, id and `latest` all lead to the run; no name means `latest`."""
    old, new = make_run(tmp_path, "a", "20250101-1"), make_run(tmp_path, "b", "20250201-1")
    assert find_run(old, tmp_path / "nowhere").path == old
    assert find_run("20250101-1", tmp_path).path == old
    assert find_run(None, tmp_path).path == new
    (tmp_path / "latest").symlink_to(old)
    assert find_run("latest", tmp_path).path == old
    assert find_run(None, tmp_path).run_id == "20250101-1"


def test_a_latest_that_points_nowhere_is_passed_over(tmp_path: Path) -> None:
    """Where the run that `latest` points to was removed, the newest that is there counts."""
    run = make_run(tmp_path, "a", "20250101-1")
    (tmp_path / "latest").symlink_to("a/20250303-1")
    assert find_run(None, tmp_path).path == run


def test_a_run_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    """The error names what was looked for, where, and the newest five runs."""
    with pytest.raises(RunError, match="there is no run in") as caught:
        find_run(None, tmp_path)
    assert "sciflow run" in caught.value.hint
    for day in range(1, 8):
        make_run(tmp_path, "a", f"2025010{day}-1")
    with pytest.raises(RunError, match=r"`20250107-1`, `20250106-1`.*`20250103-1`$") as caught:
        find_run("20240101-1", tmp_path)
    assert str(tmp_path) in caught.value.message
    assert "20250102" not in caught.value.message


def test_a_manifest_is_enough_for_a_run(tmp_path: Path) -> None:
    """A copied run is found by its folder, whatever its name is now."""
    folder = make_run(tmp_path, "somewhere else", "my run (copy)")
    assert json.loads(find_run(folder, tmp_path / "x").manifest.read_text()) == {"format": 1}


def test_a_run_is_called_by_its_id_where_that_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere commands need its folder, quoted for a shell."""
    monkeypatch.chdir(tmp_path)
    assert RunDirectory(tmp_path / "sciflow-runs" / "w" / "20310514-120000-aa").name_here == "20310514-120000-aa"
    other = tmp_path / "my runs" / "w" / "20310514-120000-aa"
    assert RunDirectory(other).name_here == f"'{other}'"
