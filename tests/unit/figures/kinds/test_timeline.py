"""Timeline: which index was at work where and when."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciflow.errors import ResultError
from sciflow.figures.kinds.timeline import TimelineNumbers, numbers
from sciflow.figures.picture import picture
from sciflow.model.visualization import Visualization
from unit.figures.machine_run import BEGAN, MachineRun, with_failures

WANTED = Visualization(type="timeline")


def made(run: MachineRun) -> TimelineNumbers:
    """Compute the timeline of a run."""
    return numbers(run.source(), WANTED)


def test_attempts_lie_on_lanes_of_their_nodes(tmp_path: Path) -> None:
    """A lane is used again as soon as it is free; `n10` stands behind `n1`; an attempt says how it ended."""
    shown = made(with_failures(tmp_path))
    frame = shown.frame()
    assert frame[["node", "lane", "index", "attempt", "state"]].to_numpy().tolist() == [
        ["n1", 0, 0, 1, "COMPLETED"],
        ["n1", 1, 1, 1, "OUT_OF_MEMORY"],
        ["n1", 1, 3, 1, "COMPLETED"],
        ["n1", 0, 1, 2, "COMPLETED"],
        ["n10", 0, 2, 1, "COMPLETED"],
        ["n10", 0, 4, 1, "TIMEOUT"],
    ]
    assert shown.is_detailed
    assert shown.notes[0] == (
        "6 attempts on 2 nodes: 4 COMPLETED, 1 OUT_OF_MEMORY, 1 TIMEOUT; 1 not the first of their indices"
    )
    assert shown.notes[1].startswith("the end of 2 attempts is not known")
    assert shown.notes[2].endswith("half more than 25.0 s, at most 1.8 min")


def test_no_two_attempts_lie_on_each_other(tmp_path: Path) -> None:
    """Whatever lengths they have."""
    run = MachineRun(tmp_path, 60)
    for number in range(60):
        run.ran(number, (number * 37) % 100, 1 + (number * 53) % 70, f"n{number % 2}")
    frame = made(run).frame()
    for _, lane in frame.groupby(["node", "lane"]):
        ordered = lane.sort_values("start")
        assert (ordered["end"].to_numpy()[:-1] <= ordered["start"].to_numpy()[1:]).all()


def test_how_many_run_and_wait(tmp_path: Path) -> None:
    """At each time at which that changes; what was never in a queue did not wait."""
    queue = made(with_failures(tmp_path / "a")).queue
    assert [time - BEGAN for time in queue.times] == [0, 10, 60, 70, 110, 210, 7310]
    assert queue.running == [0, 3, 3, 3, 2, 1, 0]
    assert queue.waiting == [5, 2, 1, 2, 0, 0, 0]
    here = MachineRun(tmp_path / "b")
    here.ran(0, 0, 10)
    assert made(here).queue.waiting is None


def test_ten_thousand_attempts_stay_legible(tmp_path: Path) -> None:
    """Each node has a curve then, and so many nodes stand on a page; the numbers are all there."""
    run = MachineRun(tmp_path, 1000)
    for number in range(1000):
        state = "FAILED" if number % 97 == 0 else "COMPLETED"
        for attempt in range(1, 11):
            run.ran(number, 100 * attempt + number % 40, 60, f"n{number % 40}", state, attempt)
    drawn = picture(run.source(), WANTED)
    assert isinstance(drawn.numbers, TimelineNumbers)
    assert not drawn.numbers.is_detailed
    assert (drawn.pages, len(drawn.numbers.frame())) == (2, 10_000)
    axes = drawn.draw(1).axes[0]
    assert len(axes.get_yticks()) == 16
    assert axes.get_yticklabels()[0].get_text() == "n24 (25)"


def test_a_picture_tells_the_zone_and_what_was_tried_again(tmp_path: Path) -> None:
    """Bars of second tries have a thick edge; states stand in the legend with their letters."""
    figure = picture(with_failures(tmp_path).source(), WANTED).draw()
    above, below = figure.axes
    assert sorted(bar.get_linewidth() for bar in above.patches)[-2:] == [0.4, 1.6]
    assert below.get_xlabel().startswith("time (")
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["completed", "timeout (T)", "out of memory (M)", "tried again"]


def test_what_cannot_be_drawn(tmp_path: Path) -> None:
    """Nothing has run; or a task is asked for that there is not; or a selection."""
    run = MachineRun(tmp_path)
    with pytest.raises(ResultError, match="no attempt has left a record yet"):
        made(run)
    with pytest.raises(ResultError, match="`slove` is no task of this run") as caught:
        numbers(run.source(), Visualization(type="timeline", task="slove"))
    assert caught.value.hint == "did you mean `solve`?"
    with pytest.raises(ResultError, match="a timeline shows one whole run"):
        numbers(run.source()._replace(table=None), WANTED)
