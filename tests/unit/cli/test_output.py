"""What commands print: aligned tables, plain JSON, errors."""

import io
import json
import math
import sys

import pytest

from sciflow.cli.output import cell, emit, report, table


def test_columns_are_aligned() -> None:
    """Texts to the left, numbers to the right, nothing after the last."""
    assert table(["name", "n", "x"], [["a", 1, 0.5], ["long name", 20, -1.25e-7]]) == (
        "name        n          x\na           1        0.5\nlong name  20  -1.25e-07"
    )


def test_an_empty_table_is_its_header() -> None:
    """No rows, no lines."""
    assert table(["a", "b"], []) == "a  b"


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (0.1 + 0.2, "0.3"), (1e-9, "1e-09"), (math.nan, "nan"), (True, "True"), ("x", "x")]
)
def test_a_value_in_a_table(value: object, text: str) -> None:
    """Numbers to six digits, nothing for what is missing."""
    assert cell(value) == text


def test_json_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    """NaN is null and infinity a text, at any depth; texts stay readable."""
    emit(True, {"a": [math.nan, math.inf, -math.inf, 1.5], "b": {"é": math.nan}, 3: (1, 2)}, "text")

    def refuse(text: str) -> None:
        raise ValueError(text)

    out = capsys.readouterr().out
    assert json.loads(out, parse_constant=refuse) == {
        "a": [None, "inf", "-inf", 1.5],
        "b": {"é": None},
        "3": [1, 2],
    }
    assert "é" in out


def test_text_is_printed_when_there_is_some(capsys: pytest.CaptureFixture[str]) -> None:
    """An empty answer prints no empty line."""
    emit(False, {"a": 1}, "answer")
    emit(False, {"a": 1}, "")
    assert capsys.readouterr().out == "answer\n"


def test_an_error_without_words_is_its_type(capsys: pytest.CaptureFixture[str]) -> None:
    """Even an error that says nothing is told."""
    report(KeyError(), "", as_json=False)
    assert capsys.readouterr() == ("", "error: KeyError\n")


def test_colour_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a file there are no escapes; on a terminal `error:` stands out."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            """Say that somebody looks."""
            return True

    for stream, coloured in [(io.StringIO(), False), (Terminal(), True)]:
        monkeypatch.setattr(sys, "stderr", stream)
        report(ValueError("no"), "yes", as_json=False)
        assert ("\x1b[" in stream.getvalue()) == coloured
        assert "no\nhint: yes\n" in stream.getvalue()
