"""What GPUs are used for, from a driver that is made up: in Python, and as a library that the real shim loads."""

from __future__ import annotations

import math
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import h5py
import pytest

from sciflow_shim import files, gpu_use, supervisor
from sciflow_shim.gpu import GpuSample
from sciflow_shim.gpu_use import GpuUse
from sciflow_shim.sampler import Sample
from sciflow_shim.supervisor import Supervisor
from sciflow_shim.usage import Resources, Series

if TYPE_CHECKING:
    from shim.conftest import Prepare

GIB = 1 << 30


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[list[GpuSample]]:
    """Return a list that is filled with what the driver tells, sample by sample."""
    answers: list[list[GpuSample]] = []
    monkeypatch.setattr(gpu_use, "gpu_sample", lambda devices: answers.pop(0))
    return answers


def test_peaks_and_means_over_time(told: list[list[GpuSample]]) -> None:
    """Memory and power are sums over the GPUs, utilisation is a mean; each value stands for the time before it."""
    use = GpuUse(["0", "1"])
    for rates, gib, watts in (((10, 30), 1, 100.0), ((100, 50), 3, 300.0), ((0, 0), 2, 200.0)):
        told.append([GpuSample(str(i), rate, gib * GIB, watts) for i, rate in enumerate(rates)])
    for now in (10.0, 11.0, 14.0):
        use.sample(now, now)
    assert use.latest == (4 * GIB, 0.0)
    assert use.as_dict() == {
        "gpus": ["0", "1"],
        "peak_gpu_memory_bytes": 6 * GIB,
        "peak_gpu_utilisation_percent": 100,
        "mean_gpu_utilisation_percent": (75 * 1 + 0 * 3) / 4,
        "mean_gpu_power_watts": (600 * 1 + 400 * 3) / 4,
    }


def test_one_sample_is_its_own_mean(told: list[list[GpuSample]]) -> None:
    """There is no time to average over."""
    told.append([GpuSample("0", 40, GIB, 50.0)])
    use = GpuUse(["0"])
    use.sample(5.0, 2.0)
    assert use.as_dict()["mean_gpu_utilisation_percent"] == 40
    assert use.as_dict()["mean_gpu_power_watts"] == 50


def test_what_a_board_does_not_tell_is_absent(told: list[list[GpuSample]]) -> None:
    """A slice of a GPU has memory and no utilisation: that is not zero."""
    told.append([GpuSample("MIG-1", None, GIB, None)])
    use = GpuUse(["MIG-1"])
    use.sample(5.0, 2.0)
    assert use.as_dict() == {"gpus": ["MIG-1"], "peak_gpu_memory_bytes": GIB}
    assert use.latest is not None
    assert math.isnan(use.latest[1])


def test_a_short_program_does_not_pay_for_the_driver(told: list[list[GpuSample]]) -> None:
    """Before the first second nobody is asked, and the cost of starting the library is no cost of sampling."""
    use = GpuUse(["0"])
    use.sample(0.5, 0.5)
    assert (use.latest, use.as_dict()) == (None, {})
    told += [[GpuSample("0", 1, GIB, 1.0)]] * 2
    use.sample(1.5, 1.5)
    assert use.cost == 0
    use.sample(2.0, 2.0)
    assert use.cost > 0


def test_without_a_driver_nothing_is_told(told: list[list[GpuSample]]) -> None:
    """The record is as one of an index without GPUs."""
    told.append([])
    use = GpuUse(["0"])
    use.sample(5.0, 5.0)
    assert (use.latest, use.as_dict()) == (None, {})


