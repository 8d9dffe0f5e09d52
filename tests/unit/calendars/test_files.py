"""The files that a scheduling policy names."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sciflow.calendars.files import filled
from sciflow.errors import WorkflowError
from sciflow.model.policy import SchedulingPolicy

ICS = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20261224\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"


def night(**said: Any) -> SchedulingPolicy:
    """Make a policy for the night."""
    return SchedulingPolicy(policy="off_peak", preferred_hours="22:00-08:00", **said)


def test_a_policy_holds_what_its_files_say(tmp_path: Path) -> None:
    """Plain text or ICS, from the workflow's folder on; what was given stays, and nothing is read twice."""
    (tmp_path / "h.txt").write_text("\ufeff2026-12-25\n", encoding="utf-8")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "m.ics").write_text(ICS)
    policy = night(holidays="h.txt", blackouts="sub/m.ics", max_wait_hours=3)
    found = filled(policy, tmp_path, today=date(2026, 1, 1))
    assert found == night(holidays=("2026-12-25",), blackouts=("2026-12-24",), max_wait_hours=3)
    assert found.files() == {}
    assert filled(found, tmp_path / "gone") is found


def test_a_tariff_is_a_table(tmp_path: Path) -> None:
    """Which is part of the policy from then on."""
    (tmp_path / "p.csv").write_text("hour,p\n" + "".join(f"{hour},1\n" for hour in range(24)))
    policy = SchedulingPolicy(policy="cheapest", tariff="p.csv", max_wait_hours=3)
    assert filled(policy, tmp_path).tariff == (1.0,) * 24


def test_what_reads_a_field_may_be_guarded(tmp_path: Path) -> None:
    """So that an error can say where the field stands."""
    (tmp_path / "h.txt").write_text("2026-12-25\n")
    seen: list[str] = []

    def guard(field: str, read: Any) -> Any:
        seen.append(field)
        return read()

    filled(night(holidays="h.txt", blackouts=("2026-01-01",)), tmp_path, guard)
    assert seen == ["holidays"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """With the field; one that is not there, is a folder, or holds no text."""
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WorkflowError, match=f"`holidays`: there is no file `{tmp_path}/gone.txt`"):
        filled(night(holidays="gone.txt"), tmp_path)
    with pytest.raises(WorkflowError, match=r"`blackouts`: .* cannot be read: Is a directory"):
        filled(night(blackouts="."), tmp_path)
    with pytest.raises(WorkflowError, match=r"`blackouts`: .*b\.txt` cannot be read: .* codec"):
        filled(night(blackouts="b.txt"), tmp_path)
