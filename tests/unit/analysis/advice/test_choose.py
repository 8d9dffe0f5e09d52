"""Laws are found where there are any, and keep what they promise, on runs whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from sciflow.analysis.advice.choose import best_law
from sciflow.analysis.advice.fitting import fit
from sciflow.analysis.advice.law import Law
from sciflow.analysis.advice.needed import Measured
from sciflow.analysis.advice.sized import Same
from sciflow.analysis.advice.terms import Levels, Power, terms_for
from unit.analysis import synthetic
from unit.analysis.synthetic import Drawn

Draw = Callable[[np.random.Generator, int], Drawn]
NEW = 20  # instances that are not among those that were measured


def law_of(drawn: Drawn) -> Law | None:
    """Return the law of what was drawn, of which all is known."""
    return best_law(drawn.parameters, drawn.values, drawn.all_known)


def kept_of(draw: Draw, chance: float, count: int, runs: int, seed: int = 0) -> float:
    """Return the share of new instances, over many runs, that need no more than is said to suffice."""
    random, kept = np.random.default_rng(seed), 0
    for _ in range(runs):
        known, new = draw(random, count), draw(random, NEW)
        least = known.all_known
        law = best_law(known.parameters, known.values, least) or Same(Measured(np.arange(count), known.values, least))
        for place in range(NEW):
            one = {name: values[place] for name, values in new.parameters.items()}
            kept += bool(new.values[place] <= law.most(one, chance))
    return kept / (runs * NEW)


def test_a_known_exponent_is_found() -> None:
    """The square is found, between bounds that hold it, and a parameter that says nothing is left out."""
    law = law_of(synthetic.square(np.random.default_rng(2), 60))
    assert law is not None
    (term,) = law.terms
    assert isinstance(term, Power)
    assert (term.name, law.has_base) == ("size", False)
    value, low, high = law.exponent(term)
    assert low < 2 < high
    assert value == pytest.approx(2, abs=0.05)
    assert law.middle({"size": 100}) == pytest.approx(30_000, rel=0.1)


def test_the_bounds_of_an_exponent_hold_it_as_often_as_they_say() -> None:
    """Of 95 % intervals, nineteen in twenty hold the truth."""
    random, held = np.random.default_rng(3), 0
    for _ in range(200):
        drawn = synthetic.square(random, 30)
        term = terms_for("size", drawn.parameters["size"])[0]
        law = fit([term], False, drawn.parameters, drawn.values, drawn.all_known)
        assert law is not None
        assert isinstance(term, Power)
        _, low, high = law.exponent(term)
        held += low <= 2 <= high
    assert held == pytest.approx(190, abs=3 * math.sqrt(200 * 0.95 * 0.05))


def test_what_all_need_is_told_from_what_grows() -> None:
    """With a base the exponent is that of what grows on top of it."""
    law = law_of(synthetic.with_base(np.random.default_rng(4), 60))
    assert law is not None
    assert law.has_base
    term = law.terms[0]
    assert isinstance(term, Power)
    assert law.exponent(term)[0] == pytest.approx(2, abs=0.3)
    assert math.exp(law.coefficients[-1]) == pytest.approx(50_000, rel=0.15)


def test_a_parameter_that_is_no_number_has_a_factor() -> None:
    """The solver's factor is found beside the exponent, and of one never seen the larger factor counts."""
    law = law_of(synthetic.by_solver(np.random.default_rng(5), 80))
    assert law is not None
    solver = next(term for term in law.terms if isinstance(term, Levels))
    effects = law.effects(solver)
    assert effects["lu"] / effects["cg"] == pytest.approx(1.5, rel=0.06)
    new = {"size": 100, "solver": "qr"}
    assert law.is_outside(new)
    assert law.middle(new) == pytest.approx(law.middle({"size": 100, "solver": "lu"}))


def test_beyond_what_was_measured_it_says_so_and_is_less_sure() -> None:
    """Outside of the range the margin grows."""
    law = law_of(synthetic.square(np.random.default_rng(6), 30))
    assert law is not None
    assert not law.is_outside({"size": 400})
    assert law.is_outside({"size": 4000})
    inside, outside = ({"size": 60}, {"size": 40_000})
    assert law.most(outside, 0.95) / law.middle(outside) > law.most(inside, 0.95) / law.middle(inside)


