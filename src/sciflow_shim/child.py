"""The user's program in a process of its own: what happens between fork and its first line, and at its end."""

from __future__ import annotations

import fcntl
import io
import os
import signal
import stat
import sys
from collections.abc import Iterable, Mapping

from sciflow_shim import files
from sciflow_shim.array import Array
from sciflow_shim.outcome import Outcome

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from typing import Any, Callable, NoReturn

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
OPEN_FILES = range(3, files.MOST_FILES)
POLITE = (signal.SIGTERM, signal.SIGINT)  # held back around a fork, until the child has its own handlers
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "BLIS_NUM_THREADS")


def load_prctl() -> Callable[[int, int], Any]:
    """Linux's prctl, or a stand-in that does nothing elsewhere; loaded before any fork."""
    if not sys.platform.startswith("linux"):
        return lambda _option, _value: 0
    try:
        # What `ctypes` is made of: two numbers for one function are no reason to load all of it for every index.
        from _ctypes import call_function, dlopen, dlsym

        address = dlsym(dlopen(None, 0), "prctl")  # type: ignore[arg-type]
    except (ImportError, OSError):  # another Python than CPython
        import ctypes

        return ctypes.CDLL(None).prctl
    return lambda option, value: call_function(address, (option, value))


def load_program(kind: str, is_one_of_many: bool) -> None:
    """Load what children need, where there will be more than one of them: a lone function's loads it for itself."""
    if kind == "command":  # one child becomes the command, and another gathers what it left
        from sciflow_shim import command  # noqa: F401
    elif is_one_of_many:
        from sciflow_shim import function  # noqa: F401


def share_of_machine(cpu_cores: int, gpus: list[str] | None) -> dict[str, str]:
    """The variables that keep libraries within a request, where the user has not set them."""
    variables = {name: str(cpu_cores) for name in _THREADS if name not in os.environ}
    if gpus is not None:
        variables["CUDA_VISIBLE_DEVICES"] = ",".join(gpus)
    variables["SCIFLOW_CPU_CORES"] = str(cpu_cores)
    return variables


def assigned_gpus(given: list[str] | None, environ: Mapping[str, str]) -> list[str]:
    """Give the GPUs of an index as NVML knows them: by number or UUID.

    Parameters
    ----------
    given
        Those that the local scheduler has handed out; None where another scheduler says it by variables.
    environ
        The environment variables.
    """
    if given is not None:
        return given
    names = ("CUDA_VISIBLE_DEVICES", "SLURM_STEP_GPUS", "SLURM_JOB_GPUS")
    text = next((environ[name] for name in names if name in environ), "")
    # Slurm writes `NoDevFiles` where a job has none, others -1.
    return [one for one in text.split(",") if one.isdigit() or one.startswith(("GPU-", "MIG-"))]


def die_with(parent: int, prctl: Callable[[int, int], Any]) -> None:
    """Let the kernel kill this process when its parent dies: no orphans, however the supervisor goes."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it has died already
        os._exit(70)


class Launch:
    """What a child needs to know to become one attempt of one array index.

    It crosses to the fork server as JSON, so it holds plain values only.
    """

    def __init__(self, **facts: Any) -> None:
        self.index: int = facts["index"]
        self.line: dict[str, Any] = facts["line"]
        self.facts: dict[str, Any] = facts["facts"]
        self.work: str = facts["work"]
        self.log: str = facts["log"]
        self.outcome: str = facts["outcome"]
        self.cores: list[int] = facts["cores"]
        self.variables: dict[str, str] = facts["variables"]


def become(
    array: Array,
    launch: Launch,
    prctl: Callable[[int, int], Any],
    parent: int,
    close: Iterable[int] = OPEN_FILES,
    loaded: Callable[..., Any] | None = None,
) -> NoReturn:
    """Turn this process, just forked, into the user's program.

    Parameters
    ----------
    array, launch
        What to run.
    prctl
        Linux's prctl.
    parent
        The process that forked, with which this one dies.
    close
        File descriptors that are not the program's: a lock, or pipes whose end somebody waits for.
    loaded
        The function, where it has been loaded already.
    """
    die_with(parent, prctl)
    code, me = 70, os.getpid()
    try:
        _arrange(launch, close)
        if array.has_files:
            from sciflow_shim.inputs import refuse_changed

            refuse_changed(array)
        if array.task["kind"] == "command":
            from sciflow_shim import command  # what only the program's process needs, only that one loads

            variables = command.prepare(array, launch.line, launch.index, launch.work)
            os.chdir(launch.work)
            command.execute(launch.line["command"], variables)
        from sciflow_shim import function

        os.chdir(array.task["directory"])
        outcome, code = function.call_function(array, launch.line, launch.facts, launch.work, loaded)
        if os.getpid() == me:  # a copy that the function has forked may come out of it too
            outcome.write(launch.outcome)
    except BaseException as error:  # whatever it is, it must not run on as a second supervisor
        _leave_error(launch, error)
    finally:
        _flush()
        os._exit(code & 0xFF)


def gather(array: Array, launch: Launch, prctl: Callable[[int, int], Any], parent: int) -> NoReturn:
    """Take metrics and outputs from what a command left, in this process, just forked."""
    die_with(parent, prctl)
    code = 1
    try:
        _arrange(launch, OPEN_FILES)
        from sciflow_shim import command

        command.gather(array, launch.work, launch.log).write(launch.outcome)
        code = 0
    except BaseException as error:
        _leave_error(launch, error)
    finally:
        _flush()
        os._exit(code)


def _arrange(launch: Launch, close: Iterable[int]) -> None:
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN if number == signal.SIGUSR1 else signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, POLITE)
    for descriptor in (close,) if isinstance(close, range) else [range(one, one + 1) for one in close]:
        os.closerange(descriptor.start, descriptor.stop)
    if not isinstance(close, range):
        _reopen_files()
    log = os.open(launch.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(log)
    os.close(null)
    if launch.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, launch.cores)
    os.environ.update(launch.variables)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)  # a program that is killed leaves what it printed


def _reopen_files() -> None:
    """Give the files that the module has open a position of their own, which all children would otherwise move."""
    if not os.path.isdir("/proc/self/fd"):
        return
    for descriptor in [int(name) for name in os.listdir("/proc/self/fd") if int(name) > 2]:
        # The list itself is closed by now, and a file may have become unreadable since: that one stays shared.
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                continue
            # What told how to make it is no way to open it again; a temporary file must not follow links.
            once = os.O_CREAT | os.O_TRUNC | os.O_EXCL | os.O_TMPFILE | os.O_NOFOLLOW
            flags = fcntl.fcntl(descriptor, fcntl.F_GETFL) & ~once
            mine = os.open(f"/proc/self/fd/{descriptor}", flags)
            os.lseek(mine, os.lseek(descriptor, 0, os.SEEK_CUR), os.SEEK_SET)
            os.dup2(mine, descriptor, inheritable=os.get_inheritable(descriptor))
            os.close(mine)
        except OSError:
            pass


def _leave_error(launch: Launch, error: BaseException) -> None:
    outcome = Outcome()
    outcome.error = {"type": type(error).__name__, "message": str(error)[:2_000]}
    outcome.write(launch.outcome)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: S110  # the program closed or replaced it, or the disk is full
            pass
