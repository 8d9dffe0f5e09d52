"""Between fork and the first line of the user's program."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from sciflow_shim.child import assigned_gpus, load_prctl, share_of_machine

if TYPE_CHECKING:
    from shim.conftest import Prepare, Serve

PROGRAM = """
import os, signal, sys
def work():
    return {
        "open": sorted(int(one) for one in os.listdir("/proc/self/fd"))[:-1],
        "stdin": sys.stdin.read(),
        "signals": [int(signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1)],
        "blocked": [int(one) for one in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
        "leads": os.getsid(0) == os.getpid(),
        "threads": os.environ["OMP_NUM_THREADS"],
        "cores": os.environ["SCIFLOW_CPU_CORES"],
        "gpus": os.environ.get("CUDA_VISIBLE_DEVICES", "all"),
        "place": os.environ["SCIFLOW_PLACE"].rpartition("/")[2],
    }
"""
EXPECTED = {
    "open": [0, 1, 2],
    "stdin": "",
    "signals": [signal.SIG_DFL, signal.SIG_DFL, signal.SIG_DFL, signal.SIG_IGN],
    "blocked": [],
    "leads": True,
    "threads": "1",
    "cores": "1",
    "place": "0.1",
}


def test_a_function_finds_a_clean_process(prepare: Prepare) -> None:
    """Nothing of the supervisor is open, blocked or handled; libraries keep to the request."""
    run = prepare(PROGRAM)
    for name in ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES"):
        run.environment.pop(name, None)
    assert run.execute().returncode == 0
    assert run.results() == {**EXPECTED, "gpus": "all"}


def test_a_forked_function_finds_the_same(prepare: Prepare, serve: Serve) -> None:
    """It makes no difference that its process was forked from one that had loaded it."""
    run = prepare(PROGRAM)
    run.environment.pop("OMP_NUM_THREADS", None)
    assert serve(run).run_to_end(0)[0]["state"] == "COMPLETED"
    assert run.results() == {**EXPECTED, "gpus": ""}


def test_a_command_finds_a_clean_process(prepare: Prepare) -> None:
    """Nothing is ignored, so that scripts can trap it and pipes end; standard input is empty."""
    command = "cat; grep SigIgn /proc/self/status; ls /proc/self/fd | wc -l"
    run = prepare("", {"name": "work", "command": command})
    assert run.execute().returncode == 0
    ignored, count = run.log().splitlines()
    assert int(ignored.split()[1], 16) & 0x7FFFFFFF == 0  # signals from 32 on are the C library's own
    assert count == "4"


def test_variables_that_the_user_has_set_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread count of the user's own is not overruled."""
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    found = share_of_machine(2, ["0", "GPU-1"])
    assert "OMP_NUM_THREADS" not in found
    assert (found["MKL_NUM_THREADS"], found["CUDA_VISIBLE_DEVICES"]) == ("2", "0,GPU-1")
    assert "CUDA_VISIBLE_DEVICES" not in share_of_machine(2, None)


def test_elsewhere_there_is_no_prctl(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in does nothing where the kernel is another."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert load_prctl()(1, 9) == 0


@pytest.mark.parametrize("missing", [[], ["_ctypes"]], ids=["CPython", "another Python"])
def test_prctl_is_that_of_the_kernel(monkeypatch: pytest.MonkeyPatch, missing: list[str]) -> None:
    """What is set by it the kernel knows, also where only all of `ctypes` is there to call it."""
    import ctypes

    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    prctl, dumpable = load_prctl(), 4
    before = ctypes.CDLL(None).prctl(3)
    try:
        assert prctl(dumpable, 0) == 0
        assert ctypes.CDLL(None).prctl(3) == 0
    finally:
        prctl(dumpable, before)


def test_cores_are_held(prepare: Prepare, serve: Serve) -> None:
    """A program runs on the cores that it was given."""
    run = prepare("import os\ndef work(): return sorted(os.sched_getaffinity(0))")
    core = max(os.sched_getaffinity(0))
    served = serve(run)
    served._say({"do": "start", "index": 0, "attempt": 1, "cores": [core], "gpus": ["3"]})
    assert served.wait_for("ended", 0)["state"] == "COMPLETED"
    assert run.results() == [core]


def test_a_copy_of_the_function_that_comes_out_of_it_leaves_nothing(prepare: Prepare) -> None:
    """A program that forks and forgets to end the copy has the result of the first."""
    program = """
import os
def work():
    pid = os.fork()
    if pid == 0: return "copy"
    os.waitpid(pid, 0)
    return "first"
"""
    run = prepare(program)
    assert run.execute().returncode == 0
    assert run.results() == "first"


@pytest.mark.parametrize(
    ("given", "environ", "gpus"),
    [
        ([], {"CUDA_VISIBLE_DEVICES": "0"}, []),
        (["3"], {"CUDA_VISIBLE_DEVICES": "0"}, ["3"]),
        (None, {}, []),
        (None, {"CUDA_VISIBLE_DEVICES": "0,2"}, ["0", "2"]),
        (None, {"CUDA_VISIBLE_DEVICES": "GPU-8a,MIG-1"}, ["GPU-8a", "MIG-1"]),
        (None, {"CUDA_VISIBLE_DEVICES": "", "SLURM_JOB_GPUS": "1"}, []),
        (None, {"CUDA_VISIBLE_DEVICES": "NoDevFiles"}, []),
        (None, {"CUDA_VISIBLE_DEVICES": "-1"}, []),
        (None, {"SLURM_STEP_GPUS": "1", "SLURM_JOB_GPUS": "0,1"}, ["1"]),
        (None, {"SLURM_JOB_GPUS": "0,1"}, ["0", "1"]),
    ],
)
def test_the_gpus_of_an_index(given: list[str] | None, environ: dict[str, str], gpus: list[str]) -> None:
    """Those that the local scheduler hands out, else those that variables name; none where they say none."""
    assert assigned_gpus(given, environ) == gpus
