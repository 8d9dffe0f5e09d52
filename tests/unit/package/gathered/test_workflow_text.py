"""A workflow document is written as a file that says the same when it is read."""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sciflow.errors import PackageError
from sciflow.model.document import Document
from sciflow.package.gathered.workflow_text import workflow_text

_ODD = [
    *("1e-3", "1_000", "no", "NO", "true", "~", "null", "0o17", "017", "22:30", "2026-01-01", "", " ", "=", "<<", ".5"),
    *(" before", "after ", "a: b", "a #b", "# c", "- d", "{{ x }}", "%e", "@f", "`g`", "!h", "&i", "*j", "'k'", '"l"'),
    *(
        "two\nlines",
        "two\nlines\n",
        "\n",
        "\ttab",
        "tab\t",
        "cr\r\n",
        "trailing \nblank",
        "\n\nlate",
        "a\n\n\n",
        "  in\n",
    ),
    *(
        "é",
        "e\u0301",
        "日本",
        "\u2028",
        "\x85",
        "\xa0",
        "\ufeff",
        "\U0001f600",
        "\x7f",
        "nul\x00",
        "---",
        "...",
        "...\n",
    ),
]
_TEXTS = st.sampled_from(_ODD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_NUMBERS = st.integers() | st.floats(allow_nan=False)
_SCALARS = st.none() | st.booleans() | _NUMBERS | _TEXTS | st.sampled_from([1e-05, 1e300, -0.0, 2**70, -(2**64)])
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3), max_leaves=8
)


def _read(document: dict[str, Any]) -> Any:
    return Document(workflow_text(document, "20260101-000000-aaaaa", ["a note"]), "here", PackageError).value


def _typed(value: Any) -> Any:
    """A value with the types of all that is in it: for Python, 1, 1.0 and True are equal."""
    if isinstance(value, dict):
        return {key: _typed(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_typed(one) for one in value]
    return type(value).__name__, repr(value)


@given(st.dictionaries(st.sampled_from(["name", "tasks", "parameters", "more", "1e-3"]), _VALUES, max_size=4))
def test_any_document_is_read_as_it_was(document: dict[str, Any]) -> None:
    """Texts that YAML might take for something else, floats and large integers keep their values and types."""
    assert _typed(_read(document)) == _typed(document)


@pytest.mark.parametrize("text", _ODD)
def test_odd_texts_stay_texts(text: str) -> None:
    """Texts that look like numbers, times, words or markup are read as themselves, also by any YAML 1.1."""
    document = {"name": text, "parameters": {text: [text]}}
    assert _read(document) == document
    assert yaml.safe_load(workflow_text(document, "run", [])) == document


@pytest.mark.parametrize("number", [1e-05, 1e300, 1e16, 0.1, -0.0, math.inf, -math.inf, 2**64, -(2**80), 5e-324])
def test_numbers_keep_their_type_and_their_last_bit(number: float) -> None:
    """A float stays one where it has no point, and no integer is too large."""
    assert _typed(_read({"parameters": {"x": [number]}})) == _typed({"parameters": {"x": [number]}})


def test_a_command_of_many_lines_can_be_read_by_people() -> None:
    """Lines stand as lines, and the keys that say what is varied come first."""
    text = workflow_text({"tasks": [{"command": "a \\\n  b\nc"}], "name": "spins"}, "run", ["one", "two: {x}"])
    assert text.index("name: spins") < text.index("tasks:")
    assert "\n- command: |-\n    a \\\n      b\n    c\n" in text
    assert "\n# one\n# two: {x}\n" in text


def test_a_note_cannot_add_to_the_document() -> None:
    """What stands in a note stays in the comment, also where it has lines of its own."""
    text = workflow_text({"name": "n"}, "run", ["a\nname: m\u2028name: o\x85name: p", "b " * 200])
    assert Document(text, "here", PackageError).value == {"name": "n"}
