"""Shows how a run goes: a bar per task, with the time that is left; silent where nobody looks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import IO, Any

from sciflow.run.status import RunStatus


class ProgressBars:
    """A bar per task on a terminal, while the block runs.

    Parameters
    ----------
    stream
        Where to draw; by default standard error. Nothing is drawn where it is no terminal.
    """

    def __init__(self, stream: IO[str] | None = None) -> None:
        self.stream = stream or sys.stderr
        self.is_shown = self.stream.isatty()
        self._progress: Any = None
        self._bars: dict[str, Any] = {}
        self._failed: dict[str, int] = {}

    def __enter__(self) -> ProgressBars:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def watch(self, status: RunStatus) -> Callable[[dict[str, Any]], None]:
        """Draw the bars as they stand; gives what is to be called with each event."""
        if not self.is_shown:
            return lambda _event: None
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("[red]{task.fields[failed]}"),
            console=Console(file=self.stream),
        )
        for task, total in status.plan.instances.items():
            done = sum(n for state, n in status.counts(task).items() if state.is_success)
            self._bars[task] = self._progress.add_task(task, total=total, completed=done, failed="")
            self._failed[task] = 0
        self._progress.start()
        return self._hear

    def _hear(self, event: dict[str, Any]) -> None:
        if event["event"] != "ended":
            return
        task = event["array"].rpartition(".")[0]
        if event["state"] != "COMPLETED":
            self._failed[task] += 1
        failed = f"{self._failed[task]} failed" if self._failed[task] else ""
        self._progress.update(self._bars[task], advance=1, failed=failed)
