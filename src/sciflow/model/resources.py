"""What one array index is given."""

from __future__ import annotations

from typing import NamedTuple

from sciflow.model.units import format_duration, format_memory

GIB = 1024**3


class Resources(NamedTuple):
    """One array index's request: whole cores, bytes, GPUs and seconds; 0 means not said."""

    cpu_cores: int = 1
    memory_bytes: int = 0
    gpus: int = 0
    runtime_seconds: int = 0

    def describe(self) -> str:
        """Say the request in one line."""
        parts = [f"{self.cpu_cores} core{'s' if self.cpu_cores > 1 else ''}"]
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
        return self.cpu_cores * self.runtime_seconds / 3600
