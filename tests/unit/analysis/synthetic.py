"""What instances would need whose truth is known."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SIZES = [10, 20, 50, 100, 200, 400]


class Drawn(NamedTuple):
    """Parameters, and what is needed."""

    parameters: dict[str, list[Any]]
    values: NDArray[np.float64]

    @property
    def all_known(self) -> NDArray[np.bool_]:
        """Nothing was stopped."""
        return np.zeros(len(self.values), dtype=bool)

    def stopped_at(self, limit: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """What would be known if nothing could have more than a limit."""
        return np.minimum(self.values, limit), self.values > limit


def square(random: np.random.Generator, count: int) -> Drawn:
    """Grow with the square of the size, by a tenth more or less."""
    size = random.choice(SIZES, count)
    seed = random.integers(0, 1000, count)
    return Drawn({"size": size.tolist(), "seed": seed.tolist()}, 3.0 * size**2.0 * _error(random, count))


def with_base(random: np.random.Generator, count: int) -> Drawn:
    """Grow likewise, on top of what all need."""
    size = random.choice(SIZES, count)
    return Drawn({"size": size.tolist()}, (50_000 + 3.0 * size**2.0) * _error(random, count))


def by_solver(random: np.random.Generator, count: int) -> Drawn:
    """Grow with the size, and by half as much again with one of two solvers."""
    size, solver = random.choice(SIZES, count), random.choice(["cg", "lu"], count)
    factor = np.where(solver == "lu", 1.5, 1.0)
    return Drawn({"size": size.tolist(), "solver": solver.tolist()}, factor * size**1.5 * _error(random, count))


def heavy(random: np.random.Generator, count: int) -> Drawn:
    """Grow with the square, with errors some of which are huge."""
    size = random.choice(SIZES, count)
    return Drawn({"size": size.tolist()}, 3.0 * size**2.0 * np.exp(0.1 * random.standard_t(2, count)))


def two_regimes(random: np.random.Generator, count: int) -> Drawn:
    """Grow slowly up to a size, and then fast."""
    size = np.exp(random.uniform(2, 6, count))
    return Drawn({"size": size.tolist()}, np.where(size < 60, 60 * size, size**3 / 60) * _error(random, count))


def nothing(random: np.random.Generator, count: int) -> Drawn:
    """Depend on no parameter."""
    return Drawn({"size": random.choice(SIZES, count).tolist()}, 100 * np.exp(0.3 * random.normal(size=count)))


def _error(random: np.random.Generator, count: int) -> NDArray[np.float64]:
    return np.exp(0.1 * random.normal(size=count))
