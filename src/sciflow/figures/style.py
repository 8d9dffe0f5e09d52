"""How figures look: colours that all eyes tell apart and grey keeps apart, sizes that are legible in a column."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import matplotlib as mpl

# Okabe and Ito (2008), ordered so that neighbours differ in lightness as well as in hue; without yellow, which is too
# pale for lines.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
ORDERED = "viridis"  # colours of numbers: lightness rises with them
ABSENT = "#d9d9d9"  # what there is no value for, hatched besides
MOST_SERIES = len(COLOURS)
INCH = 25.4  # millimetres
# Journals want the first; the last are for letters that those have not.
_PRINTED = ("Arial", "Helvetica", "Liberation Sans", "Nimbus Sans")
_OTHER_SCRIPTS = (
    "Noto Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "WenQuanYi Zen Hei",
    "Noto Sans Arabic",
    "Symbola",
)


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
    widths
        The widths that a page can have, in inches, from one column up: a figure has the first that suits it. Without
        them it has as many columns as it needs.
    height
        The most inches that a page may be high; None for any.
    has_notes
        Whether title and notes stand on the page; else they are for the caption.
    is_printed
        Whether letters are as journals want them, Arial or Helvetica where there is one.
    """

    width: float = 5.0
    font_size: float = 9.0
    dpi: int = 150
    widths: tuple[float, ...] = ()
    height: float | None = None
    has_notes: bool = True
    is_printed: bool = False

    def page(self, size: tuple[float, float]) -> tuple[float, float]:
        """Width and height in inches of a page whose size is given in columns."""
        columns, high = size
        width = (self.widths[0] if columns <= 1 else self.widths[-1]) if self.widths else columns * self.width
        height = high / columns * width
        return width, height if self.height is None else min(height, self.height)


DEFAULT = Style()


def look(number: int) -> Look:
    """How the series of a number looks; there are `MOST_SERIES` that differ."""
    return Look(*(one[number % len(one)] for one in (COLOURS, MARKERS, DASHES)))


@contextmanager
def applied(style: Style = DEFAULT) -> Iterator[None]:
    """Draw in a style, whatever the user's own settings of matplotlib are, which stay as they are."""
    size = style.font_size
    scale = size / DEFAULT.font_size
    changed: dict[Any, Any] = {
        "font.family": _families(style.is_printed),
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
        "axes.linewidth": max(0.5, 0.8 * scale),
        "lines.linewidth": 1.2 * scale,
        "lines.markersize": 4.0 * scale,
        "legend.frameon": False,
        "image.cmap": ORDERED,
        "svg.fonttype": "none",  # text that can be searched and edited
        "pdf.fonttype": 42,  # embedded as TrueType
        "svg.hashsalt": "sciflow",  # the same figure is the same file
        "pgf.rcfonts": False,  # letters are those of the document
    }
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(changed)
        yield


@cache
def _families(is_printed: bool) -> tuple[str, ...]:
    """The fonts of which each letter is taken from the first that has it, of those that are installed."""
    from matplotlib.font_manager import fontManager

    there = {font.name for font in fontManager.ttflist}
    wanted = (*(_PRINTED if is_printed else ()), "DejaVu Sans", *_OTHER_SCRIPTS)
    return tuple(name for name in wanted if name in there)
