"""What a program says that the node's memory was not enough for, and what only sounds like it."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from sciflow_shim.memory_words import of_program, tells_of_memory

if TYPE_CHECKING:
    from shim.conftest import Prepare

SAID = [
    "MemoryError",
    "MemoryError: Unable to allocate 7.45 GiB for an array with shape (1000000000,) and data type float64",
    "numpy.core._exceptions._ArrayMemoryError: Unable to allocate 745. GiB for an array with shape (100000000000,)",
    "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 745. GiB",
    "numpy.core._exceptions.MemoryError: Unable to allocate 745. GiB",
    "terminate called after throwing an instance of 'std::bad_alloc'",
    "what():  std::bad_alloc",
    "Error: std::bad_alloc",
    "OSError: [Errno 12] Cannot allocate memory",
    "OSError: [Errno 12] Cannot allocate memory: '/scratch/field.dat'",
    "bash: fork: Cannot allocate memory",
    "virtual memory exhausted: Cannot allocate memory",
    "mmap failed: Cannot allocate memory (errno 12)",
    "Operating system error: Cannot allocate memory",
    "Allocation would exceed memory limit",
    "forrtl: severe (41): insufficient virtual memory",
    "Out of memory",
    "Out of memory!",
    "error: Out of memory.",
    "fatal error: runtime: out of memory",
    "fatal: Out of memory, malloc failed (tried to allocate 1048576 bytes)",
    "ld: out of memory",
    "The solver ran out of memory",
    "srun: error: n1: task 0: Out Of Memory",
    "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=7.batch. Some of your processes may have been killed",
    "slurmstepd: error: Detected 1 oom_kill event in StepId=7.0. Some of the step tasks have been OOM Killed.",
    "RuntimeError: [enforce fail at alloc_cpu.cpp:75] err == 0. DefaultCPUAllocator: can't allocate memory: you tried",
]
ONLY_LIKE_IT = [
    "",
    "Killed",
    "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 79.15 GiB total capacity)",
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.15 GiB",
    "torch.OutOfMemoryError: HIP out of memory.",
    "RuntimeError: CUDA out of memory",
    "RuntimeError: CUDA error: out of memory",
    "RuntimeError: MPS backend out of memory (MPS allocated: 5.00 GB)",
    "cupy.cuda.memory.OutOfMemoryError: Out of memory allocating 8,000,000,000 bytes (allocated so far: 0 bytes).",
    "XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory allocating 68719476736 bytes.",
    "Fatal error: cuMemAlloc failed: out of memory",
    "GPU 0: out of memory",
    "java.lang.OutOfMemoryError: Java heap space",
    "ibv_reg_mr failed: Cannot allocate memory",
    "mlock: Cannot allocate memory",
    "psycopg2.errors.OutOfMemory: out of shared memory",
    "FileNotFoundError: [Errno 2] No such file or directory: 'out of memory.txt'",
    "test_memory.py::test_out_of_memory FAILED",
    "ValueError: `MemoryError` is no number",
    "handling of MemoryError: not yet",
    "OSError: [Errno 28] No space left on device",
    "AssertionError: memory",
    "Memory usage: 12 GB",
    "bash: fork: retry: Resource temporarily unavailable",
    "handlers that throw std::bad_alloc are not allowed here",
]


@pytest.mark.parametrize("line", SAID)
def test_what_is_said_of_memory_is_understood(line: str) -> None:
    """These are the last lines that programs print when the node's memory is used up."""
    assert tells_of_memory("", line)


@pytest.mark.parametrize("line", ONLY_LIKE_IT)
def test_what_only_sounds_like_it_is_not(line: str) -> None:
    """Above all the memory of a GPU: more of the node's would not help."""
    assert not tells_of_memory("", line)


@pytest.mark.parametrize(
    ("kind", "message", "is_memory"),
    [
        ("MemoryError", "", True),
        ("_ArrayMemoryError", "Unable to allocate 7 GiB", True),
        ("OSError", "[Errno 12] Cannot allocate memory", True),
        ("RuntimeError", "std::bad_alloc", True),
        ("RuntimeError", "DefaultCPUAllocator: not enough memory: you tried to allocate 8000 bytes.\nmore", True),
        ("OutOfMemoryError", "CUDA out of memory. Tried to allocate 2.00 GiB", False),
        ("ValueError", "so it is:\nMemoryError", False),
    ],
)
def test_exceptions_are_told_by_type_or_first_line(kind: str, message: str, is_memory: bool) -> None:
    """Python's own need no words."""
    assert tells_of_memory(kind, message) == is_memory


