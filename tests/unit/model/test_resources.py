"""What one array index is given."""

from __future__ import annotations

import pytest

from sciflow.model.resources import GIB, Resources


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        (Resources(), "1 core"),
        (Resources(4, 8 * GIB, 2, 43200), "4 cores, 8 GB, 2 GPUs, 12 h"),
        (Resources(gpus=1, runtime_seconds=90), "1 core, 1 GPU, 1 min 30 s"),
        (Resources(2, mpi_tasks=16, nodes=4), "4 nodes, 16 × 2 cores"),
        (Resources(mpi_tasks=3), "3 × 1 core"),
    ],
)
def test_a_request_is_said_in_one_line(resources: Resources, expected: str) -> None:
    """What is not said is left out."""
    assert resources.describe() == expected


def test_every_process_has_its_cores() -> None:
    """Without processes of MPI there is one."""
    assert Resources(2, mpi_tasks=16, runtime_seconds=3600).all_cores == 32
    assert Resources(2, mpi_tasks=16, nodes=4).cores_on_nodes == 32
    assert Resources(2).all_cores == 2


def test_every_node_has_a_process() -> None:
    """Without processes of MPI the scheduler gives the cores of one on each node."""
    assert Resources(2, nodes=3).cores_on_nodes == 6
    assert Resources(2).cores_on_nodes == 2


@pytest.mark.parametrize(
    ("resources", "memory", "gpus"),
    [
        (Resources(memory_bytes=10, gpus=3), 10, 3),
        (Resources(memory_bytes=10, gpus=3, nodes=3), 4, 1),
        (Resources(memory_bytes=10, gpus=4, nodes=3), 4, 2),
        (Resources(nodes=3), 0, 0),
    ],
)
def test_memory_and_gpus_are_shared_by_the_nodes(resources: Resources, memory: int, gpus: int) -> None:
    """Rounded up, so that all nodes together have what was asked for."""
    assert (resources.memory_per_node, resources.gpus_per_node) == (memory, gpus)
