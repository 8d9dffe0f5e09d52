"""A picture: the numbers of a figure, and how they become a page, a file, or an output in a notebook."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

import sciflow
from sciflow.errors import ResultError, SciflowWarning
from sciflow.figures.numbers import Source
from sciflow.figures.picture import Picture, picture
from sciflow.model.visualization import Visualization
from unit.figures.observed import grid, observed

WANTED = {"type": "line", "value": "size", "x_axis": "rate", "series": "kind", "title": "Growth"}


def made(**more: object) -> Picture:
    """A line of each kind, with repeats, of which one has failed."""
    rows = grid(rate=[0.1, 0.2], kind=["a_b", "c"], seed=[1, 2, 3])
    seen = observed(
        rows, {"size": lambda rate, kind, seed: rate + len(kind) + seed}, repeats=["seed"], states={0: "FAILED"}
    )
    return picture(Source(seen), Visualization.model_validate(WANTED | more))


def test_the_same_figure_is_the_same_file() -> None:
    """Whatever the day: no format has a date or anything else that changes."""
    for ending in (".png", ".pdf", ".svg"):
        assert made().image(ending) == made().image(ending), ending


def test_a_file_says_of_which_run_it_is() -> None:
    """Title, program and run, so that a figure on a slide can be traced; no date, no name of a person or machine."""
    program, run = f"sciflow {sciflow.__version__}", "run 20250101-000000-aa"
    told = Image.open(BytesIO(made().image(".png"))).info
    assert {key: value for key, value in told.items() if key != "dpi"} == {
        **{"Title": "Growth", "Software": program, "Source": run}
    }
    document, vector = made().image(".pdf"), made().image(".svg").decode()
    assert all(f"({one})".encode() in document for one in ("Growth", program, run))
    assert b"CreationDate" not in document
    assert all(f">{one}<" in vector for one in ("Growth", program, run))
    assert "<dc:date>" not in vector


def test_letters_are_embedded_in_a_pdf() -> None:
    """As TrueType, as journals want it; and an SVG has its text as text."""
    document = made().image(".pdf")
    assert b"/FontFile2" in document
    assert b"/Type3" not in document
    assert "a_b" in re.sub("<[^>]*>", " ", made().image(".svg").decode())


def test_a_journal_says_how_wide_it_is(tmp_path: Path) -> None:
    """A column of Nature has 89 mm at 450 dots per inch; title and notes are for the caption."""
    drawn = made()
    assert drawn.save(tmp_path / "figure.png", journal="nature") == [tmp_path / "figure.png"]
    image = Image.open(BytesIO((tmp_path / "figure.png").read_bytes()))
    assert abs(image.size[0] - 89 / 25.4 * 450) < 1
    assert round(image.info["dpi"][0]) == 450
    (page,) = drawn.save(tmp_path / "figure.svg", journal="nature", notes=False)
    assert "have no value" not in page.read_text()
    (page,) = drawn.save(tmp_path / "figure.svg", width_mm=100)
    assert "have no value" in page.read_text()
    assert f'width="{100 / 25.4 * 72:.4f}'[:12] in page.read_text()


def test_a_caption_says_what_a_reader_must_know() -> None:
    """What is shown, what the band is, what is missing, and of how many values a point is."""
    assert made().caption() == (
        "Growth. size against rate, by kind. Mean over seed (3 repeats). "
        "Band: 95% confidence interval of the mean (Student's t). "
        "size: 1 of 12 have no value (1 FAILED). n = 2 to 3."
    )
    faceted = made(title=None, series=None, facet_by=["kind"]).caption()
    assert faceted.startswith("size against rate; a panel for each value of kind. ")


def test_unknown_formats_are_refused(tmp_path: Path) -> None:
    """The known ones are offered, and nothing is written."""
    with pytest.raises(ResultError, match=r"`\.jpg` is no format") as caught:
        made().save(tmp_path / "figure.jpg")
    assert caught.value.hint == "known are .png, .pdf, .svg, .pgf"
    with pytest.raises(ResultError, match="cannot be written"):
        made().save(tmp_path / "nowhere" / "figure.svg")
    assert list(tmp_path.iterdir()) == []


def test_letters_that_no_font_has_are_told() -> None:
    """Once, with what would help, and the figure is there."""
    with pytest.warns(SciflowWarning, match=r"no font that is installed has U\+E123"):
        assert made(title="\ue123").image(".png")


def test_without_latex_pgf_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only LaTeX knows how wide its letters are."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        ResultError, match=r"`figure\.pgf` needs LaTeX, .* none of xelatex, lualatex, pdflatex is there"
    ) as e:
        made().save(tmp_path / "figure.pgf")
    assert "apt-get install texlive-xetex" in (e.value.hint or "")
    assert list(tmp_path.iterdir()) == []
