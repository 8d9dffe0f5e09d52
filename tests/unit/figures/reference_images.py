"""Pictures that are kept, with which new ones are compared: of all that is drawn but texts.

Where a text stands, and how wide it is, differs between versions of matplotlib, and moves all else when axes make room
for it. Without texts, and with axes that have fixed places, pictures of versions that are years apart are the same to
the pixel. So texts have tests of their own, and the comparison needs no certain version.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.testing.compare import compare_images
from matplotlib.text import Text

from sciflow.figures.kinds.registry import kind_of
from sciflow.figures.picture import Picture
from sciflow.figures.style import Style, applied

REFERENCES = Path(__file__).parent / "reference"
TOLERANCE = 0.5  # root mean square of differences, of 255; one mark of a figure that is missing makes 2
_INCHES = (3.0, 2.4)


def without_texts(picture: Picture, path: Path) -> None:
    """Write the first page of a picture: its marks alone, whatever version of matplotlib draws it."""
    with applied(Style(width=_INCHES[0], font_size=8.0, dpi=100)):
        mpl.rcParams["figure.constrained_layout.use"] = False
        figure = Figure(figsize=_INCHES)
        FigureCanvasAgg(figure)
        kind_of(picture.kind).draw(picture.numbers, figure, 0)
        for kind in (Text, Legend):
            for artist in figure.findobj(kind):
                artist.set_visible(False)
        figure.savefig(path, metadata={"Software": None})


def difference(picture: Picture, name: str, folder: Path, *, is_renewed: bool) -> str:
    """How a picture differs from its reference, and where to see that; empty where it does not.

    Where references are renewed, it becomes the reference instead.
    """
    reference, drawn = REFERENCES / f"{name}.png", folder / f"{name}.png"
    without_texts(picture, drawn)
    if is_renewed:
        shutil.copyfile(drawn, reference)
    if not reference.is_file():
        return f"{reference} is missing: run pytest with --update-references, and look at it"
    expected = folder / f"{name}-reference.png"
    shutil.copyfile(reference, expected)  # what is compared leaves files beside it
    told = compare_images(str(expected), str(drawn), TOLERANCE)
    return f"{told}\nIf it is right so, run pytest with --update-references, and look at it" if told else ""
