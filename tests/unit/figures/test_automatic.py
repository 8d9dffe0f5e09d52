"""Which figures show what was measured, where nobody has said which."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sciflow.analysis.observations import Observations
from sciflow.errors import ResultError
from sciflow.figures.automatic import MOST, automatic, by_effect, name_of
from sciflow.figures.numbers import Source
from sciflow.model.visualization import Visualization
from unit.figures.logged_run import logged, steps
from unit.figures.observed import DATA, grid, observed


def chosen(observations: Observations, *metrics: str) -> dict[str, Visualization]:
    """Return the figures that are chosen, of one or all metrics, by their kinds."""
    return {one.wanted.type: one.wanted for one in automatic(Source(observations), metrics or None)}


def of(columns: dict[str, Any], **roles: Any) -> Observations:
    """Observe one metric, which is the row's number."""
    count = len(next(iter(columns.values())))
    return observed(columns, {"m": list(range(1, count + 1))}, **roles)


@pytest.mark.parametrize(
    ("columns", "roles", "expected"),
    [
        (grid(t=[1, 2, 3]), {}, {"type": "line", "x_axis": "t"}),
        (grid(t=[1, 10, 100, 1000]), {}, {"type": "line", "x_axis": "t", "x_scale": "log"}),
        (grid(t=[1, 2]), {}, {"type": "bar", "x_axis": "t"}),
        (grid(how=["a", "b", "c"]), {}, {"type": "bar", "x_axis": "how"}),
        (
            grid(how=["a", "b"], seed=[1, 2, 3, 4, 5]),
            {"repeats": ["seed"]},
            {"type": "box", "x_axis": "how"},
        ),
        (grid(t=[1, 2, 3], seed=[1, 2, 3, 4, 5]), {"repeats": ["seed"]}, {"type": "line", "x_axis": "t"}),
        (grid(seed=[1, 2, 3]), {"repeats": ["seed"]}, {"type": "bar", "x_axis": "seed"}),
        (
            grid(t=[1, 2, 3, 4, 5], how=["a", "b"]),
            {},
            {"type": "line", "x_axis": "t", "series": "how"},
        ),
        (
            grid(how=["a", "b", "c"], what=["p", "q"]),
            {},
            {"type": "bar", "x_axis": "how", "series": "what"},
        ),
        (
            grid(t=[1, 2, 3, 4, 5], size=[1, 2, 3], how=["a", "b"]),
            {},
            {"type": "line", "x_axis": "t", "series": "size", "facet_by": ["how"]},
        ),
        (
            grid(a=list(range(9)), b=list(range(9))),
            {},
            {"type": "heatmap", "x_axis": "a", "y_axis": "b"},
        ),
    ],
)
def test_the_first_figure_follows_from_the_parameters(columns: Any, roles: Any, expected: dict[str, Any]) -> None:
    """Numbers make lines, names bars, repeats boxes, two parameters with many values a map."""
    first = automatic(Source(of(columns, **roles)))[0]
    assert first.wanted.to_document() == {"value": "m", **expected}
    assert first.reason


def test_a_metric_alone_has_a_map_besides_its_lines() -> None:
    """Two parameters with four values and more are shown both ways, when nothing else is to be shown."""
    columns = grid(t=[1, 2, 3, 4, 5], size=[1, 2, 3, 4])
    assert set(chosen(of(columns))) == {"line", "heatmap"}


def test_of_many_parameters_those_with_the_largest_effects_are_the_axes() -> None:
    """The others are averaged over, and main effects show all."""
    columns = grid(a=[1, 2], b=[1, 2, 3], c=[1, 2, 3], d=[1, 2])
    measured = observed(columns, {"m": lambda b, c, **rest: 5 * b + 20 * c + 0.01 * rest["a"]})
    assert [one.name for one in by_effect(measured.sample("m"))] == ["c", "b", "a", "d"]
    figures = chosen(measured)
    assert {figures["line"].x_axis, figures["line"].series} == {"b", "c"}
    assert figures["main_effects"].value == "m"