def test_where_nothing_grows_no_law_is_found() -> None:
    """Chance alone makes a law in few of many runs."""
    random = np.random.default_rng(7)
    assert sum(law_of(synthetic.nothing(random, 40)) is not None for _ in range(25)) <= 4


def test_of_few_nothing_is_fitted() -> None:
    """Five values make no law."""
    drawn = Drawn({"size": [1, 2, 3, 4, 5]}, np.array([1.0, 4.0, 9.0, 16.0, 25.0]))
    assert law_of(drawn) is None


def test_survivors_alone_would_say_too_little() -> None:
    """What was stopped at a limit keeps the law where it is; without it, the largest would seem to need less."""
    drawn = synthetic.square(np.random.default_rng(8), 150)
    values, least = drawn.stopped_at(480_000.0)  # half of those of size 400
    assert 5 < least.sum() < 25
    size = drawn.parameters["size"]
    law = best_law({"size": size}, values, least)
    survivors = law_of(Drawn({"size": np.array(size)[~least].tolist()}, values[~least]))
    assert law is not None
    assert survivors is not None
    assert law.middle({"size": 400}) == pytest.approx(480_000, rel=0.03)
    assert survivors.middle({"size": 400}) < 0.99 * law.middle({"size": 400})
    assert np.mean(drawn.values <= [law.most({"size": one}, 0.95) for one in size]) >= 0.93


def test_what_was_stopped_counts_without_a_law_too() -> None:
    """By order, more is asked for than the limit at which some were stopped, with less of a chance."""
    drawn = synthetic.nothing(np.random.default_rng(9), 60)
    values, least = drawn.stopped_at(float(np.quantile(drawn.values, 0.8)))
    same = Same(Measured(np.arange(60), values, least))
    known = (~least).sum()
    survivors = Same(Measured(np.arange(known), values[~least], least[~least]))
    assert same.is_open
    assert same.spread.most < 0.81 < survivors.spread.most
    assert same.most({}, 0.95) == pytest.approx(1.5 * values.max())
    assert survivors.most({}, 0.95) < values.max()


def test_what_hardly_matters_is_left_out() -> None:
    """A factor that is certain, but of three percent, would only make what is said of it longer."""
    size, seed = synthetic.SIZES * 6, [1, 2] * 18
    values = np.array([one**2.0 * (1.03 if two == 2 else 1.0) for one, two in zip(size, seed, strict=True)])
    law = law_of(Drawn({"size": size, "seed": seed}, values))
    assert law is not None
    assert law.names == ("size",)
    assert law.most({"size": 400, "seed": 2}, 0.95) >= 1.03 * 400**2 * (1 - 1e-9)


@pytest.mark.parametrize("count", [12, 60])
@pytest.mark.parametrize("name", ["square", "with_base", "by_solver", "heavy", "two_regimes", "nothing"])
def test_the_stated_chance_holds(name: str, count: int) -> None:
    """Over many runs, a new instance is done within what was said, as often as was said or as so few can show."""
    runs = 15
    kept = kept_of(getattr(synthetic, name), 0.95, count, runs)
    shown = min(0.95, count / (count + 1))
    # Instances of the same run share its law, so that they count for less than so many.
    assert kept >= shown - 3 * math.sqrt(shown * (1 - shown) / (runs * NEW / 4))


@pytest.mark.slow
@pytest.mark.parametrize("chance", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("count", [20, 100])
@pytest.mark.parametrize("name", ["square", "with_base", "by_solver", "heavy", "two_regimes", "nothing"])
def test_the_stated_chance_holds_in_many_runs(name: str, count: int, chance: float) -> None:
    """The same with 150 runs each, and other chances."""
    kept = kept_of(getattr(synthetic, name), chance, count, 150)
    shown = min(chance, count / (count + 1))
    assert kept >= shown - 3 * math.sqrt(shown * (1 - shown) / (150 * NEW / 8))
