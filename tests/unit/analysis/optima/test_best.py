"""The best by the mean over repeats."""

import math
from typing import Any

import pytest

from sciflow.analysis.optima.best import best_of, setting_text, unmarked_repeats
from sciflow.errors import ResultError
from unit.figures.observed import grid, observed, with_failures, with_repeats

SEEDS = grid(x=[1, 2, 3], seed=[1, 2, 3])
LUCKY = [5.0, 5.1, 4.9, 9.0, 0.1, 0.2, 5.0, 5.2, 4.9]


def test_the_luckiest_seed_is_not_the_best() -> None:
    """The best mean is, with its interval; what the repeats do not tell from it is named, and how that was found."""
    best = best_of(observed(SEEDS, {"gain": LUCKY}, repeats=["seed"]), "gain")
    assert best.parameters == {"x": 3}
    assert best.value == pytest.approx(5.0333, abs=1e-4)
    assert best.interval == pytest.approx((4.654, 5.413), abs=1e-3)
    assert best.repeats == ("seed",)
    assert best.frame()["x"].tolist() == [3, 1, 2]
    others = best.not_told_apart()
    assert others is not None
    assert 1 in others["x"].tolist()
    assert "others cannot be told from it" in best.described()[0]
    assert "comparisons with the best, 95%" in best.described()[0]


def test_without_repeats_it_says_that_nothing_can_be_known() -> None:
    """The order is that of the values, equal ones in the order of the space."""
    best = best_of(observed({"x": [1, 2, 3, 4]}, {"loss": [3, 1, 1, 2]}), "loss", maximize=False)
    assert best.frame()["x"].tolist() == [2, 3, 4, 1]
    assert (best.interval, best.comparison, best.not_told_apart()) == (None, None, None)
    assert best.described() == ["without repeats it cannot be known whether the others are worse by more than chance"]
    assert [row["parameters"] for row in best.rows(2)] == [{"x": 2}, {"x": 3}]


def test_a_clear_best_is_beyond_doubt() -> None:
    """Then none of the others is left."""
    best = best_of(with_repeats(), "energy", maximize=False)
    assert best.parameters == {"size": 8, "field": 0.5}
    assert best.described() == [
        "all 11 others are worse beyond doubt (Dunnett's test, 11 comparisons with the best, 95%)"
    ]


def test_missing_repeats_are_told() -> None:
    """A setting of which little is there takes part by what is there."""
    gain = [5.0, None, None, 1.0, 1.1, 0.9, 1.0, math.nan, math.inf]
    best = best_of(observed(SEEDS, {"gain": gain}, repeats=["seed"]), "gain")
    assert best.parameters == {"x": 1}
    assert "the best has 1 of 3 repeats" in best.described()
    assert "of `gain`, 3 of 9 have no value (3 COMPLETED); 1 of 9 is infinite" in best.described()
    assert str(best.coverage) == "3 of 3"
    assert best.interval is not None


def test_repeats_that_never_differ_are_wondered_about() -> None:
    """Perhaps the program does not use its seed."""
    best = best_of(observed(SEEDS, {"gain": [1, 1, 1, 2, 2, 2, 3, 3, 3]}, repeats=["seed"]), "gain")
    assert "the repeats do not differ at all: does seed matter?" in best.described()


def test_a_condition_and_a_least_coverage_are_kept() -> None:
    """Of a metric its mean counts, so that no condition chooses lucky repeats."""
    known = observed(SEEDS, {"gain": LUCKY, "memory": [1.0, 1, 1, 1, 1, 1, 9, 1, 9]}, repeats=["seed"])
    assert best_of(known, "gain", where="memory < 4").parameters == {"x": 1}
    assert best_of(known, "gain", where="memory < 4 and x >= 2").parameters == {"x": 2}
    with pytest.raises(ResultError, match=r"16 of 20 values of `energy` are there, 80%, and at least 90%"):
        best_of(with_failures(), "energy", minimum_coverage=0.9)
    failed = best_of(with_failures(), "energy", False, where="time < 1000")
    assert "4 of 20 are left out: what `time < 1000` asks of them is not known" in failed.described()


