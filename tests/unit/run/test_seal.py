"""A run that has ended is folded into few files, in which everything is found as before."""

import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.engine import Engine
from sciflow.errors import RunError
from sciflow.execution import Run
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run import seal as sealing
from sciflow.run.collect import collect
from sciflow.run.inspect import execute, read_log
from sciflow.run.seal import seal, unseal
from sciflow.run.track import observe, read_plan
from sciflow.store.layout import RunDirectory
from sciflow.store.lock import hold

LeaveRecord = Callable[..., Path]


def tree(run: RunDirectory) -> dict[str, bytes]:
    """All files of a run by their paths, but for what may change without harm."""
    passing = ("results.h5", "collected.json", "driver.lock")
    found = {path.relative_to(run.path).as_posix(): path for path in run.path.rglob("*") if path.is_file()}
    return {
        name: path.read_bytes() for name, path in found.items() if name not in passing and "__pycache__" not in name
    }


def seal_now(run: RunDirectory) -> Any:
    """Seal a run as it is."""
    return seal(run, read_plan(run), observe(run))


@pytest.fixture
def ended(squares: ExperimentalWorkflow, engine: Engine) -> Run:
    """Return a run that is complete, with logs."""

    def square(x):
        print("square of", x)
        return {"y": x * x, "points": [0.5 * x, 1.0]}

    workflow = ExperimentalWorkflow("squares", squares.directory)
    workflow.add_task("square", square)
    workflow.add_task(
        "total", lambda square: {"sum": sum(one["y"] for one in square)}, depends_on=["square"], over="all"
    )
    workflow.add_parameter_space({"x": [1, 2, 3, 4]})
    return engine.run(engine.compile(workflow)).run


def test_all_is_found_in_a_sealed_run(ended: Run) -> None:
    """Status, logs, tables, series and arrays are the same, and the originals are gone."""
    before = {name: ended.to_dataframe(name) for name in ("combinations", "instances", "attempts", "arrays")}
    log = read_log(ended.directory, "square.0", 2, None)
    series = ended.series("square", 2)
    done = ended.seal()
    assert done.left == []
    assert not (ended.path / "records").exists()
    assert not (ended.path / "logs").exists()
    assert ended.status().is_complete
    assert read_log(ended.directory, "square.0", 2, None) == log
    assert log.text == "square of 3\n"
    for again in (ended.collect(), ended.collect(verify=True)):
        for name, frame in before.items():
            assert again.to_dataframe(name).equals(frame)
        assert again.array("square", 3, "points").tolist() == [2.0, 1.0]
    assert ended.series("square", 2).equals(series)


def test_unzip_restores_everything(ended: Run) -> None:
    """The names in the zips are paths from the run directory, and the bytes are those that were there."""
    before = tree(ended.directory)
    ended.seal()
    for archive in (ended.path / "sealed").glob("*.zip"):
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(ended.path)
    shutil.rmtree(ended.path / "sealed")
    (ended.path / "shim" / "sciflow_shim.py").unlink()
    assert tree(ended.directory) == before


def test_unsealing_gives_back_what_was_there(ended: Run) -> None:
    """What comes back is the same byte for byte, and nothing of the folding is left."""
    before = tree(ended.directory)
    done = ended.seal()
    assert ended.unseal() == done.folded
    assert tree(ended.directory) == before
    assert not (ended.path / "sealed").exists()


