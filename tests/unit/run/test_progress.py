"""Progress on a terminal, and silence elsewhere."""

import io
import re
import sys
from typing import Any

import pytest

from sciflow.run.progress import ProgressBars
from sciflow.run.track import observe
from sciflow.store.layout import RunDirectory


class Terminal(io.StringIO):
    """A terminal that keeps what is drawn."""

    def isatty(self) -> bool:
        """Say that somebody looks."""
        return True


def ended(array: str, state: str = "COMPLETED") -> dict[str, Any]:
    """An index has ended."""
    return {"event": "ended", "array": array, "index": 0, "state": state}


def test_nothing_is_drawn_where_nobody_looks(staged: RunDirectory) -> None:
    """In a file or a pipe there are no bars, and rich is not even loaded."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "rich"]:
        del sys.modules[name]
    stream = io.StringIO()
    with ProgressBars(stream) as bars:
        bars.watch(observe(staged))(ended("square.0"))
    assert stream.getvalue() == ""
    assert "rich" not in sys.modules


def test_every_task_has_a_bar(staged: RunDirectory, leave_record: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bars start at what is done already, count what ends, and name what failed."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    leave_record(staged, "square.0", 0)
    stream = Terminal()
    with ProgressBars(stream) as bars:
        hear = bars.watch(observe(staged))
        hear({"event": "started", "array": "square.0", "index": 1})
        hear(ended("square.0"))
        hear(ended("square.0", "FAILED"))
        hear(ended("total.0", "UPSTREAM_FAILED"))
    drawn = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue())
    last = drawn[drawn.rindex("square") :]
    assert re.search(r"square\s+\S.*3/4.*1 failed", last)
    assert re.search(r"total\s+\S.*1/1.*1 failed", last)


def test_an_error_takes_the_bars_away(staged: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal is left in order, and the error is passed on."""
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()

    def stopped() -> None:
        with ProgressBars(stream) as bars:
            bars.watch(observe(staged))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert stream.getvalue().count("\x1b[?25l") == stream.getvalue().count("\x1b[?25h")
