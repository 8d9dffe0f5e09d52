"""The design behind sampled parameters, drawn again as the space was: its points can be looked up in their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sciflow.model.axes import read_axis
from sciflow.model.sampling import Distribution, SampleDesign, read_design, unit_points


@dataclass(frozen=True)
class Sampling:
    """How sampled parameters were drawn together.

    Attributes
    ----------
    distributions
        Parameter → its distribution, in the order of the space.
    design
        The method, the count and the seed.
    """

    distributions: Mapping[str, Distribution]
    design: SampleDesign

    def unit_points(self) -> np.ndarray:
        """All points of the design in the unit cube, in its order; a column for each distribution."""
        points, _ = unit_points(self.design, len(self.distributions))
        return points

    def values_at(self, points: np.ndarray) -> dict[str, list[Any]]:
        """The values of the parameters at points of the unit cube, exactly as the space has them."""
        return {
            name: distribution.at(points[:, number].tolist())
            for number, (name, distribution) in enumerate(self.distributions.items())
        }


def sampling_of(manifest: Mapping[str, Any]) -> Sampling | None:
    """The design that a run's space was drawn by; None where nothing was drawn."""
    space = manifest.get("space", {})
    space = space.get("from", space)
    if not space.get("sample"):
        return None
    axes = {name: read_axis(name, written, "the manifest") for name, written in space["axes"].items()}
    drawn = {name: axis.distribution for name, axis in axes.items() if axis.distribution is not None}
    return Sampling(drawn, read_design(space["sample"], "the manifest"))
