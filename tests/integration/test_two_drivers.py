"""Two drivers at once: one drives, the other is told."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sciflow.engine import Engine
from sciflow.errors import RunError
from sciflow.execution import open_run
from sciflow.loading import load_workflow
from sciflow.model.state import State

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    """Return a workflow file whose indices say that they run, and wait until they are told to end."""
    os.mkfifo(tmp_path / "started")
    os.mkfifo(tmp_path / "go")
    document = {
        "name": "waiting",
        "parameters": {"x": [1, 2]},
        "tasks": [{"name": "wait", "command": f"echo {{{{ x }}}} > {tmp_path}/started; read -r line < {tmp_path}/go"}],
    }
    (tmp_path / "waiting.yaml").write_text(json.dumps(document))
    return tmp_path / "waiting.yaml"


def test_the_second_is_told_who_drives(waiting: Path, tmp_path: Path, sciflow: Run) -> None:
    """While the first drives, the same command, the same program and `exec` are refused with its process id."""
    command = [str(Path(sys.executable).with_name("sciflow")), "run", "waiting.yaml"]
    first = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    (tmp_path / "started").read_text()
    second = sciflow("run", "waiting.yaml")
    assert (second.returncode, second.stdout) == (1, "")
    assert f"is being driven by process {first.pid} on " in second.stderr
    assert "hint: wait for it, or stop it with Ctrl-C where it runs" in second.stderr
    assert f"driven by process {first.pid} on" in sciflow("exec", "latest", "wait", "0").stderr
    engine = Engine(runs=tmp_path / "sciflow-runs")
    with pytest.raises(RunError, match=f"driven by process {first.pid} on"):
        engine.execute_parameter_sweep(load_workflow(str(waiting)))
    looked = sciflow("status", "--json")
    assert (looked.returncode, json.loads(looked.stdout)["is_driven"]) == (4, True)
    descriptor = os.open(tmp_path / "go", os.O_RDWR)
    os.write(descriptor, b"go\n" * 10)
    # The second index, where there was no room for both, says that it runs as well.
    reader = os.open(tmp_path / "started", os.O_RDWR)
    out, err = first.communicate(timeout=120)
    os.close(descriptor)
    os.close(reader)
    assert first.returncode == 0, err
    assert "2 of 2 combinations completed" in out
    run = open_run(runs=tmp_path / "sciflow-runs")
    assert run.status().counts() == {State.COMPLETED: 2}
    assert {one.attempt for one in run.status().indices["wait.0"].values()} == {1}


def test_a_killed_driver_is_no_obstacle(waiting: Path, tmp_path: Path, sciflow: Run) -> None:
    """When the first driver was killed outright, its programs end with it, and the same command goes on."""
    command = [str(Path(sys.executable).with_name("sciflow")), "run", "waiting.yaml"]
    first = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (tmp_path / "started").read_text()
    first.kill()
    first.wait()
    descriptors = [os.open(tmp_path / name, os.O_RDWR) for name in ("go", "started")]
    os.write(descriptors[0], b"go\n" * 10)
    second = sciflow("run", "waiting.yaml")
    for descriptor in descriptors:
        os.close(descriptor)
    assert second.returncode == 0, second.stderr
    assert "went on with run" in second.stdout
    assert "2 of 2 combinations completed" in second.stdout


def test_two_that_start_together_both_end(tmp_path: Path) -> None:
    """Of two that start at the same moment, each either drives a run of its own, or is told that another does."""
    document = {"name": "quick", "parameters": {"x": [1, 2]}, "tasks": [{"name": "task", "command": "true"}]}
    (tmp_path / "quick.yaml").write_text(json.dumps(document))
    command = [str(Path(sys.executable).with_name("sciflow")), "run", "quick.yaml"]
    started = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [(*process.communicate(timeout=120), process.returncode) for process in started]
    assert 0 in [code for _, _, code in answers], answers
    for _, err, code in answers:
        assert code == 0 or (code == 1 and "is being driven by" in err), answers
    assert open_run(runs=tmp_path / "sciflow-runs").status().is_complete
