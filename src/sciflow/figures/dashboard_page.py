"""A dashboard as it is drawn: text above, figures in two columns, states below."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sciflow.figures.chosen import Titled
from sciflow.figures.dashboard import WIDE, Dashboard, Fact, height_of, is_wide, rows_of
from sciflow.figures.kinds.registry import kind_of
from sciflow.figures.labels import literal, shortened
from sciflow.figures.state_looks import DARK, EDGE, LOOKS, in_order, patch, words
from sciflow.figures.style import Style

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

A4 = (8.27, 11.69)  # inches
_MARGIN = (A4[0] - WIDE) / 2
_GREY = "#555555"
_HEADER = 0.62
_STATES = 0.2  # for each task
_LEGEND = 0.7
_TITLE = 0.24
_NOTES = 4  # lines


def draw(shown: Dashboard, style: Style) -> Figure:
    """Draw the page."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=A4)
    FigureCanvasAgg(figure)
    columns = [_lines(facts, WIDE / 2, style) for facts in ((*shown.counts, *shown.resources), shown.best)]
    text = max(map(len, columns), default=0) * _leading(style) + 0.12
    states = _LEGEND + _STATES * len(shown.states) if shown.states else 0.01
    rows = rows_of(shown.pictures)
    plots = A4[1] - 2 * _MARGIN - _HEADER - text - states
    heights = [_MARGIN, _HEADER, text, plots, states, _MARGIN]
    grid = figure.add_gridspec(6, 3, height_ratios=heights, width_ratios=[_MARGIN, WIDE, _MARGIN])
    _header(figure.add_subfigure(grid[1, 1]), shown, style)
    for area, lines in zip(figure.add_subfigure(grid[2, 1]).subfigures(1, 2, squeeze=False)[0], columns, strict=True):
        _write(area, lines, text, style)
    _figures(figure.add_subfigure(grid[3, 1]), rows, shown, style)
    if shown.states:
        _states(figure.add_subfigure(grid[4, 1]), shown)
    return figure


def _leading(style: Style) -> float:
    return style.font_size * 1.45 / 72


def _header(area: SubFigure, shown: Dashboard, style: Style) -> None:
    title = shortened(literal(shown.title), 60)
    area.text(0, 0.95, title, fontsize=style.font_size * 2, fontweight="bold", va="top")
    area.text(0, 0.3, literal(shown.subtitle), fontsize=style.font_size * 1.1, color=_GREY, va="top")


def _lines(facts: Sequence[Fact], inches: float, style: Style) -> list[tuple[str, str]]:
    """Lines of a name and a text, which is wrapped into the rest of a column."""
    letters = int(inches * 72 / (style.font_size * 0.53))
    name_letters = int(letters * 0.3)
    found: list[tuple[str, str]] = []
    for fact in facts:
        plain = fact.text.replace(r"\$", "$")
        texts = textwrap.wrap(plain, letters - name_letters - 3, max_lines=4, placeholder=" …") or [""]
        names = textwrap.wrap(fact.name.replace(r"\$", "$"), name_letters, max_lines=2, placeholder=" …") or [""]
        count = max(len(texts), len(names))
        pairs = zip(names + [""] * (count - len(names)), texts + [""] * (count - len(texts)), strict=True)
        found += [(literal(name), literal(text)) for name, text in pairs]
    return found


def _write(area: SubFigure, lines: Sequence[tuple[str, str]], height: float, style: Style) -> None:
    step = _leading(style) / height
    for number, (name, text) in enumerate(lines):
        y = 1 - number * step
        area.text(0, y, name, va="top", color=_GREY)
        area.text(0.34, y, text, va="top")


def _figures(area: SubFigure, rows: Sequence[tuple[Titled, ...]], shown: Dashboard, style: Style) -> None:
    if not rows:
        why = "; ".join(f"{name}: {reason}" for name, reason in shown.missing.items())
        area.text(0.5, 0.5, "\n".join(textwrap.wrap(literal(why or "there is nothing to draw yet"), 90)), ha="center")
        return
    heights = [height_of(row) for row in rows]
    room = area.bbox.height / area.figure.dpi
    # Less where much is said above, and more where there is room, as far as that makes a figure no emptier.
    scale = min(1.25, room / sum(heights))
    heights = [one * scale for one in heights]
    rest = max(room - sum(heights), 0.01)
    lanes = area.subfigures(len(rows) + 1, 1, squeeze=False, height_ratios=[*heights, rest])
    for lane, row in zip(lanes[:, 0], rows, strict=False):
        places = [lane] if is_wide(row[0]) else list(lane.subfigures(1, 2, squeeze=False)[0])
        for place, one in zip(places, row, strict=False):
            _figure(place, one, style)


def _figure(area: SubFigure, one: Titled, style: Style) -> None:
    """One figure in its place, with its title above and its notes below."""
    height = area.bbox.height / area.figure.dpi
    above, place = area.subfigures(2, 1, squeeze=False, height_ratios=[_TITLE, height - _TITLE])[:, 0]
    # What draws a figure may ask how large it is, which a part of a figure does not tell by itself.
    place.get_size_inches = lambda: tuple(side / area.figure.dpi for side in place.bbox.size)
    numbers = one.picture.numbers
    kind_of(one.picture.kind).draw(numbers, place, 0)
    letters = int(area.bbox.width / area.figure.dpi * 72 / (style.font_size * 0.62))
    more = f" (page 1 of {numbers.pages})" if numbers.pages > 1 else ""
    title = literal(shortened(one.title, letters - len(more)) + more)
    above.text(0.01, 0.1, title, fontsize=style.font_size * 1.1, fontweight="bold", va="bottom")
    if numbers.notes:
        notes = textwrap.wrap("; ".join(numbers.notes), int(letters * 1.25), max_lines=_NOTES, placeholder=" …")
        place.supxlabel(literal("\n".join(notes)), fontsize=style.font_size * 0.85, x=0.01, ha="left", color=_GREY)


def _states(area: SubFigure, shown: Dashboard) -> None:
    """A bar for each task, of as many parts as its instances have states."""
    axes = area.subplots()
    tasks = list(shown.states)
    for row, task in enumerate(tasks):
        states = shown.states[task]
        total, start = sum(states.values()), 0.0
        for state in in_order(set(states)):
            width, look = states[state] / total, LOOKS[state]
            axes.barh(row, width, left=start, height=0.7, color=look.colour, hatch=look.hatch, edgecolor=EDGE, lw=0.5)
            if width > 0.04:
                paper = None if not look.hatch else {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.9}
                ink = "white" if state in DARK and not look.hatch else "black"
                axes.text(start + width / 2, row, str(states[state]), ha="center", va="center", color=ink, bbox=paper)
            start += width
    axes.set_yticks(range(len(tasks)), [literal(shortened(task, 24)) for task in tasks])
    axes.set(xlim=(0, 1), ylim=(len(tasks) - 0.5, -0.5), xticks=[])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    there = {state for states in shown.states.values() for state in states}
    axes.set_title("States of the instances of each task", fontsize="medium", fontweight="bold", loc="left")
    area.legend(
        handles=[patch(state, label=words(state)) for state in in_order(there)],
        loc="outside lower center",
        ncols=6,
    )
