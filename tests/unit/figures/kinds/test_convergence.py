"""Convergence shows the series that tasks log."""

import math
from typing import Any

import numpy as np
import pytest

from sciflow.errors import ResultError
from sciflow.figures.kinds.convergence import ConvergenceNumbers
from sciflow.figures.numbers import Source
from sciflow.figures.picture import Picture, picture
from sciflow.model.visualization import Visualization
from unit.figures.logged_run import LoggedRun, logged, steps
from unit.figures.observed import grid, observed, with_failures


def convergence(source: Source, value: str = "energy", **options: Any) -> Picture:
    """Return a figure of series."""
    return picture(source, Visualization(type="convergence", value=value, **options))


def shown(made: Picture) -> ConvergenceNumbers:
    """Return the numbers of it."""
    assert isinstance(made.numbers, ConvergenceNumbers)
    return made.numbers


def of_seeds(make: Any, count: int = 3, name: str = "energy.series", **levels: Any) -> Source:
    """Return series of some parameters and so many seeds."""
    columns = grid(**levels, seed=list(range(count)))
    return logged(observed(columns, {"other": [1.0] * len(columns["seed"])}, repeats=["seed"]), make, name)


def test_repeats_become_a_mean_with_a_band() -> None:
    """At each step of each series of a parameter: the mean, its t interval, and of how many."""
    made = convergence(of_seeds(lambda rate, seed: steps(rate + seed, 2 * rate), rate=[10, 20]), series="rate")
    frame = made.numbers.frame()
    assert frame["series"].tolist() == ["10", "10", "20", "20"]
    assert frame["middle"].tolist() == [11, 20, 21, 40]
    assert frame["count"].tolist() == [3] * 4
    half = 4.302653 / math.sqrt(3)  # Student's t of two degrees of freedom, at 97.5 %; the deviation is 1
    assert frame["high"].tolist() == pytest.approx([11 + half, 20, 21 + half, 40], abs=1e-5)
    assert made.notes == ("mean over seed (3 repeats)", "band: 95% confidence interval of the mean (Student's t)")
    assert len(shown(made).curves[0].members) == 3


def test_where_series_end_the_mean_is_of_the_others_and_says_so() -> None:
    """A series has no value after its last step, and none is made up."""
    made = convergence(of_seeds(lambda seed: steps(*[float(seed)] * (seed + 2))))
    frame = made.numbers.frame()
    assert frame["count"].tolist() == [3, 3, 2, 1]
    assert frame["middle"].tolist() == [1, 1, 1.5, 2]
    assert "where a line is pale, not all of its series have a value, and it is of those that have" in made.notes


def test_other_steps_are_between() -> None:
    """A series that is logged at every second step goes straight between them, and that is said."""
    made = convergence(
        of_seeds(lambda seed: steps(0.0, 1.0, 2.0) if seed else [(0, 0.0), (2, 4.0)], 2), interval="none"
    )
    assert made.numbers.frame()["middle"].tolist() == [0, 1.5, 3]
    assert any("between its own steps" in note for note in made.notes)


def test_many_series_are_quantiles() -> None:
    """A thousand series are a median and two bands, not a smear."""
    made = convergence(of_seeds(lambda seed: steps(seed, 2.0 * seed), 1000))
    (one,) = shown(made).curves
    assert one.middle.tolist() == pytest.approx([499.5, 999])
    assert one.low.tolist() == pytest.approx([249.75, 499.5])
    assert one.outer_high is not None
    assert one.outer_high.tolist() == pytest.approx([949.05, 1898.1])
    assert one.members == ()
    assert made.notes[0] == "median over seed (1000 repeats)"


def test_what_is_not_finite_is_left_out() -> None:
    """A loss that diverged has no value from there on, and it is said of how many."""
    made = convergence(of_seeds(lambda seed: steps(1.0, math.nan if seed == 2 else 2.0, math.inf if seed else 3.0)))
    frame = made.numbers.frame()
    assert frame["count"].tolist() == [3, 2, 1]
    assert frame["middle"].tolist() == [1, 2, 3]
    assert "2 of 3 series have values that are not finite, which are left out" in made.notes


def test_a_step_that_came_again_counts_once() -> None:
    """Of a step that was logged twice, as after a checkpoint, the last value stands; the order is that of steps."""
    made = convergence(of_seeds(lambda seed: [(1, 5.0), (2, 6.0), (1, 7.0), (0, 1.0)], 1))
    assert made.numbers.frame()["middle"].tolist() == [1, 7, 6]


