"""Tariffs from CSV."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from sciflow.calendars.tariffs import read_tariff
from sciflow.errors import WorkflowError

BERLIN = ZoneInfo("Europe/Berlin")
HOURS = "".join(f"{hour},{hour / 10}\n" for hour in range(24))


def test_a_table_has_a_price_for_every_hour_of_the_day() -> None:
    """In any order, with comments, and below zero where they are."""
    backwards = "\n".join(f"{hour},{-hour}" for hour in reversed(range(24)))
    found = read_tariff(f"# ct/kWh\nHour,Price\n{backwards}\n", "p.csv", None)
    assert found == tuple(float(-hour) for hour in range(24))


def test_or_of_the_week() -> None:
    """By the names of its days or their numbers, and as some programs write tables: with semicolons and commas."""
    words = "".join(
        f"{day};{hour};{hour},5\n" for day in ("Mon", "tuesday", "3", "Thu", "5", "6", "Sun") for hour in range(24)
    )
    found = read_tariff(f"weekday;hour;ct\n{words}", "p.csv", None)
    assert found == tuple(hour + 0.5 for _ in range(7) for hour in range(24))


def test_or_from_moment_to_moment() -> None:
    """With or without an offset."""
    text = "start,g\n2026-12-01T00:00Z,300\n2026-12-01T00:30Z,-20\n"
    assert read_tariff(text, "c.csv", None) == (("2026-12-01T00:00Z", 300.0), ("2026-12-01T00:30Z", -20.0))


def test_an_hour_that_comes_twice_stands_twice() -> None:
    """As in the tables of exchanges, on the day on which clocks go back; and the one that there is not is left out."""
    back = [f"2026-10-25T{hour:02d}:00,1" for hour in (1, 2, 2, 3)]
    assert len(read_tariff("\n".join(["start,p", *back]), "p.csv", BERLIN)) == 4
    forward = [f"2026-03-29T{hour:02d}:00,1" for hour in (0, 1, 3, 4)]
    assert len(read_tariff("\n".join(["start,p", *forward]), "p.csv", BERLIN)) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "p.csv is empty"),
        ("hour,price\n", "p.csv holds no prices"),
        ("time,price\n1,2\n", "p.csv, line 1: `time,price` does not name the columns"),
        (HOURS, "p.csv, line 1: `0,0.0` does not name the columns"),
        (
            f"hour,price\n{HOURS}".replace("\n3,0.3", "").replace("\n9,0.9", ""),
            "p.csv: there is no price for hour 3, hour 9",
        ),
        (f"hour,price\n{HOURS}7,1\n", "p.csv, line 26: hour 7 stands in line 9 as well"),
        ("hour,price\n24,1\n", "p.csv, line 2: `24` is no hour from 0 to 23"),
        ("hour,price\n1.5,1\n", "p.csv, line 2: `1.5` is no hour"),
        ("hour,price\n1,abc\n", "p.csv, line 2: `abc` is no price"),
        ("hour,price\n1,nan\n", "p.csv, line 2: `nan` is no price"),
        ("hour,price\n1,\n", "p.csv, line 2: there is no price"),
        ("hour,price\n1,2,3\n", "p.csv, line 2: `1,2,3` has 3 columns instead of 2"),
        ("weekday,hour,price\nMontag,1,1\n", "p.csv, line 2: `Montag` is no weekday"),
        ("weekday,hour,price\nMon,1,1\n", "p.csv: there is no price for Monday 0:00, Monday 2:00, .* and 162 more"),
        ("start,p\n2026-12-01,1\n2026-12-02,1\n", "p.csv, line 2: `2026-12-01` is no date and time"),
        ("start,p\n2026-12-01T25:00,1\n2026-12-02T00:00,1\n", "p.csv, line 2: .* hour must be in"),
        ("start,p\n2026-12-01T00:00,1\n", "p.csv has one row"),
        (
            "start,p\n2026-12-01T00:00,1\n2026-12-01T01:00,1\n2026-12-01T03:00,1\n",
            "p.csv, line 4: .* it is 2 h, but 1 h",
        ),
        ("start,p\n2026-12-01T02:00,1\n2026-12-01T01:00,1\n", "p.csv, line 3: .* does not come after"),
        ("start,p\n2026-03-29T01:00,1\n2026-03-29T02:00,1\n", "p.csv, line 3: .* a time that there is not"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, message: str) -> None:
    """And the file; missing hours are listed."""
    with pytest.raises(WorkflowError, match=message):
        read_tariff(text, "p.csv", BERLIN)
