"""Start times of array jobs, and the waves in which they begin."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sciflow.errors import PlanError
from sciflow.model.plan import ArrayJob, Dependency
from sciflow.model.policy import Policies, SchedulingPolicy
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import Resources
from sciflow.planning.timetable import Timetable, timetable

NOON = datetime(2031, 5, 14, 12, tzinfo=timezone.utc)
EVENING = NOON.replace(hour=22)
NEXT = EVENING + timedelta(days=1)
NIGHT = {"policy": "off_peak", "preferred_hours": "22:00-06:00", "timezone": "UTC"}


def job(name: str, count: int, minutes: int, *after: str, whole: tuple[str, ...] = (), **more: Any) -> ArrayJob:
    """Return an array job that waits for others index by index, or for all of them."""
    waits = (*(Dependency(one, "element") for one in after), *(Dependency(one, "whole") for one in whole))
    return ArrayJob(name, name.partition(".")[0], count, Resources(1, runtime_seconds=60 * minutes), waits, **more)


def planned(
    *arrays: ArrayJob, now: datetime = NOON, canaries: int = 0, at_once: int | None = 100, **policy: Any
) -> Timetable:
    """Plan array jobs for nights."""
    limits = {"running_indices": at_once, "submitted_indices": policy.pop("submitted_indices", None)}
    profile = ClusterProfile.model_validate({"name": "site", "scheduler": "slurm", "limits": limits})
    tasks = {task: SchedulingPolicy(**said) for task, said in policy.pop("tasks", {}).items()}
    policies = Policies(SchedulingPolicy.model_validate({**NIGHT, **policy}), tasks)
    return timetable(arrays, policies, profile, now, canaries)


def waves(array: ArrayJob) -> list[tuple[int, datetime | None]]:
    """Return how many elements begin when."""
    return [(wave.count, wave.begin) for wave in array.waves]


def test_work_that_is_longer_than_a_night() -> None:
    """It is cut, what follows it likewise, and what needs all of it begins after the last wave."""
    found = planned(job("a.0", 1000, 50), job("b.0", 1000, 20, "a.0"), job("c.0", 1, 10, whole=("b.0",)))
    first, second, last = found.arrays
    assert waves(first) == waves(second) == [(900, EVENING), (100, NEXT)]
    assert (first.begin, last.begin, last.waves) == (EVENING, NEXT, ())
    assert found.notes == (
        "task `a` begins at 2 times, so that all of it ends inside preferred hours: 100 array indices run at once",
        "task `b` begins at 2 times, so that all of it ends inside preferred hours: 100 array indices run at once",
    )


def test_the_rest_of_this_night_comes_first() -> None:
    """At two o'clock four rounds begin at once; at ten to six nothing does."""
    [array] = planned(job("a.0", 1000, 50), now=NOON.replace(hour=2)).arrays
    assert waves(array) == [(400, None), (600, EVENING)]
    assert array.begin is None
    [array] = planned(job("a.0", 1000, 50), now=NOON.replace(hour=5, minute=50)).arrays
    assert waves(array) == [(900, EVENING), (100, NEXT)]


def test_what_a_night_holds_is_one_submission() -> None:
    """It has a start time, and no waves."""
    [array] = planned(job("a.0", 900, 50)).arrays
    assert (array.begin, array.waves) == (EVENING, ())


def test_canaries_take_a_round_of_the_first_wave() -> None:
    """So that one round less fits; where the window holds only them, the others begin in the next one."""
    [array] = planned(job("a.0", 1000, 50), canaries=2).arrays
    assert waves(array) == [(800, EVENING), (200, NEXT)]
    [array] = planned(job("a.0", 100, 300), canaries=2).arrays
    assert (array.begin, waves(array)) == (EVENING, [(100, NEXT)])


def test_a_deadline_is_that_of_canaries_too() -> None:
    """They do not wait for a night of their own where all others, which wait for them, would be late."""
    jobs = (job("pre.0", 30, 60), job("a.0", 30, 1200, "pre.0"), job("z.0", 1, 60, whole=("a.0",)))
    array = planned(*jobs, canaries=2, at_once=10, deadline="2031-05-18 12:00").arrays[1]
    assert (array.begin, waves(array)) == (EVENING, [(10, NEXT), (20, NEXT + timedelta(hours=20))])
    array = planned(*jobs, canaries=2, at_once=10, deadline="2031-05-18 00:00").arrays[1]
    assert (array.begin, array.waves) == (EVENING, ())  # too late by then, but nothing is won by an earlier begin
    array = planned(*jobs, canaries=2, at_once=10).arrays[1]
    assert (array.begin, waves(array)[0]) == (NEXT, (10, NEXT + timedelta(days=1)))


