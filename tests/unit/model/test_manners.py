"""What colleagues on a shared cluster call good manners."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.errors import ProfileError
from sciflow.model.manners import Manners
from sciflow.model.profile import ClusterProfile
from sciflow.model.validation import validated


def test_nothing_said_holds_nothing_back() -> None:
    """Neither a clock nor what others do counts then; to be nice alone changes no throttle."""
    for made in (Manners(), Manners(nice=100)):
        assert [made.throttles, made.has_clock, made.needs_load] == [False, False, False]


@pytest.mark.parametrize(
    ("said", "has_clock", "needs_load"),
    [
        ({"running_by_day": 1}, True, False),
        ({"running_by_night": 1}, True, False),
        ({"running_when_others_wait": 1}, False, True),
        ({"share": 1}, False, True),
        ({"core_hours": 0.5}, False, False),
    ],
)
def test_each_of_them_bears_on_throttles(said: dict[str, Any], has_clock: bool, needs_load: bool) -> None:
    """Only some need the clock, or to know how busy the cluster is."""
    made = Manners(**said)
    assert made.throttles
    assert (made.has_clock, made.needs_load) == (has_clock, needs_load)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"running_by_day": 0}, "`manners.running_by_day` is 0"),
        ({"share": 1.1}, "`manners.share` is 1.1"),
        ({"share": 0}, "`manners.share` is 0"),
        ({"core_hours": 0}, "`manners.core_hours` is 0"),
        ({"nice": -1}, "`manners.nice` is -1"),
        ({"running_by_day": 1, "day": "8-18"}, "`day`: `8-18` is no window of the day; write it like `22:00-08:00`"),
        ({"running_by_day": 1, "day": "08:00-08:00"}, "starts and ends at the same minute"),
        ({"running_by_day": 1, "day": []}, "`day` is an empty list; write its hours like `08:00-18:00`"),
        ({"day": "09:00-17:00"}, "`day` has no meaning without `running_by_day` or `running_by_night`"),
        ({"polite": True}, "`manners.polite` is not known here"),
    ],
)
def test_what_cannot_be_is_refused(said: dict[str, Any], message: str) -> None:
    """The key and its value are named, and how it is written."""
    with pytest.raises(ProfileError) as caught:
        validated(ClusterProfile, {"name": "x", "scheduler": "slurm", "manners": said}, "profile", ProfileError)
    assert message in caught.value.message


def test_they_survive_being_written() -> None:
    """A profile in a manifest has all defaults in it; these say nothing."""
    profile = ClusterProfile(name="x", scheduler="slurm", manners=Manners(share=0.5))
    assert ClusterProfile(**profile.model_dump(exclude_none=True, mode="json")) == profile
    assert not Manners(**Manners().model_dump(exclude_none=True)).throttles


def test_they_are_told_in_one_line() -> None:
    """All that is said, and nothing else."""
    many = Manners(running_by_day=20, running_by_night=200, day=["08:00-12:00", "13:00-18:00"], share=0.25, nice=7)
    assert many.describe() == (
        "20 indices at once by day (08:00-12:00 and 13:00-18:00 on weekdays), 200 indices at once by night, "
        "25 % of a partition's cores, nice 7"
    )
    few = Manners(running_when_others_wait=5, core_hours=1500)
    assert few.describe() == "5 indices at once while others wait, 1500 core-hours at once"
