"""Where figures are written."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sciflow.errors import ResultError
from sciflow.figures.gallery import Gallery, Wish, gallery_of
from sciflow.figures.numbers import Source
from sciflow.figures.saving import Pattern, saved, targets
from sciflow.model.visualization import Visualization
from unit.figures.observed import DATA


def gallery(*metrics: str) -> Gallery:
    """Make a line of each metric."""
    wishes = [Wish(one, Visualization(type="line", value=one, x_axis="field")) for one in metrics]
    return gallery_of(Source(DATA["grid"]()), wishes)


@pytest.mark.parametrize(
    ("output", "formats", "folder", "pattern"),
    [
        (None, (), "default", Pattern(None, (".png",))),
        (None, ("pdf", ".SVG", "pdf"), "default", Pattern(None, (".pdf", ".svg"))),
        ("some/folder", ("pdf",), "some/folder", Pattern(None, (".pdf",))),
        ("v1.2/", (), "v1.2", Pattern(None, (".png",))),
        ("some/one.pdf", (), "some", Pattern("one", (".pdf",))),
        ("one.svg", ("svg",), ".", Pattern("one", (".svg",))),
    ],
)
def test_a_file_is_told_from_a_folder_by_its_ending(
    output: str | None, formats: tuple[str, ...], folder: str, pattern: Pattern
) -> None:
    """Without an output figures go to the default folder, as PNG where no format is said."""
    assert targets(output, formats, Path("default")) == (Path(folder), pattern)


@pytest.mark.parametrize(
    ("output", "formats", "reason"),
    [
        ("one.docx", (), "`.docx` is no format of figures"),
        (None, ("bmp",), "`.bmp` is no format of figures"),
        ("one.png", ("pdf",), "`one.png` is one file, and the formats are .pdf"),
    ],
)
def test_what_is_no_format(output: str | None, formats: tuple[str, ...], reason: str) -> None:
    """It is refused before anything is computed."""
    with pytest.raises(ResultError) as caught:
        targets(output, formats, Path("default"))
    assert reason in caught.value.message


def test_figures_and_their_numbers_are_written(tmp_path: Path) -> None:
    """One figure under the name that is asked for, and a table of what it shows."""
    written = saved(gallery("time"), tmp_path / "new", Pattern("one", (".png", ".svg")), tmp_path / "time.csv")
    assert written.files == {"time": [tmp_path / "new" / "one.png", tmp_path / "new" / "one.svg"]}
    assert (tmp_path / "new" / "one.png").read_bytes().startswith(b"\x89PNG")
    assert written.data == tmp_path / "time.csv"
    assert list(pd.read_csv(tmp_path / "time.csv")["x"]) == [0.0, 0.25, 0.5, 0.75, 1.0]
    with pytest.raises(ResultError, match="cannot be written"):
        saved(gallery("time"), tmp_path, Pattern(None, (".png",)), tmp_path / "no" / "time.csv")


def test_several_figures_are_not_written_into_one_file(tmp_path: Path) -> None:
    """Neither pictures nor numbers; and nothing is written before that is said."""
    for pattern, data in ((Pattern("one", (".png",)), None), (Pattern(None, (".png",)), tmp_path / "all.csv")):
        with pytest.raises(ResultError, match="there are 2 figures, and one file for them: time, energy"):
            saved(gallery("time", "energy"), tmp_path, pattern, data)
    assert list(tmp_path.iterdir()) == []


def test_the_only_figure_is_an_error_where_it_cannot_be_made(tmp_path: Path) -> None:
    """Of several the others are written."""
    with pytest.raises(ResultError, match="figure `tim` could not be made: there is no metric `tim`"):
        saved(gallery("tim"), tmp_path, Pattern(None, (".png",)))
    assert list(saved(gallery("tim", "time"), tmp_path, Pattern(None, (".png",))).files) == ["time"]
