"""Totals and time series, from made-up samples."""

from __future__ import annotations

import itertools
import resource
import sys

import pytest

from sciflow_shim.sampler import Sample
from sciflow_shim.usage import Resources, Series


def a_sample(time: float, rss: int = 0, cpu: float = 0.0, read: int = 0, write: int = 0) -> Sample:
    """Make a sample of one process."""
    return Sample(time, rss, cpu, 0.0, read, write, 1, 1, 0, 0)


def test_series_keeps_everything_below_its_limit() -> None:
    """A short run is stored sample by sample, from time zero."""
    series = Series(limit=4)
    for i in range(4):
        series.append(a_sample(100 + i, rss=i, cpu=i / 2, read=i * 10, write=i * 20))
    assert series.columns() == {
        "time": [0, 1, 2, 3],
        "rss_bytes": [0, 1, 2, 3],
        "cpu_seconds": [0, 0.5, 1, 1.5],
        "read_bytes": [0, 10, 20, 30],
        "write_bytes": [0, 20, 40, 60],
    }


def test_series_of_gpus_hold_the_largest() -> None:
    """Memory and utilisation are there if they were told once; what was not told yet is NaN, and gives way."""
    series = Series(limit=2)
    series.append(a_sample(0))
    assert "gpu_memory_bytes" not in series.columns()
    for time, gpu in enumerate([None, (5.0, 10.0), (3.0, 70.0), (4.0, float("nan"))], 1):
        series.append(a_sample(time), gpu)
    columns = series.columns()
    assert columns["time"] == [3, 4]
    assert columns["gpu_memory_bytes"] == [5, 4]
    assert columns["gpu_utilisation_percent"][0] == 70
    assert columns["gpu_utilisation_percent"][1] != columns["gpu_utilisation_percent"][1]


def test_full_series_merges_neighbours() -> None:
    """Of two neighbours the larger memory, the later time and the later counters stay."""
    series = Series(limit=4)
    for i, rss in enumerate([5, 1, 2, 3, 9, 4, 7]):
        series.append(a_sample(i, rss=rss, cpu=i, read=i, write=i))
    columns = series.columns()
    assert columns["time"] == [1, 3, 5, 6]
    assert columns["rss_bytes"] == [5, 3, 9, 7]
    assert columns["cpu_seconds"] == columns["read_bytes"] == columns["write_bytes"] == [1, 3, 5, 6]


@pytest.mark.parametrize("limit", [1, 2, 7, 200])
def test_series_never_exceeds_its_limit(limit: int) -> None:
    """However long the run, the points are at most `limit`, even but for the last, and hold peak and end."""
    series = Series(limit=limit)
    for i in range(5000):
        series.append(a_sample(i, rss=i % 997))
        times = series.columns()["time"]
        assert len(times) <= limit
        assert times[-1] == i
        assert len({b - a for a, b in itertools.pairwise(times[:-1])}) <= 1
    assert max(series.columns()["rss_bytes"]) == 996
    assert len(series.columns()["time"]) >= limit // 2


def test_empty_series() -> None:
    """A run without a sample has empty columns."""
    assert Series().columns() == {name: [] for name in Series.COLUMNS}


def test_resources_add_up() -> None:
    """Peaks are the largest of all samples, counters the last, and the mean is taken over time."""
    resources = Resources()
    resources.add(Sample(10.0, 100, 1.0, 0.5, 10, 20, 3, 2, 5, 6))
    resources.add(Sample(11.0, 300, 2.0, 0.6, 30, 40, 9, 4, 7, 8))
    resources.add(Sample(21.0, 100, 3.0, 0.7, 50, 60, 1, 1, 9, 10))
    resources.finish()
    assert resources.as_dict() == {
        "peak_rss_bytes": 300,
        "mean_rss_bytes": 200,
        "user_cpu_seconds": 3.0,
        "system_cpu_seconds": 0.7,
        "read_bytes": 50,
        "write_bytes": 60,
        "peak_threads": 9,
        "peak_processes": 4,
        "voluntary_context_switches": 9,
        "involuntary_context_switches": 10,
        "wall_seconds": 11.0,
        "samples": 3,
    }


def test_mean_weighs_time() -> None:
    """Ten samples of the first second do not outweigh the hour after it."""
    resources = Resources()
    for i in range(10):
        resources.add(a_sample(i / 10, rss=1000))
    resources.add(a_sample(1.0, rss=10))
    resources.add(a_sample(3601.0, rss=10))
    assert resources.mean_rss_bytes == 10


def test_rusage_fills_in_what_samples_missed() -> None:
    """Of what both measured the larger counts, and the measured wall time is taken as it is."""
    usage = resource.struct_rusage((9.0, 0.1, 50, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 400))
    resources = Resources()
    resources.add(Sample(0.0, 100, 1.0, 0.5, 10, 20, 3, 2, 5, 6))
    resources.finish(usage, wall=12.5)
    found = resources.as_dict()
    assert found["peak_rss_bytes"] == 50 * 1024
    assert (found["user_cpu_seconds"], found["system_cpu_seconds"]) == (9.0, 0.5)
    assert (found["voluntary_context_switches"], found["involuntary_context_switches"]) == (5, 400)
    assert (found["wall_seconds"], found["read_bytes"]) == (12.5, 10)


def test_run_without_samples_has_the_kernels_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that ended before the first sample has its peak, which counts bytes on macOS, as its mean."""
    monkeypatch.setattr(sys, "platform", "darwin")
    resources = Resources()
    resources.finish(resource.struct_rusage((1.0, 2.0, 5000, *[0] * 13)), wall=3.0)
    found = resources.as_dict()
    assert (found["peak_rss_bytes"], found["mean_rss_bytes"], found["samples"]) == (5000, 5000, 0)


def test_what_ran_one_after_another_is_added_up() -> None:
    """Sums, but of peaks the larger; a mean is over the time of both."""
    whole = Resources()
    for rss, seconds in ((100, 1.0), (300, 3.0)):
        one = Resources()
        for time in (0.0, seconds):
            one.add(a_sample(time, rss=rss, cpu=time))
        one.finish(wall=seconds)
        whole.include(one)
    found = whole.as_dict()
    assert (found["wall_seconds"], found["user_cpu_seconds"], found["samples"]) == (4.0, 4.0, 4)
    assert (found["peak_rss_bytes"], found["mean_rss_bytes"]) == (300, 250)
