"""What a running process tree uses, sample by sample."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections import namedtuple  # `typing.NamedTuple` would bring all of `typing` to every index

from sciflow_shim.kernel_files import read_file, read_pairs

TYPE_CHECKING = False  # as type checkers know it
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any, Callable

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
FIRST_INTERVAL = 0.1
LONGEST_INTERVAL = 10.0
SHARE_OF_A_CORE = 0.004  # what sampling may cost at most
SCANS_UNTIL_STRANGERS_ARE_READ_AGAIN = 60


class Sample(
    namedtuple(
        "Sample",
        "time rss_bytes user_cpu_seconds system_cpu_seconds read_bytes write_bytes threads processes "
        "voluntary_context_switches involuntary_context_switches",
    )
):
    """A process tree at one moment; all but the time, memory, threads and processes count up from its start."""

    __slots__ = ()


class _Process(namedtuple("_Process", "pid parent group session user_ticks system_ticks threads start rss_pages")):
    """The fields of /proc/<pid>/stat that matter here; the times include those of children that were waited for."""

    __slots__ = ()


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
        self._lists_children = read_file(f"{proc}/{root_pid}/task/{root_pid}/children") is not None
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

    @property
    def members(self) -> Collection[int]:
        """The processes that were in the tree when it was sampled last."""
        return self._seen.keys()

    def proportional_bytes(self) -> int:
        """Give the memory of the latest sample's processes, counting what several of them share once.

        Reading it takes a hundred times as long as a sample.
        """
        total = 0
        for pid in self._seen:
            text = read_file(f"{self._proc}/{pid}/smaps_rollup")
            if text is not None:
                total += read_pairs(text).get(b"Pss", 0) * 1024
            else:  # an old kernel, or one that ends, which holds nothing any more but is still there for a moment
                process = self._process(pid)
                total += process.rss_pages * PAGE_BYTES if process else 0
        return total

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
        text = read_file(f"{self._proc}/{pid}/stat")
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
        texts = (read_file(f"{self._proc}/{process.pid}/task/{task}/children") for task in tasks)
        return [int(pid) for text in texts if text for pid in text.split()]

    def _usage(self, process: _Process) -> tuple[int, list[float]]:
        """Give memory and the six counters of a process; those that cannot be read any more as they were."""
        status = read_pairs(read_file(f"{self._proc}/{process.pid}/status"))
        io = read_pairs(read_file(f"{self._proc}/{process.pid}/io"))
        # `stat` may be off by many pages per CPU on large nodes; `status` is exact on newer kernels.
        memory = status.get(b"VmRSS", int(process.rss_pages * PAGE_BYTES // 1024)) * 1024
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


def peak_rss(rusage: resource.struct_rusage) -> int:
    """Give the largest memory in bytes; kernels tell it in different units."""
    return rusage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _portable_sample(pid: int, now: float) -> Sample:
    """Sample where there is no /proc: by psutil, or else by what the children that have ended used."""
    try:
        import psutil
    except ImportError:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu, switches = (used.ru_utime, used.ru_stime), (used.ru_nvcsw, used.ru_nivcsw)
        return Sample(now, peak_rss(used), *cpu, 0, 0, 0, 0, *switches)
    rows: list[tuple[Any, ...]] = []
    try:
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            cpu, switches = process.cpu_times(), process.num_ctx_switches()
            rows.append((process.memory_info().rss, cpu.user, cpu.system, 0, 0, process.num_threads(), 1, *switches))
    except psutil.Error:  # one has ended: what was read until then is the sample
        rows = rows or [(0,) * 9]
    return Sample(now, *(sum(column) for column in zip(*rows)))
