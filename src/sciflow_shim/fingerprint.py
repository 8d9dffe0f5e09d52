"""Tells cheaply whether an environment is one that was captured already; every index asks."""

from __future__ import annotations

import os
import signal
import sys

from sciflow_shim import files
from sciflow_shim.record_format import sha256

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Decide which software runs, and how; so do numbers of threads.
_VARIABLES = frozenset(
    (
        *("LOADEDMODULES", "CONDA_PREFIX", "VIRTUAL_ENV", "PATH", "LD_LIBRARY_PATH", "PYTHONPATH"),
        *("APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"),
    )
)


def ensure_captured(run: str, commands: Mapping[str, str] | None = None) -> tuple[str, int]:
    """Give the fingerprint of this environment; where it is a new one, capture it in a process on the side.

    Parameters
    ----------
    run
        The run directory.
    commands
        Name → line for bash, of what the task wants to be asked of the node.

    Returns
    -------
    tuple
        The fingerprint, and the process that captures; 0 where that has been done.
    """
    mark = fingerprint(os.environ, commands=commands)
    path = os.path.join(run, files.environment(mark))
    if os.path.exists(path):
        return mark, 0
    pid = os.fork()
    if pid == 0:
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            os.closerange(3, files.MOST_FILES)  # a lock, or pipes whose end somebody waits for
            from sciflow_shim.environment_record import write_environment  # only for the index that comes first

            write_environment(path, run, commands or {})
        except BaseException as error:  # the run goes on without it
            sys.stderr.write(f"sciflow_shim: the environment cannot be captured: {type(error).__name__}: {error}\n")
        finally:
            os._exit(0)
    return mark, pid


def fingerprint(
    environ: Mapping[str, str] = os.environ,
    interpreter: str = sys.executable,
    search_path: Sequence[str] | None = None,
    proc: str = "/proc",
    commands: Mapping[str, str] | None = None,
) -> str:
    """Identify the environment in well under a millisecond, without starting or listing anything.

    Parameters
    ----------
    environ
        The environment variables of the run.
    interpreter
        The Python that the run uses.
    search_path
        Where it looks for modules; this one's `sys.path` by default.
    proc
        Where /proc is mounted.
    commands
        What is asked of the node besides; two tasks that ask for different things share no capture.

    Returns
    -------
    str
        The same for the same interpreter, installed distributions, modules, software paths, kernel and CPU model.
    """
    system = os.uname()
    parts = [interpreter, sys.version, system.release, system.machine, cpu_model(f"{proc}/cpuinfo")]
    folders = list(sys.path if search_path is None else search_path)
    if search_path is None:
        # A shim that was started without site-packages still has to notice what is installed there.
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        folders.append(f"{os.path.dirname(os.path.dirname(interpreter))}/lib/{version}/site-packages")
    here = os.getcwd()
    for folder in [interpreter, *folders]:
        # The working directory changes while the run writes to it.
        if folder and folder != here:
            parts += [folder, _stamp(folder)]
    parts += [f"{name}={environ[name]}" for name in sorted(environ) if _counts(name)]
    for name, command in (commands or {}).items():
        parts += [name, command]
    text = "\0".join(parts).encode(errors="surrogateescape")
    digest = sha256(len(text))
    digest.update(text)
    return digest.hexdigest()[:32]


def _counts(name: str) -> bool:
    return name in _VARIABLES or name.endswith("_NUM_THREADS")


def cpu_model(path: str) -> str:
    """What the processor is called, by the file in which the kernel describes it."""
    try:
        # Only the first lines: the kernel asks each of some hundred cores for its frequency to write all of them.
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            text = os.read(file, 4096).decode(errors="replace")
        finally:
            os.close(file)
    except OSError:
        text = ""
    pairs: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            pairs.setdefault(name.strip(), value.strip())
    names = ("model name", "cpu", "CPU part", "uarch")  # of x86, POWER, ARM and RISC-V
    return next((pairs[name] for name in names if name in pairs), os.uname().machine)


def _stamp(path: str) -> str:
    try:
        return str(os.stat(path).st_mtime_ns)
    except OSError:
        return ""
