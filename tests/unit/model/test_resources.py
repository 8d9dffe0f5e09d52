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
    ],
)
def test_a_request_is_said_in_one_line(resources: Resources, expected: str) -> None:
    """What is not said is left out."""
    assert resources.describe() == expected


def test_core_hours_are_cores_times_hours() -> None:
    """Four cores for half an hour are two core-hours."""
    assert Resources(cpu_cores=4, runtime_seconds=1800).core_hours == 2
