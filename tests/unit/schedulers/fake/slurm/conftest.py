"""A terminal on a virtual Slurm, on which nothing is run but what a test says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.face import Call, answer
from sciflow.schedulers.fake.nodes import Node
from sciflow.schedulers.fake.partitions import Partition
from sciflow.schedulers.fake.rules import Rules
from sciflow.schedulers.fake.slurm.face import SLURM
from sciflow.transport.base import Answer
from unit.schedulers.fake.conftest import Sleeping

NOW = 1_795_577_292.0  # 2026-11-25 03:28:12 UTC, a Wednesday
GIB = 1 << 30
DAY = 86_400.0


class Terminal:
    """Somebody who types commands, from a folder of their own.

    Two nodes of 8 cores, 16,000 MB and 2 GPUs, of which the first is fast; partitions without and with limits.
    """

    def __init__(self, folder: Path, **rules: Any) -> None:
        self.folder = folder
        self.body = Sleeping()
        partitions = (
            Partition("main", longest=float("inf")),
            Partition("short", longest=DAY / 2, is_default=False),
            Partition("gpu", longest=2 * DAY, is_default=False),
        )
        nodes = [Node(f"n{number}", 8, 16_000 << 20, 2) for number in (1, 2)]
        nodes[0].features = ("fast", "new")
        settings = {"partitions": partitions, "first_id": 1, "lag": 0.0, **rules}
        self.cluster = VirtualCluster(nodes, self.body, SLURM, VirtualClock(NOW), Rules(**settings))

    def type(self, *argv: str, stdin: str = "", number: int = 1001, **variables: str) -> Answer:
        """Type a command."""
        own = {"TZ": "UTC", "PATH": "/bin", "USER": "chen", **variables}
        return answer(self.cluster, Call(argv, self.folder, own, stdin, "chen" if number == 1001 else "root", number))

    def says(self, *argv: str, **more: Any) -> list[str]:
        """Type a command that succeeds; gives its lines."""
        said = self.type(*argv, **more)
        assert said.code == 0, said.err
        assert not said.err
        return said.out.splitlines()

    def complains(self, *argv: str, **more: Any) -> tuple[int, list[str]]:
        """Type a command that fails; gives its exit code, and the lines of its complaint."""
        said = self.type(*argv, **more)
        assert not said.out
        return said.code, said.err.splitlines()

    def submit(self, *options: str, name: str = "job", text: str = "#!/bin/sh\ntrue\n") -> str:
        """Submit a script; gives its id."""
        [job] = self.says("sbatch", "--parsable", f"--job-name={name}", *options, stdin=text)
        return job

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.cluster.run(seconds=seconds)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """Return a terminal."""
    return Terminal(tmp_path)
