"""What a task asks for: numbers, or rules that give a number for each combination."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sciflow.errors import WorkflowError
from sciflow.model.request import ResourceRequest
from sciflow.model.resources import GIB, Resources
from sciflow.model.validation import validated


def asked(**fields: Any) -> ResourceRequest:
    """Make a request as a workflow does."""
    return validated(ResourceRequest, fields, "resources of task `train`")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Resources()),
        (
            {"cpu_cores": 4, "memory_gb": 1.5, "gpu": True, "max_runtime_hours": 0.5},
            Resources(4, 3 * GIB // 2, 1, 1800),
        ),
        ({"memory": "512M", "gpus": 2, "max_runtime": "02:30:00"}, Resources(1, GIB // 2, 2, 9000)),
        ({"gpu": False}, Resources()),
        ({"gpus": 0}, Resources()),
        ({"gpus": "n - 16", "cpu_cores": 0.1, "memory_gb": 1e-12}, Resources(1, 1)),
        ({"cpu_cores": "n // 2", "memory_gb": "0.1 + n / 64"}, Resources(8, 375809639)),
        ({"cpu_cores": lambda n: n + 0.5, "gpus": lambda n: np.int64(n)}, Resources(17, 0, 16)),
        ({"memory_gb": lambda: np.float32(2)}, Resources(1, 2 * GIB)),
        ({"nodes": "n / 10", "mpi_tasks": "2 * n"}, Resources(1, nodes=2, mpi_tasks=32)),
        ({"nodes": 0.5, "mpi_tasks": 0}, Resources(1, nodes=1, mpi_tasks=0)),
        ({"nodes": lambda n: n, "mpi_tasks": lambda: 3}, Resources(1, nodes=16, mpi_tasks=3)),
    ],
)
def test_requests_become_whole_cores_bytes_and_seconds(fields: Any, expected: Resources) -> None:
    """Numbers, expressions and functions give a request, NumPy's numbers too; parts are rounded up."""
    given = asked(**fields).resolve({"n": 16}, "train")
    assert given == expected
    assert {type(amount) for amount in given} == {int}


def test_a_request_depends_on_the_parameters_that_it_names() -> None:
    """Names come from expressions and from the arguments of functions."""
    assert asked(cpu_cores="a + 1", memory_gb=lambda b: b, gpus=1).names == {"a", "b"}
    assert asked(nodes="c", mpi_tasks=lambda d: d).names == {"c", "d"}
    assert asked().names == frozenset()


def test_a_later_request_overrides_what_it_says_only() -> None:
    """Two ways of saying the same thing replace each other."""
    both = asked(cpu_cores=2, memory_gb=4, gpu=True, max_runtime="1h").merged(asked(memory="1G", max_runtime_hours=2))
    assert both == asked(cpu_cores=2, memory="1G", gpu=True, max_runtime_hours=2)


def test_options_of_the_site_are_overridden_likewise() -> None:
    """What the later request does not say stays; a list that it does not give stays, too."""
    first = asked(partition="long", account="project", directives=["--exclusive"])
    assert first.merged(asked(partition="short")) == asked(
        partition="short", account="project", directives=["--exclusive"]
    )
    assert first.merged(asked(directives=["--nice"])).directives == ("--nice",)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"cpu_cores": -1}, "`cpu_cores`: -1 is no amount"),
        ({"cpu_cores": 0}, "`cpu_cores`: 0 is no amount; leave it out for the default"),
        ({"memory_gb": 0.0}, "`memory_gb`: 0.0 is no amount; leave it out for the default"),
        ({"max_runtime_hours": 0}, "`max_runtime_hours`: 0 is no amount; leave it out for the default"),
        ({"memory": "0 GB"}, "`memory`: `0 GB` is no amount; leave it out for the default"),
        ({"max_runtime": "00:00:00"}, "`max_runtime`: `00:00:00` is no amount; leave it out for the default"),
        ({"memory_gb": float("nan")}, "`memory_gb`: nan is no amount"),
        ({"gpus": [1]}, r"`gpus`: [1] is no number, expression or function"),
        ({"cpu_cores": True}, "`cpu_cores`: True is no number"),
        ({"cpu_cores": "n +"}, "`cpu_cores`: expression `n +`: it cannot be read"),
        ({"cpu_cores": "n.__class__"}, "`cpu_cores`: expression `n.__class__`: an attribute (`.name`) is not allowed"),
        ({"memory": "8"}, "`memory`: `8` is no amount of memory; write it like `8G`"),
        ({"max_runtime": "soon"}, "`max_runtime`: `soon` is no duration; write it like `90 min`"),
        ({"memory": "8G", "memory_gb": 8}, "`memory_gb` and `memory` say the same thing; give one"),
        ({"gpu": True, "gpus": 1}, "`gpus` and `gpu` say the same thing"),
        ({"cores": 4}, "`cores` is not known here"),
        ({"nodes": 0}, "`nodes`: 0 is no amount; leave it out for the default"),
        ({"mpi_tasks": -1}, "`mpi_tasks`: -1 is no amount"),
        ({"partition": "a b"}, "'a b' cannot stand in a scheduler's directive"),
        ({"gpu": "maybe"}, "`gpu` is 'maybe'; it takes `true` or `false`"),
    ],
)
def test_what_is_no_request(fields: Any, reason: str) -> None:
    """The task, the field, the value and the way out are named."""
    with pytest.raises(WorkflowError) as caught:
        asked(**fields)
    assert caught.value.message.startswith("resources of task `train`: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"cpu_cores": "0 - n"}, "`cpu_cores` of task `train` comes to -16 at {'n': 16}, which is no amount"),
        ({"cpu_cores": "n - 16"}, "`cpu_cores` of task `train` comes to 0 at {'n': 16}, which is no amount"),
        ({"memory_gb": lambda n: 0.0 * n}, "`memory_gb` of task `train` comes to 0.0 at {'n': 16}, which is no amount"),
        ({"max_runtime_hours": "n // 100"}, "comes to 0 at {'n': 16}, which is no amount"),
        ({"gpus": "0 - 1"}, "comes to -1 at {'n': 16}, which is no amount"),
        ({"nodes": "n - 16"}, "`nodes` of task `train` comes to 0 at {'n': 16}, which is no amount"),
        ({"mpi_tasks": "0 - n"}, "`mpi_tasks` of task `train` comes to -16"),
        ({"cpu_cores": "n > 1"}, "comes to True"),
        ({"memory_gb": "'8'"}, "comes to '8'"),
        ({"memory_gb": lambda: [1]}, "comes to [1]"),
        ({"max_runtime_hours": lambda: float("inf")}, "comes to inf"),
        (
            {"cpu_cores": "n / 0"},
            "`cpu_cores` of task `train`: expression `n / 0` cannot be evaluated: division by zero",
        ),
        ({"cpu_cores": lambda n: n["x"]}, "`cpu_cores` of task `train` fails at {'n': 16}: TypeError"),
        ({"cpu_cores": "m + 1"}, "`cpu_cores` of task `train`: expression `m + 1` names `m`"),
    ],
)
def test_what_comes_to_no_amount(fields: Any, reason: str) -> None:
    """A rule that gives no usable number is named with the combination for which it fails."""
    with pytest.raises(WorkflowError) as caught:
        asked(**fields).resolve({"n": 16}, "train")
    assert reason in caught.value.message
