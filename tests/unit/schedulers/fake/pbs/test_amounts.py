"""Amounts: memory, times and chunks."""

from __future__ import annotations

import time
from datetime import timezone

import pytest

from sciflow.schedulers.fake.pbs.amounts import (
    Wrong,
    read_memory,
    read_moment,
    read_select,
    read_walltime,
    write_moment,
    write_walltime,
    zone_of,
)

NOW = 1_795_393_800.0  # Mon Nov 23 00:30:00 2026, UTC


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("8gb", 8 << 30),
        ("8G", 8 << 30),
        ("100m", 100 << 20),
        ("8", 8),
        ("1kw", 8 << 10),
        ("8GiB", None),
        ("1.5gb", None),
    ],
)
def test_memory(text: str, size: int | None) -> None:
    """A plain number is bytes; fractions and other units are none."""
    assert read_memory(text) == size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("01:00", 60.0), ("90:00", 5400.0), ("100:00:00", 360_000.0), ("30", 30.0), ("1.5", 2.0)),
        *(("24h", None), ("1-00:00:00", None), ("1:2:3:4", None), ("-5", None)),
    ],
)
def test_walltime(text: str, seconds: float | None) -> None:
    """Two parts are minutes and seconds; what is left of a second counts as one."""
    assert read_walltime(text) == seconds


def test_a_walltime_may_have_any_number_of_hours() -> None:
    """It is never written in days."""
    assert write_walltime(360_061.0) == "100:01:01"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("0240", "Mon Nov 23 02:40:00 2026"),
        ("0240.32", "Mon Nov 23 02:40:32 2026"),
        ("0010", "Tue Nov 24 00:10:00 2026"),
        ("241200", "Tue Nov 24 12:00:00 2026"),
        ("12011200", "Tue Dec 01 12:00:00 2026"),
        ("2702300000", "Tue Mar 02 00:00:00 2027"),
        ("202611222340", "Sun Nov 22 23:40:00 2026"),
    ],
)
def test_a_moment_in_each_of_its_forms(text: str, moment: str) -> None:
    """A time of day that has passed is tomorrow's, the 30th of February is the 2nd of March."""
    found = read_moment(text, NOW, timezone.utc)
    assert found is not None
    assert write_moment(found, timezone.utc) == moment


@pytest.mark.parametrize("text", ["", "now", "+5", "1", "2575", "12:30", "2027-01-01T00:00", "1795393883", "13010000"])
def test_no_moment(text: str) -> None:
    """Nothing else is one."""
    assert read_moment(text, NOW, timezone.utc) is None


def test_times_are_those_of_who_calls() -> None:
    """By the variable TZ; the clock of this machine where there is none, or none that is known."""
    assert write_moment(NOW, zone_of({"TZ": "America/New_York"})) == "Sun Nov 22 19:30:00 2026"
    here = time.strftime("%a %b %d %H:%M:%S %Y", time.localtime(NOW))
    assert {write_moment(NOW, zone_of(one)) for one in ({}, {"TZ": "Nowhere/Else"})} == {here}


def test_chunks_count_together() -> None:
    """A chunk of which nothing is said has one core; memory is shown in the unit in which it was asked for."""
    chunks = read_select("2:ncpus=2:mem=100mb+1:ngpus=1+mem=50mb")
    assert chunks.count == 4
    assert chunks.texts == {"ncpus": 6, "mem": "250mb", "ngpus": 1}
    assert chunks.first == {"ncpus": "2", "mem": "100mb"}


@pytest.mark.parametrize(
    ("text", "code"), [("1:foo=2", 187), ("1:ncpus", 187), ("1:mem=1.5gb", 166), ("1:ncpus=x", 166)]
)
def test_no_chunk(text: str, code: int) -> None:
    """Resources that there are not, and amounts that are none, have exit codes of their own."""
    with pytest.raises(Wrong) as caught:
        read_select(text)
    assert caught.value.code == code
