"""Job scripts that are really run: by bash on this machine, with what Slurm puts into their environment."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass

from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.jobs import Index

NO_OUTPUT = 53  # the signal that Slurm tells where the folder of the output is not there
PAUSE = 0.01  # seconds between two looks at what runs


@dataclass
class _Process:
    index: Index
    run: tuple[int, int, int]
    popen: subprocess.Popen[bytes]


class RealBody:
    """Runs job scripts; while one runs, virtual time passes as real time does."""

    def __init__(self) -> None:
        self._running: dict[tuple[int, int, int], _Process] = {}

    def start(self, cluster: VirtualCluster, index: Index) -> None:
        """Start the job script of an index; where its output cannot be written, it fails as on a real node."""
        output, errors = cluster.face.output(index), cluster.face.errors(index)
        if not (output.parent.is_dir() and errors.parent.is_dir()):
            cluster.clock.after(0.0, lambda: cluster.exited(index, 0, NO_OUTPUT))
            return
        mode = "ab" if index.job.request.is_appended else "wb"
        with ExitStack() as stack:
            out = stack.enter_context(output.open(mode))
            err = out if errors == output else stack.enter_context(errors.open(mode))
            popen = subprocess.Popen(
                ["bash", str(index.job.script)],
                cwd=index.job.directory,
                env={**os.environ, **cluster.face.variables(cluster, index)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self._running[index.run_of] = _Process(index, index.run_of, popen)
        cluster.tell("running", index)

    def stop(self, _cluster: VirtualCluster, index: Index) -> None:
        """Tell the job script to end, and nothing that it has started, as Slurm does."""
        process = self._running.get(index.run_of)
        if process is not None:
            process.popen.terminate()

    def kill(self, _cluster: VirtualCluster, index: Index) -> None:
        """Kill all processes of an index."""
        process = self._running.pop(index.run_of, None)
        if process is not None:
            os.killpg(process.popen.pid, signal.SIGKILL)
            process.popen.wait()

    def wait(self, cluster: VirtualCluster) -> bool:
        """Let a little time pass, real and virtual, and take in what has ended; whether something runs."""
        if not self._running:
            return False
        began = time.monotonic()
        time.sleep(PAUSE)
        for process in list(self._running.values()):
            code = process.popen.poll()
            if code is not None:
                self._running.pop(process.run, None)
                if cluster.is_current(process.index, process.run):
                    cluster.exited(process.index, max(code, 0), max(-code, 0))
        cluster.clock.sleep(time.monotonic() - began)
        return True
