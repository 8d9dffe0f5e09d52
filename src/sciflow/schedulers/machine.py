"""This machine: what it has, and what of it is free."""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from sciflow.model.profile import Capacity
from sciflow.model.resources import GIB, Resources


@dataclass(frozen=True)
class Share:
    """What one array index holds: core numbers, bytes and GPU ids."""

    cores: tuple[int, ...]
    memory_bytes: int
    gpus: tuple[str, ...]


@dataclass
class Machine:
    """Cores, memory and GPUs, handed out to array indices and never more than there are.

    A core is marked while it is handed out, so that several runs of a user on one machine prefer different ones.
    """

    cores: list[int]
    memory_bytes: int
    gpus: list[str] = field(default_factory=list)
    _marks: dict[int, int] = field(default_factory=dict, init=False, repr=False, compare=False)  # core → descriptor

    @classmethod
    def detect(cls, given: Capacity | None = None) -> Machine:
        """Find out what this machine has; what the profile says of it counts instead."""
        given = given or Capacity()
        cores = (
            sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
        )
        quota = _cgroup_cores()
        usable = min(len(cores), quota) if quota else len(cores)
        memory = round(given.memory_gb * GIB) if given.memory_gb else _memory()
        gpus = _gpus()
        return cls(cores[: given.cpu_cores or usable], memory, gpus if given.gpus is None else gpus[: given.gpus])

    @property
    def capacity(self) -> Capacity:
        """The most that one index can be given."""
        return Capacity(cpu_cores=len(self.cores), memory_gb=self.memory_bytes / GIB, gpus=len(self.gpus), nodes=1)

    def holds(self, request: Resources) -> bool:
        """Whether there is as much free as one index asks for."""
        return (
            request.all_cores <= len(self.cores)
            and request.memory_bytes <= self.memory_bytes
            and request.gpus <= len(self.gpus)
        )

    def take(self, request: Resources) -> Share | None:
        """Take a share, or None where it is not free."""
        if not self.holds(request):
            return None
        cores = self._choose(request.all_cores)
        share = Share(tuple(cores), request.memory_bytes, tuple(self.gpus[: request.gpus]))
        for core in cores:
            self.cores.remove(core)
        del self.gpus[: request.gpus]
        self.memory_bytes -= request.memory_bytes
        return share

    def give_back(self, share: Share) -> None:
        """Give a share back."""
        for core in share.cores:
            if core in self._marks:
                os.close(self._marks.pop(core))
        self.cores.extend(share.cores)
        self.gpus.extend(share.gpus)
        self.memory_bytes += share.memory_bytes

    def _choose(self, count: int) -> list[int]:
        """Free cores, first those that no other run has marked; nobody waits for a mark."""
        chosen: list[int] = []
        others: list[int] = []
        for core in self.cores:
            if len(chosen) == count:
                break
            mark = _mark(core)
            if mark is None:
                others.append(core)
            else:
                self._marks[core] = mark
                chosen.append(core)
        return chosen + others[: count - len(chosen)]


def _mark(core: int) -> int | None:
    """Lock a core's file, which the kernel undoes when this process is gone; None where another one has it."""
    descriptor = None
    try:
        descriptor = os.open(_marks_folder() / f"core-{core}", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # a mark is a favour to other runs: one that cannot be made keeps nobody from working
        if descriptor is not None:
            os.close(descriptor)
        return None
    return descriptor


def _marks_folder() -> Path:
    """A folder that all processes of this user on this machine share, and nobody else writes into."""
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    folder = Path(given, "sciflow") if given else Path(tempfile.gettempdir(), f"sciflow-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if facts.st_uid != os.getuid() or facts.st_mode & 0o022 or folder.is_symlink():
        raise PermissionError(f"`{folder}` is not only this user's")
    return folder


def _memory() -> int:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        text = _read(path)
        if text.isdigit():
            total = min(total, int(text))
    return total


def _cgroup_cores() -> int:
    """Whole cores that a container's quota allows; 0 where there is none."""
    quota, _, period = _read("/sys/fs/cgroup/cpu.max").partition(" ")
    if not (quota.isdigit() and period.isdigit()):
        quota = _read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
        period = _read("/sys/fs/cgroup/cpu/cpu.cfs_period_us")
    if not (quota.isdigit() and period.isdigit() and int(period)):
        return 0
    return max(1, int(quota) // int(period))


def _gpus() -> list[str]:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [one for one in re.split(r"\s*,\s*", visible.strip()) if one and one != "-1"]
    folder = Path("/proc/driver/nvidia/gpus")
    return [str(number) for number in range(len(list(folder.iterdir())))] if folder.is_dir() else []


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
