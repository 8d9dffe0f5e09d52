"""A virtual cluster to play with: ``python -m sciflow.schedulers.fake slurm bash submit.sh``.

The command finds the commands of the scheduler on its PATH; without one, a shell does.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from types import FrameType
from typing import Any

from sciflow.errors import SciflowError
from sciflow.schedulers.fake import values
from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.faces import FACES, RULES
from sciflow.schedulers.fake.flow import Flow
from sciflow.schedulers.fake.nodes import make_nodes
from sciflow.schedulers.fake.real import RealBody
from sciflow.schedulers.fake.server import CommandServer

NOT_FOUND, NOT_RUN, SIGNALLED = 127, 126, 128  # the codes of a shell


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, or a shell, beside a virtual cluster; gives its exit code, as a shell does."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.command[:1] in (["-h"], ["--help"]):  # behind the scheduler, all belongs to the command
        parser.print_help()
        return 0
    if given.command[:1] == ["--"]:
        del given.command[0]
    nodes = make_nodes(given.nodes, given.cores, given.memory_gb, given.gpus)
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        return _play(given, nodes)
    except KeyboardInterrupt:
        return SIGNALLED + signal.SIGINT
    finally:
        signal.signal(signal.SIGTERM, before)


def _play(given: argparse.Namespace, nodes: list[Any]) -> int:
    cluster = VirtualCluster(
        nodes, RealBody(), FACES[given.scheduler], VirtualClock(time.time()), RULES[given.scheduler]()
    )
    with closing(CommandServer(Flow(cluster, "real" if given.real_time else "fast"))) as server:
        path = f"{server.commands}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        code = _run(given.command or [os.environ.get("SHELL", "bash")], {**os.environ, "PATH": path})
        if given.command:
            server.flow.run_until_idle()
        for job in cluster.jobs.values():
            for word in dict.fromkeys(index.word for index in job.indices.values()):
                count = sum(index.word == word for index in job.indices.values())
                sys.stderr.write(f"{cluster.face.label(job)} {job.name}: {count} {word}\n")
    return code


def _run(command: list[str], variables: Mapping[str, str]) -> int:
    try:
        popen = subprocess.Popen(command, env=variables)
    except FileNotFoundError:
        sys.stderr.write(f"{command[0]}: command not found\n")
        return NOT_FOUND
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return NOT_RUN
    try:
        code = popen.wait()
    finally:
        popen.kill()  # where a signal has come
        popen.wait()
    return code if code >= 0 else SIGNALLED - code


def _leave(number: int, _frame: FrameType | None) -> None:
    """End, and leave nothing behind."""
    sys.exit(SIGNALLED + number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sciflow.schedulers.fake", description="Run a command where a scheduler seems to be."
    )
    some, any_number = _checked(int, values.whole, least=1), _checked(int, values.whole)
    memory = _checked(float, values.number, is_zero=False, most=values.MOST_GIB)
    parser.add_argument("scheduler", choices=sorted(FACES))
    parser.add_argument("command", nargs=argparse.REMAINDER, help="by default your shell")
    parser.add_argument("--nodes", type=some, default=2, help="how many there are (%(default)s)")
    parser.add_argument("--cores", type=some, default=4, help="of each (%(default)s)")
    parser.add_argument("--memory-gb", type=memory, default=8.0, help="of each (%(default)s)")
    parser.add_argument("--gpus", type=any_number, default=0, help="of each (%(default)s)")
    parser.add_argument("--real-time", action="store_true", help="let no time pass sooner than it does")
    return parser


def _checked(read: Callable[[str], Any], check: Callable[..., Any], **bounds: Any) -> Callable[[str], Any]:
    """What reads a value of the command line, and refuses what makes no sense."""

    def value(text: str) -> Any:
        try:
            return check("it", read(text), **bounds)
        except SciflowError as error:
            raise argparse.ArgumentTypeError(f"{text}: {error.hint}") from None
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text}: give a number") from None

    return value


if __name__ == "__main__":
    sys.exit(main())
