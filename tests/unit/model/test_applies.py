"""Which array jobs a policy holds for."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.errors import WorkflowError
from sciflow.model.applies import AppliesTo
from sciflow.model.resources import GIB, Resources
from sciflow.model.validation import validated

REQUEST = Resources(cpu_cores=4, memory_bytes=16 * GIB, gpus=1, runtime_seconds=5400, mpi_tasks=2)


@pytest.mark.parametrize(
    ("said", "holds"),
    [
        ({"cpu_cores": ">= 8"}, True),
        ({"cpu_cores": "> 8"}, False),
        ({"memory_gb": "<16.5"}, True),
        ({"memory_gb": "<= 15.5"}, False),
        ({"gpus": "= 1"}, True),
        ({"gpus": "== 0"}, False),
        ({"runtime_hours": ">= 1.5"}, True),
        ({"core_hours": ">= 120"}, True),
        ({"core_hours": "> 120"}, False),
        ({"cpu_cores": ">= 8", "gpus": "< 1"}, False),
        ({}, True),
    ],
)
def test_all_conditions_hold_of_what_ten_indices_ask_for(said: dict[str, str], holds: bool) -> None:
    """Cores are those of all processes of an index, core-hours those of all indices."""
    assert AppliesTo(**said).holds(REQUEST, 10) is holds


@pytest.mark.parametrize("text", ["4", ">= four", "=> 4", ">= 4 or < 2", ">= -1", ""])
def test_what_is_no_condition_is_refused(text: str) -> None:
    """With the way to write one."""
    with pytest.raises(WorkflowError, match="is no condition; write it like `>= 4`"):
        validated(AppliesTo, {"cpu_cores": text}, "applies_to")


@pytest.mark.parametrize("said", [{"cores": ">= 4"}, {"cpu_cores": 4}])
def test_only_what_is_known_can_be_asked_of_a_request(said: dict[str, Any]) -> None:
    """And only in words, since a bare number leaves open what is meant."""
    with pytest.raises(WorkflowError, match="cores"):
        validated(AppliesTo, said, "applies_to")


def test_the_conditions_are_said_in_a_line() -> None:
    """In the words of the workflow file."""
    assert AppliesTo(core_hours=" > 20", cpu_cores=">= 4").describe() == "cpu cores >= 4 and core hours > 20"
