"""What instances are to ask for: what was learned of them, rounded and within what there is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sciflow.model.axes import repeated
from sciflow.planning.wanted import MEMORY_STEP, TIME_STEP, rounded_up
from unit.planning.learning import GIB, MIB, Seen, Wanted, planned


@pytest.mark.parametrize(
    ("amount", "step", "expected"),
    [
        (0, TIME_STEP, 0),
        (1, TIME_STEP, 300),
        (300, TIME_STEP, 300),
        (301, TIME_STEP, 600),
        (64 * 300 + 1, TIME_STEP, 66 * 300),
        (100 * MIB, MEMORY_STEP, 128 * MIB),
        (100 * GIB, MEMORY_STEP, 100 * GIB),
        (100 * GIB + 1, MEMORY_STEP, 102 * GIB),
    ],
)
def test_amounts_are_rounded_up(amount: int, step: int, expected: int) -> None:
    """To steps, which grow with the amount: no more than 3 % are added to what is large."""
    assert rounded_up(np.array([float(amount)]), step).tolist() == [expected]


def warnings_of(**more: Any) -> tuple[str, ...]:
    """The warnings of a plan of `melt` over n = 1 … 4."""
    return planned(n=[1, 2, 3, 4], **more).plan.warnings


def test_what_there_is_not_is_told() -> None:
    """It gets the most that there is, and a warning says of how many that is so."""
    compiled = planned(
        n=[1, 2, 3, 4],
        melt=lambda n: Wanted(n * 10 * GIB, n * 9000, 0, n * 3000, 0.9),
        partition={"memory_gb": 32, "max_runtime": "6 h"},
    )
    assert compiled.plan.warnings == (
        "1 of 4 instances of `melt` should ask for up to 40 GB, but partition `main` has 32 GB: they get that, which "
        "may not be enough",
        "2 of 4 instances of `melt` should ask for up to 10 h, but partition `main` has 6 h: they get that, which may "
        "not be enough",
    )
    assert "; enough with a chance of at least 0.9 over the mix that was measured; 2 get less" in compiled.plan.notes[0]
    assert max(array.resources.memory_bytes for array in compiled.plan.arrays) == 32 * GIB
    assert max(array.resources.runtime_seconds for array in compiled.plan.arrays) == 6 * 3600


@pytest.mark.parametrize(
    ("seen", "was"),
    [
        (Seen.of([1, 4], "power"), ""),
        (Seen.of([2, 4], "power"), ""),
        (Seen.of([1, 2], "power"), "from 1 to 2"),
        (Seen.of([2, 3]), "from 2 to 3"),
        (Seen.of([1, 1.2, 1.4, 1.6, 1.8, 2]), ""),
    ],
)
def test_what_is_far_from_what_was_seen_is_a_guess(seen: Seen, was: str) -> None:
    """Further outside than half of the range; but not of a number of which many values made no difference."""
    expected = (f"`n` of `melt` goes from 1 to 4, and run `r` has seen {was}: what is asked for outside is a guess",)
    plan = planned(melt=lambda: Wanted(GIB, 60, 0, 0, 0.9), names={"melt": ()}, seen={"melt": {"n": seen}}).plan
    assert plan.warnings == (expected if was else ())
    assert "at least 0.9 over the mix that was measured" in plan.notes[0]
    assert ("guessed" in plan.notes[0]) == bool(was)
    assert {one.resources.memory_bytes for one in plan.arrays} == {GIB}


@pytest.mark.parametrize(
    ("values", "seen", "new", "was"),
    [
        (["light", "heavy", "huge"], Seen.of(["light", "heavy"], "steps"), "huge", "light, heavy"),
        (["light", "heavy", "huge"], Seen.of(["light", "heavy"]), "huge", "light, heavy"),
        ([1, 2, 40], Seen.of([1, 2], "steps"), "40", "from 1 to 2"),
        ([2, 2.5, True], Seen.of([2, 3]), "True", "from 2 to 3"),
        ([2, 2.5, 7], Seen.of([2, 2.5, None], "steps"), "7", "from 2 to 2.5, null"),
    ],
)
def test_of_a_value_like_none_before_nothing_is_known(values: list[Any], seen: Seen, new: str, was: str) -> None:
    """Such instances ask for what the workflow says, and a warning names the value and those that were seen."""
    plan = planned(
        n=values, melt=lambda: Wanted(GIB, 60, 0, 0, 0.9), names={"melt": ()}, seen={"melt": {"n": seen}}
    ).plan
    assert plan.warnings == (
        f"run `r` tells nothing of `melt` where `n` is {new}: it has seen {was}; 1 instance asks for what the workflow "
        "says",
    )
    assert sorted((one.resources.memory_bytes, one.count) for one in plan.arrays) == [(GIB, 2), (8 * GIB, 1)]


def test_more_repetitions_are_like_those_before() -> None:
    """Seeds of `repeat` are far from each other, and no guess."""
    values = repeated(40)
    seen = {"melt": {"n": Seen.of(values[:1])}}
    assert warnings_of(melt=lambda: Wanted(GIB, 60), names={"melt": ()}, seen=seen) != ()
    assert planned(n=values, melt=lambda: Wanted(GIB, 60), names={"melt": ()}, seen=seen).plan.warnings == ()


def test_a_parameter_that_is_gone_teaches_nothing() -> None:
    """What depended on it cannot be told, and the task asks for what the workflow says."""
    compiled = planned(n=[1, 2], melt=lambda n, size: Wanted(GIB, 60), names={"melt": ("n", "size")})
    assert compiled.plan.warnings == (
        "in run `r` the task `melt` depends on `size`, which here it does not: nothing is learned of it",
    )
    assert [array.resources for array in compiled.plan.arrays] == [array.resources for array in compiled.asked]


def test_cores_are_learned_only_where_nobody_says_any() -> None:
    """And never more than a node has."""
    free = planned(n=[1, 2], melt=lambda n: Wanted(GIB, 60, n * 8), partition={"cpu_cores": 12})
    assert sorted(array.resources.cpu_cores for array in free.plan.arrays) == [8, 12]
    said = planned(n=[1, 2], melt=lambda n: Wanted(GIB, 60, n * 8), resources={"cpu_cores": 2})
    assert {array.resources.cpu_cores for array in said.plan.arrays} == {2}
