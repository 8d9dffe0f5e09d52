"""This machine: shares are handed out and taken back, and never more than there is."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sciflow.model.profile import Capacity
from sciflow.model.resources import GIB, Resources
from sciflow.schedulers import machine as subject
from sciflow.schedulers.machine import Machine, Share

CORES, MEMORY, GPUS = [0, 2, 3, 7], 1000, ["0", "GPU-1f"]


class HandedOut(RuleBasedStateMachine):
    """Takes and gives back in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = Machine(list(CORES), MEMORY, list(GPUS))
        self.shares: list[Share] = []

    @rule(cores=st.integers(0, 6), memory=st.integers(0, 1200), gpus=st.integers(0, 3))
    def take(self, cores: int, memory: int, gpus: int) -> None:
        """A share is exactly what was asked for; there is none only where that is not free."""
        free = self.machine.holds(Resources(cores, memory, gpus))
        share = self.machine.take(Resources(cores, memory, gpus))
        assert (share is not None) == free
        if share is not None:
            assert (len(share.cores), share.memory_bytes, len(share.gpus)) == (cores, memory, gpus)
            self.shares.append(share)

    @precondition(lambda self: self.shares)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        """Any share can be given back."""
        self.machine.give_back(self.shares.pop(data.draw(st.integers(0, len(self.shares) - 1))))

    @invariant()
    def nothing_is_held_twice(self) -> None:
        """What is held and what is free is together what there was, each thing once."""
        cores = [core for share in self.shares for core in share.cores]
        gpus = [gpu for share in self.shares for gpu in share.gpus]
        assert sorted(cores + self.machine.cores) == CORES
        assert sorted(gpus + self.machine.gpus) == GPUS
        assert sum(share.memory_bytes for share in self.shares) + self.machine.memory_bytes == MEMORY
        assert self.machine.memory_bytes >= 0


test_nothing_is_ever_handed_out_twice = HandedOut.TestCase


@given(st.integers(0, 8), st.integers(0, 2000), st.integers(0, 4))
def test_a_request_that_does_not_fit_takes_nothing(cores: int, memory: int, gpus: int) -> None:
    """Refused or granted, a request leaves the machine whole or short by exactly what it got."""
    machine = Machine(list(CORES), MEMORY, list(GPUS))
    share = machine.take(Resources(cores, memory, gpus))
    fits = cores <= 4 and memory <= 1000 and gpus <= 2
    assert (share is not None) == fits
    if not fits:
        assert machine == Machine(CORES, MEMORY, GPUS)


def test_the_capacity_can_be_taken_whole() -> None:
    """What `capacity` says, which plans are made for, is one share that fits to the byte."""
    for memory in (1, GIB - 1, 25_193_848_832, 2**63 + 1):
        machine = Machine([0, 1], memory, ["0"])
        capacity = machine.capacity
        assert capacity.memory_gb is not None
        assert round(capacity.memory_gb * GIB) <= memory
        assert machine.take(Resources(2, round(capacity.memory_gb * GIB), 1)) is not None


def test_cores_are_those_that_this_process_may_use() -> None:
    """No core is handed out that the process is kept from."""
    found = Machine.detect()
    assert found.cores
    assert set(found.cores) <= os.sched_getaffinity(0)
    assert 0 < found.memory_bytes <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_what_the_profile_says_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cores, memory and GPUs of the profile replace what was found; cores never beyond those that are there."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-8a,5")
    found = Machine.detect(Capacity(cpu_cores=1, memory_gb=0.5, gpus=2))
    assert (len(found.cores), found.memory_bytes, found.gpus) == (1, GIB // 2, ["3", "GPU-8a"])
    assert Machine.detect(Capacity(gpus=0)).gpus == []
    assert Machine.detect(Capacity(cpu_cores=10_000)).cores == sorted(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("visible", "expected"), [("", []), ("-1", []), ("0", ["0"]), (" 1 ,GPU-2f-aa ", ["1", "GPU-2f-aa"])]
)
def test_gpus_are_those_that_are_visible(monkeypatch: pytest.MonkeyPatch, visible: str, expected: list[str]) -> None:
    """`CUDA_VISIBLE_DEVICES` says which GPUs there are to hand out, by its own names."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert Machine.detect().gpus == expected


def test_a_machine_without_a_driver_has_no_gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without `CUDA_VISIBLE_DEVICES` the driver's folder is counted."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    there = Path("/proc/driver/nvidia/gpus")
    assert len(Machine.detect().gpus) == (len(list(there.iterdir())) if there.is_dir() else 0)


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"/sys/fs/cgroup/cpu.max": "150000 100000"}, 1),
        ({"/sys/fs/cgroup/cpu.max": "400000 100000"}, 4),
        ({"/sys/fs/cgroup/cpu.max": "50000 100000"}, 1),
        ({"/sys/fs/cgroup/cpu.max": "max 100000"}, 0),
        ({"/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "300000", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 3),
        ({"/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 0),
        ({}, 0),
    ],
)
def test_a_containers_quota_is_whole_cores(monkeypatch: pytest.MonkeyPatch, files: dict[str, str], cores: int) -> None:
    """Both generations of cgroups are understood; half a core counts as one, no quota as none."""
    monkeypatch.setattr(subject, "_read", lambda path: files.get(path, ""))
    assert subject._cgroup_cores() == cores


def test_a_containers_memory_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit below the machine's memory is what there is to hand out; `max` is no limit."""
    monkeypatch.setattr(subject, "_read", lambda path: "4096" if path.endswith("memory.max") else "max")
    assert Machine.detect().memory_bytes == 4096
    monkeypatch.setattr(subject, "_read", lambda path: "max")
    assert Machine.detect().memory_bytes == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_runs_on_one_machine_prefer_different_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another run holds comes last, but comes, and is free again when it is given back."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    one, other = Machine(list(CORES), MEMORY), Machine(list(CORES), MEMORY)
    held = one.take(Resources(3, 1, 0))
    assert held is not None
    assert held.cores == (0, 2, 3)
    second = other.take(Resources(2, 1, 0))
    assert second is not None
    assert second.cores == (7, 0)
    other.give_back(second)
    one.give_back(held)
    assert Machine([0], MEMORY).take(Resources(1, 1, 0)) == Share((0,), 1, ())


@pytest.mark.parametrize("folder", ["/proc/nowhere", "open"])
def test_cores_are_handed_out_without_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    """Where no safe folder for marks is to be had, nobody is kept from working."""
    (tmp_path / "open" / "sciflow").mkdir(parents=True)
    (tmp_path / "open" / "sciflow").chmod(0o777)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / folder))
    share = Machine(list(CORES), MEMORY).take(Resources(4, 1, 0))
    assert share is not None
    assert share.cores == tuple(CORES)
    assert not list((tmp_path / "open" / "sciflow").iterdir())
