"""What a running process tree uses: samples, their time series, and the totals that the record keeps."""

from __future__ import annotations

import functools
import os
import resource
import sys
import time
from collections.abc import Sequence
from typing import Any, Callable, NamedTuple

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
FIRST_INTERVAL = 0.1
LONGEST_INTERVAL = 10.0
SHARE_OF_A_CORE = 0.004  # what sampling may cost at most
SCANS_UNTIL_STRANGERS_ARE_READ_AGAIN = 60
UNLIMITED_FROM = 1 << 60  # cgroup v1 writes "no limit" as a huge number of whole pages


class Sample(NamedTuple):
    """A process tree at one moment; all but the time, memory, threads and processes count up from its start."""

    time: float
    rss_bytes: int
    user_cpu_seconds: float
    system_cpu_seconds: float
    read_bytes: int
    write_bytes: int
    threads: int
    processes: int
    voluntary_context_switches: int
    involuntary_context_switches: int


class GpuSample(NamedTuple):
    """One GPU at one moment."""

    device: str
    utilisation_percent: int
    memory_bytes: int
    power_watts: float


class _Process(NamedTuple):
    """The fields of /proc/<pid>/stat that matter here; the times include those of children that were waited for."""

    pid: int
    parent: int
    group: int
    session: int
    user_ticks: int
    system_ticks: int
    threads: int
    start: int
    rss_pages: int


