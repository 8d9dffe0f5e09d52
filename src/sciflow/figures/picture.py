"""A picture: the numbers of a figure, and how they become a page, a file, or an output in a notebook."""

from __future__ import annotations

import io
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sciflow.analysis.choice import selected
from sciflow.errors import ResultError
from sciflow.figures.kinds import kind_of
from sciflow.figures.labels import literal
from sciflow.figures.numbers import Numbers, Source
from sciflow.figures.style import DEFAULT, Style, applied
from sciflow.model.visualization import Kind, Visualization
from sciflow.store.layout import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".png", ".pdf", ".svg")


@dataclass(frozen=True)
class Picture:
    """A figure, computed and not yet drawn.

    Attributes
    ----------
    kind
        Which figure it is: ``line``, ``heatmap``, …
    numbers
        What it shows; `numbers.frame()` is a table of it.
    """

    kind: Kind
    numbers: Numbers

    @property
    def pages(self) -> int:
        """How many pages it has; each is a figure of its own."""
        return self.numbers.pages

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know beside it."""
        return self.numbers.notes

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

        width, height = self.numbers.size
        with applied(style):
            figure = Figure(figsize=(width * style.width, height * style.width))
            FigureCanvasAgg(figure)
            kind_of(self.kind).draw(self.numbers, figure, page)
            if self.numbers.title:
                figure.suptitle(literal(self.numbers.title))
            if self.notes:
                letters = int(width * style.width * 72 / (style.font_size * 0.8) * 1.9)
                text = "\n".join(textwrap.fill(note, letters) for note in self.notes)
                figure.supxlabel(literal(text), fontsize=style.font_size * 0.8, x=0.01, ha="left", color="#444444")
        return figure

    def image(self, ending: str = ".png", page: int = 0, style: Style = DEFAULT) -> bytes:
        """One page as a file's content.

        Raises
        ------
        ResultError
            For an ending that is no format.
        """
        if ending not in FORMATS:
            raise ResultError(f"`{ending}` is no format of figures", hint=f"known are {', '.join(FORMATS)}")
        figure, target = self.draw(page, style), io.BytesIO()
        with applied(style):  # without dates, the same figure is the same file
            told = {".png": {"Software": None}, ".pdf": {"CreationDate": None}, ".svg": {"Date": None}}[ending]
            figure.savefig(target, format=ending[1:], metadata=told)
        return target.getvalue()

    def save(self, path: str | Path, style: Style = DEFAULT) -> list[Path]:
        """Write the figure: one file, or one for each page, `name-1.png` and so on.

        Returns
        -------
        list of pathlib.Path
            What was written.

        Raises
        ------
        ResultError
            For an ending that is no format, or where it cannot be written.
        """
        target = Path(path)
        names = (
            [target]
            if self.pages == 1
            else [target.with_name(f"{target.stem}-{page + 1}{target.suffix}") for page in range(self.pages)]
        )
        images = [self.image(target.suffix, page, style) for page in range(self.pages)]
        try:
            for name, image in zip(names, images, strict=True):
                write_whole(name, image)
        except OSError as error:
            raise ResultError(f"`{target}` cannot be written: {error.strerror}") from error
        return names

    def _repr_png_(self) -> bytes:
        return self.image()


def picture(source: Source, wanted: Visualization) -> Picture:
    """Compute a figure of observations.

    Raises
    ------
    ResultError
        For a parameter or metric that is not there, or does not fit the kind; and where there is nothing to show.
    """
    if wanted.select:
        source = Source(selected(source.observations, wanted.select), None)
    return Picture(wanted.type, kind_of(wanted.type).numbers(source, wanted))