def test_what_a_policy_does_not_hold_for_begins_at_once() -> None:
    """What depends on it index by index waits for it in the night."""
    found = planned(job("a.0", 1000, 50), job("b.0", 1000, 50, "a.0"), tasks={"a": {"policy": "immediate"}})
    assert (found.arrays[0].begin, found.arrays[0].waves) == (None, ())
    assert waves(found.arrays[1]) == [(900, EVENING), (100, NEXT)]


def test_what_a_policy_is_not_meant_for_starts_after_a_blackout() -> None:
    """It does not wait for the night, and is told of the blackout only where it would run into it."""
    lunch, large = ["2031-05-14 12:30 to 2031-05-14 13:30"], {"cpu_cores": ">= 4"}
    found = planned(job("a.0", 1, 50), applies_to=large, blackouts=lunch)
    assert found.arrays[0].begin == NOON.replace(hour=13, minute=30)
    assert found.notes == ("`a`: it would run into a blackout: it starts after that, at 2031-05-14 13:30+00:00",)
    four = ArrayJob("b.0", "b", 1, Resources(4, runtime_seconds=3000))
    found = planned(four, job("c.0", 1, 50, whole=("b.0",)), applies_to=large, blackouts=lunch)
    assert ([array.begin for array in found.arrays], found.notes) == ([EVENING, None], ())


def test_nothing_goes_on_through_a_blackout() -> None:
    """Array jobs that begin at once are cut as well, with what follows them; what is over by then is not."""
    away = {"policy": "immediate", "preferred_hours": None, "blackouts": ["2031-05-14 16:00 to 2031-05-14 18:00"]}
    six = NOON.replace(hour=18)
    found = planned(job("a.0", 1000, 50), job("b.0", 1000, 20, "a.0"), job("c.0", 1, 10, whole=("b.0",)), **away)
    assert waves(found.arrays[0]) == [(400, None), (600, six)]
    assert waves(found.arrays[1]) == [(400, None), (600, six)]
    assert (found.arrays[2].begin, found.warnings) == (None, ())
    assert found.notes[0] == (
        "task `a` begins at 2 times, so that all of it is over before a blackout, or begins after it: "
        "100 array indices run at once"
    )
    assert planned(job("a.0", 400, 50), **away).arrays[0].waves == ()
    assert waves(planned(job("a.0", 400, 50), canaries=2, **away).arrays[0]) == [(300, None), (100, six)]
    months = {**away, "blackouts": ["2031-05-14 16:00 to 2031-07-31"]}
    assert waves(planned(job("a.0", 1000, 50), **months).arrays[0])[1] == (600, datetime(2031, 8, 1, tzinfo=six.tzinfo))


def test_what_does_not_keep_its_hours_is_named() -> None:
    """What is too long, what the longest wait forces, what a deadline forces, and what two months do not hold."""
    assert any("too long for any window" in note for note in planned(job("a.0", 1000, 600)).notes)
    found = planned(job("a.0", 1000, 50), max_wait_hours=12)
    assert waves(found.arrays[0]) == [(900, EVENING), (100, NOON + timedelta(hours=12))]
    assert found.notes[-1] == (
        "task `a`: 100 array indices begin when the longest wait of 12 h is over, in preferred hours or not"
    )
    found = planned(job("a.0", 1000, 50), deadline=NEXT)
    assert waves(found.arrays[0]) == [(900, EVENING), (100, EVENING + timedelta(hours=7, minutes=30))]
    assert "100 array indices begin when the deadline asks for it" in found.notes[-1]
    [warning] = planned(job("a.0", 1000, 50), at_once=1).warnings
    assert "takes more than 60 windows" in warning
    assert f"the last {1000 - 60 * 9} " in warning


def test_a_deadline_that_so_few_at_once_cannot_meet() -> None:
    """It is refused, with the earliest possible end, which is in full minutes one that can be met."""
    with pytest.raises(
        PlanError, match=r"cannot meet its deadline .* earliest possible end is 2031-05-14 20:20\+00:00"
    ):
        planned(job("a.0", 1000, 50), deadline=NOON.replace(hour=18))
    with pytest.raises(PlanError, match=r"earliest possible end is 2031-05-14 20:21\+00:00"):
        planned(job("a.0", 1000, 50), now=NOON.replace(second=1), deadline=NOON.replace(hour=20, minute=20))


