"""`python -m sciflow_shim`: its arguments, its exit codes, its signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from sciflow_shim.__main__ import main

if TYPE_CHECKING:
    from shim.conftest import Prepare, Serve

TASK = {"name": "work", "python": "work"}


@pytest.mark.parametrize(
    "arguments",
    [[], ["run"], ["run", "a.0"], ["run", "a.0", "x"], ["run", "a.0", "-1"], ["run", "a.0", "1", "2"], ["r", "a", "²"]],
)
def test_wrong_usage_is_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What it takes is said."""
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("usage: python -m sciflow_shim")


def test_a_run_or_array_that_is_not_there_is_two(
    prepare: Prepare, tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """So is an index beyond the last, and a grace that is none."""
    run = prepare("def work(): pass")
    assert main([str(tmp_path), "work.0", "0"]) == 2
    assert main([str(run.path), "other.0", "0"]) == 2
    assert main([str(run.path), "work.0", "1"]) == 2
    assert "array `work.0` has indices 0-0, not 1" in capsys.readouterr().err
    run.environment["SCIFLOW_GRACE_SECONDS"] = "soon"
    done = run.execute()
    assert done.returncode == 2
    assert "`SCIFLOW_GRACE_SECONDS` is `soon`" in done.stderr


def test_a_run_of_a_newer_sciflow_is_refused(prepare: Prepare, capsys: pytest.CaptureFixture[str]) -> None:
    """An old shim does not misread it."""
    run = prepare("def work(): pass")
    header = run.path / "arrays" / "work.0.json"
    header.write_text(json.dumps({**json.loads(header.read_text()), "format": 99}))
    assert main([str(run.path), "work.0", "0"]) == 2
    assert "use a newer sciflow" in capsys.readouterr().err


def test_exit_codes_and_complaints(prepare: Prepare) -> None:
    """0 for success, 1 for failure, which is said; nothing else is printed."""
    run = prepare("def work(x):\n    print('hidden')\n    return 1 / x", parameters={"x": [1, 0]})
    good, bad = run.execute(index=0), run.execute(index=1)
    assert (good.returncode, good.stdout, good.stderr) == (0, "", "")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr == "work.0[1] FAILED: ZeroDivisionError: division by zero\n"


def test_each_start_is_an_attempt(prepare: Prepare) -> None:
    """Attempts count up, and none overwrites another."""
    run = prepare("def work(context): return context.attempt")
    for attempt in (1, 2, 3):
        assert run.execute().returncode == 0
        assert run.results(attempt=attempt) == attempt
    assert run.results(attempt=1) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_index(prepare: Prepare, number: int) -> None:
    """The program is asked to end, and the record says so."""
    program = """
import os, time
def work():
    with open("pipe", "w") as file: file.write("x")
    time.sleep(1000)
"""
    run = prepare(program)
    os.mkfifo(run.path.parent / "pipe")
    with subprocess.Popen(run.command("work.0", "0"), env=run.environment, stderr=subprocess.PIPE, text=True) as shim:
        assert (run.path.parent / "pipe").read_text() == "x"
        shim.send_signal(number)
        _, complaint = shim.communicate(timeout=30)
    assert shim.returncode == 143
    assert complaint == "work.0[0] CANCELLED: stopped by a signal\n"
    assert run.facts()["state"] == "CANCELLED"


def test_a_signal_while_it_starts_is_not_lost(prepare: Prepare) -> None:
    """One that comes before the program is there ends it as soon as it is."""
    run = prepare("def work():\n    import time\n    time.sleep(1000)")
    early = run.path.parent / "early"
    early.mkdir()
    # Found first on the path, it stands in for the capture, which comes after the handlers and before the program.
    (early / "sitecustomize.py").write_text(
        "import os, signal, sciflow_shim.fingerprint as module\n"
        "def ensure_captured(run, commands):\n    os.kill(os.getpid(), signal.SIGTERM)\n    return '', 0\n"
        "module.ensure_captured = ensure_captured\n"
    )
    run.environment["PYTHONPATH"] = f"{early}:{run.environment['PYTHONPATH']}"
    assert run.execute().returncode == 143
    assert run.facts()["state"] == "CANCELLED"


def test_serving_ends_with_its_input(prepare: Prepare, serve: Serve) -> None:
    """Without anything to do it goes, with exit code 0."""
    assert serve(prepare("def work(): pass")).close() == 0


def test_serving_ends_by_a_signal(prepare: Prepare, serve: Serve) -> None:
    """It stops what runs, says so, and goes."""
    run = prepare("def work():\n    import time\n    time.sleep(1000)")
    served = serve(run)
    served.start(0)
    served.wait_for("started", 0)
    served.process.send_signal(signal.SIGTERM)
    assert served.wait_for("ended", 0)["state"] == "CANCELLED"
    assert served.process.wait(30) == 0


def test_requests_may_come_in_pieces(prepare: Prepare, serve: Serve) -> None:
    """A line is one when it is whole."""
    run = prepare("def work(): return 1")
    served = serve(run)
    assert served.process.stdin is not None
    text = json.dumps({"do": "start", "index": 0, "attempt": 4, "cores": [], "gpus": None}).encode() + b"\n"
    for byte in text:
        served.process.stdin.write(bytes([byte]))
        served.process.stdin.flush()
    assert served.wait_for("ended", 0)["attempt"] == 4
    assert run.results(attempt=4) == 1


def test_an_index_waits_for_the_capture_of_its_environment(prepare: Prepare) -> None:
    """A job that ends takes all its processes with it: what describes it is there by then."""
    run = prepare("def work(): pass")
    (run.path / "environments").unlink()
    assert run.execute().returncode == 0
    (captured,) = (run.path / "environments").iterdir()
    environment = run.record().members["environment"]
    assert environment.filename.endswith(captured.name)
