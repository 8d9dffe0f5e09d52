"""What is around the best."""

import pytest

from sciflow.analysis.observations import Observations
from sciflow.analysis.optima.best import best_of
from sciflow.analysis.optima.flatness import Flatness, flatness_of, is_geometric
from unit.figures.observed import grid, observed, on_drawn_points, with_categories, with_repeats


def around(known: Observations, metric: str, maximize: bool = False) -> Flatness:
    """The flatness around the best of some observations."""
    return flatness_of(known, best_of(known, metric, maximize))


def test_the_nearest_levels_say_how_much_is_lost() -> None:
    """A peak is narrow where both neighbours are far worse, flat where they are alike; both in words and numbers."""
    space = grid(x=[1, 2, 3, 4, 5], y=[1, 2, 3])
    known = observed(space, {"gain": lambda x, y: -(10.0 * (x - 3) ** 2) - 0.1 * (y - 2) ** 2})
    found = around(known, "gain", maximize=True)
    assert found.parameters == {"x": 3, "y": 2}
    assert found.word("x") == "gentle"
    assert found.word("y") == "flat"
    assert found.edges == ()
    frame = found.frame().set_index(["parameter", "side"])
    assert frame.loc[("x", "below"), "loss"] == pytest.approx(10)
    assert frame.loc[("x", "above"), "share"] == pytest.approx(10 / 40.1)
    assert found.described()[1] == "y: flat (0% lost at 1; 0% lost at 3)"
    narrow = observed(grid(x=[1, 2, 3]), {"gain": [0.0, 9.0, 1.0]})
    assert around(narrow, "gain", maximize=True).word("x") == "narrow peak"


def test_a_best_at_the_edge_asks_for_a_longer_axis() -> None:
    """By the next step of the axis, or the next ratio where its values are logarithmic; categories have no edge."""
    plain = around(observed({"x": [1, 2, 4, 6]}, {"loss": [4.0, 3, 2, 1]}), "loss")
    assert [(one.side, one.level, one.next) for one in plain.edges] == [("above", 6, 8)]
    assert "the best is at the edge, 6 is the largest value; extend the axis, for instance to 8" in plain.described()[1]
    log = around(observed({"x": [0.001, 0.01, 0.1]}, {"loss": [1.0, 2, 3]}), "loss")
    assert [(one.side, one.next) for one in log.edges] == [("below", pytest.approx(0.0001))]
    words = around(with_categories(), "energy")
    assert words.edges == ()
    assert words.word("size") == "steep"


def test_repeats_say_whether_a_neighbour_is_worse_at_all() -> None:
    """What chance may have made is called so."""
    clear = around(with_repeats(), "energy")
    assert all(one.is_worse for one in clear.neighbours)
    space = grid(x=[1, 2, 3], seed=[1, 2, 3])
    noisy = around(observed(space, {"loss": [3.0, 9, 6, 5, 2, 8, 9, 4, 7]}, repeats=["seed"]), "loss")
    assert noisy.word("x") == "within chance"
    assert "within chance" in noisy.described()[0]


def test_sampled_settings_have_nearest_ones() -> None:
    """Two for each parameter, nearest in all of them together; no edge is told of what was drawn."""
    found = around(on_drawn_points(), "energy")
    assert [(one.parameter, one.side) for one in found.neighbours] == [("size and field", "near")] * 4
    assert found.edges == ()
    assert found.word("size and field") in ("flat", "gentle")


def test_where_no_neighbour_was_measured_that_is_said() -> None:
    """As of words that differ together, and of a single point."""
    apart = around(observed({"x": list("abcc"), "y": list("pqrs")}, {"loss": [2.0, 1, 3, 3]}), "loss")
    assert apart.alone == ("x", "y")
    assert "x: not known, nothing else was measured" in apart.described()[0]
    assert apart.word("x") is None
    single = around(observed({"x": [1]}, {"loss": [2.0]}), "loss")
    assert (single.neighbours, single.edges, single.alone) == ((), (), ())
    many = around(observed({"x": list("fedcba")}, {"loss": [5.0, 4, 3, 2, 1, 0]}), "loss")
    assert many.described()[0].endswith("80% lost at e; and 1 more)")
    constant = around(observed({"x": [1, 2]}, {"loss": [2.0, 2.0]}), "loss")
    assert constant.word("x") == "flat"


@pytest.mark.parametrize(
    ("levels", "expected"),
    [([1, 10, 100], True), ([1, 2, 4, 8], True), ([1, 2, 3, 4], False), ([-1, 0, 1], False), ([1, 10], False)],
)
def test_logarithmic_levels_are_known_by_their_ratios(levels: list[float], expected: bool) -> None:
    """Three at least, all above zero."""
    assert is_geometric(levels) is expected


def test_axes_that_move_together_are_neighbours_together() -> None:
    """A level of one is beside the best with that of the other; None that is listed is a level as well."""
    columns = grid(a=[1, 2, 3], tag=["x", None])
    columns["b"] = [10 * one for one in columns["a"]]
    known = observed(columns, {"gain": lambda a, tag, b: -((a - 2) ** 2) - (0.5 if tag is None else 0.0)})
    found = flatness_of(known, best_of(known, "gain"))
    assert [(one.parameter, one.side, one.level) for one in found.neighbours] == [
        ("a & b", "below", 1),
        ("a & b", "above", 3),
        ("tag", "other", None),
    ]
    assert found.alone == ()


def test_a_best_between_the_values_of_a_grid_has_the_nearest_of_them_around_it() -> None:
    """As after a suggestion was followed: the nearest settings of the same category, in all numbers together."""
    columns = grid(temp=[40, 60, 80], salt=[1.0, 2.0, 3.0], method=["a", "b"])
    for name, value in {"temp": 63, "salt": 2.1, "method": "a"}.items():
        columns[name].append(value)

    def taste(temp: float, salt: float, method: str) -> float:
        return -(((temp - 63) / 20) ** 2) - (salt - 2.1) ** 2 - (method == "b")

    found = around(observed(columns, {"taste": taste}), "taste", maximize=True)
    assert [(one.parameter, one.side) for one in found.neighbours] == [("temp and salt", "near")] * 4
    assert found.neighbours[0].level == "temp = 60, salt = 2"
    assert found.neighbours[0].loss == pytest.approx(0.0325)
    assert found.described()[0].startswith("temp and salt: ")
    assert found.alone == ("method",)
    columns["temp"][-1] = 60
    half = around(observed(columns, {"taste": taste}), "taste", maximize=True)
    assert [one.side for one in half.neighbours if one.parameter == "salt"] == ["below", "above"]
    near = [one.level for one in half.neighbours if one.side == "near"]
    assert near == ["temp = 40, salt = 2", "temp = 80, salt = 2"]
