"""Job scripts that are really run, on this machine and as a node runs them: a copy, in the submitter's environment."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.jobs import Index

MARK = "SCIFLOW_FAKE_JOB"  # the variable by which the processes of a job are known
PAUSE = 0.01  # seconds between two looks at what runs
_COPIES = {"slurm": "job{id}/slurm_script", "pbs": "{id}.SC"}  # what `$0` of a job script ends with

# It outlives this process for a moment: whatever ends that, no job goes on without it.
_KEEPER = """
declare -A running
while read -r sign group; do
  if [[ $sign == + ]]; then running[$group]=1; else unset "running[$group]"; fi
done
for group in "${!running[@]}"; do kill -KILL -- "-$group"; done
for round in {1..10}; do
  left=$(grep -lzsF -- "$2=$1/" /proc/[0-9]*/environ)
  [[ $left ]] || break  # its exit code tells of processes that have ended meanwhile, too
  for path in $left; do path=${path#/proc/}; kill -KILL "${path%/environ}"; done
done
rm -rf -- "$1"
"""


class _Keeper:
    """Ends all that was started in its hand, at the latest with this process.

    Parameters
    ----------
    folder
        What is removed at the end.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[int, subprocess.Popen[bytes]] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def take(self, popen: subprocess.Popen[bytes]) -> None:
        """Take a program that leads a process group."""
        self._kept[popen.pid] = popen
        self._tell("+", popen.pid)

    def end(self, popen: subprocess.Popen[bytes], mark: str) -> None:
        """Let nothing of a process group be left, as a scheduler that knows all processes of a job does."""
        with suppress(ProcessLookupError):  # nothing is left of it
            os.killpg(popen.pid, signal.SIGKILL)
        popen.wait()
        kill_marked(mark)
        del self._kept[popen.pid]
        self._tell("-", popen.pid)

    def close(self) -> None:
        """End all, and leave nothing behind."""
        for popen in list(self._kept.values()):
            self.end(popen, f"{self._folder}/")
        if self._process is not None:
            self._process.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _tell(self, sign: str, group: int) -> None:
        if self._process is None:
            command = ["bash", "-c", _KEEPER, "keeper", str(self._folder), MARK]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        assert self._process.stdin is not None
        self._process.stdin.write(f"{sign} {group}\n".encode())
        self._process.stdin.flush()


@dataclass
class _Process:
    index: Index
    run: tuple[int, int, int]
    popen: subprocess.Popen[bytes]


class RealBody:
    """Runs job scripts; while one runs, virtual time passes as real time does.

    What is started ends with its job, and with this process, however that ends: the process group of the job, and what
    has left that but has the job's mark in its environment still.

    Parameters
    ----------
    commands
        The folder of the scheduler's commands, which stands first on the PATH of every job.

    Attributes
    ----------
    pause
        How a little real time passes.
    """

    def __init__(self, commands: Path | None = None) -> None:
        self.commands = commands
        self.pause: Callable[[float], object] = sleep
        self._running: dict[tuple[int, int, int], _Process] = {}
        self._looked = 0.0
        self._folder = Path(tempfile.mkdtemp(prefix="sciflow-jobs-"))
        self._keeper = _Keeper(self._folder)
        self._close = weakref.finalize(self, self._keeper.close)

    def start(self, cluster: VirtualCluster, index: Index) -> None:
        """Start the job script of an index; where its output cannot be written, it fails as on a real node."""
        output, errors = cluster.face.output(index), cluster.face.errors(index)
        if not (output.parent.is_dir() and errors.parent.is_dir()):
            if not cluster.face.starts_without_output(cluster, index):
                return
            output = errors = Path(os.devnull)
        mode = "ab" if index.job.request.is_appended else "wb"
        if not self._running:
            self._looked = monotonic()
        with ExitStack() as stack:
            out = stack.enter_context(output.open(mode))
            err = out if errors == output else stack.enter_context(errors.open(mode))
            try:
                popen = subprocess.Popen(
                    cluster.face.shell([*self._program(cluster, index), *index.job.ordered.arguments]),
                    cwd=cluster.face.folder(index),
                    env=self._variables(cluster, index),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    start_new_session=True,
                )
            except OSError as error:  # no such interpreter, or folder
                err.write(f"{error}\n".encode())
                code = error.errno or 1
                cluster.clock.after(0.0, lambda: cluster.exited(index, code))
                return
        self._keeper.take(popen)
        self._running[index.run_of] = _Process(index, index.run_of, popen)
        cluster.tell("running", index)

    def stop(self, cluster: VirtualCluster, index: Index) -> None:
        """Tell the job script to end, or all of its processes."""
        process = self._running.get(index.run_of)
        if process is not None and cluster.face.tells_all:
            os.killpg(process.popen.pid, signal.SIGTERM)
        elif process is not None:
            process.popen.terminate()

    def kill(self, _cluster: VirtualCluster, index: Index) -> None:
        """Kill all processes of an index."""
        process = self._running.pop(index.run_of, None)
        if process is not None:
            self._keeper.end(process.popen, self._mark(process.run))

    def poll(self, cluster: VirtualCluster, let_pass: Callable[[], object] = lambda: None) -> bool:
        """Take in what has ended; whether something runs. Time passes after looking, so that none ends too early."""
        over = [(one, code) for one in self._running.values() if (code := one.popen.poll()) is not None]
        let_pass()
        for process, code in over:
            if self._running.pop(process.run, None) is None:
                continue  # it was killed meanwhile
            self._keeper.end(process.popen, self._mark(process.run))
            if cluster.is_current(process.index, process.run):
                cluster.exited(process.index, max(code, 0), max(-code, 0))
        return bool(self._running)

    def wait(self, cluster: VirtualCluster) -> bool:
        """Let a little time pass, real and virtual, and take in what has ended; whether something ran."""
        if not self._running:
            return False
        self.pause(PAUSE)
        self.poll(cluster, lambda: self._let_pass(cluster))
        return True

    def _let_pass(self, cluster: VirtualCluster) -> None:
        """Let as much virtual time pass as real time has."""
        before, self._looked = self._looked, monotonic()
        cluster.clock.run_until(cluster.clock() + self._looked - before)

    def close(self) -> None:
        """Kill all that runs, and leave nothing behind."""
        self._running.clear()
        self._close()

    def _program(self, cluster: VirtualCluster, index: Index) -> list[str]:
        """What runs an index: the copy that the scheduler has made of the script when it was submitted."""
        job = index.job
        copy = self._folder / str(job.order) / _COPIES[cluster.face.name].format(id=job.id)
        if not copy.exists():
            copy.parent.mkdir(parents=True)
            copy.write_text(job.ordered.text, encoding="utf-8", errors="surrogateescape")
        return [*_interpreter(job.ordered.text), str(copy)]

    def _variables(self, cluster: VirtualCluster, index: Index) -> dict[str, str]:
        variables = {**index.job.ordered.variables, **cluster.face.variables(cluster, index)}
        path = variables.get("PATH", os.defpath)
        if self.commands is not None and str(self.commands) not in path.split(os.pathsep):
            path = f"{self.commands}{os.pathsep}{path}"
        return {**variables, "PATH": path, MARK: self._mark(index.run_of)}

    def _mark(self, run: tuple[int, int, int]) -> str:
        """What no process has in its environment but those of one start of an index."""
        return f"{self._folder}/{'.'.join(map(str, run))}/"


def kill_marked(mark: str) -> None:
    """Kill all processes that were started with a mark, or one that begins so, and those that they start meanwhile."""
    wanted = f"{MARK}={mark}".encode()
    for _ in range(10):  # one that waits for its disk can stay for long
        left = [pid for pid, entries in _environments() if pid != os.getpid() and wanted in entries]
        if not left:
            return
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        sleep(PAUSE)


def _environments() -> Iterator[tuple[int, bytes]]:
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it has ended meanwhile, or is somebody else's
            yield int(path.parent.name), path.read_bytes()


def _interpreter(script: str) -> list[str]:
    """What runs a script by its first line, and perhaps one argument, as the kernel reads it.

    A file that was written just now cannot always be executed: another thread may have started something meanwhile,
    which holds it open for writing for a moment.
    """
    first = script.partition("\n")[0]
    return (first[2:].split(None, 1) if first.startswith("#!") else []) or ["bash"]
