"""What journals want of figures: how wide a column is, how large the letters, how fine the dots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from sciflow.errors import ResultError
from sciflow.figures.style import DEFAULT, INCH, Style
from sciflow.model.nearest import nearest


class Journal(NamedTuple):
    """The measures of a journal, or of a publisher.

    Attributes
    ----------
    widths
        Columns → millimetres; 1.5 where there is a width between.
    height
        The most millimetres that a figure may be high.
    font_size
        In points, within what is asked for at the printed size.
    dpi
        Of line art with shades, as figures are, when they have dots at all.
    source
        Where it is to be looked up.
    """

    widths: Mapping[float, float]
    height: float
    font_size: float
    dpi: int
    source: str


# Single journals of a publisher may differ: their own instructions come first. What is behind the addresses of
# `nature`, `ieee`, `elsevier` (but for its widths) and `acs` was read in 2026. All else was not checked at its source:
# it is as commonly quoted, and its users should check with the journal.
JOURNALS: Mapping[str, Journal] = {
    # Text of 5 to 7 points, fonts embedded as type 42, images at 300 to 450 dpi.
    "nature": Journal({1: 89, 2: 183}, 170, 7, 450, "https://research-figure-guide.nature.com/figures/"),
    # Lettering of about 7 points, not below 5; raster line art at 600 dpi or more. Three columns on a page.
    "science": Journal(
        {1: 57, 2: 121, 3: 184},
        230,
        7,
        600,
        "https://www.science.org/content/page/instructions-preparing-initial-manuscript",
    ),
    # Text of 6 to 8 points; combinations of line art and shades at 600 to 900 dpi.
    "pnas": Journal({1: 87, 1.5: 114, 2: 178}, 225, 7, 600, "https://www.pnas.org/pb-assets/authors/digitalart.pdf"),
    # A column has 3 3/8 in., a page 7; capitals at least 2 mm high, which letters of 8 points are.
    "aps": Journal({1: 85.725, 2: 177.8}, 230, 8, 600, "https://journals.aps.org/authors/style-basics"),
    # One column 3.5 in., two 7.16 in.; labels of 8 to 10 points.
    "ieee": Journal(
        {1: 88.9, 2: 181.864},
        215.9,
        8,
        600,
        "https://ieeeauthorcenter.ieee.org/create-your-ieee-article/create-graphics-for-your-article/",
    ),
    # Lettering of 7 points; combinations of line art and shades at 500 dpi, line art at 1000.
    "elsevier": Journal(
        {1: 90, 1.5: 140, 2: 190},
        240,
        7,
        1000,
        "https://www.elsevier.com/about/policies-and-standards/author/artwork-and-media-instructions/artwork-sizing",
    ),
    # Lettering of 8 to 12 points; combinations at 600 dpi; no titles or captions within the figure.
    "springer": Journal(
        {1: 84, 2: 174}, 234, 8, 600, "Artwork Guidelines, in the submission guidelines of each journal"
    ),
    # One column 3.25 in., two 7 in., at most 9.5 in. high; shades at 600 dpi.
    "acs": Journal(
        {1: 82.55, 2: 177.8}, 241.3, 8, 600, "https://pubs.acs.org/paragonplus/submission/general/graphics_prep.html"
    ),
}


def style_of(
    journal: str | None = None,
    columns: float | None = None,
    width_mm: float | None = None,
    dpi: int | None = None,
    font_size: float | None = None,
    notes: bool | None = None,
) -> Style:
    """The style of what is wanted; what is not said is as the journal has it, or as it always is.

    Parameters
    ----------
    journal
        One of `JOURNALS`: then the figure is as wide as its columns, title and notes are left for the caption.
    columns
        How many columns of the journal wide; 1.5 where it has that. What suits the figure where nothing is said.
    width_mm
        How wide instead, in millimetres.
    dpi
        Dots per inch, of formats that have dots.
    font_size
        In points.
    notes
        Whether title and notes stand in the figure.

    Raises
    ------
    ResultError
        For a journal that is not known, columns that it has not, and measures with which nothing can be drawn.
    """
    known = _journal(journal)
    if columns is not None and known is None:
        raise ResultError(
            f"{columns:g} columns of what?", hint="say of which journal, or give the width in millimetres"
        )
    if columns is not None and width_mm is not None:
        raise ResultError("columns and a width are two widths", hint="give one of them")
    for name, given, low, high in (
        ("width", width_mm, 50, 2000),
        ("dpi", dpi, 20, 2400),
        ("font size", font_size, 3, 72),
    ):
        if given is not None and not low <= given <= high:
            raise ResultError(f"a figure with a {name} of {given:g} cannot be read", hint=f"give {low} to {high}")
    style = DEFAULT
    if known is not None:
        style = replace(
            style,
            widths=tuple(width / INCH for width in known.widths.values()),
            height=known.height / INCH,
            font_size=known.font_size,
            dpi=known.dpi,
            has_notes=False,
            is_printed=True,
        )
    if known is not None and columns is not None:
        if columns not in known.widths:
            told = ", ".join(f"{one:g}" for one in known.widths)
            raise ResultError(f"`{journal}` has no figures of {columns:g} columns", hint=f"they have {told}")
        style = replace(style, widths=(known.widths[columns] / INCH,))
    if width_mm is not None:
        style = replace(style, widths=(width_mm / INCH,))
    return replace(
        style,
        dpi=dpi or style.dpi,
        font_size=font_size or style.font_size,
        has_notes=style.has_notes if notes is None else notes,
    )


def _journal(name: str | None) -> Journal | None:
    if name is None:
        return None
    if name.lower() not in JOURNALS:
        raise ResultError(f"no journal `{name}` is known", hint=nearest(name.lower(), JOURNALS))
    return JOURNALS[name.lower()]
