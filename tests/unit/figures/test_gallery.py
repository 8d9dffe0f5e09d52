"""Several figures: those that a workflow declares, or that were chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciflow.answers.selection import Selection
from sciflow.errors import ResultError
from sciflow.figures.gallery import Wish, declared, gallery_of
from sciflow.figures.numbers import Source
from sciflow.model.visualization import Visualization
from unit.figures.observed import DATA
from unit.figures.told_run import told_run

LINE = Visualization(type="line", value="energy", x_axis="field")
UNKNOWN = Visualization(type="line", value="enrgy", x_axis="field")


def test_a_figure_that_cannot_be_made_does_not_stop_the_others() -> None:
    """It stands among those that are missing, with the reason and the way out."""
    gallery = gallery_of(Source(DATA["grid"]()), [Wish("a", UNKNOWN), Wish("b", LINE)], {"c": "it is no figure"})
    assert list(gallery) == ["b"]
    assert gallery.missing == {"a": "there is no metric `enrgy`; did you mean `energy`?", "c": "it is no figure"}
    with pytest.raises(ResultError, match="figure `a` could not be made: there is no metric"):
        _ = gallery["a"]
    with pytest.raises(KeyError):
        _ = gallery["d"]
    assert repr(gallery) == "b: line\n" + "\n".join(f"{k}: not made: {v}" for k, v in gallery.missing.items())


def test_nobody_misses_a_figure_that_nobody_has_asked_for() -> None:
    """One that was chosen, and cannot be made, is left out."""
    gallery = gallery_of(Source(DATA["grid"]()), [Wish("a", UNKNOWN, "it may show something"), Wish("b", LINE)])
    assert (list(gallery), gallery.missing) == (["b"], {})


def test_a_notebook_shows_all_pages_of_all_figures() -> None:
    """Names and reasons are texts there, whatever is in them."""
    text = gallery_of(Source(DATA["grid"]()), [Wish("a<b", LINE, "it is > 1")], {"c": "<d>"})._repr_html_()
    assert text.count("data:image/png;base64,iVBOR") == 1
    assert "<figcaption>a&lt;b (it is &gt; 1)</figcaption>" in text
    assert text.endswith("<p>c: &lt;d&gt;</p>")


def test_figures_are_saved_under_their_names(tmp_path: Path) -> None:
    """The folder is made; where that cannot be, that is said."""
    gallery = gallery_of(Source(DATA["grid"]()), [Wish("a", LINE)])
    assert gallery.save(tmp_path / "new" / "folder", ".svg") == [tmp_path / "new" / "folder" / "a.svg"]
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultError, match="nothing can be written to"):
        gallery.save(tmp_path / "file")


def test_what_a_manifest_declares(tmp_path: Path) -> None:
    """What is not understood, as of another sciflow, is told apart with the reason."""
    said = {"a": {"type": "line", "value": "energy", "x_axis": "field"}, "b": {"type": "spiral"}}
    wishes, missing = declared(told_run(tmp_path, said))
    assert wishes == [Wish("a", LINE)]
    assert list(missing) == ["b"]
    assert missing["b"].startswith("visualization `b`: `type` is 'spiral'")


def test_without_a_type_the_figures_are_chosen() -> None:
    """All that show much, or those of one metric; other options are of one kind, and refused."""
    results = Selection(DATA["grid"]())
    assert list(results.plot())[:2] == ["line-energy-by-field-size", "line-time-by-field-size"]
    assert next(iter(results.plot(value="time"))) == "line-time-by-field-size"
    assert all(results.plot(value="time").reasons.values())
    with pytest.raises(ResultError, match="`series` is of a figure of one kind, and no `type` is given"):
        results.plot(series="size")  # pyright: ignore[reportCallIssue]