def test_derived_parameters_are_shown_unless_they_follow_from_repeats() -> None:
    """What follows from a seed and something else varies with the seed."""
    columns = {**SEEDS, "cells": [one**2 for one in SEEDS["x"]], "mixed": list(range(9))}
    behind = {"cells": ["x"], "mixed": ["x", "seed"]}
    best = best_of(observed(columns, {"gain": LUCKY}, repeats=["seed"], behind=behind), "gain")
    assert best.parameters == {"x": 3, "cells": 9}


def test_values_are_told_as_they_were_written() -> None:
    """Whole numbers beside None stay whole; parameters called as repeats are, but not declared, are known by name."""
    best = best_of(observed({"layers": [None, 2], "seed": [1, 2]}, {"gain": [1.0, 2.0]}), "gain")
    assert best.parameters == {"layers": 2, "seed": 2}
    assert isinstance(best.parameters["layers"], int)
    assert setting_text({"x": 0.123456789, "mode": "fast", "n": None}) == "x = 0.123457, mode = fast, n = None"
    known = observed(SEEDS, {"gain": LUCKY})
    assert unmarked_repeats(known, ["x", "seed"]) == ["seed"]
    assert unmarked_repeats(known.with_repeats(["seed"]), ["x", "seed"]) == []


@pytest.mark.parametrize(
    ("metric", "options", "message"),
    [
        ("gains", {}, "there is no metric `gains`"),
        ("x", {}, "`x` is a parameter, and no metric"),
        ("gain", {"confidence": 1.5}, "`confidence` is 1.5"),
        ("gain", {"minimum_coverage": 2}, "`minimum_coverage` is 2"),
        ("nothing", {}, "no combination has a finite value of `nothing`"),
    ],
)
def test_questions_that_make_no_sense_are_refused(metric: str, options: dict[str, Any], message: str) -> None:
    """The message names what is wrong."""
    known = observed(SEEDS, {"gain": LUCKY, "nothing": [math.nan] * 9}, repeats=["seed"])
    with pytest.raises(ResultError) as caught:
        best_of(known, metric, **options)
    assert message in str(caught.value)


def test_one_other_is_no_plural() -> None:
    """Of two settings the second is `the only other`, whether chance tells it from the best or not."""
    near = best_of(observed(grid(x=[1, 2], seed=[1, 2]), {"gain": [1.0, 1.2, 1.1, 1.25]}, repeats=["seed"]), "gain")
    assert near.described()[0].startswith("the only other cannot be told from it (")
    far = best_of(observed(grid(x=[1, 2], seed=[1, 2]), {"gain": [1.0, 1.01, 9.0, 9.01]}, repeats=["seed"]), "gain")
    assert far.described()[0].startswith("the only other is worse beyond doubt (")


def test_the_best_is_read() -> None:
    """As text it says what and where the best is, then the first rows as a table, then what is to be known."""
    lines = str(
        best_of(observed({"x": list(range(20))}, {"gain": lambda x: -x}, units={"gain": "m"}), "gain")
    ).splitlines()
    assert lines[0] == "the largest gain is 0 m at x = 0"
    assert lines[1].split() == ["x", "gain", "gain", "count"]
    assert lines[-2] == "(the first 10 of 20)"
    assert len(lines) == 14


def test_an_unknown_test_is_refused() -> None:
    """Those that there are are named."""
    with pytest.raises(ResultError, match="`test` is 'Dunnett'") as refused:
        best_of(with_repeats(), "energy", test="Dunnett")  # type: ignore[arg-type]
    assert refused.value.hint == "known are auto, dunnett, welch"


def test_a_setting_that_was_measured_once_borrows_the_spread_of_others() -> None:
    """Its interval is no surer than it looks: that is said."""
    gain = [5.0, None, None, 1.0, 1.1, 0.9, 1.0, 1.2, 1.1]
    best = best_of(observed(SEEDS, {"gain": gain}, repeats=["seed"]), "gain")
    told = "one setting was measured once: its interval takes the spread of the others' repeats for its own"
    assert told in best.described()
