"""Whether the texts of a figure can be read: all on the page, none over another."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

_TOUCHING = 1.5  # points by which boxes of texts may overlap: they have some room around the letters


def unreadable(figure: Figure) -> list[str]:
    """What is wrong with the texts of a figure: which reach beyond the page, and which lie over each other."""
    figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in _drawn(figure)]
    page, slack = figure.bbox, _TOUCHING * figure.dpi / 72
    beyond = [
        f"`{text}` reaches beyond the page"
        for text, box in boxes
        if box.x0 < page.x0 - slack or box.y0 < page.y0 - slack or box.x1 > page.x1 + slack or box.y1 > page.y1 + slack
    ]
    over = [
        f"`{text}` lies over `{other}`"
        for (text, box), (other, place) in itertools.combinations(boxes, 2)
        if _overlap(box, place, slack)
    ]
    return [*beyond, *over]


def _overlap(one: Bbox, other: Bbox, slack: float) -> bool:
    wide = min(one.x1, other.x1) - max(one.x0, other.x0)
    high = min(one.y1, other.y1) - max(one.y0, other.y0)
    return wide > slack and high > slack


def _drawn(figure: Figure) -> Iterator[Text]:
    """The texts that are drawn: not those of ticks outside of their axis, which matplotlib keeps in store."""
    of_ticks: set[int] = set()
    for axes in figure.findobj(Axes):
        for axis in (axes.xaxis, axes.yaxis):
            of_ticks |= {id(text) for text in axis.findobj(Text)}
            yield from _of_axis(axis)
    for text in figure.findobj(Text):
        if id(text) not in of_ticks and _is_seen(text):
            yield text


def _of_axis(axis: Axis) -> Iterator[Text]:
    low, high = sorted(axis.get_view_interval())
    near = 1e-9 * (high - low)
    for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
        if low - near <= tick.get_loc() <= high + near:
            yield from (text for text in (tick.label1, tick.label2) if _is_seen(text))
    yield from (text for text in (axis.label, axis.get_offset_text()) if _is_seen(text))


def _is_seen(text: Text) -> bool:
    axes = text.axes
    return bool(text.get_visible() and text.get_text().strip()) and (axes is None or axes.get_visible())
