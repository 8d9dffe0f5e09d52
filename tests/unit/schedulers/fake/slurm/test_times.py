from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.slurm.arguments import Wrong
from sciflow.schedulers.fake.slurm.times import read_limit, read_moment, write_limit, write_moment, write_span

NOW = datetime(2026, 11, 23, 14, 30, 15, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("30", 30), ("30:00", 30), ("1-12", 36 * 60), ("1-00:00:00", 24 * 60), ("1-2:3", 26 * 60 + 3), ("90:90", 92),
        ("0:05", 1), ("00:00:01", 1), ("UNLIMITED", 0), ("infinite", 0), ("-1", 0), ("0", 0),
    ],
)  # fmt: skip
def test_limits_are_read_as_slurm_reads_them(text: str, minutes: int) -> None:
    """And rounded up to minutes; 0 is for as much as there is."""
    assert read_limit(text) == minutes * 60.0


@pytest.mark.parametrize("text", ["", "abc", "1.5", "1:2:3:4", "1-2:3:4:5", "-2", "1-"])
def test_what_is_no_limit(text: str) -> None:
    """Is refused."""
    with pytest.raises(ValueError, match=r".*"):
        read_limit(text)


@given(st.integers(1, 10_000))
def test_limits_that_are_written_are_read_again(minutes: int) -> None:
    """As `sacct` and `squeue` write them, with one exception: `squeue` leaves out hours that are not there."""
    assert read_limit(write_limit(minutes * 60.0)) == minutes * 60.0
    assert read_limit(write_limit(minutes * 60.0, is_short=False)) == minutes * 60.0


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", "2026-11-23T14:30:15"), ("now+60", "2026-11-23T14:31:15"), ("now+1hour", "2026-11-23T15:30:15"),
        ("now+2days", "2026-11-25T14:30:15"), ("now+3weeks", "2026-12-14T14:30:15"),
        ("now-1hour", "2026-11-23T13:30:15"),
        ("16:00", "2026-11-23T16:00:00"), ("16:00:30", "2026-11-23T16:00:30"), ("4:30PM", "2026-11-23T16:30:00"),
        ("14:00", "2026-11-24T14:00:00"), ("tomorrow", "2026-11-24T00:00:00"), ("midnight", "2026-11-24T00:00:00"),
        ("noon", "2026-11-24T12:00:00"), ("teatime", "2026-11-23T16:00:00"), ("fika", "2026-11-23T15:00:00"),
        ("tomorrow 16:00", "2026-11-24T16:00:00"), ("today", "2026-11-23T14:30:15"), ("010130", "2030-01-01T00:00:00"),
        ("12/31", "2026-12-31T00:00:00"), ("12/31/26", "2026-12-31T00:00:00"), ("01/31", "2027-01-31T00:00:00"),
        ("2027-01-20", "2027-01-20T00:00:00"), ("2027-01-20T12:34", "2027-01-20T12:34:00"),
        ("2027-01-20T12:34:05", "2027-01-20T12:34:05"), ("2027-02-30", "2027-03-02T00:00:00"),
        ("uts1795577292", "2026-11-25T03:28:12"), ("2020-01-01", "2020-01-01T00:00:00"),
    ],
)  # fmt: skip
def test_moments_are_read_as_slurm_reads_them(text: str, moment: str) -> None:
    """Spans from now, times of day to come, words, and dates in all their forms."""
    assert datetime.fromtimestamp(read_moment(text, NOW, UTC), UTC).strftime("%Y-%m-%dT%H:%M:%S") == moment


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("foo", 0),
        ("now+5x", 4),
        ("1h", 1),
        ("25:00", 0),
        ("4pm", 1),
        ("uts1", 0),
        ("utsx", 0),
        ("2030-01-01T25:00", 11),
    ],
)
def test_what_is_no_moment(text: str, place: int) -> None:
    """Is told with the place where it goes wrong."""
    with pytest.raises(Wrong) as wrong:
        read_moment(text, NOW, UTC)
    assert str(wrong.value) == f"Invalid time specification (pos={place}): {text}"


def test_times_are_those_of_who_calls() -> None:
    """In their time zone, and in the form that they want."""
    assert read_moment("16:00", NOW, ZoneInfo("America/New_York")) == NOW + 6 * 3600 + 29 * 60 + 45
    forms = {"": "2026-11-23T23:30:15", "%s": "1795444215", "%H:%M": "23:30"}
    for form, text in forms.items():
        call = Call(("squeue",), Path(), {"TZ": "Asia/Tokyo", "SLURM_TIME_FORMAT": form})
        assert write_moment(NOW, call, "N/A") == text
        assert write_moment(None, call, "N/A") == "N/A"


def test_spans() -> None:
    """`sacct` writes all of the clock, `squeue` what there is of it."""
    assert [write_span(one, is_short=True) for one in (0, 61, 3_661, 90_061)] == [
        "0:00",
        "1:01",
        "1:01:01",
        "1-01:01:01",
    ]
    assert [write_span(one) for one in (0, 61, 90_061)] == ["00:00:00", "00:01:01", "1-01:01:01"]
    assert write_limit(0) == "UNLIMITED"
