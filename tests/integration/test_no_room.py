"""A disk that is full or read-only: a clear error, and nothing half-made."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sciflow.errors import SciflowWarning
from sciflow.execution import open_run

Run = Callable[..., "subprocess.CompletedProcess[str]"]

WORKFLOW = {
    "name": "room",
    "parameters": {"x": [1, 2, 3]},
    "tasks": [{"name": "task", "command": "echo v={{ x }}", "extract": {"v": {"stdout": "v=(.*)"}}}],
}
LIMITED = (
    "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2);"
    "from sciflow.cli.main import main; main(sys.argv[2:])"
)

# Modes bind root as well once it has given up for good what lets it pass over them.
ORDINARY = (
    "import ctypes, os, sys; [ctypes.CDLL(None).prctl(24, right, 0, 0, 0) for right in (1, 2)];"
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Coverage writes files of its own, and complains where it cannot."""
    for name in [one for one in os.environ if one.startswith("COVERAGE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with a workflow."""
    (tmp_path / "room.yaml").write_text(json.dumps(WORKFLOW))
    return tmp_path


def left(folder: Path) -> list[str]:
    """All files below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def check_error(done: "subprocess.CompletedProcess[str]", told: str) -> None:
    """Check that a command failed with an error that a person understands."""
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert told in done.stderr
    assert "mistake in sciflow" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("most", [0, 300, 5_000])
def test_a_run_that_finds_no_room(project: Path, python: Run, most: int) -> None:
    """Where files may not grow, no run is made, and nothing of it is left."""
    done = python("-c", LIMITED, str(most), "run", "room.yaml", cwd=project)
    check_error(done, "cannot be written: File too large")
    assert left(project) == ["room.yaml"]


@pytest.mark.parametrize("most", [0, 700])
def test_results_that_find_no_room(project: Path, python: Run, sciflow: Run, most: int) -> None:
    """Results that cannot be written leave those that were there; with room again, they are collected."""
    assert sciflow("run", "room.yaml", cwd=project).returncode == 0
    before = left(project)
    results = open_run(runs=project / "sciflow-runs").results()
    check_error(python("-c", LIMITED, str(most), "collect", "--verify", cwd=project), "results.h5")
    assert left(project) == before
    assert open_run(runs=project / "sciflow-runs").results().to_dataframe().equals(results.to_dataframe())
    assert sciflow("collect", cwd=project).returncode == 0


def test_an_export_that_finds_no_room(project: Path, python: Run, sciflow: Run) -> None:
    """An export that cannot be written leaves no half of it."""
    assert sciflow("run", "room.yaml", cwd=project).returncode == 0
    before = left(project)
    done = python("-c", LIMITED, "0", "collect", "--export", "table.csv", cwd=project)
    assert done.returncode == 1
    assert left(project) == before


def test_a_plan_that_finds_no_room(project: Path, python: Run) -> None:
    """A plan that cannot be written whole is an error as well, and is gone."""
    done = python("-c", LIMITED, "300", "plan", "room.yaml", "-o", "review", cwd=project)
    check_error(done, "`review` cannot be written: File too large")
    assert left(project) == ["room.yaml"]


def test_a_file_where_the_runs_should_be(project: Path, sciflow: Run) -> None:
    """The error names what is in the way."""
    (project / "sciflow-runs").write_text("")
    check_error(sciflow("run", "room.yaml", cwd=project), "sciflow-runs")
    assert left(project) == ["room.yaml", "sciflow-runs"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a function that mounts a small disk with these options; only root may."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("this user may not mount a disk")
        return folder

    yield mount
    subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)


def test_a_full_disk(project: Path, small_disk: Callable[[str], Path], sciflow: Run) -> None:
    """A run that does not fit on the disk is not made; when there is room, it runs."""
    disk = small_disk("size=4m")
    filler = disk / "filler"
    room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    filler.write_bytes(bytes(room - 100_000))
    check_error(sciflow("--runs", disk / "runs", "run", "room.yaml", cwd=project), "No space left on device")
    assert left(disk) == ["filler"]
    filler.unlink()
    assert sciflow("--runs", disk / "runs", "run", "room.yaml", cwd=project).returncode == 0


def test_a_disk_that_fills_up(project: Path, small_disk: Callable[[str], Path], sciflow: Run) -> None:
    """A disk that is full in the middle of a run stops it with words; nothing torn is counted, and it goes on later."""
    disk = small_disk("size=6m")
    document = {**WORKFLOW, "tasks": [{"name": "task", "command": "head -c 1500000 /dev/zero > out; echo v={{ x }}"}]}
    document["parameters"] = {"x": list(range(8))}
    document["tasks"][0] |= {"extract": {"v": {"stdout": "v=(.*)"}}, "outputs": ["out"]}
    (project / "room.yaml").write_text(json.dumps(document))
    first = sciflow("--runs", disk / "runs", "run", "room.yaml", cwd=project)
    assert first.returncode in (1, 3), first.stdout
    assert "Traceback" not in first.stderr
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
    second = sciflow("--runs", disk / "runs", "run", "room.yaml", cwd=project)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "8 of 8 combinations completed" in second.stdout
    results = open_run(runs=disk / "runs").results()
    assert results.to_dataframe()["v"].tolist() == [float(x) for x in range(8)]


def test_a_disk_that_is_read_only(project: Path, small_disk: Callable[[str], Path], sciflow: Run) -> None:
    """A run cannot be made there; one that is there can be looked at, collected and exported."""
    disk = small_disk("size=16m")
    assert sciflow("--runs", disk / "runs", "run", "room.yaml", cwd=project).returncode == 0
    before = left(disk)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    check_error(sciflow("--runs", disk / "others", "run", "room.yaml", cwd=project), "Read-only file system")
    done = sciflow("--runs", disk / "runs", "collect", "--verify", "--export", "table.csv", cwd=project)
    check_read(project, done, "Read-only file system")
    with pytest.warns(SciflowWarning, match="results.h5` cannot be written: Read-only file system"):
        assert open_run(runs=disk / "runs").collect(verify=True).get_metric({"x": 2}, "v") == 2
    assert sciflow("--runs", disk / "runs", "status", cwd=project).returncode == 0
    assert sciflow("--runs", disk / "runs", "best", "v", cwd=project).returncode == 0
    assert sciflow("--runs", disk / "runs", "logs", "task[1]", cwd=project).stdout == "v=2\n"
    assert left(disk) == before


def check_read(project: Path, done: "subprocess.CompletedProcess[str]", told: str) -> None:
    """Check that a run was exported, and that it was said why its own results were not written."""
    assert (done.returncode, "3 of 3 combinations completed" in done.stdout) == (0, True), done.stderr
    assert "results: " not in done.stdout
    assert done.stderr.startswith("warning: `")
    assert done.stderr.endswith(f"results.h5` cannot be written: {told}; the results were read, but are not kept\n")
    assert (project / "table.csv").read_text() == "x,v,state\n" + "".join(f"{x},{x}.0,COMPLETED\n" for x in (1, 2, 3))


def test_a_run_of_somebody_else(project: Path, python: Run, sciflow: Run) -> None:
    """Where modes forbid to write, and to read the lock, a run is read, ranked and exported all the same."""
    assert sciflow("run", "room.yaml", cwd=project).returncode == 0
    run = open_run(runs=project / "sciflow-runs").path
    (run / "results.h5").unlink()
    before = left(project)
    modes = {path: path.stat().st_mode for path in (run, *run.rglob("*"))}
    for path in modes:
        path.chmod(0o555 if path.is_dir() else 0o444)
    (run / "driver.lock").chmod(0)
    try:
        if python("-c", ORDINARY, "touch", str(run / "probe"), cwd=project).returncode == 0:
            pytest.skip("modes bind nobody here")
        best = python("-c", ORDINARY, "sciflow", "best", "v", cwd=project)
        assert (best.returncode, best.stdout) == (0, "x  v\n3  3\n")
        status = python("-c", ORDINARY, "sciflow", "status", cwd=project)
        assert (status.returncode, status.stderr) == (0, "")
        done = python("-c", ORDINARY, "sciflow", "collect", "--json", cwd=project)
        assert json.loads(done.stdout)["results"] is None
        check_read(
            project,
            python("-c", ORDINARY, "sciflow", "collect", "--export", "table.csv", cwd=project),
            "Permission denied",
        )
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    assert left(project) == sorted([*before, "table.csv"])
