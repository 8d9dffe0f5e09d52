"""A workflow is run by another Python, as a program of its own: with clean variables, a log, and an end when asked."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sciflow.errors import PackageError, RunError
from sciflow.run.track import observe
from sciflow.store.layout import RunDirectory, find_run
from sciflow_shim.redaction import REDACTED

LOG = "run.log"
ANSWER = "run.json"  # what the program says of the run
# As `sciflow` is started by its name: unlike with `-m`, no module of the working directory stands before its own.
_SCIFLOW = "import sys; del sys.path[0]; sys.argv[0] = 'sciflow'; from sciflow.cli.main import main; main()"
_FIRST_LOOK, _LONGEST_PAUSE = 2.0, 60.0  # seconds between two looks at how far it is
_PATIENCE = 60.0  # seconds that it has to end by itself
_ENDED = (0, 3, 4)  # exit codes of a run that was made: complete, with failures, not finished yet
# What a program needs of the machine and of its user. Anything else may be what somebody has set for other work.
_KEPT = r"""
    PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TEMP|TMP|TERM|LANG|LANGUAGE|LC_\w+|TZ|LD_LIBRARY_PATH
    |MODULE\w*|LMOD\w*|_LMFILES_|LOADEDMODULES|BASH_FUNC_.*|BASH_ENV|XDG_\w+|SSH_\w+|KRB5CCNAME
    |(SLURM|SBATCH|PBS|CUDA|ROCM|NVIDIA|HIP)_\w+|CUDA|SSL_CERT_\w+|(HTTPS?|NO|ALL)_PROXY|(https?|no|all)_proxy
"""
# What changes numbers, and is set as it was recorded, or not at all.
_AS_RECORDED = (
    r"(OMP|GOMP|KMP|MKL|OPENBLAS|BLIS|NUMEXPR|VECLIB)_\w+|JULIA_NUM_THREADS|PYTHONHASHSEED|LC_\w+|LANG|LANGUAGE|TZ"
)


@dataclass(frozen=True)
class Program:
    """How a workflow is run again.

    Attributes
    ----------
    python
        The Python of the environment.
    workflow
        The workflow's file.
    folder
        Where the runs, the log and the answer go.
    profile, has_queue
        The cluster profile, and whether it has a queue, so that the workflow is submitted and waited for.
    variables
        All its environment variables.
    """

    python: Path
    workflow: Path
    folder: Path
    profile: str
    has_queue: bool
    variables: Mapping[str, str]

    @property
    def runs(self) -> Path:
        """The folder of its runs."""
        return self.folder / "runs"

    @property
    def command(self) -> list[str]:
        """What is typed."""
        verb = ["submit", "--wait", "--yes"] if self.has_queue else ["run"]
        start = [str(self.python), "-c", _SCIFLOW, "--runs", str(self.runs)]
        return [*start, *verb, str(self.workflow), "--profile", self.profile, "--json"]


@dataclass(frozen=True)
class Ran:
    """What became of it.

    Attributes
    ----------
    run
        The run that was made; None without any.
    why
        Why there is none, or not all of it; empty where all was run.
    """

    run: RunDirectory | None
    why: str = ""


def clean_variables(
    own: Mapping[str, str], recorded: Mapping[str, str], python: Path, import_path: Sequence[Path]
) -> dict[str, str]:
    """The environment variables of a program that makes a run again.

    Parameters
    ----------
    own
        Those of this process, of which only those stay that a program needs of the machine and of its user.
    recorded
        Those of the packaged run, of which those are set that change numbers.
    python
        Its Python, whose programs come first.
    import_path
        Where it finds its modules.
    """
    found = {name: value for name, value in own.items() if re.fullmatch(_KEPT, name, re.VERBOSE)}
    found |= {
        name: value
        for name, value in recorded.items()
        if re.fullmatch(_AS_RECORDED, name, re.VERBOSE) and REDACTED not in value
    }
    found["PATH"] = os.pathsep.join(filter(None, (str(python.parent), found.get("PATH", os.defpath))))
    if import_path:
        found["PYTHONPATH"] = os.pathsep.join(map(str, import_path))
    return found


def rerun(program: Program, told: Callable[[str], None] = lambda _: None) -> Ran:
    """Run a workflow, or go on with it; all that it prints goes into a log.

    When this process is interrupted, so is the program, which then stops what it has started.

    Raises
    ------
    PackageError
        Where the Python cannot be started.
    """
    log, answer = program.folder / LOG, program.folder / ANSWER
    with log.open("ab") as printed, answer.open("wb") as said:
        try:
            process = subprocess.Popen(
                program.command,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=printed,
                cwd=program.workflow.parent,
                env=dict(program.variables),
                start_new_session=True,  # an interrupt of the terminal reaches it once, and by us
            )
        except OSError as error:
            raise PackageError(f"`{program.python}` cannot be started: {error.strerror}") from error
        try:
            code = _end_of(process, program.runs, told)
        except BaseException:
            _stop(process)
            raise
    if code not in _ENDED:
        return Ran(None, _why(code, answer, log))
    run = RunDirectory(json.loads(answer.read_bytes())["path"])
    return Ran(run, "the run is not finished yet: the same command goes on with it" if code == _ENDED[-1] else "")


def _end_of(process: subprocess.Popen[bytes], runs: Path, told: Callable[[str], None]) -> int:
    pause, before = _FIRST_LOOK, ""
    while True:
        try:
            return process.wait(pause)
        except subprocess.TimeoutExpired:
            now = _progress(runs)
            if now and now != before:
                told(now)
            before, pause = now, min(1.5 * pause, _LONGEST_PAUSE)


def _progress(runs: Path) -> str:
    try:
        status = observe(find_run(None, runs))
    except RunError:  # it has not begun yet
        return ""
    everyone = list(status.everyone())
    return f"{sum(one.state.is_final for one in everyone)} of {len(everyone)} task instances have ended"


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Let a program end by itself; kill it, with all that it has started, where it does not or somebody insists."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_PATIENCE)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _why(code: int, answer: Path, log: Path) -> str:
    """Why there is no run, in the program's own words."""
    try:
        said = json.loads(answer.read_bytes())
        return ": ".join(str(said[name]) for name in ("error", "hint") if said.get(name))
    except (ValueError, KeyError, TypeError, AttributeError):
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        ending = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"the program ended with {ending}: {lines[-1] if lines else 'it has said nothing'}"
