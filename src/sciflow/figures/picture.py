"""A picture: the numbers of a figure, and how they become a page, a file, or an output in a notebook."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sciflow.analysis.choice import selected
from sciflow.errors import ResultError
from sciflow.figures.caption import caption
from sciflow.figures.files import FORMATS, as_pgf, keep, origin, told_letters
from sciflow.figures.journals import style_of
from sciflow.figures.kinds.registry import kind_of
from sciflow.figures.labels import literal
from sciflow.figures.numbers import Numbers, Source
from sciflow.figures.style import DEFAULT, Style, applied
from sciflow.model.visualization import Kind, Visualization

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_NOTES = 7  # within a figure


@dataclass(frozen=True)
class Picture:
    """A figure, computed and not yet drawn.

    Attributes
    ----------
    kind
        Which figure it is: ``line``, ``heatmap``, …
    numbers
        What it shows; `numbers.frame()` is a table of it.
    wanted
        What was asked for, where somebody knows.
    runs
        Of which runs it is; its files say so.
    """

    kind: Kind
    numbers: Numbers
    wanted: Visualization | None = None
    runs: tuple[str, ...] = ()

    @property
    def pages(self) -> int:
        """How many pages it has; each is a figure of its own."""
        return self.numbers.pages

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know beside it."""
        return self.numbers.notes

    def caption(self) -> str:
        """What stands below the figure in a text: what it shows, and all that a reader must know beside it."""
        return caption(self.wanted or Visualization.model_construct(type=self.kind), self.numbers)

    def draw(self, page: int = 0, style: Style = DEFAULT) -> Figure:
        """Draw one page.

        Parameters
        ----------
        page
            Which, counted from 0.
        style
            Its measures.
        """
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        width, height = style.page(self.numbers.size)
        with applied(style):
            figure = Figure(figsize=(width, height))
            FigureCanvasAgg(figure)
            kind_of(self.kind).draw(self.numbers, figure, page)
            if self.numbers.title and style.has_notes:
                figure.suptitle(literal(self.numbers.title))
            if self.notes and style.has_notes:
                letters = int(width * 72 / (style.font_size * 0.8) * 1.75)
                text = "\n".join(textwrap.fill(note, letters) for note in _fitting(self.notes))
                figure.supxlabel(literal(text), fontsize=style.font_size * 0.8, x=0.01, ha="left", color="#444444")
        return figure

    def image(self, ending: str = ".png", page: int = 0, style: Style = DEFAULT) -> bytes:
        """One page as a file's content.

        Raises
        ------
        ResultError
            For an ending that is no format, and for ``.pgf`` where no LaTeX is installed, or one page needs several
            files.
        """
        files = self._files(Path(f"figure{ending}"), page, style)
        if len(files) > 1:
            raise ResultError(f"a {self.kind} as {ending} is several files", hint="`save` writes them all")
        return next(iter(files.values()))

    def save(
        self,
        path: str | Path,
        style: Style | None = None,
        *,
        journal: str | None = None,
        columns: float | None = None,
        width_mm: float | None = None,
        dpi: int | None = None,
        notes: bool | None = None,
    ) -> list[Path]:
        """Write the figure: one file, or one for each page, `name-1.png` and so on.

        Parameters
        ----------
        path
            The file; it ends in ``.png``, ``.pdf``, ``.svg`` or ``.pgf``. The last needs LaTeX, and has what it
            cannot draw in ``.png`` files beside it.
        style
            Its measures; instead of what follows.
        journal
            A journal, whose widths and letters it has: ``nature``, ``aps``, … Title and notes are left for `caption`.
        columns
            How many columns of the journal wide: 1, 2, with some 1.5 or 3.
        width_mm
            How wide, in millimetres.
        dpi
            Dots per inch.
        notes
            Whether title and notes stand in the figure.

        Returns
        -------
        list of pathlib.Path
            What was written.

        Raises
        ------
        ResultError
            For an ending that is no format, measures that cannot be, or where it cannot be written.
        """
        style = style or style_of(journal, columns, width_mm, dpi, notes=notes)
        target = Path(path)
        names = (
            [target]
            if self.pages == 1
            else [target.with_name(f"{target.stem}-{page + 1}{target.suffix}") for page in range(self.pages)]
        )
        files: dict[Path, bytes] = {}
        for page, name in enumerate(names):
            files |= self._files(name, page, style)
        for name, content in files.items():
            keep(name, content)
        return list(files)

    def _files(self, path: Path, page: int, style: Style) -> dict[Path, bytes]:
        if path.suffix not in FORMATS:
            raise ResultError(f"`{path.suffix}` is no format of figures", hint=f"known are {', '.join(FORMATS)}")
        with told_letters():
            figure = self.draw(page, style)
            if path.suffix == ".pgf":
                return as_pgf(figure, path, style)
            target = io.BytesIO()
            with applied(style):
                figure.savefig(
                    target, format=path.suffix[1:], metadata=origin(path.suffix, self.numbers.title, self.runs)
                )
        return {path: target.getvalue()}

    def _repr_png_(self) -> bytes:
        return self.image()


def _fitting(notes: tuple[str, ...]) -> Sequence[str]:
    """The notes that have room in a figure; of more it is told where they are."""
    if len(notes) <= _MOST_NOTES:
        return notes
    return [*notes[: _MOST_NOTES - 1], f"and {len(notes) - _MOST_NOTES + 1} further notes, which the caption has"]


def picture(source: Source, wanted: Visualization) -> Picture:
    """Compute a figure of observations.

    Raises
    ------
    ResultError
        For a parameter or metric that is not there, or does not fit the kind; and where there is nothing to show.
    """
    if wanted.select and wanted.type != "convergence":  # which selects among the instances that have logged
        source = Source(selected(source.observations, wanted.select), None)
    numbers = kind_of(wanted.type).numbers(source, wanted)
    return Picture(wanted.type, numbers, wanted, source.observations.runs)
