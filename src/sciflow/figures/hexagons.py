"""Points that are too many to be told apart, counted in hexagons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sciflow.figures.clouds import shades

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOO_MANY = 4000  # points in all panels; above, marks lie on each other
ACROSS = 36  # hexagons from left to right, of a panel that has room for them
_CORNERS = np.array([(0.5, -1 / 6), (0.5, 1 / 6), (0.0, 1 / 3), (-0.5, 1 / 6), (-0.5, -1 / 6), (0.0, -1 / 3)])


@dataclass(frozen=True, eq=False)
class Hexagons:
    """Hexagons that hold points: their centres, how many each holds, and the lattice that they are of."""

    x: np.ndarray
    y: np.ndarray
    count: np.ndarray
    lattice: Lattice


@dataclass(frozen=True)
class Lattice:
    """A lattice of hexagons over a range of both axes, which panels share.

    Attributes
    ----------
    low, step
        Where it begins, and how far centres are apart in a row and between every second row; of x and y.
    scales
        Of x and y; on a logarithmic axis the lattice is one of logarithms.
    """

    low: tuple[float, float]
    step: tuple[float, float]
    scales: tuple[str, str]

    @classmethod
    def over(cls, x: np.ndarray, y: np.ndarray, scales: tuple[str, str], across: int = ACROSS) -> Lattice:
        """A lattice that has room for these points, in so many hexagons from left to right."""
        ends = [_straight(one, scale) for one, scale in zip((x, y), scales, strict=True)]
        low = [float(one.min()) for one in ends]
        wide = [float(np.ptp(one)) for one in ends]
        width, height = (span if span > 0 else max(abs(at), 1.0) for span, at in zip(wide, low, strict=True))
        return cls((low[0], low[1]), (width / across, height / (across / np.sqrt(3))), scales)

    def counted(self, x: np.ndarray, y: np.ndarray) -> Hexagons:
        """Count points in the hexagon whose centre is nearest."""
        at = [
            (_straight(one, scale) - low) / step
            for one, scale, low, step in zip((x, y), self.scales, self.low, self.step, strict=True)
        ]
        whole = [np.round(one) for one in at]
        between = [np.floor(one) + 0.5 for one in at]  # the rows that are shifted by half a hexagon
        far = [(at[0] - one[0]) ** 2 + 3 * (at[1] - one[1]) ** 2 for one in (whole, between)]
        centres = np.where(far[0] <= far[1], whole, between)
        cells, count = np.unique(centres.T, axis=0, return_counts=True)
        return Hexagons(*self._back(cells[:, 0], cells[:, 1]), count, self)

    def outline(self, hexagons: Hexagons) -> np.ndarray:
        """The corners of each hexagon."""
        x, y = (
            (_straight(one, scale) - low) / step
            for one, scale, low, step in zip((hexagons.x, hexagons.y), self.scales, self.low, self.step, strict=True)
        )
        return np.stack(self._back(x[:, None] + _CORNERS[:, 0], y[:, None] + _CORNERS[:, 1]), axis=-1)

    def _back(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ends = (at * step + low for at, step, low in zip((x, y), self.step, self.low, strict=True))
        found = [10.0**end if scale == "log" else end for end, scale in zip(ends, self.scales, strict=True)]
        return found[0], found[1]


def _straight(values: np.ndarray, scale: str) -> np.ndarray:
    return np.log10(values) if scale == "log" else values


def draw_hexagons(axes: Axes, hexagons: Hexagons, most: int) -> Any:
    """Draw hexagons, the darker the more points; the colours are those of counts up to `most`, on all panels."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import LogNorm

    collection = PolyCollection(
        list(hexagons.lattice.outline(hexagons)),
        cmap=shades(is_reversed=True),
        norm=LogNorm(1, max(most, 2)),
        linewidths=0.2,
    )
    collection.set_array(hexagons.count)
    collection.set_edgecolor("face")
    axes.add_collection(collection)
    axes.autoscale_view()
    return collection