def test_samples_are_points_along_what_goes_with_them_most() -> None:
    """A scatter of the parameter with the largest rank correlation, and parallel coordinates of all."""
    drawn = np.random.default_rng(1)
    columns = {name: drawn.uniform(0, 1, 50).tolist() for name in ("a", "b", "c")}
    measured = observed(columns, {"m": lambda b, **_: np.exp(5 * b)}, sampled=["a", "b", "c"])
    figures = chosen(measured)
    assert set(figures) == {"scatter", "parallel", "main_effects"}
    assert figures["scatter"].x_axis == "b"


def test_what_is_missing_is_shown_where_something_is() -> None:
    """Only a run that is not complete has a map of its states."""
    assert "states" in chosen(DATA["failures"]())
    assert "states" not in chosen(DATA["grid"]())


@pytest.mark.parametrize("name", DATA)
def test_the_choice_is_small_and_always_the_same(name: str) -> None:
    """At most eight figures, each under its own name, and the same ones when asked again."""
    wishes = automatic(Source(DATA[name]()))
    assert wishes == automatic(Source(DATA[name]()))
    assert len({one.name for one in wishes}) == len(wishes) <= MOST
    assert bool(wishes) == (name != "one point")


def test_many_metrics_do_not_make_many_figures() -> None:
    """Those that differ come first, and are shown against each other."""
    columns = grid(t=[1, 2, 3, 4, 5], size=[1, 2, 3, 4])
    same: dict[str, Any] = {"same": lambda **_: 1.0}
    metrics = {f"m{number}": lambda t, size, number=number: t**number + size for number in range(1, 20)}
    wishes = automatic(Source(observed(columns, {**same, **metrics})))
    assert [one.wanted.value for one in wishes[:3]] == ["m1", "m2", "m3"]
    assert wishes[-1].wanted.values == ("m1", "m2", "m3", "m4", "m5")
    assert len(wishes) == 4


def test_a_series_that_was_logged_is_shown() -> None:
    """Of a whole run; the first of them, in which it stands with its task."""
    source = logged(DATA["grid"](), lambda **_: steps(3.0, 2.0, 1.5))
    (found,) = [one for one in automatic(source) if one.wanted.type == "convergence"]
    assert found.wanted.to_document() == {"type": "convergence", "value": "energy", "task": "solve"}
    assert found.reason == "`solve` logs it step by step"
    assert not [one for one in automatic(Source(source.observations)) if one.wanted.type == "convergence"]


def test_one_metric_may_be_asked_for() -> None:
    """Only that is shown; one that has no numbers, or is none, is refused."""
    measured = DATA["failures"]()
    assert {one.wanted.value for one in automatic(Source(measured), ["time"])} == {"time"}
    with pytest.raises(ResultError, match="there is no metric `tim`"):
        automatic(Source(measured), ["tim"])
    with pytest.raises(ResultError, match="`m` is no number"):
        automatic(Source(observed(grid(t=[1, 2]), {"m": ["a", "b"]})), ["m"])


def test_nothing_is_chosen_where_nothing_is_a_number() -> None:
    """Texts, NaN and infinities alone make no figure, and no error."""
    metrics: dict[str, Any] = {"text": ["a", "b"], "nan": [float("nan")] * 2, "inf": [float("inf")] * 2}
    assert automatic(Source(observed(grid(t=[1, 2]), metrics))) == []


def test_a_metric_over_decades_has_a_logarithmic_axis() -> None:
    """Where all its values are positive."""
    assert chosen(of(grid(t=list(range(1, 2001)))))["line"].value_scale == "log"


def test_the_name_of_a_figure_can_name_a_file() -> None:
    """It tells kind, metric and parameters; what file systems do not take is replaced."""
    figure = Visualization(type="line", value="solve.E/N", x_axis="größe", facet_by=("a b",))
    assert name_of(figure) == "line-solve.E_N-by-größe-a_b"
    assert name_of(Visualization(type="timeline", task="solve")) == "timeline-solve"
