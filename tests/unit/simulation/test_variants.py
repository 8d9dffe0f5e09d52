"""What else could be done with a plan."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.planning.compiled import Compiled
from sciflow.simulation.durations import durations_of
from sciflow.simulation.machines import parse_nodes
from sciflow.simulation.outcome import Outcome
from sciflow.simulation.variants import Setting, variants
from unit.simulation.conftest import HOUR, NOW, Compile

NIGHT = {"policy": "off_peak", "preferred_hours": "22:00-08:00"}
WORK: dict[str, Any] = {"resources": {"max_runtime": "1 h"}}


def tried(made: Compiled, nodes: str = "1x8c") -> dict[str, Outcome]:
    """Play what was compiled as planned and in other ways."""
    setting = Setting.of(made, durations_of(made), parse_nodes(nodes), NOW)
    first = setting.play()
    return {"as planned": first, **{title: other.play() for title, other in variants(setting, first)}}


def hours(found: dict[str, Outcome]) -> dict[str, float]:
    """Return how long each variant takes."""
    return {title: one.seconds / HOUR for title, one in found.items()}


def test_a_plan_that_begins_at_night_could_begin_now(compiled: Compile) -> None:
    """Six hours sooner, and none of it in the preferred hours."""
    found = tried(compiled(x=[1, 2], schedule=dict(NIGHT), work=WORK))
    assert hours(found) == {"as planned": 7, "all at once now": 1}
    assert (found["as planned"].off_peak, found["all at once now"].off_peak) == (1, 0)


def test_where_start_times_are_not_kept_it_is_told_what_they_would_be(compiled: Compile) -> None:
    """The windows of the schedule, on a cluster that nobody shares."""
    found = tried(compiled(x=[1, 2], schedule=dict(NIGHT), profile={"shared": False}, work=WORK))
    assert hours(found) == {"as planned": 1, "off-peak, from Wed 22:00 on": 7}


def test_fewer_at_once_leave_room_for_others(compiled: Compile) -> None:
    """A half and a quarter of the most that ran at once."""
    found = tried(compiled(x=range(8), work=WORK))
    assert hours(found) == {"as planned": 1, "%4: 4 of an array job at once": 2, "%2: 2 of an array job at once": 4}


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"running_indices": 2}, {"as planned": 4, "all at once now": 1, "%4: 4 of an array job at once": 2}),
        ({"submitted_indices": 100}, ["as planned", "%4: 4 of an array job at once", "%2: 2 of an array job at once"]),
    ],
)
def test_limits_are_varied_where_they_matter(compiled: Compile, limits: dict[str, int], expected: Any) -> None:
    """A limit that is never reached is none."""
    found = hours(tried(compiled(x=range(8), profile={"limits": limits}, work=WORK)))
    assert (found if isinstance(expected, dict) else list(found)) == expected


def test_canaries_may_be_left_out(compiled: Compile) -> None:
    """All at once means without anything that runs ahead."""
    found = hours(tried(compiled(x=range(3), recovery={"canaries": 1}, work=WORK)))
    assert found == {"as planned": 2, "all at once now": 1}


def test_short_tasks_are_packed(compiled: Compile) -> None:
    """So that an index takes an hour at most, and the nodes are filled twice all the same."""
    short = {"resources": {"max_runtime": "5 min", "cpu_cores": 8}}
    found = tried(compiled(x=range(48), work=short))
    title = "combinations_per_index: work by 12"
    assert set(found) == {"as planned", title}
    assert (found["as planned"].starts, found[title].starts) == (48, 4)
    assert found["as planned"].seconds == found[title].seconds == 4 * HOUR


def test_packing_keeps_to_the_walltime_of_the_site(compiled: Compile) -> None:
    """No more in an index than a partition allows."""
    profile = {"partitions": {"short": {"max_runtime": "20 min", "default": True}}}
    short = {"resources": {"max_runtime": "5 min", "cpu_cores": 8}}
    assert "combinations_per_index: work by 4" in tried(compiled(x=range(48), profile=profile, work=short))


def test_what_is_packed_too_much_is_packed_less(compiled: Compile) -> None:
    """One index of eight leaves seven cores without work."""
    packed = {"resources": {"max_runtime": "30 min", "combinations_per_index": 8}}
    assert hours(tried(compiled(x=range(8), work=packed))) == {
        "as planned": 4,
        "combinations_per_index: work by 1": 0.5,
    }


def test_what_is_long_enough_is_left_alone(compiled: Compile) -> None:
    """An hour is worth a start; three at once are few enough."""
    assert list(tried(compiled(x=range(3), work=WORK))) == ["as planned"]
