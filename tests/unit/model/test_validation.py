"""Errors of validated values in the reader's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest
from pydantic import Field, field_validator

from sciflow.errors import ProfileError, WorkflowError
from sciflow.model.fields import Names
from sciflow.model.validation import Value, allowed_keys, validated


class Inner(Value):
    """What is inside."""

    size: int | None = None
    alias_of: str | None = Field(default=None, alias="json")
    row: Literal["first", "last"] | int = "last"


class Outer(Value):
    """What is outside."""

    name: str
    kind: Literal["fast", "slow"] = "fast"
    share: float = Field(default=1, le=1)
    entries: tuple[Inner, ...] = Field(default=(), min_length=1)
    named: dict[str, Inner] = Field(default={})
    words: Names = ()
    either: list[str] | dict[str, int] | str = ""
    call: Callable[..., Any] | None = None

    @field_validator("name")
    @classmethod
    def _not_bad(cls, value: str) -> str:
        if value == "bad":
            raise ValueError("`bad` is no name")
        return value


def message(data: Any) -> str:
    """Say what is wrong with the data."""
    with pytest.raises(WorkflowError) as caught:
        validated(Outer, data, "the thing")
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, "`name` is missing"),
        ({"name": 5}, "`name` is 5; it takes a text\nhint: put it in quotes"),
        ({"name": None}, "`name` is None; it takes a text"),
        ({"name": "bad"}, "`name`: `bad` is no name"),
        ({"name": "x", "kind": "fsat"}, "`kind` is 'fsat'; it takes 'fast' or 'slow'\nhint: did you mean `fast`?"),
        ({"name": "x", "kind": 1}, "`kind` is 1; it takes 'fast' or 'slow'"),
        ({"name": "x", "share": 2}, "`share` is 2; it should be less than or equal to 1"),
        ({"name": "x", "share": "half"}, "`share` is 'half'; it takes a number"),
        ({"name": "x", "entries": []}, "`entries` is empty"),
        ({"name": "x", "entries": 5}, "`entries` is 5; it takes a list"),
        ({"name": "x", "entries": [{"size": "a"}]}, "`entries.0.size` is 'a'; it takes a whole number"),
        ({"name": "x", "entries": [{}, 7]}, "`entries.1` is 7; it takes a mapping (`name: value`)"),
        ({"name": "x", "named": {"a-b[c]": {"size": "a"}}}, "`named.a-b[c].size` is 'a'; it takes a whole number"),
        (
            {"name": "x", "named": {"str": {"row": "lst"}}},
            "`named.str.row` is 'lst'; it takes 'first' or 'last' or a whole number\nhint: did you mean `last`?",
        ),
        ({"name": "x", "named": {"a": {"jsn": "y"}}}, "`named.a.jsn` is not known here\nhint: did you mean `json`?"),
        ({"name": "x", "words": {"a": 1}}, "`words` is {'a': 1}; it takes a list"),
        (
            {"name": "x", "either": 5},
            "`either` is 5; it takes a list or a mapping (`name: value`) or a text\nhint: put it in quotes",
        ),
        ({"name": "x", "either": ["a", 5]}, "`either.1` is 5; it takes a text\nhint: put it in quotes"),
        ({"name": "x", "either": {"a": "b"}}, "`either.a` is 'b'; it takes a whole number"),
        ({"name": "x", "call": 3}, "`call` is 3; it takes a function"),
        (
            ["name"],
            "['name'] is no mapping\n"
            "hint: known are `name`, `kind`, `share`, `entries`, `named`, `words`, `either`, `call`",
        ),
    ],
)
def test_problems_are_said_in_words(data: Any, expected: str) -> None:
    """Field, value and what is allowed; of alternatives that came further, and no names of types."""
    assert message(data) == f"the thing: {expected}"


def test_every_problem_has_a_line() -> None:
    """They stand in one message, with one hint for all."""
    text = message({"kind": "fsat", "nam": "x", "share": 2})
    assert text.splitlines() == [
        "the thing: `name` is missing",
        "the thing: `kind` is 'fsat'; it takes 'fast' or 'slow'",
        "the thing: `share` is 2; it should be less than or equal to 1",
        "the thing: `nam` is not known here",
        "hint: did you mean `fast`?; did you mean `name` or `named`?",
    ]


def test_entries_of_a_list_are_named() -> None:
    """An entry that has a name is called by it; the place is that of the entry."""

    class Tasks(Value):
        tasks: tuple[Outer, ...]

    with pytest.raises(ProfileError) as caught:
        validated(
            Tasks,
            {"tasks": [{"name": "train", "share": 3}]},
            "w.yaml",
            ProfileError,
            lambda path: f"w.yaml at {path}",
        )
    assert str(caught.value).startswith("w.yaml at ('tasks', 0, 'share'): `tasks.train.share` is 3")


def test_long_values_are_cut() -> None:
    """A message is for reading."""
    assert len(message({"name": "x", "entries": "long " * 1000})) < 200


def test_what_is_a_value_already_is_taken() -> None:
    """A value of the class passes as it is."""
    made = Outer(name="x")
    given: Any = made
    assert validated(Outer, given, "the thing") is made


def test_allowed_keys_follow_a_path() -> None:
    """Keys are those that a file has, also inside lists and mappings."""
    assert allowed_keys(Outer, ("entries", 3)) == ["size", "json", "row"]
    assert allowed_keys(Outer, ("named", "a")) == ["size", "json", "row"]
    assert allowed_keys(Outer, ("name",))[:2] == ["name", "kind"]
