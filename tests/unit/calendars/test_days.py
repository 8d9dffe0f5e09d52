"""Holidays and blackouts from plain text."""

from __future__ import annotations

import pytest

from sciflow.calendars.days import read_days_text
from sciflow.errors import WorkflowError

TEXT = """# Feiertage
2026-12-25   # Weihnachten

2026-12-28 to 2026-12-31
"""


def test_a_file_has_a_day_or_period_on_each_line() -> None:
    """Comments and empty lines are left out."""
    assert read_days_text(TEXT, "h.txt", whole_days=True) == ("2026-12-25", "2026-12-28 to 2026-12-31")
    timed = "2026-12-25 08:00 to 2026-12-25 12:00+01:00"
    assert read_days_text(timed, "b.txt", whole_days=False) == (timed,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2026-12-25\n2026-02-30", "h.txt, line 2: `2026-02-30` is no date: day is out of range for month"),
        ("25.12.2026", "h.txt, line 1: `25.12.2026` is no date; write it like `2031-05-17`"),
        ("2026-12-25 Christmas", "h.txt, line 1: `2026-12-25 Christmas` is no date"),
        ("2026-12-25 to 2026-12-24", "h.txt, line 1: `2026-12-25 to 2026-12-24` ends before it begins"),
        ("2026-12-25 08:00 to 2026-12-25 09:00", "h.txt, line 1: .* a holiday is a whole day"),
        ("0026-12-25", "h.txt, line 1: .* the year of `0026-12-25` is not between"),
        ("# nothing\n", "h.txt holds no dates"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, message: str) -> None:
    """And the file."""
    with pytest.raises(WorkflowError, match=message):
        read_days_text(text, "h.txt", whole_days=True)
