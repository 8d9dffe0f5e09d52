"""A virtual cluster to play with: ``python -m sciflow.schedulers.fake slurm bash submit.sh``.

The command finds the commands of the scheduler on its PATH; without one, a shell does.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing

from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.faces import FACES, RULES
from sciflow.schedulers.fake.flow import Flow
from sciflow.schedulers.fake.nodes import make_nodes
from sciflow.schedulers.fake.real import RealBody
from sciflow.schedulers.fake.server import CommandServer


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, or a shell, beside a virtual cluster; gives its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m sciflow.schedulers.fake", description="Run a command where a scheduler seems to be."
    )
    parser.add_argument("scheduler", choices=sorted(FACES))
    parser.add_argument("command", nargs=argparse.REMAINDER, help="by default your shell")
    parser.add_argument("--nodes", type=int, default=2, help="how many there are (%(default)s)")
    parser.add_argument("--cores", type=int, default=4, help="of each (%(default)s)")
    parser.add_argument("--memory-gb", type=float, default=8.0, help="of each (%(default)s)")
    parser.add_argument("--gpus", type=int, default=0, help="of each (%(default)s)")
    parser.add_argument("--real-time", action="store_true", help="let no time pass sooner than it does")
    given = parser.parse_args(arguments)
    nodes = make_nodes(given.nodes, given.cores, given.memory_gb, given.gpus)
    cluster = VirtualCluster(
        nodes, RealBody(), FACES[given.scheduler], VirtualClock(time.time()), RULES[given.scheduler]()
    )
    with closing(CommandServer(Flow(cluster, "real" if given.real_time else "fast"))) as server:
        path = f"{server.commands}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        command = given.command or [os.environ.get("SHELL", "bash")]
        code = subprocess.run(command, env={**os.environ, "PATH": path}, check=False).returncode
        if given.command:
            server.flow.run_until_idle()
        for job in cluster.jobs.values():
            for word in dict.fromkeys(index.word for index in job.indices.values()):
                count = sum(index.word == word for index in job.indices.values())
                sys.stderr.write(f"{cluster.face.label(job)} {job.name}: {count} {word}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