def test_what_gpus_cost_makes_samples_rarer(told: list[list[GpuSample]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The time until the next sample follows from the cost of processes and GPUs together."""
    costs: list[float] = []
    monkeypatch.setattr(supervisor, "next_interval", lambda _age, _closeness, cost: costs.append(cost) or 1.0)
    told += [[GpuSample("0", 1, GIB, 1.0)]] * 2
    sampled = Sample(0.0, 0, 0.0, 0.0, 0, 0, 1, 1, 0, 0)
    tree = SimpleNamespace(sample=lambda now: sampled, cost=0.5)
    attempt = SimpleNamespace(resources=Resources(), series=Series(), gpus=GpuUse(["0"]))
    running: Any = SimpleNamespace(tree=tree, attempt=attempt, next_sample=0.0, next_interim=1e9)
    one = Supervisor.__new__(Supervisor)  # one that is made takes the signals of this process
    one.memory = float("inf")
    for now in (2.0, 3.0):
        one._sample(running, now, now)
    assert costs == [0.5, 0.5 + attempt.gpus.cost]
    assert attempt.gpus.cost > 0
    assert running.next_sample == 4.0
    assert attempt.series.columns()["gpu_memory_bytes"] == [GIB, GIB]


DRIVER = r"""
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int nvmlInit_v2(void) { return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, size_t *handle) { *handle = 1000 + index; return index < 2 ? 0 : 6; }
int nvmlDeviceGetHandleByUUID(const char *uuid, size_t *handle) {
    *handle = 1000; return strcmp(uuid, "GPU-1") ? 6 : 0;
}
int nvmlDeviceGetMemoryInfo(size_t handle, unsigned long long *memory) {
    memory[0] = 80ULL << 30; memory[2] = (handle - 999) << 30; memory[1] = memory[0] - memory[2]; return 0;
}
int nvmlDeviceGetUtilizationRates(size_t handle, unsigned *rates) {
    rates[0] = handle == 1000 ? 90 : 10; rates[1] = 5; return 0;
}
int nvmlDeviceGetPowerUsage(size_t handle, unsigned *milliwatts) {
    int pipe = open(getenv("DRIVER_WAS_ASKED"), O_WRONLY);
    *milliwatts = 125000;
    return write(pipe, "x", 1) == 1 ? close(pipe) : 999;
}
"""
PROGRAM = """
import os
def work():
    with open(os.environ["DRIVER_WAS_ASKED"], "rb") as pipe:
        return len(pipe.read(1))
"""


@pytest.fixture
def driver(tmp_path: Path) -> dict[str, str]:
    """Build a driver of two GPUs, and return the variables with which a program finds it."""
    (tmp_path / "driver.c").write_text(DRIVER)
    library = tmp_path / "driver" / "libnvidia-ml.so.1"
    library.parent.mkdir()
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "driver.c"], check=True, timeout=60)
    os.mkfifo(tmp_path / "asked")
    return {"LD_LIBRARY_PATH": str(library.parent), "DRIVER_WAS_ASKED": str(tmp_path / "asked")}


@pytest.mark.parametrize(("visible", "gpus", "gib", "rate"), [("0,1", 2, 3, 50.0), ("GPU-1", 1, 1, 90.0)])
def test_the_shim_asks_the_driver_and_records_it(
    prepare: Prepare, driver: dict[str, str], visible: str, gpus: int, gib: int, rate: float
) -> None:
    """A program that ends when the driver has been asked leaves what it told, as numbers and as a series."""
    run = prepare(PROGRAM)
    run.environment.update(driver, CUDA_VISIBLE_DEVICES=visible)
    # The pipe is held open, so that the driver can say twice that it was asked.
    held = os.open(driver["DRIVER_WAS_ASKED"], os.O_RDWR)
    assert run.execute().returncode == 0
    os.close(held)
    with h5py.File(run.path / files.record("work.0", 0, 1)) as file:
        used: dict[str, Any] = dict(file["resources"].attrs)
        assert list(used["gpus"]) == visible.split(",")
        assert used["peak_gpu_memory_bytes"] == gib * GIB
        assert used["mean_gpu_utilisation_percent"] == rate
        assert used["peak_gpu_utilisation_percent"] == 90
        assert used["mean_gpu_power_watts"] == 125 * gpus
        series: Any = file["resources"]
        assert series["gpu_memory_bytes"].shape == series["time"].shape
        assert series["gpu_memory_bytes"][-1] == gib * GIB
        assert series["gpu_utilisation_percent"][-1] == rate
        assert math.isnan(series["gpu_memory_bytes"][0])
        assert file.attrs["CUDA_VISIBLE_DEVICES"] == visible
