"""A real Slurm does what every scheduler must do: the tests of `tests/contract`, word for word."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contract.conftest import notebook  # noqa: F401 - a fixture of the tests below
from contract.test_cancel import *  # noqa: F403
from contract.test_scheduler import *  # noqa: F403
from live.account import Account
from live.slurm_cluster import SlurmCluster
from live.slurm_conf import SlurmOptions
from live.slurm_site import SlurmSite
from sciflow.model.workflow import ExperimentalWorkflow


@pytest.fixture(scope="module")
def small(anyone: Account) -> Iterator[SlurmCluster]:
    """Return a cluster of one node with 4 cores, 4 GB and 2 GPUs."""
    started = SlurmCluster(anyone, SlurmOptions(nodes=1, cpus=4, memory_mb=4096, gpus=2))
    started.start()
    yield started
    started.stop()


@pytest.fixture
def desk(anyone: Account) -> Path:
    """Return a folder of the ordinary user."""
    return anyone.folder("desk")


@pytest.fixture
def impossible() -> list[dict[str, int]]:
    """Return requests that no node can meet; more cores than all nodes have together Slurm takes, and never starts."""
    return [{"memory_bytes": 5 << 30}, {"gpus": 3}]


@pytest.fixture
def make_site(small: SlurmCluster, desk: Path) -> Callable[[ExperimentalWorkflow], SlurmSite]:
    """Return a function that stages a workflow and gives the site on which it can run."""
    return lambda workflow: SlurmSite(small, workflow, desk)
