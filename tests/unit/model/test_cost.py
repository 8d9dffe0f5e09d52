"""What work costs."""

import pytest

from sciflow.model.cost import Cost, cost_of, format_amount, total
from sciflow.model.resources import GIB, Resources


@pytest.mark.parametrize(
    ("resources", "jobs", "expected"),
    [
        (Resources(4, 8 * GIB, 1, 1800), 10, Cost(20, 5, 40, 10)),
        (Resources(2, 4 * GIB, 0, 3600, mpi_tasks=16, nodes=2), 3, Cost(96, 0, 12, 3)),
        (Resources(8, nodes=4, gpus=6, runtime_seconds=3600), 1, Cost(32, 8, 0, 1)),
        (Resources(64, 8 * GIB, 4), 100, Cost(0, 0, 0, 100)),
    ],
    ids=["a core on each of several nodes", "processes have their cores", "what all nodes get", "no runtime"],
)
def test_what_is_requested_costs_as_long_as_it_may_run(resources: Resources, jobs: int, expected: Cost) -> None:
    """Cores of all processes or nodes, GPUs on all nodes, and all of the memory; hours that nobody said cost 0."""
    assert cost_of(resources, jobs) == expected


def test_costs_add_up() -> None:
    """Nothing costs nothing."""
    assert total([Cost(1, 2, 3, 4), Cost(10, 20, 30, 40)]) == Cost(11, 22, 33, 44)
    assert total([]) == Cost()


@pytest.mark.parametrize(("amount", "text"), [(0.08333, "0.08333"), (17.5, "17.5"), (11560.2, "11,560"), (5, "5")])
def test_amounts_are_short(amount: float, text: str) -> None:
    """Four digits are enough, and thousands are told apart."""
    assert format_amount(amount) == text