def test_what_the_shell_adds_is_passed_over() -> None:
    """It says how a program ended after the program has said why."""
    lines = ["bash: line 1: 4711 Aborted                 (core dumped) ./solve", "what():  std::bad_alloc", "step 7"]
    assert of_program(lines) == "what():  std::bad_alloc"
    assert of_program(["/usr/bin/bash: line 3:  47 Killed    ./solve"]) == ""
    assert of_program([]) == ""


TAKES = f"{sys.executable} -c 'bytearray(1 << 60)'"
ABORTS = "sh -c 'echo \"  what():  std::bad_alloc\"; kill -ABRT $$'; echo never"
TAKES_SIXTEEN = f"{sys.executable} -c {shlex.quote('import numpy; numpy.ones(1 << 55)')}"


@pytest.mark.parametrize(
    ("command", "state", "error"),
    [
        (TAKES, "OUT_OF_MEMORY", "ended with exit code 1; the last it printed: MemoryError"),
        (TAKES_SIXTEEN, "OUT_OF_MEMORY", "_ArrayMemoryError: Unable to allocate 256. PiB"),
        (ABORTS, "OUT_OF_MEMORY", "Aborted"),
        ("echo MemoryError; echo and more; exit 3", "FAILED", "ended with exit code 3; the last it printed: and more"),
        ("echo CUDA out of memory; exit 3", "FAILED", "the last it printed: CUDA out of memory"),
    ],
)
def test_commands_are_judged_by_their_last_words(prepare: Prepare, command: str, state: str, error: str) -> None:
    """The error text is kept as it is for any failure; only the state differs."""
    run = prepare("", {"name": "work", "command": command})
    assert run.execute().returncode == (137 if state == "OUT_OF_MEMORY" else 1)
    assert run.facts()["state"] == state
    assert error in run.facts()["error"]


@pytest.mark.parametrize(
    ("raised", "state"),
    [
        ("OSError(12, 'Cannot allocate memory')", "OUT_OF_MEMORY"),
        ("type('OutOfMemoryError', (RuntimeError,), {})('CUDA out of memory')", "FAILED"),
    ],
)
def test_functions_are_judged_by_what_they_raise(prepare: Prepare, raised: str, state: str) -> None:
    """Type and message are kept."""
    run = prepare(f"def work(): raise {raised}")
    run.execute()
    assert run.facts()["state"] == state
    assert "memory" in run.facts()["error"]


@pytest.mark.parametrize(
    ("command", "kills", "state", "error"),
    [
        ("kill -KILL $$", 1, "OUT_OF_MEMORY", "the kernel killed it because the memory was used up"),
        (
            "echo step 7; sh -c 'kill -KILL $$'; echo never",
            1,
            "OUT_OF_MEMORY",
            "the kernel killed a process of it because the memory was used up: it ended with exit code 137; the last",
        ),
        ("kill -KILL $$", 0, "FAILED", "was killed by signal 9 (SIGKILL)"),
        ("sh -c 'kill -KILL $$'; echo never", 0, "FAILED", "ended with exit code 137; the last it printed: bash"),
        ("exit 3", 1, "FAILED", "ended with exit code 3"),
    ],
)
def test_what_the_kernel_kills_is_told_by_its_count(
    prepare: Prepare, command: str, kills: int, state: str, error: str
) -> None:
    """Also where a shell has seen the end of the one that was killed; a signal from elsewhere is another thing."""
    run = prepare("", {"name": "work", "command": command})
    early = run.path.parent / "early"
    early.mkdir()
    # It stands in for a memory controller, which an ordinary user cannot make kill.
    (early / "sitecustomize.py").write_text(
        f"import sciflow_shim.cgroup as module\ncounts = [0, {kills}]\nmodule.oom_kills = lambda pid: counts.pop(0)\n"
    )
    run.environment["PYTHONPATH"] = f"{early}:{run.environment['PYTHONPATH']}"
    run.execute()
    assert run.facts()["state"] == state
    assert run.facts()["error"].startswith(error)
