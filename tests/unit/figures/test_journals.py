"""What journals want of figures."""

from typing import Any

import pytest

from sciflow.errors import ResultError
from sciflow.figures.journals import JOURNALS, style_of
from sciflow.figures.style import DEFAULT, INCH


@pytest.mark.parametrize("name", JOURNALS)
def test_a_journal_has_sensible_measures(name: str) -> None:
    """Columns of 50 to 200 mm, wider for more of them; letters of 7 or 8 points; 300 dots per inch at least."""
    journal = JOURNALS[name]
    widths = [journal.widths[columns] for columns in sorted(journal.widths)]
    assert widths == sorted(widths)
    assert 50 < widths[0] < widths[-1] <= 200
    assert journal.font_size in (7, 8)
    assert journal.dpi >= 300
    assert journal.source


def test_a_figure_has_the_width_that_suits_it() -> None:
    """One that needs two columns has two; it is never higher than a page."""
    style = style_of("aps")
    one, two = style.page((1.0, 0.75)), style.page((2.0, 1.5))
    assert (round(one[0] * INCH, 3), round(two[0] * INCH, 3)) == (85.725, 177.8)
    assert one[1] == 0.75 * one[0]
    assert style.page((1.0, 9.0))[1] == pytest.approx(230 / INCH)
    assert style_of("aps", columns=2).page((1.0, 0.5))[0] == pytest.approx(177.8 / INCH)
    assert style_of("pnas", columns=1.5).page((2.0, 0.5))[0] == pytest.approx(114 / INCH)
    assert style_of(width_mm=100).page((2.0, 1.0)) == pytest.approx((100 / INCH, 50 / INCH))


def test_what_is_not_said_stays() -> None:
    """Without a journal nothing changes; with one, what is said goes before it."""
    assert style_of() == DEFAULT
    assert style_of(dpi=72).dpi == 72
    style = style_of("Nature", dpi=300, font_size=6, notes=True)
    assert (style.dpi, style.font_size, style.has_notes) == (300, 6, True)


@pytest.mark.parametrize(
    ("wanted", "message", "hint"),
    [
        ({"journal": "natur"}, "no journal `natur`", "did you mean `nature`?"),
        ({"journal": "aps", "columns": 3}, "no figures of 3 columns", "they have 1, 2"),
        ({"columns": 2}, "2 columns of what", "say of which journal"),
        ({"journal": "aps", "columns": 2, "width_mm": 90}, "two widths", "give one"),
        ({"width_mm": 3}, "a width of 3 cannot be read", "50 to 2000"),
        ({"width_mm": float("nan")}, "a width of nan cannot be read", "50 to 2000"),
        ({"dpi": 0}, "a dpi of 0 cannot be read", "20 to 2400"),
    ],
)
def test_measures_that_cannot_be_are_refused(wanted: dict[str, Any], message: str, hint: str) -> None:
    """With what can be."""
    with pytest.raises(ResultError, match=message) as caught:
        style_of(**wanted)
    assert hint in (caught.value.hint or "")
