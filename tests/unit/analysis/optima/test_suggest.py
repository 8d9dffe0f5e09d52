"""What to try next."""

import math
import sys
from typing import Any

import numpy as np
import pytest

from sciflow.analysis.observations import Observations
from sciflow.analysis.optima.suggest import suggest
from sciflow.errors import ResultError
from sciflow.model.parameters import ParameterSpace
from unit.figures.observed import Formula, observed


def measured(space: ParameterSpace, formula: Formula, repeats: tuple[str, ...] = ()) -> Observations:
    """What a formula gives at all combinations of a space."""
    columns = {name: [one[name] for one in space] for name in space.names}
    return observed(columns, {"loss": formula}, repeats=repeats, behind={n: ["x"] for n in space.derived_names})


def branin(x: float, y: float) -> float:
    """Branin and Hoo's function, whose least value is 0.397887."""
    valley = y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6
    return valley**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def test_two_rounds_of_suggestions_come_near_the_minimum_of_branin() -> None:
    """From 25 points of a grid, of which the best has 2.94, with eight more in two rounds."""
    axes = {"x": [-5.0, -1.0, 3.0, 7.0, 10.0], "y": [0.0, 4.0, 8.0, 12.0, 15.0]}
    included: list[Any] = []
    for _ in range(2):
        space = ParameterSpace.from_document(axes, include=included)
        found = suggest(measured(space, branin), space, "loss", maximize=False, count=4)
        assert found.skill > 0.9
        assert len(found) == 4
        included += found.combinations
    assert min(branin(**one) for one in included) < 0.5
    assert all(-5 <= one["x"] <= 10 and 0 <= one["y"] <= 15 for one in included)


def test_suggestions_keep_to_the_rules_of_the_space() -> None:
    """Whole numbers, words, conditions, constraints, exclusions, axes that move together, and every repeat."""
    axes = {
        "n": [1, 4, 8],
        "method": ["plain", "fine"],
        "step": {"values": [0.001, 0.01, 0.1], "when": "method == 'fine'"},
        "a": [1, 2, 3],
        "b": [10, 20, 30],
        "seed": {"repeat": 2},
    }
    space = ParameterSpace.from_document(
        axes, zip_groups=[["a", "b"]], constraints=["n + a < 11"], exclude=[{"n": 4, "method": "plain"}]
    )

    def loss(n: int, step: float | None, a: int, seed: int, **_: Any) -> float:
        fine = 2.0 if step is None else abs(math.log10(step) + 2.5)
        return (n - 6) ** 2 / 10 + fine + 0.1 * a + seed % 7 / 1000

    found = suggest(measured(space, loss, ("seed",)), space, "loss", maximize=False, count=3)
    assert len(found.settings) == 3
    assert len(found.combinations) == 6
    assert len({tuple(one.values()) for one in found.combinations}) == 6
    for one in found.combinations:
        assert list(one) == list(axes)
        assert isinstance(one["n"], int)
        assert 1 <= one["n"] <= 8
        assert one["b"] == 10 * one["a"]
        assert one["n"] + one["a"] < 11
        assert (one["step"] is None) == (one["method"] == "plain")
        assert not (one["n"] == 4 and one["method"] == "plain")
    assert found.settings[0]["n"] in (5, 6, 7)
    assert 0.001 < found.settings[0]["step"] < 0.01
    again = suggest(measured(space, loss, ("seed",)), space, "loss", maximize=False, count=3)
    assert again.settings == found.settings  # the same seed
    assert list(found.frame())[-2:] == ["loss expected", "loss sd"]


def test_a_sampled_space_is_searched_within_its_distributions() -> None:
    """Also where the points are of several kinds, and the metric is to be large."""
    axes = {"x": {"uniform": [0, 4]}, "k": {"choice": ["u", "v"]}, "r": {"loguniform": [0.01, 100]}}
    space = ParameterSpace.from_document(axes, sample={"method": "sobol", "count": 32, "seed": 1})
    known = measured(space, lambda x, k, r: -((x - 3) ** 2) - math.log10(r) ** 2 + (k == "v"))
    best = suggest(known, space, "loss", count=2).settings[0]
    assert best["x"] == pytest.approx(3, abs=0.4)
    assert best["r"] == pytest.approx(1, rel=1)
    assert best["k"] == "v"


