"""YAML text to plain values, strictly."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

from sciflow.errors import ProfileError, WorkflowFileError
from sciflow.model import document
from sciflow.model.document import Document


def read(text: str) -> Any:
    """Read one text."""
    return Document(text, "w.yaml", WorkflowFileError).value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no", "no"),
        ("on", "on"),
        ("22:30", "22:30"),
        ("1e-3", 0.001),
        ("-.5", -0.5),
        ("1_000", "1_000"),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("+3", 3),
        ("True", True),
        ("~", None),
        ("-.inf", -math.inf),
        ("2031-05-17", "2031-05-17"),
        ("'5'", "5"),
        ('"tab\\there"', "tab\there"),
        ("|\n two\n lines", "two\nlines\n"),
        ('$(touch x) `y` "z" é漢', '$(touch x) `y` "z" é漢'),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, expected: Any) -> None:
    """Words stay words, clocks stay text, and `1e-3` is a number."""
    value = read(f"a: {text}\n")["a"]
    assert value == expected
    assert type(value) is type(expected)


def test_not_a_number_is_read() -> None:
    """`.nan` is read as such; what uses it refuses it."""
    assert math.isnan(read("[.nan]")[0])


def test_an_empty_text_says_nothing() -> None:
    """Neither does one of comments."""
    assert read("") is None
    assert read("# nothing\n") is None


def test_every_value_has_a_line() -> None:
    """A path that is not there is located at the nearest that is."""
    made = Document("a: 1\nb:\n  - c: 2\n  - d:\n      e: 3\n", "w.yaml", WorkflowFileError)
    assert made.value == {"a": 1, "b": [{"c": 2}, {"d": {"e": 3}}]}
    assert made.locate(("b",)) == "w.yaml, line 2"
    assert made.locate(("b", 1, "d", "e")) == "w.yaml, line 5"
    assert made.locate(("b", 0, "missing")) == "w.yaml, line 3"
    assert made.locate(()) == "w.yaml, line 1"


def test_keys_are_words_and_aliases_are_followed() -> None:
    """A number or a truth word for a key is its text, as in `{1: a}`."""
    assert read("1: &x [a]\ntrue: *x\n") == {"1": ["a"], "true": ["a"]}


@pytest.mark.parametrize(
    ("text", "reason", "hint"),
    [
        ("a:\n\tb: 1\n", "w.yaml, line 2: indented with a tab", "YAML indents with spaces only"),
        ("a:\n  - b\n \t - c\n", "w.yaml, line 3: indented with a tab", "spaces only"),
        ("a: 1\nb: 2\na: 3\n", "w.yaml, line 3: `a` stands twice; first in line 1", ""),
        ("a:\n  b: 1\n  'b': 2\n", "w.yaml, line 3: `b` stands twice; first in line 2", ""),
        ("? [a]\n: 1\n", "w.yaml, line 1: a key must be a word", ""),
        ("a: [1, 2\nb: 3\n", "w.yaml, line 2: ", "the line is: b: 3"),
        ("a: 'it's'\n", "w.yaml, line 1: ", "the line is: a: 'it's'"),
        ("a: b: c\n", "w.yaml, line 1: mapping values are not allowed here", "the line is: a: b: c"),
        ("a: *nothing\n", "w.yaml, line 1: found undefined alias 'nothing'", ""),
        ("a: 1\n---\nb: 2\n", "w.yaml, line 2: ", ""),
        ("a: !!python/object/apply:os.system ['touch hit']\n", "w.yaml, line 1: the tag", "write plain values"),
        ("a:\n  - !secret x\n", "w.yaml, line 2: the tag `!secret` has no meaning here", "write plain values"),
        ("a: 1\nb: \x07\n", "w.yaml, line 2: the character '\\x07' is not allowed in YAML", ""),
        ("a: 1\nb: " + "9" * 5000, "w.yaml, line 2: ", ""),
        ("a: &a [*a]\n", "w.yaml is too large or nested too deeply", "aliases multiply"),
        ("[" * 200 + "]" * 200, "w.yaml is too large or nested too deeply", ""),
        ("[" * 20000, "w.yaml is nested too deeply", ""),
    ],
)
def test_what_is_no_yaml(text: str, reason: str, hint: str) -> None:
    """File and line are named, and for what cannot be read the line itself."""
    with pytest.raises(WorkflowFileError) as caught:
        read(text)
    assert caught.value.message.startswith(reason)
    assert hint in caught.value.hint


def test_aliases_of_aliases_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small text that means an enormous one is refused."""
    monkeypatch.setattr(document, "_MOST_VALUES", 1000)
    text = "a: &a [x, x]\n" + "".join(
        f"{new}: &{new} [*{old}, *{old}]\n" for old, new in itertools.pairwise("abcdefghi")
    )
    with pytest.raises(WorkflowFileError, match="too large or nested too deeply"):
        read(text)


def test_the_error_is_of_the_class_asked_for() -> None:
    """A profile's text raises a profile's error."""
    with pytest.raises(ProfileError):
        Document("a: [", "p.yaml", ProfileError)
