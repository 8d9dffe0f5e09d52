"""What a body is: that which runs on the nodes of a virtual cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sciflow.schedulers.fake.jobs import Index

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster


class Body(Protocol):
    """What runs on the nodes."""

    def start(self, cluster: VirtualCluster, index: Index, /) -> None:
        """Start an index; when it has ended, `VirtualCluster.exited` is called."""
        ...

    def stop(self, cluster: VirtualCluster, index: Index, /) -> None:
        """Tell an index to end, as SIGTERM does."""
        ...

    def kill(self, cluster: VirtualCluster, index: Index, /) -> None:
        """End all of an index at once, as SIGKILL does; nobody hears of it by this."""
        ...

    def wait(self, cluster: VirtualCluster, /) -> bool:
        """Let what runs outside of virtual time go on; whether there is such."""
        ...
