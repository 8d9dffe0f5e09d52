"""The zone in which start times are meant."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sciflow.errors import WorkflowError
from sciflow.model.plan import ArrayJob
from sciflow.model.policy import SchedulingPolicy
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import Resources
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.zones import local_zone, settled, zone_notes

NIGHTS = {"policy": "off_peak", "preferred_hours": "22:00-08:00"}


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this machine be in Tokyo."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def site(**said: Any) -> ClusterProfile:
    """Make a profile of a cluster."""
    return ClusterProfile(name="site", scheduler="slurm", **said)


def workflow(directory: Path, general: dict[str, Any] | None = None, **own: Any) -> ExperimentalWorkflow:
    """Make a workflow with a schedule, and perhaps a task with one of its own."""
    made = ExperimentalWorkflow("w", directory)
    made.add_task("a", command="true", **own)
    if general:
        made.set_scheduling_policy(general["policy"], {k: v for k, v in general.items() if k != "policy"})
    return made


def test_the_zone_is_that_of_the_policy_or_the_site_or_this_machine(tmp_path: Path, tokyo: None) -> None:
    """In this order, and for tasks with a schedule of their own as well; the workflow itself stays as it is."""
    made = workflow(tmp_path, {**NIGHTS, "timezone": "Europe/Berlin"}, schedule=NIGHTS)
    found = settled(made, site(timezone="America/New_York"))
    assert found.policy.timezone == "Europe/Berlin"
    assert found.policies.of("a").timezone == "America/New_York"
    assert settled(made, site()).policies.of("a").timezone == "Asia/Tokyo"
    assert made.policies.of("a").timezone is None


def test_what_starts_at_once_needs_no_zone(tmp_path: Path, tokyo: None) -> None:
    """So nothing is said of one."""
    assert settled(workflow(tmp_path), site(timezone="America/New_York")).policy == SchedulingPolicy()


def test_the_zone_of_this_machine_is_told_by_its_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By the variable, or the link; None where neither has a name."""
    monkeypatch.setenv("TZ", ":Asia/Kathmandu")
    assert local_zone() == "Asia/Kathmandu"
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    assert local_zone() is None
    monkeypatch.delenv("TZ")
    link = tmp_path / "localtime"
    monkeypatch.setattr("sciflow.planning.zones._LOCALTIME", link)
    assert local_zone() is None
    (tmp_path / "zoneinfo" / "Europe").mkdir(parents=True)
    (tmp_path / "zoneinfo" / "Europe" / "Berlin").touch()
    link.symlink_to(tmp_path / "zoneinfo" / "Europe" / "Berlin")
    assert local_zone() == "Europe/Berlin"


def test_files_of_a_workflow_in_python_are_read_when_it_is_compiled(tmp_path: Path) -> None:
    """From its folder on."""
    (tmp_path / "h.txt").write_text("2031-05-15\n")
    made = workflow(tmp_path, {**NIGHTS, "holidays": "h.txt"}, schedule={**NIGHTS, "blackouts": "h.txt"})
    found = settled(made, site())
    assert found.policy.holidays == ("2031-05-15",)
    assert found.policies.of("a").blackouts == ("2031-05-15",)


def test_a_tariff_has_to_fit_the_zone_of_the_site(tmp_path: Path) -> None:
    """There two o'clock may be a time that there is not."""
    (tmp_path / "p.csv").write_text("start,p\n2026-03-29T01:00,1\n2026-03-29T02:00,2\n")
    made = workflow(tmp_path, {"policy": "cheapest", "tariff": "p.csv", "max_wait_hours": 1})
    assert settled(made, site(timezone="UTC")).policy.tariff
    made.policy = settled(made, site(timezone="UTC")).policy.filled(timezone=None)
    with pytest.raises(
        WorkflowError, match="in the zone of Europe/Berlin: `2026-03-29T02:00` is a time that there is not"
    ):
        settled(made, site(timezone="Europe/Berlin"))


def test_a_clock_that_shows_something_else_is_named(tokyo: None) -> None:
    """Once for each zone, and with the profile that says it; not where both show the same."""

    def job(zone: str) -> ArrayJob:
        return ArrayJob("a.0", "a", 1, Resources(), begin=datetime(2031, 5, 14, 22, tzinfo=ZoneInfo(zone)))

    jobs = [job("Europe/Berlin"), job("Europe/Berlin"), job("Pacific/Apia"), job("Asia/Seoul")]
    assert list(zone_notes(jobs, site(timezone="Europe/Berlin"))) == [
        "start times are those of Europe/Berlin, as profile `site` says; this machine's clock is 7 h ahead",
        "start times are those of Pacific/Apia; this machine's clock is 4 h behind",
    ]
    assert list(zone_notes([ArrayJob("a.0", "a", 1, Resources())], site())) == []
