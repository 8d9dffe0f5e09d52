"""Programs that only take time: how long an index runs is a number, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable

from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.jobs import Index


class TimedBody:
    """Lets each index run for so long, and end well.

    Parameters
    ----------
    seconds
        An index → how long it runs.
    """

    def __init__(self, seconds: Callable[[Index], float]) -> None:
        self._seconds = seconds

    def start(self, cluster: VirtualCluster, index: Index) -> None:
        """Let an index run until its time has passed."""
        run = index.run_of

        def end() -> None:
            if cluster.is_current(index, run):
                cluster.exited(index, 0)

        cluster.clock.after(self._seconds(index), end)

    def stop(self, cluster: VirtualCluster, index: Index) -> None:
        """End an index at once."""
        cluster.exited(index, 0, 15)

    def kill(self, _cluster: VirtualCluster, _index: Index) -> None:
        """Nothing of it is anywhere but in the queue."""

    def wait(self, _cluster: VirtualCluster) -> bool:
        """Nothing of it runs outside of virtual time."""
        return False
