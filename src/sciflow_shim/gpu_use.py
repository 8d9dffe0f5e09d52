"""What the GPUs of one index are used for, sample by sample."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sciflow_shim.gpu import gpu_sample

FIRST_AGE = 1.0  # seconds; starting the driver's library costs more than all else of a short program


class GpuUse:
    """Memory, utilisation and power of some GPUs over time.

    Attributes
    ----------
    latest
        Memory of all in bytes and their mean utilisation in percent at the latest sample; None before the first. What
        is not told is NaN.
    cost
        CPU seconds that the latest sample took, without starting the driver's library.
    """

    def __init__(self, devices: Sequence[str]) -> None:
        self.devices = list(devices)
        self.latest: tuple[float, float] | None = None
        self.cost = 0.0
        self._peak_memory = 0
        self._peak_rate: float | None = None
        self._rate = _Mean()
        self._power = _Mean()

    def sample(self, now: float, age: float) -> None:
        """Ask the driver, unless the program has just started."""
        if age < FIRST_AGE:
            return
        began = time.thread_time()
        found = gpu_sample(self.devices)
        self.cost = time.thread_time() - began if self.latest else 0.0
        if not found:
            return
        memory = sum(one.memory_bytes for one in found)
        self._peak_memory = max(self._peak_memory, memory)
        rates = [one.utilisation_percent for one in found if one.utilisation_percent is not None]
        watts = [one.power_watts for one in found if one.power_watts is not None]
        rate = float("nan")
        if rates:
            rate = sum(rates) / len(rates)
            self._peak_rate = max([*rates, self._peak_rate or 0])
            self._rate.add(now, rate)
        if watts:
            self._power.add(now, sum(watts))
        self.latest = (float(memory), rate)

    def as_dict(self) -> dict[str, Any]:
        """Give the numbers as a record stores them; nothing where the driver has told nothing."""
        if self.latest is None:
            return {}
        numbers = {
            "peak_gpu_memory_bytes": self._peak_memory,
            "peak_gpu_utilisation_percent": self._peak_rate,
            "mean_gpu_utilisation_percent": self._rate.value,
            "mean_gpu_power_watts": self._power.value,
        }
        return {"gpus": self.devices, **{name: value for name, value in numbers.items() if value is not None}}


class _Mean:
    """A mean over time: each value stands for the time since the one before."""

    def __init__(self) -> None:
        self._sum = self._seconds = 0.0
        self._last: tuple[float, float] | None = None

    def add(self, now: float, value: float) -> None:
        if self._last is not None:
            self._sum += value * (now - self._last[0])
            self._seconds += now - self._last[0]
        self._last = (now, value)

    @property
    def value(self) -> float | None:
        if self._last is None:
            return None
        return self._sum / self._seconds if self._seconds else self._last[1]
