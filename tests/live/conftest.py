"""A real Slurm for the tests of this folder, and an ordinary user of it."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from live.account import Account, ordinary_account
from live.slurm_cluster import SlurmCluster, cgroup_obstacle
from live.slurm_conf import SlurmOptions
from live.slurm_daemons import missing_packages

# What takes longest begins first, so that no worker is left alone with it in the end; what is not named follows.
LONG = (
    "recovery",
    "states",
    "sweeps",
    "witnesses",
    "submit",
    "docs",
    "autonomous",
    "chains",
    "differential",
    "contract",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and let the longest files begin."""
    order = {f"test_{name}": place for place, name in enumerate(LONG)}
    here = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    for item in here:
        item.add_marker(pytest.mark.live)
    here.sort(key=lambda item: order.get(item.path.stem, len(LONG)))
    items[:] = [*here, *(item for item in items if item not in here)]


@pytest.fixture(scope="session", autouse=True)
def packages() -> None:
    """Skip where Slurm is not installed; fail if it was said to be."""
    if missing := missing_packages():
        reason = f"no Slurm to start, because of missing packages: {' '.join(missing)}; `make test-slurm` installs them"
        if os.environ.get("SCIFLOW_REQUIRE_SLURM") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def anyone(packages: None) -> Iterator[Account]:
    """Return an ordinary user, who knows of no cluster yet."""
    with ordinary_account() as account:
        yield account


@pytest.fixture(scope="session")
def cluster(anyone: Account) -> Iterator[SlurmCluster]:
    """Return the cluster that all tests share: two nodes of 8 cores, 16 GB and 2 GPUs."""
    started = SlurmCluster(anyone, SlurmOptions(gpus=2))
    started.start()
    yield started
    started.stop()


@pytest.fixture
def account(cluster: SlurmCluster) -> Account:
    """Return the ordinary user of the shared cluster."""
    return cluster.account


@pytest.fixture(autouse=True)
def empty_queue(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave no job of one test in the way of the next."""
    yield
    if "cluster" in request.fixturenames:
        shared: SlurmCluster = request.getfixturevalue("cluster")
        shared.command("scancel", "-u", shared.account.name)
        shared.wait_for(lambda: not shared.command("squeue", "-h").stdout, "an empty queue")


@pytest.fixture
def make_cluster(anyone: Account) -> Iterator[Callable[..., SlurmCluster]]:
    """Return a function that starts a cluster for one test alone; it takes what `SlurmOptions` takes."""
    with ExitStack() as stack:

        def make(**options: Any) -> SlurmCluster:
            if options.get("cgroup") and (obstacle := cgroup_obstacle()):
                pytest.skip(obstacle)
            made = SlurmCluster(anyone, SlurmOptions(**options))
            made.start()
            stack.callback(made.stop)
            return made

        yield make
