"""Average the simulations of one temperature and size, and compare them with the exact solution."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

CRITICAL_TEMPERATURE = 2 / math.log(1 + math.sqrt(2))


class SimulationResult(Protocol):
    """What one simulation measured, by name, and the parameters that it ran with."""

    @property
    def parameters(self) -> Mapping[str, Any]: ...

    def __getitem__(self, name: str, /) -> Any: ...


def average(simulate: Sequence[SimulationResult], temperature: float) -> dict[str, Any]:
    """Average over seeds.

    Parameters
    ----------
    simulate
        The results of `simulate`, one for each seed.
    temperature
        The temperature that they share, in units of J / k_B.

    Returns
    -------
    dict
        Mean and standard error of the magnetisation, mean energy and susceptibility, the magnetisation of the
        infinite lattice, and the single magnetisations with the seeds that they belong to.
    """
    magnetisations = [float(result["magnetisation"]) for result in simulate]
    return {
        "mean_magnetisation": statistics.fmean(magnetisations),
        "magnetisation_error": standard_error(magnetisations),
        "mean_energy": statistics.fmean(float(result["energy"]) for result in simulate),
        "mean_susceptibility": statistics.fmean(float(result["susceptibility"]) for result in simulate),
        "infinite_lattice_magnetisation": infinite_lattice_magnetisation(temperature),
        "magnetisation_by_seed": np.array(magnetisations),
        "seeds": np.array([result.parameters["seed"] for result in simulate]),
    }


def standard_error(values: Sequence[float]) -> float:
    """Return the standard error of the mean, which one value alone cannot tell (NaN)."""
    return statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan


def infinite_lattice_magnetisation(temperature: float) -> float:
    """Return the spontaneous magnetisation per spin of the infinite lattice (Onsager 1949, Yang 1952)."""
    if temperature >= CRITICAL_TEMPERATURE:
        return 0.0
    return (1 - math.sinh(2 / temperature) ** -4) ** (1 / 8)