def test_long_series_are_thinned() -> None:
    """Of many steps some hundred stay, with the first and the last, and more of the first ones."""
    made = convergence(of_seeds(lambda seed: np.arange(100_000.0) + seed, 2, name="energy"))
    frame = made.numbers.frame()
    assert 300 < len(frame) <= 450
    assert frame["step"].tolist()[:5] == [0, 1, 2, 3, 4]
    assert frame["middle"].iloc[-1] == 99_999.5
    assert "of up to 100,000 steps, about 450 are shown" in made.notes


def test_instances_without_a_series_are_counted() -> None:
    """What failed has none, and a selection chooses among those that have."""
    source = logged(with_failures(), lambda size, field: steps(size, field))
    made = convergence(source, facet_by=["size"])
    assert made.notes[-1] == "energy: 4 of 20 have no series (2 FAILED, 1 TIMEOUT, 1 PENDING)"
    assert [panel.label for panel in shown(made).panels] == [f"size = {size}" for size in (8, 16, 32, 64)]
    chosen = convergence(source, select={"size": 64, "field": [0.0, 0.25]}, series="field").numbers.frame()
    assert chosen["middle"].tolist() == [64, 0, 64, 0.25]


def test_many_levels_are_a_scale_of_colours() -> None:
    """Numbers that are more than colours are one page, with a scale."""
    made = convergence(of_seeds(lambda rate, seed: steps(rate, seed), 1, rate=list(range(20))), series="rate")
    assert made.pages == 1
    assert shown(made).series.span == (0, 19)
    assert made.image()[:4] == b"\x89PNG"


def test_labels_have_the_unit() -> None:
    """A series has the unit of its metric, and the step a label where one is given."""
    numbers = shown(convergence(of_seeds(lambda seed: steps(1.0)), labels={"step": "эпоха"}))
    assert (numbers.x.label, numbers.y.label) == ("эпоха", "energy (J)")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"value": "enery"}, "there is no series `enery`.*did you mean `energy`"),
        ({"task": "slove"}, "no completed instance of `slove` has logged.*did you mean `solve`"),
        ({"series": "rat"}, "`rat` is no parameter.*did you mean `rate`"),
        ({"facet_by": ["other"]}, "`other` is a metric, and no parameter"),
        ({"x_scale": "log"}, "`step` is 0 somewhere, which a logarithmic axis does not have"),
        ({"value_scale": "log"}, "`energy` is -1 somewhere"),
        ({"select": {"rate": 7}}, "`rate` is never 7"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], told: str) -> None:
    """Unknown names and scales without a place are errors that name them."""
    source = of_seeds(lambda rate, seed: steps(-1.0, 2.0), rate=[1])
    with pytest.raises(ResultError, match=f"(?s){told}"):
        convergence(source, **options)


def test_what_is_no_series_is_refused() -> None:
    """Arrays of other shapes, a run that logged nothing or nothing finite, and a part of a run are said."""
    with pytest.raises(ResultError, match=r"`energy` is no series: it has the shape \(2, 3\)"):
        convergence(of_seeds(lambda seed: [[1, 2, 3], [4, 5, 6]], name="energy"))
    with pytest.raises(ResultError, match="no instance has a series `energy` with a step"):
        convergence(of_seeds(lambda seed: [], name="energy"))
    with pytest.raises(ResultError, match="no series `energy` has a finite value"):
        convergence(of_seeds(lambda seed: steps(math.nan)))
    known = observed({"x": [1]}, {"m": [1.0]})
    with pytest.raises(ResultError, match=r"(?s)there is no series `m`.*context.log_metric\('m', number, step\)"):
        convergence(Source(known, LoggedRun(known, {})), "m")
    with pytest.raises(ResultError, match="a convergence shows one whole run"):
        convergence(Source(known), "m")


def test_a_series_of_several_tasks_needs_its_task() -> None:
    """Which of them is meant nobody can tell; with the task it is clear, and so it is by `task.name`."""
    known = observed({"x": [1]}, {"m": [1.0]})
    arrays = {(task, "loss.series"): {0: np.array(steps(1.0, 2.0))} for task in ("solve", "learn")}
    source = Source(known, LoggedRun(known, arrays))
    with pytest.raises(ResultError, match=r"(?s)`solve` and `learn` have a series `loss`.*say which by `task`"):
        convergence(source, "loss")
    assert convergence(source, "loss", task="solve").numbers.frame()["middle"].tolist() == [1, 2]
    assert convergence(source, "solve.loss").numbers.frame()["middle"].tolist() == [1, 2]