def test_a_deadline_that_array_jobs_cannot_meet_together() -> None:
    """Each of them could alone, but they share the nodes."""
    main = {"cpu_cores": 8, "nodes": 1, "default": True}
    place = ClusterProfile.model_validate({"name": "site", "scheduler": "slurm", "partitions": {"main": main}})
    arrays = [job("a.0", 16, 60), job("b.0", 16, 60)]
    policies = Policies(SchedulingPolicy.model_validate({**NIGHT, "deadline": NOON.replace(hour=15)}))
    with pytest.raises(PlanError, match=r"`a`, `b` cannot meet their deadline .* end is 2031-05-14 16:00\+00:00"):
        timetable(arrays, policies, place, NOON)
    assert timetable(arrays[:1], policies, place, NOON).arrays[0].begin is None


def test_what_nobody_knows_is_said_once() -> None:
    """How many run at once, how long something takes, and when what goes on in links does so."""
    found = planned(job("a.0", 1000, 50), job("b.0", 5, 0), job("c.0", 5, 60, links=3), at_once=None)
    assert [array.begin for array in found.arrays] == [EVENING] * 3
    assert [note.partition(":")[0] for note in found.notes] == [
        "task `b` asks for no runtime",
        "profile `site` does not say how many array indices run at once",
        "task `c` goes on in links",
    ]


def test_what_the_site_does_not_take_at_once() -> None:
    """It is submitted later, and begins in the next night if its own is over by then."""
    found = planned(job("a.0", 1000, 50), submitted_indices=500)
    assert "the site takes 500 array indices of a user at a time" in found.notes[-1]


def test_a_moment_without_a_zone_is_of_this_machine() -> None:
    """It is planned as the same moment with its zone."""
    here = NOON.astimezone().replace(tzinfo=None)
    assert planned(job("a.0", 1000, 50), now=here).arrays == planned(job("a.0", 1000, 50)).arrays


def test_a_profile_that_keeps_no_start_times() -> None:
    """Nothing is planned."""
    profile = ClusterProfile(name="local", scheduler="local", shared=False)
    array = job("a.0", 1000, 50)
    assert timetable([array], Policies(SchedulingPolicy.model_validate(NIGHT)), profile, NOON).arrays == (array,)


def at(*time: int) -> datetime:
    """Return a moment of May or June 2031 in Berlin."""
    return datetime(2031, *time, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("hours", "policy", "now", "begin"),
    [
        (12, {"holidays": ["2031-05-14"]}, at(5, 14, 20, 1), at(5, 15, 22)),
        (70, {"holidays": ["2031-06-02"], "weekend_preferred": True}, at(5, 31, 22), at(6, 3, 22)),
        (24, {"weekend_preferred": True, "max_wait_hours": 72}, at(5, 18, 12), at(5, 19, 22)),
        (11, {}, datetime(2031, 10, 26, 2, 30, tzinfo=timezone.utc), at(10, 26, 22)),
    ],
)
def test_what_is_longer_than_the_rest_of_an_open_window(
    hours: int, policy: dict[str, Any], now: datetime, begin: datetime
) -> None:
    """It begins with the next one, whether that holds it or not, though the open one as a whole would hold it."""
    policy = {"preferred_hours": "22:00-08:00", "timezone": "Europe/Berlin", **policy}
    found = planned(job("a.0", 1, 60 * hours), now=now, **policy)
    assert (found.arrays[0].begin, found.warnings) == (begin, ())
    assert any("it starts as one opens" in note for note in found.notes)


def test_what_comes_too_late_for_a_long_window() -> None:
    """What waits for other work begins as the next window opens, if no more than part of a long one is left for it."""
    policy = {"preferred_hours": "22:00-08:00", "timezone": "Europe/Berlin", "holidays": ["2031-05-14"]}
    found = planned(job("a.0", 1, 1200), job("b.0", 1, 720, whole=("a.0",)), now=at(5, 14, 8), **policy)
    assert [array.begin for array in found.arrays] == [None, at(5, 15, 22)]
    assert found.notes[0] == "task `b`: 1 array index begins as a window opens, since none that holds it comes in time"
