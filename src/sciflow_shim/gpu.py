"""How busy GPUs are, as the NVIDIA driver tells."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple


class GpuSample(NamedTuple):
    """One GPU at one moment; None for what it does not tell, as a slice of one (MIG) has no utilisation of its own."""

    device: str
    utilisation_percent: int | None
    memory_bytes: int
    power_watts: float | None


def gpu_sample(devices: Sequence[str]) -> list[GpuSample]:
    """Ask the NVIDIA driver about some GPUs.

    Parameters
    ----------
    devices
        Their indices or UUIDs, as in `CUDA_VISIBLE_DEVICES`.

    Returns
    -------
    list
        One sample for each that the driver knows; none without a driver. Without devices, it is not even looked for.
    """
    library = _nvml() if devices else None
    if library is None:
        return []
    samples = (_gpu_sample(library, device) for device in devices)
    return [sample for sample in samples if sample]


@functools.cache
def _nvml() -> Any:
    """Load the driver's library, once; None where there is none."""
    import ctypes

    try:
        library = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return None
    return library if library.nvmlInit_v2() == 0 else None


def _gpu_sample(library: Any, device: str) -> GpuSample | None:
    from ctypes import byref, c_uint, c_ulonglong, c_void_p

    handle, memory, rates, milliwatts = c_void_p(), (c_ulonglong * 3)(), (c_uint * 2)(), c_uint()
    if device.isdigit():
        code = library.nvmlDeviceGetHandleByIndex_v2(c_uint(int(device)), byref(handle))
    else:
        code = library.nvmlDeviceGetHandleByUUID(device.encode(), byref(handle))
    if code != 0 or library.nvmlDeviceGetMemoryInfo(handle, byref(memory)) != 0:
        return None
    tells_rates = library.nvmlDeviceGetUtilizationRates(handle, byref(rates)) == 0
    tells_power = library.nvmlDeviceGetPowerUsage(handle, byref(milliwatts)) == 0
    return GpuSample(
        device, rates[0] if tells_rates else None, memory[2], milliwatts.value / 1000 if tells_power else None
    )
