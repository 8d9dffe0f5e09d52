"""Memory and durations: read, compared and printed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciflow.model.units import format_duration, format_memory, parse_duration, parse_memory


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("512M", 512 * 1024**2),
        (" 8 GB ", 8 * 1024**3),
        ("1.5GiB", 3 * 1024**3 // 2),
        ("2t", 2 * 1024**4),
        ("4k", 4096),
    ],
)
def test_memory_has_binary_units(text: str, expected: int) -> None:
    """Units are those of Slurm and PBS, in any case, with or without `B`."""
    assert parse_memory(text) == expected


@pytest.mark.parametrize("text", ["", "8", "G", "-1G", "1e3M", "8 GBs", "$(rm)"])
def test_what_is_no_memory(text: str) -> None:
    """Anything else is named, with an example of what is meant."""
    with pytest.raises(ValueError, match="write it like `8G` or `512M`") as caught:
        parse_memory(text)
    assert f"`{text}`" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90 min", 5400),
        ("12h", 43200),
        ("02:30:00", 9000),
        ("1:30", 5400),
        ("1-12:00:00", 129600),
        ("1.5 hours", 5400),
        ("1 hour", 3600),
        ("45s", 45),
        ("45 sec", 45),
        ("5m", 300),
        ("2 days", 172800),
        ("1W", 604800),
    ],
)
def test_durations(text: str, expected: int) -> None:
    """Durations are read as clocks or as amounts with a unit."""
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "12", "soon", "1:2:3:4", "-1h", "1 fortnight"])
def test_what_is_no_duration(text: str) -> None:
    """Anything else is named, with examples."""
    with pytest.raises(ValueError, match="write it like") as caught:
        parse_duration(text)
    assert f"`{text}`" in str(caught.value)


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, "0 B"), (1023, "1023 B"), (512 * 1024**2, "512 MB"), (1.5 * 1024**3, "1.5 GB"), (3 * 1024**4, "3 TB")],
)
def test_memory_is_printed_for_people(size: float, expected: str) -> None:
    """The largest unit that fits, with three digits."""
    assert format_memory(size) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.21, "0.2 s"), (59, "59 s"), (200, "3 min 20 s"), (43200, "12 h"), (187200, "2 d 4 h"), (86461, "1 d 1 min")],
)
def test_durations_are_printed_for_people(seconds: float, expected: str) -> None:
    """The two largest units that are there."""
    assert format_duration(seconds) == expected


@given(st.integers(0, 10**6), st.integers(0, 59), st.integers(0, 59))
def test_clocks_are_sums(hours: int, minutes: int, seconds: int) -> None:
    """A clock is the sum of its parts, and a whole number of the smallest unit means the same."""
    total = hours * 3600 + minutes * 60 + seconds
    assert parse_duration(f"{hours}:{minutes:02d}:{seconds:02d}") == total
    assert parse_duration(f"{total}s") == total
