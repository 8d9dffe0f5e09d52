"""Tables as text that is typeset: LaTeX with booktabs, and Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sciflow.analysis.cells import text_of
from sciflow.analysis.rounding import Rounded, rounded
from sciflow.errors import ResultError

MOST_ROWS, MOST_COLUMNS = 200, 20  # of a table in LaTeX: some pages
_NUMBER = re.compile(
    r"\$?[+-]?(\d[\d.,]*|\\infty)(\(\d+\))?([eE][+-]?\d+)?( *(\\pm|±) *[\d.]+)?( \\times 10\^\{-?\d+\})?\$?"
)
_MEANT = {
    **{letter: rf"\{letter}" for letter in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",
    "−": "$-$",
    "±": r"$\pm$",
    "∞": r"$\infty$",
    "\n": " ",
    "\r": " ",
    "\t": " ",
}
_SPECIAL = re.compile("|".join(map(re.escape, _MEANT)))


def escaped_latex(text: str) -> str:
    """A text as LaTeX sets it, whatever is in it."""
    return _SPECIAL.sub(lambda found: _MEANT[found[0]], text)


def escaped_markdown(text: str) -> str:
    """A text as Markdown shows it within a table, whatever is in it."""
    text = re.sub(r"([\\`*_{}\[\]|~$])", r"\\\1", text)
    return re.sub(r"\s*[\r\n]\s*", " ", text.replace("<", "&lt;")).strip()


def plain_cell(value: Any) -> str:
    """What stands for a value in a table that is read: a number has no more digits than it needs."""
    if isinstance(value, Rounded):
        return value.short
    return rounded(value).plain if isinstance(value, float) else text_of(value)


def latex_cell(value: Any) -> str:
    """The same for LaTeX."""
    if isinstance(value, Rounded):
        return value.latex
    if isinstance(value, float):
        return rounded(value).latex
    if isinstance(value, int) and not isinstance(value, bool):
        return f"${value}$" if value < 0 else str(value)
    return escaped_latex(text_of(value))


def latex_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], caption: str | None = None, label: str | None = None
) -> str:
    """A table with the rules of booktabs; in a float, where it has a caption or a label. Cells are LaTeX already.

    Raises
    ------
    ResultError
        For more rows or columns than anybody prints.
    """
    for count, most, what in ((len(rows), MOST_ROWS, "rows"), (len(header), MOST_COLUMNS, "columns")):
        if count > most:
            raise ResultError(
                f"a table of {count:,} {what} is too large for LaTeX, which gets {most} at most",
                hint="sum up by some parameters, select rows, or export .csv",
            )
    alignment = "".join("r" if _are_numbers(place, rows) else "l" for place in range(len(header)))
    lines = [
        "% needs \\usepackage{booktabs}",
        rf"\begin{{tabular}}{{{alignment}}}",
        r"\toprule",
        " & ".join(header) + r" \\",
        r"\midrule",
        *(_row(row) for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    if caption is None and label is None:
        return "\n".join(lines) + "\n"
    told = [rf"\caption{{{caption}}}"] if caption else []
    named = [rf"\label{{{label}}}"] if label else []
    return "\n".join([lines[0], r"\begin{table}", r"\centering", *told, *named, *lines[1:], r"\end{table}"]) + "\n"


def _row(row: Sequence[str]) -> str:
    # A row that begins with a bracket would be the option of the line break before it.
    first = "{}" if row and row[0].startswith(("[", "*")) else ""
    return first + " & ".join(row) + r" \\"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of texts, as GitHub and Pandoc read it; numbers to the right."""
    cells = [[escaped_markdown(one) for one in row] for row in (header, *rows)]
    right = [_are_numbers(place, rows) for place in range(len(header))]
    widths = [max(3, *(len(row[place]) for row in cells)) for place in range(len(header))]

    def line(row: Sequence[str]) -> str:
        shown = [one.rjust(w) if r else one.ljust(w) for one, w, r in zip(row, widths, right, strict=True)]
        return f"| {' | '.join(shown)} |"

    rule = [("-" * (w - 1) + ":") if r else "-" * w for w, r in zip(widths, right, strict=True)]
    return "\n".join([line(cells[0]), line(rule), *map(line, cells[1:])]) + "\n"


def _are_numbers(place: int, rows: Sequence[Sequence[str]]) -> bool:
    values = [row[place] for row in rows if row[place] not in ("", "nan", "inf", "-inf")]
    return bool(values) and all(_NUMBER.fullmatch(value) for value in values)
