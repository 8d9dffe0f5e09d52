"""How figures look: colours that all eyes tell apart and grey keeps apart, sizes that are legible in a column."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import matplotlib as mpl

# Okabe and Ito (2008), ordered so that neighbours differ in lightness as well as in hue; without yellow, which is too
# pale for lines.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
ORDERED = "viridis"  # colours of numbers: lightness rises with them
DIVERGING = "RdBu_r"  # of numbers around zero
ABSENT = "#d9d9d9"  # what there is no value for, hatched besides
MOST_SERIES = len(COLOURS)


class Look(NamedTuple):
    """How one series is told from the others: by colour, marker and dashes at once."""

    colour: str
    marker: str
    dashes: Any


@dataclass(frozen=True)
class Style:
    """The measures of a figure.

    Attributes
    ----------
    width
        Of one column, in inches.
    font_size
        In points.
    dpi
        Dots per inch, of formats that have dots.
    """

    width: float = 5.0
    font_size: float = 9.0
    dpi: int = 150


DEFAULT = Style()


def look(number: int) -> Look:
    """How the series of a number looks; there are `MOST_SERIES` that differ."""
    return Look(*(one[number % len(one)] for one in (COLOURS, MARKERS, DASHES)))


@contextmanager
def applied(style: Style = DEFAULT) -> Iterator[None]:
    """Draw in a style, whatever the user's own settings of matplotlib are, which stay as they are."""
    size = style.font_size
    changed: dict[Any, Any] = {
        "font.size": size,
        "axes.titlesize": size,
        "axes.labelsize": size,
        "xtick.labelsize": size * 0.9,
        "ytick.labelsize": size * 0.9,
        "legend.fontsize": size * 0.9,
        "figure.titlesize": size * 1.1,
        "figure.dpi": style.dpi,
        "savefig.dpi": style.dpi,
        "figure.constrained_layout.use": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.8,
        "lines.linewidth": 1.2,
        "lines.markersize": 4.0,
        "legend.frameon": False,
        "image.cmap": ORDERED,
        "svg.fonttype": "none",  # text that can be searched and edited
        "pdf.fonttype": 42,
        "svg.hashsalt": "sciflow",  # the same figure is the same file
    }
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(changed)
        yield