class ProcessTree:
    """A process and all its descendants, also those that outlive their parent once they were seen.

    With a kernel that lists children, those lists are followed. Without, /proc is scanned once per sample, and
    whatever shares the session or the process group that the root leads is counted too.

    Parameters
    ----------
    root_pid
        The process at the top, alive when this object is made: a later one with its pid is not counted.
    proc
        Where /proc is mounted.
    clock
        Gives the time of a sample.

    Attributes
    ----------
    cost
        CPU seconds that the latest sample took, for `next_interval`.
    """

    def __init__(self, root_pid: int, proc: str = "/proc", clock: Callable[[], float] = time.monotonic) -> None:
        self.root_pid = root_pid
        self.cost = 0.0
        self._proc = proc
        self._clock = clock
        self._has_proc = os.access(proc, os.R_OK)
        self._lists_children = _read(f"{proc}/{root_pid}/task/{root_pid}/children") is not None
        self._root = self._process(root_pid)
        self._strangers: set[int] = set()
        self._scans = 0
        self._seen: dict[int, tuple[_Process, list[float]]] = {}
        self._ended = [0.0] * 6
        self._totals = [0.0] * 6

    def sample(self, now: float | None = None) -> Sample:
        """Read the tree once.

        Read and write bytes are those that the programs asked for (`rchar`, `wchar`, as in Slurm's accounting):
        network file systems do not report the others. A kernel tells the context switches of the main thread only.

        Parameters
        ----------
        now
            The time to put on the sample; the clock's by default.

        Returns
        -------
        Sample
            Without living processes, no memory and the last totals.
        """
        began = time.thread_time()
        now = self._clock() if now is None else now
        sample = self._sample(now) if self._has_proc else _portable_sample(self.root_pid, now)
        self.cost = time.thread_time() - began
        return sample

    def _sample(self, now: float) -> Sample:
        found = self._find()
        self._root = found.get(self.root_pid, self._root)  # it may have become a leader
        seen: dict[int, tuple[_Process, list[float]]] = {}
        rss = 0
        for process in found.values():
            memory, counters = self._usage(process)
            rss += memory
            seen[process.pid] = (process, counters)
        totals = self._add_up(seen)
        threads = sum(process.threads for process in found.values())
        user, system, read, write, voluntary, involuntary = totals
        return Sample(
            now,
            rss,
            user / TICKS_PER_SECOND,
            system / TICKS_PER_SECOND,
            int(read),
            int(write),
            threads,
            len(found),
            int(voluntary),
            int(involuntary),
        )

    def _add_up(self, seen: dict[int, tuple[_Process, list[float]]]) -> list[float]:
        for pid, (process, counters) in self._seen.items():
            if pid in seen and seen[pid][0].start == process.start:
                continue
            # Linux adds CPU and I/O of an ended process to the parent that waits for it, but not the switches.
            first = 4 if process.parent in self._seen else 0
            for i in range(first, 6):
                self._ended[i] += counters[i]
        self._seen = seen
        sums = [sum(column) for column in zip(self._ended, *(counters for _, counters in seen.values()))]
        # A parent that ignores SIGCHLD inherits nothing: at least what was counted already is kept.
        self._totals = [max(pair) for pair in zip(sums, self._totals)]
        return self._totals

    def _find(self) -> dict[int, _Process]:
        """Give the living members of the tree by pid."""
        starts = [self.root_pid, *self._seen]
        read, children = self._process, self._listed_children
        table: dict[int, _Process] = {}
        if not self._lists_children:
            table = self._scan()
            starts += [process.pid for process in table.values() if self._is_adopted(process)]
            by_parent: dict[int, list[int]] = {}
            for process in table.values():
                by_parent.setdefault(process.parent, []).append(process.pid)

            def children(process: _Process) -> list[int]:
                return by_parent.get(process.pid, [])

            read = table.get
        found: dict[int, _Process] = {}
        for pid in starts:
            process = None if pid in found else read(pid)
            queue = [process] if process and not self._is_newcomer(process) else []
            while queue:
                process = queue.pop()
                found[process.pid] = process
                offspring = (read(child) for child in children(process) if child not in found)
                # A pid that was listed as a child may belong to another process when it is read.
                queue += [one for one in offspring if one and one.parent == process.pid]
        self._strangers.update(table.keys() - found.keys())
        return found

    def _is_newcomer(self, process: _Process) -> bool:
        """Whether the pid of a process seen before now belongs to another one."""
        known = self._root if process.pid == self.root_pid else self._seen.get(process.pid, (None,))[0]
        return known is not None and known.start != process.start

    def _is_adopted(self, process: _Process) -> bool:
        # Only of a root that leads: otherwise the supervisor and the job script share its session and group.
        if self._root is None:
            return False
        leads_session = self._root.session == self.root_pid
        leads_group = self._root.group == self.root_pid
        return (leads_session and process.session == self.root_pid) or (leads_group and process.group == self.root_pid)

    def _scan(self) -> dict[int, _Process]:
        """Read all of /proc but what was found not to belong here."""
        self._scans += 1
        with os.scandir(self._proc) as entries:
            pids = {int(entry.name) for entry in entries if entry.name.isdigit()}
        self._strangers &= pids
        if self._scans % SCANS_UNTIL_STRANGERS_ARE_READ_AGAIN == 0:
            self._strangers.clear()  # a pid may have come round to a member
        processes = (self._process(pid) for pid in pids - self._strangers)
        return {process.pid: process for process in processes if process}

    def _process(self, pid: int) -> _Process | None:
        text = _read(f"{self._proc}/{pid}/stat")
        if not text:
            return None
        # The name is in parentheses and may hold spaces and parentheses itself.
        f = text[text.rindex(b")") + 2 :].split()
        user, system = int(f[11]) + int(f[13]), int(f[12]) + int(f[14])
        return _Process(pid, int(f[1]), int(f[2]), int(f[3]), user, system, int(f[17]), int(f[19]), int(f[21]))

    def _listed_children(self, process: _Process) -> list[int]:
        tasks = [str(process.pid)]
        if process.threads > 1:
            try:
                with os.scandir(f"{self._proc}/{process.pid}/task") as entries:
                    tasks = [entry.name for entry in entries]
            except OSError:  # it has ended meanwhile
                return []
        texts = (_read(f"{self._proc}/{process.pid}/task/{task}/children") for task in tasks)
        return [int(pid) for text in texts if text for pid in text.split()]

    def _usage(self, process: _Process) -> tuple[int, list[float]]:
        """Give memory and the six counters of a process; those that cannot be read any more as they were."""
        status = _fields(_read(f"{self._proc}/{process.pid}/status"))
        io = _fields(_read(f"{self._proc}/{process.pid}/io"))
        # `stat` may be off by many pages per CPU on large nodes; `status` is exact on newer kernels.
        memory = status.get(b"VmRSS", process.rss_pages * PAGE_BYTES // 1024) * 1024
        before = self._seen.get(process.pid)
        old = before[1] if before and before[0].start == process.start else [0.0] * 6
        return memory, [
            process.user_ticks,
            process.system_ticks,
            io.get(b"rchar", old[2]),
            io.get(b"wchar", old[3]),
            status.get(b"voluntary_ctxt_switches", old[4]),
            status.get(b"nonvoluntary_ctxt_switches", old[5]),
        ]


class Series:
    """A time series that never grows beyond a number of points, whether of a second or of three weeks.

    When it is full, neighbours are merged in pairs, and from then on each point stands for twice as many samples:
    for the largest memory among them, and for the time and the counters of the last.

    Parameters
    ----------
    limit
        The largest number of points.
    """

    COLUMNS = ("time", "rss_bytes", "cpu_seconds", "read_bytes", "write_bytes")

    def __init__(self, limit: int = 200) -> None:
        self._limit = limit
        self._points: list[tuple[float, ...]] = []
        self._samples_per_point = 1
        self._samples_in_last = 0
        self._start = 0.0

    def append(self, sample: Sample) -> None:
        """Add a sample; the first one is time zero."""
        if not self._points:
            self._start = sample.time
        cpu = sample.user_cpu_seconds + sample.system_cpu_seconds
        point = (sample.time - self._start, sample.rss_bytes, cpu, sample.read_bytes, sample.write_bytes)
        if len(self._points) == self._limit and self._samples_in_last == self._samples_per_point:
            self._halve()
        if self._points and self._samples_in_last < self._samples_per_point:
            self._points[-1] = _merged(self._points[-1], point)
            self._samples_in_last += 1
        else:
            self._points.append(point)
            self._samples_in_last = 1

    def _halve(self) -> None:
        pairs = [self._points[i : i + 2] for i in range(0, len(self._points), 2)]
        self._samples_in_last = self._samples_per_point * len(pairs[-1])
        self._points = [_merged(pair[0], pair[-1]) for pair in pairs]
        self._samples_per_point *= 2

    def columns(self) -> dict[str, list[float]]:
        """Give the series as columns: seconds since the first sample, memory, CPU seconds, bytes read and written."""
        return {name: [point[i] for point in self._points] for i, name in enumerate(self.COLUMNS)}


class Resources:
    """What a run has used, from its samples and from what the kernel says at its end."""

    def __init__(self) -> None:
        self.peak_rss_bytes = 0
        self.user_cpu_seconds = 0.0
        self.system_cpu_seconds = 0.0
        self.read_bytes = 0
        self.write_bytes = 0
        self.peak_threads = 0
        self.peak_processes = 0
        self.voluntary_context_switches = 0
        self.involuntary_context_switches = 0
        self.wall_seconds = 0.0
        self.samples = 0
        self._first: Sample | None = None
        self._last: Sample | None = None
        self._byte_seconds = 0.0

    def add(self, sample: Sample) -> None:
        """Add a sample."""
        self._first = self._first or sample
        last = self._last or sample
        # The intervals differ, so that a plain mean would be one of the first seconds.
        self._byte_seconds += (sample.time - last.time) * (sample.rss_bytes + last.rss_bytes) / 2
        self._last = sample
        self.samples += 1
        self.peak_rss_bytes = max(self.peak_rss_bytes, sample.rss_bytes)
        self.peak_threads = max(self.peak_threads, sample.threads)
        self.peak_processes = max(self.peak_processes, sample.processes)
        self.read_bytes = max(self.read_bytes, sample.read_bytes)
        self.write_bytes = max(self.write_bytes, sample.write_bytes)
        self._raise_counters(
            sample.user_cpu_seconds,
            sample.system_cpu_seconds,
            sample.voluntary_context_switches,
            sample.involuntary_context_switches,
        )
        self.wall_seconds = sample.time - self._first.time

    def finish(self, rusage: resource.struct_rusage | None = None, wall: float | None = None) -> None:
        """Take the last word from the kernel; of two measurements of one thing the larger counts.

        Parameters
        ----------
        rusage
            Of the direct child, from `os.wait4`: it misses nothing between samples, and nothing that the child has
            waited for, but it does miss what the child left behind.
        wall
            Seconds from start to end; from the first to the last sample by default.
        """
        if rusage is not None:
            self.peak_rss_bytes = max(self.peak_rss_bytes, _peak_rss(rusage))
            self._raise_counters(rusage.ru_utime, rusage.ru_stime, rusage.ru_nvcsw, rusage.ru_nivcsw)
        if wall is not None:
            self.wall_seconds = wall

    def _raise_counters(self, user: float, system: float, voluntary: int, involuntary: int) -> None:
        self.user_cpu_seconds = max(self.user_cpu_seconds, user)
        self.system_cpu_seconds = max(self.system_cpu_seconds, system)
        self.voluntary_context_switches = max(self.voluntary_context_switches, voluntary)
        self.involuntary_context_switches = max(self.involuntary_context_switches, involuntary)

    @property
    def mean_rss_bytes(self) -> int:
        """Memory averaged over time; the peak where there are no two samples to average over."""
        if self._first is None or self._last is None or self._last.time == self._first.time:
            return self.peak_rss_bytes
        return round(self._byte_seconds / (self._last.time - self._first.time))

    def as_dict(self) -> dict[str, float]:
        """Give the numbers as the record stores them."""
        numbers = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        return {**numbers, "mean_rss_bytes": self.mean_rss_bytes}


def next_interval(age: float, closeness: float = 0.0, cost: float = 0.0) -> float:
    """Say how long to wait until the next sample.

    A twentieth of the age, from 0.1 s up to 10 s, so that a run of any length has a useful series. Above half of the
    memory limit it shrinks, to 0.1 s at the limit, so that the approach is seen in time. One process costs about
    0.1 ms a sample, a tree of 20 about 1.5 ms; given that cost, the wait is never so short that sampling takes more
    than 0.4 % of a core.

    Parameters
    ----------
    age
        Seconds since the start.
    closeness
        Memory in use over its limit, 0 to 1.
    cost
        CPU seconds of the latest sample, `ProcessTree.cost`.
    """
    interval = min(max(age / 20, FIRST_INTERVAL), LONGEST_INTERVAL)
    if closeness > 0.5:
        interval = max(interval * 2 * (1 - closeness), FIRST_INTERVAL)
    return max(interval, cost / SHARE_OF_A_CORE)


def cgroup_peak(pid: int, proc: str = "/proc") -> int | None:
    """Give the largest memory in bytes that the cgroup of a process has held, page cache included, if it is known."""
    return cgroup_limits(pid, proc).get("memory_peak_bytes")


def cgroup_limits(pid: int, proc: str = "/proc") -> dict[str, int]:
    """Give what the memory controller says about the cgroup of a process.

    Parameters
    ----------
    pid
        The process.
    proc
        Where /proc is mounted.

    Returns
    -------
    dict
        `memory_peak_bytes` and `oom_kills` of its cgroup, and `memory_limit_bytes`, the tightest of it and those
        above it (Slurm limits the job and its steps, not the task). What cannot be read, or has no limit, is absent.
    """
    for folder, top, is_v2 in _memory_cgroups(pid, proc):
        peak = _read(f"{folder}/{'memory.peak' if is_v2 else 'memory.max_usage_in_bytes'}")
        events = _read(f"{folder}/{'memory.events' if is_v2 else 'memory.oom_control'}")
        limits: list[int] = []
        level = folder
        while level.startswith(top):
            text = _read(f"{level}/{'memory.max' if is_v2 else 'memory.limit_in_bytes'}") or b"max"
            limits += [int(word) for word in text.split() if word.isdigit() and int(word) < UNLIMITED_FROM]
            level = level.rpartition("/")[0]
        found: dict[str, int] = {}
        if peak:
            found["memory_peak_bytes"] = int(peak)
        if limits:
            found["memory_limit_bytes"] = min(limits)
        kills = _fields(events).get(b"oom_kill")
        if kills is not None:
            found["oom_kills"] = kills
        if found:
            return found
    return {}


def _memory_cgroups(pid: int, proc: str) -> list[tuple[str, str, bool]]:
    """Give folder, mount point and version 2 or not of the cgroups that may hold the memory of a process."""
    paths: dict[bool, str] = {}
    for line in (_read(f"{proc}/{pid}/cgroup") or b"").decode().splitlines():
        hierarchy, controllers, path = line.split(":", 2)
        if hierarchy == "0" or "memory" in controllers.split(","):
            paths[hierarchy == "0"] = path
    found: list[tuple[str, str, bool]] = []
    for line in (_read(f"{proc}/self/mountinfo") or b"").decode().splitlines():
        left, _, right = line.partition(" - ")
        kind, options = right.split()[0], right.split()[-1].split(",")
        is_v2 = kind == "cgroup2"
        if is_v2 not in paths or not (is_v2 or (kind == "cgroup" and "memory" in options)):
            continue
        root, top = (word.replace("\\040", " ") for word in left.split(" ")[3:5])
        path = paths[is_v2]
        if (path + "/").startswith(root.rstrip("/") + "/"):
            found.append((f"{top}/{path[len(root.rstrip('/')) :].strip('/')}".rstrip("/"), top, is_v2))
    return sorted(found, key=lambda one: not one[2])


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
    # Not every board knows these two (a MIG slice has no utilisation): they stay 0 then.
    library.nvmlDeviceGetUtilizationRates(handle, byref(rates))
    library.nvmlDeviceGetPowerUsage(handle, byref(milliwatts))
    return GpuSample(device, rates[0], memory[2], milliwatts.value / 1000)


def _merged(first: tuple[float, ...], last: tuple[float, ...]) -> tuple[float, ...]:
    return (last[0], max(first[1], last[1]), *last[2:])


def _peak_rss(rusage: resource.struct_rusage) -> int:
    return rusage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _read(path: str) -> bytes | None:
    """Read a file of the kernel; None where it is not there, not allowed, or its process has ended."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        text = b""
        while chunk := os.read(file, 65536):
            text += chunk
    except OSError:
        return None
    else:
        return text
    finally:
        os.close(file)


def _fields(text: bytes | None) -> dict[bytes, int]:
    """Read lines of a name and a number (`name: 1 kB`, `name 1`)."""
    words = (line.split() for line in (text or b"").splitlines())
    return {word[0].rstrip(b":"): int(word[1]) for word in words if len(word) > 1 and word[1].isdigit()}


def _portable_sample(pid: int, now: float) -> Sample:
    """Sample where there is no /proc: by psutil, or else by what the children that have ended used."""
    try:
        import psutil
    except ImportError:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu, switches = (used.ru_utime, used.ru_stime), (used.ru_nvcsw, used.ru_nivcsw)
        return Sample(now, _peak_rss(used), *cpu, 0, 0, 0, 0, *switches)
    rows: list[tuple[Any, ...]] = []
    try:
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            cpu, switches = process.cpu_times(), process.num_ctx_switches()
            rows.append((process.memory_info().rss, cpu.user, cpu.system, 0, 0, process.num_threads(), 1, *switches))
    except psutil.Error:  # one has ended: what was read until then is the sample
        rows = rows or [(0,) * 9]
    return Sample(now, *(sum(column) for column in zip(*rows)))
