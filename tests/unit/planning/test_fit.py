"""Requests against what the profile can give."""

from __future__ import annotations

import pytest

from sciflow.errors import PlanError
from sciflow.model.profile import Capacity
from sciflow.model.resources import GIB, Resources
from sciflow.planning.fit import fit

LARGE = Resources(8, 16 * GIB, 2, 3600)


def test_what_fits_is_left_as_it_is() -> None:
    """A profile that says nothing limits nothing."""
    for capacity in (Capacity(), Capacity(cpu_cores=8, memory_gb=16, gpus=2)):
        assert fit(LARGE, capacity, "t", "p", strict=True) == (LARGE, [])


def test_what_does_not_fit_is_reduced_with_a_warning() -> None:
    """Each warning says what was asked, what there is, and what it gets."""
    given, warnings = fit(LARGE, Capacity(cpu_cores=1, memory_gb=0.5, gpus=0), "t", "my laptop has it", strict=False)
    assert given == Resources(1, GIB // 2, 0, 3600)
    assert warnings == [
        "task `t` asks for 8 cores, but profile `my laptop has it` has 1 core: it gets 1 core",
        "task `t` asks for 16 GB, but profile `my laptop has it` has 512 MB: it gets 512 MB",
        "task `t` asks for 2 GPUs, but profile `my laptop has it` has no GPU: it gets no GPU",
    ]


def test_strictly_it_is_an_error() -> None:
    """All that does not fit is listed, with the way out."""
    with pytest.raises(PlanError) as caught:
        fit(LARGE, Capacity(cpu_cores=1, gpus=1), "t", "p", strict=True)
    assert caught.value.message.splitlines() == [
        "task `t` asks for 8 cores, but profile `p` has 1 core",
        "task `t` asks for 2 GPUs, but profile `p` has 1 GPU",
    ]
    assert "choose another profile" in caught.value.hint
