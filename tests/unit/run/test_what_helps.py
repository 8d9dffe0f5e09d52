"""Other requests for what waits."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciflow.model.profile import Partition
from sciflow.model.resources import GIB, Resources
from sciflow.run.what_helps import in_gap, takes
from sciflow.schedulers.waiting import Gap

OWN = Resources(8, 4 * GIB, 0, 36_000)


@pytest.mark.parametrize(
    ("partition", "is_taken"),
    [
        (Partition(), True),
        (Partition(cpu_cores=8, memory_gb=4, nodes=1, max_runtime="10h"), True),
        (Partition(cpu_cores=7), False),
        (Partition(memory_gb=3.9), False),
        (Partition(max_runtime="9h"), False),
    ],
)
def test_what_a_partition_takes(partition: Partition, is_taken: bool) -> None:
    """As far as the profile tells; what it does not say is no limit."""
    assert takes(partition, OWN) == is_taken
    assert not takes(Partition(gpus=0), OWN._replace(gpus=1))
    assert takes(Partition(gpus=2), OWN._replace(gpus=2))


@given(st.floats(0, 1e6), st.integers(1, 64), st.integers(0, 64 * GIB), st.integers(0, 100_000))
def test_what_fits_into_a_gap_ends_before_it_does(seconds: float, cores: int, memory: int, asked: int) -> None:
    """It asks for no more cores, memory or time than are free until then, and never for more than before."""
    own = OWN._replace(runtime_seconds=asked)
    for one in in_gap(own, Gap(1_000.0 + seconds, cores, memory), 1_000.0):
        request = one.variant.resources
        assert min(60, asked or 60) <= request.runtime_seconds <= seconds
        assert request.runtime_seconds <= (asked or math.inf)
        assert request.cpu_cores <= min(cores, OWN.cpu_cores)
        assert not memory or request.memory_bytes <= memory
        assert request != own
        assert (one.start, one.source) == (1_000.0, "gap")


def test_no_gap_for_what_runs_on_several_nodes_or_gpus() -> None:
    """Nobody knows what is free of these."""
    gap = Gap(10_000.0, 64, 0)
    assert list(in_gap(OWN, gap, 0.0))
    assert not list(in_gap(OWN._replace(nodes=2), gap, 0.0))
    assert not list(in_gap(OWN._replace(gpus=1), gap, 0.0))
    assert not list(in_gap(OWN._replace(mpi_tasks=16), gap, 0.0))
    assert not list(in_gap(OWN._replace(runtime_seconds=60), gap, 0.0))
