"""A run's status, drawn or said again and again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rich.live

from sciflow.cli.watch import watched
from sciflow.execution import Run
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.status import RunStatus
from sciflow.run.track import observe
from sciflow.store.layout import RunDirectory


class Followed(Run):
    """A run whose states are known beforehand."""

    def __init__(self, directory: RunDirectory, states: list[RunStatus]) -> None:
        super().__init__(directory)
        self.states = states

    def follow(self) -> Iterator[RunStatus]:
        """Give one after the other."""
        return iter(self.states)


@pytest.fixture
def followed(staged: RunDirectory, squares: ExperimentalWorkflow) -> Followed:
    """Return a run that waits, is silent for a moment, runs, and completes."""
    states = [observe(staged) for _ in range(5)]
    states[2].notes.append("the controller has not answered since noon")
    for state, status in zip((State.RUNNING, State.COMPLETED), states[3:], strict=True):
        for one in status.everyone():
            one.state = state
    return Followed(staged, states)


def test_where_there_is_no_terminal_each_change_is_a_line(
    followed: Followed, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is the same is not said again; notes are part of it."""
    assert watched(followed) is followed.states[-1]
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        "5 PENDING",
        "5 PENDING; the controller has not answered since noon",
        "5 RUNNING",
        "5 COMPLETED",
    ]


def test_on_a_terminal_the_status_is_drawn(
    followed: Followed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On standard error, in place; what is drawn last is gone, since the answer follows."""
    drawn: list[str] = []

    def update(live: Any, shown: Any) -> None:
        drawn.append(shown.plain)

    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("rich.live.Live.update", update)
    assert watched(followed) is followed.states[-1]
    assert capsys.readouterr().out == ""
    assert len(drawn) == 5
    assert all(text.startswith(f"run {followed.run_id} of squares ") for text in drawn)
    assert "note: the controller has not answered since noon" in drawn[2]


def test_who_stops_watching_keeps_what_was_drawn_last(
    followed: Followed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends the drawing, and does not wipe it away."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("rich.live.Live.refresh", lambda live: None)
    kept: list[bool] = []
    stop = rich.live.Live.stop

    def note(live: rich.live.Live) -> None:
        kept.append(not live.transient)
        stop(live)

    monkeypatch.setattr("rich.live.Live.stop", note)
    watched(followed)
    follow = followed.follow

    def interrupted() -> Iterator[RunStatus]:
        yield next(iter(follow()))
        raise KeyboardInterrupt

    monkeypatch.setattr(followed, "follow", interrupted)
    with pytest.raises(KeyboardInterrupt):
        watched(followed)
    assert kept == [False, True]
