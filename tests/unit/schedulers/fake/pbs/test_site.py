"""How a site of PBS is set up, as `sciflow profile detect` sees it."""

from __future__ import annotations

from pathlib import Path

from sciflow.schedulers.fake.partitions import Partition
from sciflow.schedulers.pbs_site import detect_site
from unit.schedulers.fake.pbs_desk import PbsDesk


def test_a_profile_is_made_of_it(tmp_path: Path) -> None:
    """Queues with what their largest node has and for how long jobs may run, and the limits of the server."""
    partitions = (
        Partition("short", longest=3600.0),
        Partition("long", longest=86_400.0, is_default=False),
        Partition("stopped", is_default=False, is_up=False),
        Partition("closed", is_default=False, is_open=False),
    )
    desk = PbsDesk(tmp_path, partitions=partitions, submitted_indices=50, indices_per_array=20)
    profile, notes = detect_site(desk.transport, "here")
    assert {name: one.max_runtime for name, one in profile.partitions.items()} == {
        "short": "01:00:00",
        "long": "24:00:00",
    }
    short = profile.partitions["short"]
    assert (short.cpu_cores, short.memory_gb, short.gpus, short.default) == (32, 64, 8, True)
    assert (profile.limits.indices_per_array, profile.limits.submitted_indices) == (20, 50)
    assert profile.limits.seconds_to_kill == 10
    left_out = [note for note in notes if "is left out" in note]
    assert [("it is stopped" in one, "it takes no jobs" in one) for one in left_out] == [(True, False), (False, True)]


def test_a_site_without_history_says_so(forgetful: PbsDesk) -> None:
    """It is noted."""
    _, notes = detect_site(forgetful.transport, "here")
    assert any("forgets jobs that are over" in note for note in notes)
