"""When array jobs begin, in the rows of a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from sciflow.cli.waves import begins, wave_rows
from sciflow.model.plan import ArrayJob, Wave
from sciflow.model.resources import Resources

EVENING = datetime(2031, 5, 14, 22, tzinfo=timezone.utc)


def waves(count: int) -> ArrayJob:
    """Return an array job of so many waves of ten elements each, and one of a single element."""
    found = [Wave(10 * n, 10, EVENING + timedelta(days=n)) for n in range(count - 1)]
    found.append(Wave(10 * (count - 1), 1, EVENING + timedelta(days=count - 1)))
    return ArrayJob("a.0", "a", 10 * count - 9, Resources(), begin=EVENING, waves=tuple(found))


def test_without_waves_it_is_one_time() -> None:
    """At once, or when it begins; there is nothing more to say."""
    array = ArrayJob("a.0", "a", 5, Resources())
    assert begins(array) == "at once"
    assert begins(replace(array, begin=EVENING)) == "2031-05-14 22:00+00:00"
    assert list(wave_rows(array)) == []


def test_each_of_a_few_waves_has_a_row() -> None:
    """Which elements, how many, and when; of several array jobs that are alike the numbers of all."""
    assert begins(waves(2)) == "in 2 waves, from 2031-05-14 22:00+00:00 on"
    assert begins(waves(2), has_rows=True) == "in 2 waves"
    assert list(wave_rows(waves(2))) == [("0-9", "10", "2031-05-14 22:00+00:00"), ("10", "1", "2031-05-15 22:00+00:00")]
    assert next(wave_rows(waves(2), 3)) == ("3 × 0-9", "30", "2031-05-14 22:00+00:00")


def test_canaries_that_begin_earlier_have_a_row() -> None:
    """It comes first; those of the first wave have none."""
    led = replace(waves(1), begin=EVENING - timedelta(days=1))
    assert begins(led, has_rows=True) == "canaries, then 1 wave"
    assert list(wave_rows(led)) == [("canaries", "", "2031-05-13 22:00+00:00"), ("0", "1", "2031-05-14 22:00+00:00")]
    assert begins(replace(led, begin=EVENING), has_rows=True) == "in 1 wave"


def test_a_thousand_waves_have_few_rows() -> None:
    """The first ones, how many more there are, and the last one."""
    rows = list(wave_rows(waves(1000)))
    assert len(rows) == 6
    assert rows[3:] == [
        ("30-39", "10", "2031-05-17 22:00+00:00"),
        ("40-9989", "9950", "in 995 more waves"),
        ("9990", "1", "2034-02-06 22:00+00:00"),
    ]
