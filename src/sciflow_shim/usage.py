"""What a run has used in all: the totals and the time series that its record keeps."""

from __future__ import annotations

import resource

from sciflow_shim.sampler import Sample, peak_rss

_NAN = float("nan")
_NO_GPU = (_NAN, _NAN)


class Series:
    """A time series that never grows beyond a number of points, whether of a second or of three weeks.

    When it is full, neighbours are merged in pairs, and from then on each point stands for twice as many samples:
    for the largest memory and GPU utilisation among them, and for the time and the counters of the last.

    Parameters
    ----------
    limit
        The largest number of points.
    """

    COLUMNS = ("time", "rss_bytes", "cpu_seconds", "read_bytes", "write_bytes")
    GPU_COLUMNS = ("gpu_memory_bytes", "gpu_utilisation_percent")

    def __init__(self, limit: int = 200) -> None:
        self._limit = limit
        self._points: list[tuple[float, ...]] = []
        self._samples_per_point = 1
        self._samples_in_last = 0
        self._start = 0.0
        self._has_gpu = False

    def append(self, sample: Sample, gpu: tuple[float, float] | None = None) -> None:
        """Add a sample, and memory and utilisation of GPUs if there are; the first one is time zero."""
        if not self._points:
            self._start = sample.time
        cpu = sample.user_cpu_seconds + sample.system_cpu_seconds
        point = (sample.time - self._start, sample.rss_bytes, cpu, sample.read_bytes, sample.write_bytes)
        self._has_gpu = self._has_gpu or gpu is not None
        point += gpu or _NO_GPU
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
        """Give the series by column: the time in seconds since the first sample; GPUs where there were any."""
        names = self.COLUMNS + (self.GPU_COLUMNS if self._has_gpu else ())
        return {name: [point[i] for point in self._points] for i, name in enumerate(names)}


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
            self.peak_rss_bytes = max(self.peak_rss_bytes, peak_rss(rusage))
            self._raise_counters(rusage.ru_utime, rusage.ru_stime, rusage.ru_nvcsw, rusage.ru_nivcsw)
        if wall is not None:
            self.wall_seconds = wall

    def include(self, other: Resources) -> None:
        """Add up those that ran one after another: sums, the larger of two peaks, and a mean over all their time."""
        self._byte_seconds += other.mean_rss_bytes * other.wall_seconds
        for name, value in vars(other).items():
            if name.startswith("peak_"):
                setattr(self, name, max(getattr(self, name), value))
            elif not name.startswith("_"):
                setattr(self, name, getattr(self, name) + value)

    def _raise_counters(self, user: float, system: float, voluntary: int, involuntary: int) -> None:
        self.user_cpu_seconds = max(self.user_cpu_seconds, user)
        self.system_cpu_seconds = max(self.system_cpu_seconds, system)
        self.voluntary_context_switches = max(self.voluntary_context_switches, voluntary)
        self.involuntary_context_switches = max(self.involuntary_context_switches, involuntary)

    @property
    def mean_rss_bytes(self) -> int:
        """Memory averaged over time; the peak where there are no two samples to average over."""
        if self._first is None and self._byte_seconds and self.wall_seconds:  # added up from others
            return round(self._byte_seconds / self.wall_seconds)
        if self._first is None or self._last is None or self._last.time == self._first.time:
            return self.peak_rss_bytes
        return round(self._byte_seconds / (self._last.time - self._first.time))

    def as_dict(self) -> dict[str, float]:
        """Give the numbers as the record stores them."""
        numbers = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        return {**numbers, "mean_rss_bytes": self.mean_rss_bytes}


def _merged(first: tuple[float, ...], last: tuple[float, ...]) -> tuple[float, ...]:
    time, memory, cpu, read, written, *gpu = last
    return (time, max(first[1], memory), cpu, read, written, *map(_larger, first[5:], gpu))


def _larger(one: float, other: float) -> float:
    return other if other > one or one != one else one  # NaN is no number, and no equal of itself
