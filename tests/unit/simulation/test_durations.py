"""How long each array index would run."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from sciflow.errors import ExpressionError, PlanError
from sciflow.simulation.durations import durations_of
from unit.simulation.conftest import HOUR, Compile


def test_an_index_runs_as_long_as_it_asks_for(compiled: Compile) -> None:
    """The requested walltime, which differs from array job to array job."""
    made = compiled(x=[1, 2], work={"resources": {"max_runtime_hours": "x"}})
    durations = durations_of(made)
    assert {one.name: durations.of(one).tolist() for one in made.plan.arrays} == {
        "work.0": [HOUR],
        "work.1": [2 * HOUR],
    }
    assert (durations.unsaid, durations.late) == ((), {})


@pytest.mark.parametrize(
    ("runtime", "seconds"),
    [
        (0.5, [1800, 1800]),
        ("0.5", [1800, 1800]),
        ("20 min", [1200, 1200]),
        ("1:30", [5400, 5400]),
        ("x / 4", [900, 1800]),
        ("10 * x min", [600, 1200]),
        ("1 if x > 1 else 2", [7200, 3600]),
        ("1 h 30 min", [5400, 5400]),
        ("0 d 1.5 hours 10s", [5410, 5410]),
        (timedelta(minutes=20), [1200, 1200]),
    ],
)
def test_a_runtime_is_said_in_hours_or_with_a_unit(compiled: Compile, runtime: str | float, seconds: list[int]) -> None:
    """A number, a duration, or an expression over parameters."""
    made = compiled(x=[1, 2], work={"resources": {"max_runtime": "4 h"}})
    assert durations_of(made, {"work": runtime}).of(made.plan.arrays[0]).tolist() == seconds


def test_what_is_packed_takes_the_time_of_all_its_members(compiled: Compile) -> None:
    """The last index may have fewer of them."""
    made = compiled(x=[1, 2, 3], work={"resources": {"max_runtime": "10 h", "combinations_per_index": 2}})
    [array] = made.plan.arrays
    assert durations_of(made).of(array).tolist() == [20 * HOUR, 10 * HOUR]
    assert durations_of(made, {"work": "x"}).of(array).tolist() == [3 * HOUR, 3 * HOUR]


def test_what_is_packed_shares_the_time_of_all(compiled: Compile) -> None:
    """One may take longer than its share where others take less; the last is ended when the time of all is up."""
    made = compiled(x=[1, 2, 3, 4], work={"resources": {"max_runtime": "2 h", "combinations_per_index": 2}})
    [array] = made.plan.arrays
    durations = durations_of(made, {"work": "x if x < 3 else 5 - x"})
    assert (durations.of(array).tolist(), durations.late) == ([3 * HOUR, 3 * HOUR], {})
    durations = durations_of(made, {"work": "x"})
    assert (durations.of(array).tolist(), durations.late) == ([3 * HOUR, 4 * HOUR], {"work": 1})


def test_what_was_learned_counts_where_nobody_says_otherwise(compiled: Compile) -> None:
    """Of instances of which nothing was learned, what they ask for."""
    made = compiled(x=[1, 2], work={"resources": {"max_runtime": "2 h"}}, rest={"resources": {"max_runtime": "1 h"}})
    made = replace(made, expected={"work": np.array([600.0, 0.0])})
    work, rest = made.plan.arrays
    durations = durations_of(made)
    assert (durations.of(work).tolist(), durations.of(rest).tolist()) == ([600, 2 * HOUR], [HOUR, HOUR])
    assert durations.learned == ("work",)
    said = durations_of(made, {"work": "30 min"})
    assert (said.of(work).tolist(), said.learned) == ([1800, 1800], ())


def test_a_chain_is_cut_where_its_links_are(compiled: Compile) -> None:
    """Each link goes on where the one before was warned of its end; those that have nothing to do take no time."""
    made = compiled(
        x=[1, 25],
        profile={"partitions": {"main": {"max_runtime": "10 h", "default": True}}},
        relax={"checkpoints": True, "resources": {"max_runtime": "25 h"}},
    )
    [array] = made.plan.arrays
    assert array.links == 3
    asked, said = durations_of(made), durations_of(made, {"relax": "x"})
    useful = 10 * HOUR - 120
    expected = [10 * HOUR, 10 * HOUR, 25 * HOUR - 2 * useful]
    assert [asked.of(array, link).tolist() for link in (1, 2, 3)] == [[one, one] for one in expected]
    assert [said.of(array, link).tolist() for link in (1, 2, 3)] == [
        [HOUR, expected[0]],
        [0, expected[1]],
        [0, expected[2]],
    ]


def test_what_takes_longer_than_it_may_is_counted_and_ends_then(compiled: Compile) -> None:
    """The scheduler ends it when its time is up."""
    made = compiled(x=[1, 2, 3], work={"resources": {"max_runtime": "90 min"}})
    durations = durations_of(made, {"work": "x"})
    assert durations.of(made.plan.arrays[0]).tolist() == [HOUR, 1.5 * HOUR, 1.5 * HOUR]
    assert durations.late == {"work": 2}


def test_tasks_that_ask_for_no_walltime_take_no_time(compiled: Compile) -> None:
    """They are named, unless it is said how long they take."""
    made = compiled(x=[1], first={}, work={"resources": {"max_runtime": "1 h"}})
    assert durations_of(made).unsaid == ("first",)
    assert durations_of(made).of(made.plan.array("first.0")).tolist() == [0]
    said = durations_of(made, {"first": "5 min"})
    assert (said.unsaid, said.of(made.plan.array("first.0")).tolist()) == ((), [300])


def test_a_plan_of_which_nothing_is_known_is_refused(compiled: Compile) -> None:
    """Some task must say how long it takes."""
    with pytest.raises(PlanError, match="no task asks for a walltime") as caught:
        durations_of(compiled(work={}))
    assert caught.value.hint == "say it: `--runtime work='20 min'`"


@pytest.mark.parametrize(
    ("runtimes", "error", "told", "hint"),
    [
        ({"wrk": 1}, PlanError, "a runtime is given for `wrk`, which is no task", "did you mean `work`?"),
        ({"work": -1}, PlanError, "the runtime `-1` of task `work` comes to -1, which is no time", "in hours"),
        ({"work": "x - 2"}, PlanError, "comes to -1 at {'x': 1}", "in hours"),
        ({"work": "x == 1"}, PlanError, "comes to True", "in hours"),
        ({"work": "y"}, ExpressionError, "names `y`, on which the task does not depend", "`x`"),
        ({"work": "2 *"}, ExpressionError, "runtime of task `work`", "`1 h 30 min`"),
        ({"work": "10 fortnights"}, ExpressionError, "`10 fortnights`", "`1 h 30 min`"),
        ({"work": "2 * h min"}, ExpressionError, "names `h`", ""),
        ({"work": "x 1 min"}, ExpressionError, "`x 1 min`", "`1 h 30 min`"),
        ({"work": timedelta(hours=-1)}, PlanError, "which is no time", "in hours"),
        (["work=1"], PlanError, "says no runtimes", "a dictionary"),
        ({"work": "soon min"}, ExpressionError, "names `soon`", ""),
    ],
)
def test_what_is_no_runtime_is_named(
    compiled: Compile, runtimes: Any, error: type[Exception], told: str, hint: str
) -> None:
    """The task, what was said of it, and how it is written."""
    made = compiled(x=[1, 2], work={"resources": {"max_runtime": "1 h"}})
    with pytest.raises(error) as caught:
        durations_of(made, runtimes)
    assert told in caught.value.message  # type: ignore[attr-defined]
    assert hint in caught.value.hint  # type: ignore[attr-defined]
