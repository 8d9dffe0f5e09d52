"""Figures as a page shows them: pixels within the page, words for those who do not see them, and their numbers."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sciflow.figures.chosen import Titled
from sciflow.figures.picture import Picture
from sciflow.figures.style import Style
from sciflow.report.text import counted, plain, value_text

MOST_PAGES = 3  # of one figure
MOST_ROWS = 60  # of the numbers of one figure
_MOST_VALUES = 6
STYLE = Style(dpi=192, has_notes=False)  # two dots for each pixel of a page


@dataclass(frozen=True)
class Image:
    """One page of a figure: its content as a data URI, and its size in pixels of a page."""

    source: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True)
class Shown:
    """One figure.

    Attributes
    ----------
    name, kind, title
        What it is called, what it is, and what stands above it.
    reason
        Why it was chosen; empty where it was asked for.
    images
        Its pages, the first of them.
    more_pages
        How many pages it has besides.
    caption
        What it shows, and what a reader must know of it.
    columns, rows
        Its numbers, the first of them.
    more_rows
        How many rows of numbers it has besides.
    """

    name: str
    kind: str
    title: str
    reason: str
    images: tuple[Image, ...]
    more_pages: int
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more_rows: int


def shown(figure: Titled) -> Shown:
    """A figure as a page shows it."""
    picture = figure.picture
    frame = picture.numbers.frame()
    columns = [str(one) for one in frame.columns]
    told = described(columns, [frame[one].tolist() for one in frame])
    alt = f"{figure.title}: {picture.kind.replace('_', ' ')}. {told}"
    pages = min(picture.pages, MOST_PAGES)
    images = tuple(_image(picture, page, alt) for page in range(pages))
    first = frame.head(MOST_ROWS)
    rows = tuple(tuple(value_text(one) for one in row) for row in first.itertuples(index=False, name=None))
    more = picture.pages - pages
    return Shown(
        figure.name,
        picture.kind,
        figure.title,
        figure.reason,
        images,
        more,
        picture.caption(),
        tuple(columns),
        rows,
        len(frame) - len(rows),
    )


def _image(picture: Picture, page: int, alt: str) -> Image:
    content = picture.image(".png", page, STYLE)
    width, height = struct.unpack(">II", content[16:24])
    of = f" Page {page + 1} of {picture.pages}." if picture.pages > 1 else ""
    text = base64.b64encode(content).decode()
    return Image(f"data:image/png;base64,{text}", width // 2, height // 2, f"{alt}{of}")


def described(columns: Sequence[str], values: Sequence[Sequence[Any]]) -> str:
    """Numbers of a figure in words: the range of each column, or its values."""
    parts = [f"{column} {_range(list(of))}" for column, of in zip(columns, values, strict=True)]
    marks = counted(len(values[0]) if values else 0, "mark")
    return plain(f"{marks}; {'; '.join(parts)}.", 1000)


def _range(values: list[Any]) -> str:
    numbers = [one for one in values if isinstance(one, (int, float)) and not isinstance(one, bool)]
    if len(numbers) == len(values):
        finite = [one for one in numbers if math.isfinite(one)]
        if not finite:
            return "has no number"
        low, high = min(finite), max(finite)
        return f"is {value_text(low)}" if low == high else f"from {value_text(low)} to {value_text(high)}"
    different = [one for one in dict.fromkeys(value_text(one) for one in values) if one]
    if not different:
        return "is empty"
    told = ", ".join(different[:_MOST_VALUES])
    return f"{told} and {len(different) - _MOST_VALUES} more" if len(different) > _MOST_VALUES else f"{told}"
