"""Fixtures of pytest for whoever tests workflows and job scripts without a cluster.

``pytest_plugins = ["sciflow.testing"]`` in the `conftest.py` at the top makes them known; they touch no other tests.
See the guide `testing`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from sciflow.schedulers.fake.faults import Chances
from sciflow.schedulers.fake.nodes import Node
from sciflow.schedulers.fake.partitions import Partition
from sciflow.schedulers.fake.simulated import Course, Sight
from sciflow.testing.cluster import FakeCluster
from sciflow.testing.job import FakeJob
from sciflow.testing.virtual_time import MovableClock, virtual_time

__all__ = [
    "Chances",
    "Course",
    "FakeCluster",
    "FakeJob",
    "MovableClock",
    "Node",
    "Partition",
    "Sight",
    "fake_pbs",
    "fake_slurm",
    "virtual_clock",
]


@pytest.fixture
def virtual_clock() -> Iterator[MovableClock]:
    """Return the clock by which sciflow tells the time and sleeps in this process; only tests and sleeping move it."""
    clock = MovableClock(time.time())
    with virtual_time(clock):
        yield clock


@pytest.fixture
def fake_slurm(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCluster]:
    """Return a Slurm that is not there but for its commands, which are first on PATH."""
    yield from _cluster("slurm", request, monkeypatch)


@pytest.fixture
def fake_pbs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCluster]:
    """Return a PBS that is not there but for its commands, which are first on PATH."""
    yield from _cluster("pbs", request, monkeypatch)


def _cluster(scheduler: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCluster]:
    has_clock = "virtual_clock" in request.fixturenames
    clock = request.getfixturevalue("virtual_clock") if has_clock else MovableClock(time.time())
    cluster = FakeCluster(scheduler, request.getfixturevalue("tmp_path"), clock)
    monkeypatch.setenv("PATH", f"{cluster.commands}{os.pathsep}{os.environ.get('PATH', os.defpath)}")
    try:
        yield cluster
    finally:
        cluster.close()