def test_a_surrogate_that_is_no_better_than_the_mean_is_refused() -> None:
    """Unless asked for anyway; then it says so. Where all values of a range are there, nothing is left."""
    space = ParameterSpace.from_document({"x": [one / 2 for one in range(20)]})
    chance = np.random.default_rng(3).normal(size=20)
    known = measured(space, lambda x: float(chance[round(2 * x)]))
    with pytest.raises(ResultError, match="no better than the mean") as caught:
        suggest(known, space, "loss")
    assert "--anyway" in caught.value.hint
    assert "do not trust it far" in suggest(known, space, "loss", anyway=True, count=1).notes[0]
    full = ParameterSpace.from_document({"x": list(range(8))})
    with pytest.raises(ResultError, match="there is nothing new to try"):
        suggest(measured(full, lambda x: float(x)), full, "loss")


def test_what_cannot_be_learned_from_is_refused() -> None:
    """Too little, a constant, and a metric that is no number."""
    space = ParameterSpace.from_document({"x": [1, 2, 3]})
    with pytest.raises(ResultError, match="3 combinations with a value of `loss` are too few"):
        suggest(measured(space, lambda x: float(x)), space, "loss")
    longer = ParameterSpace.from_document({"x": list(range(8))})
    with pytest.raises(ResultError, match="`loss` is 2 everywhere"):
        suggest(measured(longer, lambda x: 2.0), longer, "loss")
    with pytest.raises(ResultError, match="`loss` is no number: 'word'"):
        suggest(measured(longer, lambda x: "word"), longer, "loss")
    with pytest.raises(ResultError, match="`count` is 0"):
        suggest(measured(longer, lambda x: float(x)), longer, "loss", count=0)


def test_without_scikit_learn_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "sklearn.gaussian_process", None)
    space = ParameterSpace.from_document({"x": [1, 2, 3]})
    with pytest.raises(ResultError) as caught:
        suggest(measured(space, lambda x: float(x)), space, "loss")
    assert caught.value.hint == "pip install 'sciflow[suggest]'"


def test_axes_that_move_together_stay_together_where_only_one_matters() -> None:
    """The others of the group have the values of its row, and not those that the best had."""
    axes = {"a": list(range(9)), "b": [10 * one for one in range(9)], "c": [1.0, 2.0, 3.0]}
    space = ParameterSpace.from_document(axes, zip_groups=[["a", "b"]])
    columns = {name: [one[name] for one in space] for name in space.names}
    depends = {"loss": ["a", "c"]}
    known = observed(columns, {"loss": lambda a, b, c: (a - 4) ** 2 + c}, depends=depends)
    rows = np.array([not (one["a"] == 4 and one["c"] == 1.0) for one in space])
    found = suggest(known.of_rows(rows), space, "loss", maximize=False, count=2)
    assert found.settings[0]["a"] == 4
    assert all(one["b"] == 10 * one["a"] for one in found.combinations)


def test_where_nothing_is_better_the_best_of_the_rest_is_suggested() -> None:
    """A surrogate that is sure of everything still ranks: it names what comes next, and says that it is no better."""
    space = ParameterSpace.from_document({"x": [one / 20 for one in range(21)], "ch": ["p", "q"]})
    known = measured(space, lambda x, ch: 6 * x + 5 * (ch == "q"))
    found = suggest(known, space, "loss", count=2)
    assert all(one["ch"] == "q" for one in found.settings)
    assert all(one["x"] > 0.9 for one in found.settings)
    assert min(found.expected) > 10
    assert "none of these is expected to be better than the best that was measured" in found.notes


def test_a_nearly_perfect_surrogate_names_the_best_it_expects() -> None:
    """Where no float can hold the improvement that is expected, the best is found all the same, and nothing twice."""
    axes = {"x": {"uniform": [-3.14159, 3.14159]}, "k": {"choice": ["p", "q"]}, "r": {"loguniform": [0.001, 10]}}
    sample = {"method": "sobol", "count": 64, "seed": 1}
    corner = {"x": 3.14159, "k": "q", "r": 10.0}

    def loss(x: float, k: str, r: float) -> float:
        return x + 5 * (k == "q") + math.log10(r)

    space = ParameterSpace.from_document(axes, sample=sample)
    first = suggest(measured(space, loss), space, "loss", count=1)
    assert first.skill > 0.999
    assert first.expected[0] == pytest.approx(loss(**corner), abs=0.01)
    longer = ParameterSpace.from_document(axes, sample=sample, include=[corner])
    found = suggest(measured(longer, loss), longer, "loss", count=3)
    assert "none of these is expected to be better than the best that was measured" in found.notes
    assert all(expected > 8.5 for expected in found.expected)  # of a range from -6 to 9
    known = [corner, *({name: one[name] for name in axes} for one in space)]
    near = [
        math.hypot(one["x"] - other["x"], math.log(one["r"] / other["r"])) for one in found.settings for other in known
    ]
    assert min(near) > 0.005
    assert len({tuple(one.values()) for one in found.settings}) == 3
