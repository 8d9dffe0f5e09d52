"""The experiment to start from: written, whole, and it runs."""

from pathlib import Path

import pytest

from sciflow.engine import Engine
from sciflow.errors import SciflowError
from sciflow.loading import load_workflow
from sciflow.starter import write_starter


def test_it_is_written_and_runs(tmp_path: Path) -> None:
    """What was written is told, all of it is there, and the workflow completes with metrics."""
    written = write_starter(tmp_path / "new" / "experiment")
    assert {str(path.relative_to(tmp_path / "new" / "experiment")) for path in written} >= {
        "workflow.yaml",
        "README.md",
        "templates/local/array.sh.j2",
        "cluster_profiles/local.yaml",
    }
    on_disk = {path for path in (tmp_path / "new").rglob("*") if path.is_file()}
    assert on_disk == set(written)
    workflow = load_workflow(str(tmp_path / "new" / "experiment" / "workflow.yaml"))
    results = Engine(runs=tmp_path / "runs").execute_parameter_sweep(workflow)
    assert results.completed == len(results) == 15
    best = results.find_optimal_parameters("spread", maximize=False)
    assert results.get_metric(best, "mean_pi") == pytest.approx(3.14, abs=0.2)


@pytest.mark.parametrize("name", ["workflow.yaml", "README.md", "cluster_profiles/local.yaml"])
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    """Where one of its files is there, nothing is written at all."""
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(SciflowError, match=f"`{tmp_path / name}` is there already") as caught:
        write_starter(tmp_path)
    assert caught.value.hint == "choose another directory"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / name]
    assert (tmp_path / name).read_text() == "mine"


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    """A folder with other things in it will do."""
    (tmp_path / "notes.txt").write_text("mine")
    write_starter(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
