"""A run's status, drawn again and again while it goes on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sciflow.cli.describe import describe_status
from sciflow.cli.output import say
from sciflow.cli.waiting_groups import waiting_groups

if TYPE_CHECKING:
    from sciflow.execution import Run
    from sciflow.run.status import RunStatus


def watched(run: Run) -> RunStatus:
    """Follow a run to its end; drawn on a terminal, else said line by line as it changes."""
    return _drawn(run) if sys.stderr.isatty() else _said(run)


def _said(run: Run) -> RunStatus:
    told, status = "", None
    for status in run.follow():
        if (line := _in_one_line(status)) != told:
            say(line)
            told = line
    assert status is not None
    return status


def _drawn(run: Run) -> RunStatus:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    status = None
    with Live(console=Console(stderr=True), refresh_per_second=4) as live:
        for status in run.follow():
            live.update(Text(describe_status(run.directory, status)))
        live.transient = True  # the status is printed then; who stops watching before keeps what was drawn last
    assert status is not None
    return status


def _in_one_line(status: RunStatus) -> str:
    counts = ", ".join(f"{count} {state}" for state, count in sorted(status.counts().items()))
    begins = [f"{one.task}{one.when()}" for one in waiting_groups(status) if one.begins]
    return "; ".join([counts, *begins, *status.notes])
