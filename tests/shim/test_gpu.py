"""GPU samples, from a driver that is made up."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import pytest

from sciflow_shim import gpu
from sciflow_shim.gpu import GpuSample, gpu_sample


class FakeNvml:
    """A driver with one GPU, which writes through pointers as the real one does."""

    def __init__(self, works: int = 0, tells: int = 0) -> None:
        self.works = works
        self.tells = tells

    def nvmlInit_v2(self) -> int:
        """Start."""
        return self.works

    def nvmlDeviceGetHandleByIndex_v2(self, index: ctypes.c_uint, handle: Any) -> int:
        """Find by index."""
        handle._obj.value = 1000 + index.value
        return 0 if index.value == 0 else 6

    def nvmlDeviceGetHandleByUUID(self, uuid: bytes, handle: Any) -> int:
        """Find by name."""
        handle._obj.value = 1000
        return 0 if uuid == b"GPU-1" else 6

    def nvmlDeviceGetMemoryInfo(self, handle: ctypes.c_void_p, memory: Any) -> int:
        """Tell total, free and used memory."""
        memory._obj[:] = [80 << 30, 79 << 30, 1 << 30]
        return 0 if handle.value == 1000 else 1

    def nvmlDeviceGetUtilizationRates(self, handle: ctypes.c_void_p, rates: Any) -> int:
        """Tell how busy GPU and memory are."""
        rates._obj[:] = [87, 12]
        return self.tells

    def nvmlDeviceGetPowerUsage(self, handle: ctypes.c_void_p, milliwatts: Any) -> int:
        """Tell the power."""
        milliwatts._obj.value = 325500
        return self.tells


@pytest.fixture
def nvml() -> Iterator[None]:
    """Forget the driver's library before and after."""
    gpu._nvml.cache_clear()
    yield
    gpu._nvml.cache_clear()


@pytest.mark.usefixtures("nvml")
def test_gpus_are_asked_by_index_and_by_uuid(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU is known by either name, and one that the driver does not know is left out."""
    monkeypatch.setattr(ctypes, "CDLL", lambda name: FakeNvml())
    found = gpu_sample(["0", "GPU-1", "1", "GPU-2"])
    assert found == [GpuSample("0", 87, 1 << 30, 325.5), GpuSample("GPU-1", 87, 1 << 30, 325.5)]


@pytest.mark.usefixtures("nvml")
def test_what_the_driver_does_not_tell_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice of a GPU has no utilisation and no power of its own, which is another thing than 0."""
    monkeypatch.setattr(ctypes, "CDLL", lambda name: FakeNvml(tells=3))
    assert gpu_sample(["0"]) == [GpuSample("0", None, 1 << 30, None)]


@pytest.mark.usefixtures("nvml")
def test_no_gpu_without_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the library has no GPU samples, and is asked once only."""
    asked = []

    def missing(name: str) -> None:
        asked.append(name)
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert gpu_sample(["0"]) == gpu_sample(["0"]) == []
    assert asked == ["libnvidia-ml.so.1"]


@pytest.mark.usefixtures("nvml")
def test_no_gpu_with_a_driver_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library without its kernel module is as good as none."""
    monkeypatch.setattr(ctypes, "CDLL", lambda name: FakeNvml(works=9))
    assert gpu_sample(["0"]) == []


@pytest.mark.usefixtures("nvml")
def test_without_devices_no_driver_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that asked for no GPU does not pay for starting the driver."""
    monkeypatch.setattr(ctypes, "CDLL", lambda name: pytest.fail("looked for a driver"))
    assert gpu_sample([]) == []
