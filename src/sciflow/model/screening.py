"""Designs for sensitivity analysis: points in an order from which indices can be worked out, drawn by SALib.

The points of a design may repeat, as where two of them fall on the same option of a choice. A space has each once; who
analyses draws the design again and looks up what was measured at each of its points.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from sciflow.errors import WorkflowError

if TYPE_CHECKING:
    import numpy as np

SCREENING_METHODS = ("saltelli", "morris")


def points_of(method: str, count: int, dimensions: int, second_order: bool) -> int:
    """How many points a design has: N(2D + 2) or N(D + 2) by Saltelli, r(D + 1) by Morris."""
    if method == "morris":
        return count * (dimensions + 1)
    return count * ((2 if second_order else 1) * dimensions + 2)


def described_points(method: str, count: int, dimensions: int, second_order: bool) -> str:
    """The same in words, with how it comes about."""
    total = points_of(method, count, dimensions, second_order)
    if method == "morris":
        return f"`morris`: {count} trajectories × ({dimensions} axes + 1) = {total} points"
    per_point = f"(2 × {dimensions} axes + 2)" if second_order else f"({dimensions} axes + 2)"
    return f"`saltelli`: {count} base points × {per_point} = {total} points"


def screening_points(
    method: str, count: int, dimensions: int, seed: int, second_order: bool, levels: int
) -> tuple[np.ndarray, list[str]]:
    """Draw the points of a design in the unit cube, in the order in which SALib analyses them.

    Returns
    -------
    points, notes
        One row a point; and what was warned of.

    Raises
    ------
    WorkflowError
        Where SALib refuses.
    """
    problem = {
        "num_vars": dimensions,
        "names": [f"x{number}" for number in range(dimensions)],
        "bounds": [[0.0, 1.0]] * dimensions,
    }
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            if method == "morris":
                from SALib.sample import morris

                points = morris.sample(problem, count, num_levels=levels, seed=seed)
            else:
                from SALib.sample import sobol

                points = sobol.sample(problem, count, calc_second_order=second_order, seed=seed)
        except ValueError as error:
            raise WorkflowError(f"sampling by `{method}`: {error}") from error
    told = [str(one.message) for one in caught if "power" in str(one.message)]
    return points, [f"sampling by `{method}`: {one}" for one in told]
