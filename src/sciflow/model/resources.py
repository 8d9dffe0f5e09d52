"""What one array index is given."""

from __future__ import annotations

from typing import NamedTuple

from sciflow.model.units import format_duration, format_memory

GIB = 1024**3


class Resources(NamedTuple):
    """One array index's request: whole cores, bytes, GPUs and seconds; 0 means not said.

    With `mpi_tasks`, each of these processes has `cpu_cores`. Memory and GPUs are those of the whole index, over all of
    its nodes.
    """

    cpu_cores: int = 1
    memory_bytes: int = 0
    gpus: int = 0
    runtime_seconds: int = 0
    nodes: int = 1
    mpi_tasks: int = 0

    @property
    def all_cores(self) -> int:
        """The cores of all processes together."""
        return self.cpu_cores * max(1, self.mpi_tasks)

    @property
    def cores_on_nodes(self) -> int:
        """The cores that a scheduler gives: those of all processes, of which there is one on each node if not said."""
        return self.cpu_cores * (self.mpi_tasks or self.nodes)

    @property
    def memory_per_node(self) -> int:
        """Bytes on each node."""
        return -(-self.memory_bytes // self.nodes)

    @property
    def gpus_per_node(self) -> int:
        """GPUs on each node."""
        return -(-self.gpus // self.nodes)

    def describe(self) -> str:
        """Say the request in one line."""
        parts = [f"{self.nodes} nodes"] if self.nodes > 1 else []
        cores = f"{self.cpu_cores} core{'s' if self.cpu_cores > 1 else ''}"
        parts.append(f"{self.mpi_tasks} × {cores}" if self.mpi_tasks else cores)
        if self.memory_bytes:
            parts.append(format_memory(self.memory_bytes))
        if self.gpus:
            parts.append(f"{self.gpus} GPU{'s' if self.gpus > 1 else ''}")
        if self.runtime_seconds:
            parts.append(format_duration(self.runtime_seconds))
        return ", ".join(parts)

    @property
    def core_hours(self) -> float:
        """Cores × requested hours."""
        return self.cores_on_nodes * self.runtime_seconds / 3600
