"""The commands of a virtual cluster, in this process."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from sciflow.errors import TransportError
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.face import Call, answer
from sciflow.transport.base import Answer


class VirtualTransport:
    """Runs the commands of a virtual cluster; there are no others.

    Parameters
    ----------
    cluster
        The cluster.
    """

    def __init__(self, cluster: VirtualCluster) -> None:
        self.cluster = cluster

    def run(
        self,
        command: Sequence[str],
        cwd: Path | None = None,
        variables: Mapping[str, str] | None = None,
        seconds: float = 60.0,  # noqa: ARG002 - no time passes meanwhile
    ) -> Answer:
        """Run a command; see `Transport.run`."""
        if command[0] not in self.cluster.face.commands:
            raise TransportError(f"there is no command `{command[0]}` on the virtual cluster")
        call = Call(tuple(command), cwd or Path.cwd(), {**os.environ, **(variables or {})})
        return answer(self.cluster, call)
