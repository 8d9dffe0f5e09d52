"""Text of whatever origin, as a page can show it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciflow.report.text import counted, hours, percent, plain, tail, value_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;a title\x07after", "after"),
        ("10%\r50%\r100%\r\ndone", "100%\ndone"),
        ("a\x00b\x08c", "a\ufffdb\ufffdc"),
        ("safe\u202egnp.exe", "safe\ufffdgnp.exe"),
        ("half \ud83d", "half \ufffd"),
        ("größe = 3 µm, 温度, مرحبا, 🙂", "größe = 3 µm, 温度, مرحبا, 🙂"),
        ("a\tb\nc", "a\tb\nc"),
    ],
)
def test_what_only_a_terminal_obeys_is_taken_out(text: str, shown: str) -> None:
    """Colours and titles go, what was overwritten is gone, what nobody sees has a mark, and all else stays."""
    assert plain(text) == shown


@given(st.text(st.characters(codec=None)))
def test_any_text_can_be_written(text: str) -> None:
    """Whatever a program has printed, a page can hold it, and it says nothing that a terminal obeys."""
    shown = plain(text)
    shown.encode()
    assert not any(one < " " and one not in "\t\n" for one in shown)


def test_a_secret_is_not_shown() -> None:
    """What looks like a password or a token is redacted, as in records; also where colours cut through it."""
    assert "hunter2hunter2" not in plain("login password=hunter2hunter2")
    assert "hunter2hunter2" not in plain("pass\x1b[0mword=hunter2hunter2")


def test_a_long_text_is_cut_saying_so() -> None:
    """Of a long text the beginning is shown, and how much is missing."""
    assert plain("x" * 5000) == "x" * 4000 + "… (1,000 more characters)"


def test_the_end_of_a_log() -> None:
    """A log ends with its last lines, each of a bounded length, and it is known whether that is all."""
    assert tail("one\ntwo\n\n") == ("one\ntwo", False)
    assert tail("\n".join(map(str, range(30))), lines=3) == ("27\n28\n29", True)
    assert tail("x" * 300, width=10) == ("x" * 10 + "…", True)


def test_values_of_a_table() -> None:
    """Floats have six digits, and what is missing is nothing, never a number."""
    assert [value_text(one) for one in (0.1 + 0.2, 3, "a", None, math.nan, True)] == ["0.3", "3", "a", "", "", "True"]
    assert value_text("y" * 1000) == "y" * 200 + "… (800 more characters)"


def test_counts_and_shares() -> None:
    """Counts have their noun in the right number, and a share that is not known says so."""
    assert [counted(1, "value"), counted(1200, "value")] == ["1 value", "1,200 values"]
    assert [percent(0.0001), percent(0.25), percent(math.nan)] == ["< 0.1%", "25.0%", "unknown"]
    assert [hours(0.0406), hours(12345.6), hours(math.nan)] == ["0.0406", "12,346", "unknown"]
