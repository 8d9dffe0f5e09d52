"""Metrics are matched at the parameters that they share."""

import math

import numpy as np
import pytest

from sciflow.analysis.observations import Observations
from sciflow.errors import ResultError
from sciflow.figures.matched import known_name, matched
from unit.figures.observed import grid, observed


def gathering() -> Observations:
    """Return a loss per seed, a spread that gathers over seeds, and a count over all."""
    return observed(
        grid(rate=[0.1, 0.2], seed=[1, 2, 3]),
        {
            "loss": [1.0, 2.0, 6.0, 10.0, 20.0, 60.0],
            "spread": [7.0, 7.0, 7.0, 8.0, 8.0, 8.0],
            "label": list("abcdef"),
            "total": [5.0] * 6,
        },
        repeats=["seed"],
        depends={"spread": ["rate"], "total": []},
        states={5: "FAILED"},
    )


def test_metrics_of_one_task_meet_row_by_row() -> None:
    """A row stands for an instance, and one of which a value is missing is left out, and said."""
    found = matched(gathering(), ["loss"])
    assert found.values["loss"].tolist() == [1, 2, 6, 10, 20]
    assert found.levels("seed") == [1, 2, 3, 1, 2]
    assert found.notes == ("loss: 1 of 6 have no value (1 FAILED)",)


def test_a_metric_per_seed_is_averaged_before_it_meets_one_that_gathers() -> None:
    """Each rate is one row: the mean over its seeds beside what was gathered over them."""
    found = matched(gathering(), ["loss", "spread"])
    assert found.levels("rate") == [0.1, 0.2]
    assert found.values["loss"].tolist() == [3, 15]
    assert found.values["spread"].tolist() == [7, 8]
    assert found.notes[0] == "loss: mean over seed (3 values)"


def test_where_the_seed_is_shown_what_gathers_stands_at_each() -> None:
    """A parameter that is shown tells rows apart, and what does not depend on it is said to be the same."""
    found = matched(gathering(), ["loss", "spread"], ["seed"])
    assert found.values["loss"].tolist() == [1, 2, 6, 10, 20]
    assert found.values["spread"].tolist() == [7, 7, 7, 8, 8]
    assert found.notes[0] == "spread: the same at each seed"


def test_rows_are_told_apart_by_what_is_asked() -> None:
    """Values are averaged over all but the named parameters."""
    found = matched(gathering(), ["loss"], ["rate"], by=["rate"])
    assert found.values["loss"].tolist() == [3, 15]


def test_parameters_that_are_not_used_match_too() -> None:
    """None is a level as any other, and whole numbers beside it match although the table has floats."""
    found = matched(
        observed(
            {"depth": [1, 2, None, None], "seed": [1, 1, 1, 2]},
            {"loss": [1.0, 2.0, 3.0, 5.0], "spread": [7.0, 8.0, 9.0, 9.0]},
            depends={"spread": ["depth"]},
        ),
        ["loss", "spread"],
    )
    assert found.levels("depth") == [1, 2, None]
    assert found.values["loss"].tolist() == [1, 2, 4]


@pytest.mark.parametrize(
    ("metrics", "shown", "told"),
    [
        (["loss", "total"], [], "`total` shares no parameter with `loss`.*gathers over all"),
        (["spread"], ["seed"], "`spread` does not depend on `seed`"),
        (["label"], [], "`label` is no number: 'a'"),
        (["lost"], [], "(?s)there is no metric `lost`.*did you mean `loss`"),
    ],
)
def test_what_cannot_be_matched_is_refused(metrics: list[str], shown: list[str], told: str) -> None:
    """The metric and the reason are named, instead of pairing rows that do not belong together."""
    with pytest.raises(ResultError, match=f"(?s){told}"):
        matched(gathering(), metrics, shown)


def test_metrics_that_are_never_there_together_are_refused() -> None:
    """Two metrics of which each has values, but never at the same parameters, give no row."""
    apart = observed({"x": [1, 2]}, {"a": [1.0, math.nan], "b": [math.inf, 2.0]})
    with pytest.raises(ResultError, match="no combination for which all of `a`, `b` have a finite value"):
        matched(apart, ["a", "b"])
    nothing = observed({"x": [1, 2]}, {"a": [1.0, 2.0]}, states={0: "FAILED", 1: "PENDING"})
    with pytest.raises(ResultError, match=r"`a` has no finite value: 2 of 2 have no value \(1 FAILED, 1 PENDING\)"):
        matched(nothing, ["a"])


def test_names_are_of_parameters_or_metrics() -> None:
    """A name is found among both, and where it is in neither the nearest of both are offered."""
    known = gathering()
    assert known_name(known, "rate") == "rate"
    assert known_name(known, "solve.loss") == "loss"
    with pytest.raises(ResultError, match=r"(?s)`ratte` is neither a parameter nor a metric.*did you mean `rate`"):
        known_name(known, "ratte")


def test_means_are_those_of_each_group() -> None:
    """Averaging many groups gives what NumPy says of each of them."""
    drawn = np.random.default_rng(3).normal(size=120)
    found = matched(
        observed(
            grid(a=list(range(8)), b=list(range(15))), {"m": drawn.tolist(), "n": [1.0] * 120}, depends={"n": ["a"]}
        ),
        ["m", "n"],
    )
    assert found.values["m"] == pytest.approx(drawn.reshape(8, 15).mean(axis=1))