def test_a_task_of_1000_indices_has_20_files_at_most(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """However many indices there are, a sealed run has few files."""
    for index in range(4):
        leave_record(staged, "square.0", index)
        staged.log("square.0", index, 1).parent.mkdir(parents=True, exist_ok=True)
        staged.log("square.0", index, 1).write_text("x")
    leave_record(staged, "total.0", 0)
    collect(staged)
    done = seal_now(staged)
    per_run = {path.relative_to(staged.path).parts[0] for path in staged.path.rglob("*") if path.is_file()}
    assert "records" not in per_run
    assert done.files == sum(path.is_file() for path in staged.path.rglob("*"))
    # Two tasks: arrays, scripts and code of each, and two zips of records and one of logs.
    assert done.files <= 25


def test_what_has_not_ended_is_not_sealed(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """As long as something is to come, it is refused, with what that is, and nothing is changed."""
    leave_record(staged, "square.0", 1)
    before = tree(staged)
    with pytest.raises(RunError, match="has not ended: 4 PENDING"):
        seal_now(staged)
    assert tree(staged) == before


def test_what_is_driven_is_not_sealed(ended: Run) -> None:
    """While somebody holds the run, it stays as it is."""
    with hold(ended.directory.lock), pytest.raises(RunError, match="a process drives it"):
        seal_now(ended.directory)


def test_going_on_gives_back_first(squares: ExperimentalWorkflow, engine: Engine, tmp_path: Path) -> None:
    """A sealed run of which something failed goes on as if it had not been sealed, upstream records included."""
    switch = tmp_path / "switch"

    def total(square):
        if not switch.exists():
            raise RuntimeError("not yet")
        return {"sum": sum(one["y"] for one in square)}

    workflow = ExperimentalWorkflow("squares", squares.directory)
    workflow.add_task("square", lambda x: {"y": x * x})
    workflow.add_task("total", total, depends_on=["square"], over="all")
    workflow.add_parameter_space({"x": [1, 2, 3, 4]})
    first = engine.run(engine.compile(workflow)).run
    first.seal()
    switch.touch()
    again = engine.run(engine.compile(workflow))
    assert again.run.path == first.path
    assert again.status.is_complete
    assert again.run.collect().tables.combinations["sum"] == [30] * 4
    assert [one.attempt for one in again.run.directory.records("square.0")] == [1] * 4
    assert sorted(one.attempt for one in again.run.directory.records("total.0")) == [1, 2]
    # Sealing again after more was added works.
    again.run.seal()
    assert again.run.collect().completed == 4


def test_an_index_run_by_hand_gives_back_first(ended: Run) -> None:
    """`exec` counts attempts on from those that were folded."""
    ended.seal()
    assert execute(ended.directory, "total.0", 0).is_success
    assert sorted(one.attempt for one in ended.directory.records("total.0")) == [1, 2]


def test_the_job_script_of_a_sealed_run_refuses(ended: Run) -> None:
    """Started by hand, it would count attempts anew: it says what to do instead."""
    ended.seal()
    script = ended.directory.script("total.0")
    done = subprocess.run(["bash", script, "0"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "this run is sealed: `sciflow collect --unseal`" in done.stderr


def test_a_later_run_takes_over_from_a_sealed_one(ended: Run, squares: ExperimentalWorkflow, engine: Engine) -> None:
    """What a sealed run has finished is not done again."""
    ended.seal()

    def square(x):
        print("square of", x)
        return {"y": x * x, "points": [0.5 * x, 1.0]}

    workflow = ExperimentalWorkflow("squares", squares.directory)
    workflow.add_task("square", square)
    workflow.add_task(
        "total", lambda square: {"sum": sum(one["y"] for one in square)}, depends_on=["square"], over="all"
    )
    workflow.add_parameter_space({"x": [1, 2, 3, 4, 5]})
    done = engine.run(engine.compile(workflow))
    assert done.reused == 4
    assert done.run.collect().tables.combinations["y"] == [1, 4, 9, 16, 25]


@pytest.mark.parametrize("step", range(12))
def test_a_seal_that_is_cut_off_loses_nothing(ended: Run, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Killed at any of its steps, all is still found, and sealing again goes on to the end."""
    before = tree(ended.directory)
    frame = ended.to_dataframe()
    left = [step]

    class Killed(BaseException):
        pass

    def guarded(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if not left[0]:
                raise Killed
            left[0] -= 1
            return original(*arguments, **named)

        return call

    monkeypatch.setattr(Path, "unlink", guarded(Path.unlink))
    monkeypatch.setattr(Path, "replace", guarded(Path.replace))
    monkeypatch.setattr(sealing, "_add", guarded(sealing._add))
    with pytest.raises(Killed):
        ended.seal()
    monkeypatch.undo()
    assert ended.to_dataframe().equals(frame)
    ended.seal()
    assert not (ended.path / "records").exists()
    assert ended.collect(verify=True).to_dataframe().equals(frame)
    ended.unseal()
    assert tree(ended.directory) == before


def test_an_unseal_that_is_cut_off_goes_on(ended: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is back already is compared, and the rest follows."""
    before = tree(ended.directory)
    ended.seal()
    with zipfile.ZipFile(ended.path / "sealed" / "square.0.records.zip") as opened:
        opened.extract(opened.namelist()[1], ended.path)
    assert ended.status().is_complete
    ended.unseal()
    assert tree(ended.directory) == before


def test_another_file_of_the_same_name_is_kept(ended: Run) -> None:
    """A file that was put where another one is folded is neither lost nor folded over it."""
    ended.seal()
    path = ended.directory.log("square.0", 0, 1)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"another one")
    done = ended.seal()
    assert done.left == ["logs/square.0/0.1.out"]
    assert path.read_bytes() == b"another one"
    with pytest.raises(RunError, match="is there, and is another one"):
        ended.unseal()


def test_a_zip_leads_nowhere_else(ended: Run, tmp_path: Path) -> None:
    """A name that leaves the run directory is refused."""
    ended.seal()
    with zipfile.ZipFile(ended.path / "sealed" / "square.0.logs.zip", "a") as opened:
        opened.writestr("../outside", "x")
    with pytest.raises(RunError, match="lies outside the run"):
        unseal(ended.directory)
    assert not (ended.path.parent / "outside").exists()


def test_idle_working_directories_go(project: Path, engine: Engine) -> None:
    """A folder with nothing but the parameters that the shim writes there goes; one with a file of the user's stays."""
    from sciflow.loading import load_workflow

    text = (project / "workflow.yaml").read_text().replace("test {{ x }} -ne 3", "test {{ x }} -ne 2 || echo 1 > own")
    (project / "workflow.yaml").write_text(text)
    run = engine.run(engine.compile(load_workflow("workflow.yaml"))).run
    assert len(list((run.path / "work" / "square").iterdir())) == 4
    run.seal()
    assert sorted(path.name for path in (run.path / "work" / "square").rglob("*") if path.is_file()) == [
        "own",
        "parameters.json",
    ]


def test_a_full_disk_loses_nothing(ended: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the zip cannot be written, the error says so, and all is as before."""
    before = tree(ended.directory)

    def full(*_arguments: Any) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(sealing, "_to_disk", full)
    with pytest.raises(RunError, match="cannot be sealed: No space left"):
        ended.seal()
    assert {name: data for name, data in tree(ended.directory).items() if "sealed" not in name} == before


def test_a_torn_record_is_folded_as_it_is(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """What is torn stays torn, byte for byte, and is told in a sealed run, too."""
    for index in range(4):
        leave_record(staged, "square.0", index, state="FAILED")
    leave_record(staged, "total.0", 0, state="UPSTREAM_FAILED")
    torn = staged.record("square.0", 1, 1)
    data = torn.read_bytes()
    flipped = data[:-100] + bytes([data[-100] ^ 1]) + data[-99:]
    torn.write_bytes(flipped)
    before = collect(staged).facts["completeness"]
    assert (before["torn"], before["sealed"]) == (1, 4)
    seal_now(staged)
    assert collect(staged, verify=True).facts["completeness"] == before
    unseal(staged)
    assert torn.read_bytes() == flipped


def test_sealed_records_open_in_h5py(ended: Run) -> None:
    """As the documents say: a record in a zip is bytes that h5py opens, and it lies there as it is."""
    import io

    import h5py

    ended.seal()
    with zipfile.ZipFile(ended.path / "sealed" / "square.0.records.zip") as opened:
        data = opened.read("records/square.0/0000/2.1.h5")
    with h5py.File(io.BytesIO(data)) as file:
        assert dict(file["metrics"].attrs)["y"] == 9
    assert data in (ended.path / "sealed" / "square.0.records.zip").read_bytes()
