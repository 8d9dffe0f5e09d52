"""All that statistics can say of a metric."""

from __future__ import annotations

import numpy as np

from sciflow.analysis.statistics.examination import examine
from unit.analysis.observed_values import grid, observations_of_columns


def test_a_factor_of_many_levels_does_not_matter_by_its_number_alone() -> None:
    """Two hundred names explain half of pure chance by eta², and nothing by omega²; so nothing is said to matter."""
    names = [f"名{number}" for number in range(200)] * 2
    values = np.random.default_rng(0).random(400)
    found = examine(observations_of_columns({"name": names, "n": [1] * 200 + [2] * 200}, {"y": values}), "y")
    assert found.findings["effects"].tables()["sizes"]["eta2"].tolist()[0] > 0.4
    assert found.summary == "y: 400 of 400 values"
    assert "means of more than 12 levels are not shown: name" in str(found)


def test_many_sampled_parameters_are_told_by_what_stands_out() -> None:
    """Of 25 one matters; the others are told from nothing no more than chance is."""
    random = np.random.default_rng(0)
    columns = {f"x{number}": random.random(300) for number in range(25)}
    observations = observations_of_columns(columns, {"y": columns["x0"]}, sampled=list(columns))
    found = examine(observations, "y")
    assert found.summary == "y: 300 of 300 values; what matters most: x0 (S1 1)"
    assert list(found.findings) == ["sensitivity", "trends", "correlations", "outliers"]


def test_what_does_not_apply_has_its_reason() -> None:
    """Of a metric that depends on nothing but repeats there are outliers at most."""
    found = examine(grid(lambda seed: float(seed), 6), "y")
    assert "no effects: no parameter of `y` varies among its values" in str(found)
    assert set(found.refused) == {"effects", "anova", "trends"}
