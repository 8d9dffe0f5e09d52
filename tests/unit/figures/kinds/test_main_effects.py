"""Main effects show the marginal mean at each level of each factor."""

from typing import Any

import numpy as np
import pytest

from sciflow.analysis.observations import Observations
from sciflow.errors import ResultError
from sciflow.figures.kinds.main_effects import MainEffectsNumbers
from sciflow.figures.numbers import Source
from sciflow.figures.picture import picture
from sciflow.model.visualization import Visualization
from unit.figures.observed import grid, observed, on_a_grid, with_categories


def shown(observations: Observations, value: str = "energy", **options: Any) -> MainEffectsNumbers:
    """Return the numbers of main effects."""
    found = picture(Source(observations), Visualization(type="main_effects", value=value, **options)).numbers
    assert isinstance(found, MainEffectsNumbers)
    return found


def test_each_level_of_each_factor_has_its_mean() -> None:
    """On a full grid these are the plain means, and the factor with the largest effect comes first."""
    numbers = shown(on_a_grid())
    assert [side.name for side in numbers.factors] == ["size", "field"]
    frame = numbers.frame()
    bowl = np.mean([(field - 0.6) ** 2 for field in (0.0, 0.25, 0.5, 0.75, 1.0)])
    means = frame["mean"].to_numpy()[(frame["factor"] == "size").to_numpy()]
    assert means == pytest.approx([0.8 + bowl, 1.6 + bowl, 3.2 + bowl, 6.4 + bowl])
    assert numbers.share("size") + numbers.share("field") == pytest.approx(1)
    assert numbers.value.label == "energy (J)"


def test_categories_are_places_side_by_side() -> None:
    """Names stand in the order of the space."""
    assert shown(with_categories()).factors[0].levels == ("small", "medium", "large")


def test_many_factors_are_pages() -> None:
    """Ten factors are two pages."""
    columns = grid(**{f"p{number}": [0, 1] for number in range(10)})
    assert shown(observed(columns, {"m": lambda **row: sum(row.values())}), "m").pages == 2


def test_whiskers_are_left_out_where_nobody_wants_them() -> None:
    """The interval `none` says nothing of whiskers, and one that marginal means do not have is refused."""
    columns = grid(x=[1, 2], seed=[1, 2, 3])
    known = observed(columns, {"m": [1.0, 2.0, 3.0, 4.0, 5.0, 7.0]}, repeats=["seed"])
    assert shown(known, "m").notes == ("whiskers: 95% confidence interval of the marginal mean (Student's t)",)
    assert shown(known, "m", interval="none").notes == ()
    with pytest.raises(ResultError, match="marginal means, which have no interval `sd`"):
        shown(known, "m", interval="sd")


@pytest.mark.parametrize(
    ("known", "value", "told"),
    [
        (on_a_grid, "enery", "there is no metric `enery`.*`energy`"),
        (lambda: observed({"x": [1]}, {"m": [1.0]}), "m", "no parameter of `m` varies"),
        (lambda: observed({"x": [1, 2]}, {"m": ["a", "b"]}), "m", "`m` is no number: 'a'"),
        (lambda: observed({"x": [1, 2]}, {"m": [np.nan, np.inf]}), "m", "`m` has no finite value"),
    ],
)
def test_where_there_is_no_effect_to_speak_of_it_is_said(known: Any, value: str, told: str) -> None:
    """Unknown names, a single point, texts and missing values are errors in words."""
    with pytest.raises(ResultError, match=f"(?s){told}"):
        shown(known(), value)


def test_a_logarithmic_scale_must_have_a_place_for_all_means() -> None:
    """A mean of 0 is refused on it."""
    with pytest.raises(ResultError, match="`m` is 0 somewhere, which a logarithmic axis does not have"):
        shown(observed({"x": [1, 2]}, {"m": [0.0, 1.0]}), "m", value_scale="log")
