"""Requests: what was asked for against what was used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sciflow.errors import ResultError
from sciflow.figures.kinds.requests import numbers
from sciflow.figures.numbers import Source
from sciflow.figures.picture import picture
from sciflow.model.visualization import Visualization
from unit.analysis.measured_run import GIB, MIB, MeasuredRun
from unit.figures.machine_run import MachineRun, with_failures
from unit.figures.observed import DATA

WANTED = Visualization(type="requests")


def test_each_attempt_is_a_mark_of_what_it_had_and_used(tmp_path: Path) -> None:
    """Memory and walltime; what needed more than it had is told, and a second try had more memory."""
    shown = numbers(with_failures(tmp_path).source(), WANTED)
    assert sorted((one.asked / GIB, one.used / MIB, one.is_over) for one in shown.marks if one.what == "memory") == [
        (8, 512, False),
        (8, 1024, False),
        (8, 2048, False),
        (8, 4096, False),
        (8, 8192, True),
        (16, 9000, False),
    ]
    assert [one.used for one in shown.marks if one.what == "walltime" and one.is_over] == [7200]
    assert len(shown.frame()) == 12
    assert shown.notes == (
        "1 attempt needed more memory than it had (×)",
        "1 attempt needed more walltime than it had (×)",
        "6 attempts; asked for and measured: memory of 6, walltime of 6",
    )


def test_many_attempts_become_few_marks(tmp_path: Path) -> None:
    """Those that used nearly the same are one; none is lost, and what failed is apart."""
    run = MachineRun(tmp_path, 2000)
    for number in range(2000):
        run.ran(number, 0, 10 + number % 100, state="OUT_OF_MEMORY" if number % 500 == 0 else "COMPLETED", memory=100)
    marks = numbers(run.source(), WANTED).marks
    assert len(marks) < 40
    assert sum(one.attempts for one in marks) == 4000
    assert sum(one.attempts for one in marks if one.is_over) == 4


def test_what_was_not_asked_for_has_no_panel(tmp_path: Path) -> None:
    """Without a walltime there is memory alone; without both, nothing."""
    run = MeasuredRun(tmp_path / "a", {"x": [1]}, {"memory_gb": 8})
    run.add(0, memory=100, seconds=5.0)
    shown = numbers(Source(DATA["grid"](), run.results()), WANTED)
    assert (shown.shown, shown.size[0]) == (["memory"], 1.0)
    bare = MeasuredRun(tmp_path / "b", {"x": [1]}, {})
    bare.add(0, memory=100, seconds=5.0)
    with pytest.raises(ResultError, match="nothing was asked for and measured besides"):
        numbers(Source(DATA["grid"](), bare.results()), WANTED)


def test_tasks_are_told_apart_on_pages(tmp_path: Path) -> None:
    """Seven to a page; one may be asked for alone."""
    tasks = [f"t{number}" for number in range(9)]
    run = MeasuredRun(tmp_path, {"x": [1]}, tasks=tasks)
    for task in tasks:
        run.add(0, task=task, memory=100, seconds=5.0)
    source = Source(DATA["grid"](), run.results())
    assert picture(source, WANTED).pages == 2
    assert numbers(source, Visualization(type="requests", task="t3")).tasks == ("t3",)
    with pytest.raises(ResultError, match="`t33` is no task"):
        numbers(source, Visualization(type="requests", task="t33"))


def test_axes_are_logarithmic_with_a_diagonal(tmp_path: Path) -> None:
    """On it all that was asked for is used; ticks are round sizes and times."""
    figure = picture(with_failures(tmp_path).source(), WANTED).draw()
    memory, walltime = figure.axes
    assert (memory.get_xscale(), walltime.get_yscale()) == ("log", "log")
    across, up = np.array(memory.lines[0].get_data())
    assert (across == up).all()
    assert "4 GB" in [text.get_text() for text in memory.get_xticklabels()] + [
        t.get_text() for t in memory.get_yticklabels()
    ]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["solve", "out of memory", "timeout"]
