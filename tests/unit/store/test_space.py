"""The parameter space of a run, from its manifest."""

import json
from pathlib import Path

import pytest

from sciflow.errors import RunError
from sciflow.store.layout import RunDirectory
from sciflow.store.space import read_space


def test_a_space_is_rebuilt_from_its_rules(tmp_path: Path) -> None:
    """What rules can say stands in the manifest alone."""
    manifest = {"space": {"axes": {"x": [1, 2], "y": ["a", "b"]}, "constraints": ["x < 2 or y == 'a'"]}}
    assert list(read_space(RunDirectory(tmp_path), manifest)) == [
        {"x": 1, "y": "a"},
        {"x": 1, "y": "b"},
        {"x": 2, "y": "a"},
    ]


def test_a_space_is_rebuilt_from_its_table(tmp_path: Path) -> None:
    """Where functions made the space, its combinations are in a table; tuples stay tuples, at any depth."""
    lines = [[1, ["a", [2, 3]]], [2, None]]
    (tmp_path / "combinations.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    manifest = {"space": {"table": "combinations.jsonl", "names": ["x", "shape"]}}
    space = read_space(RunDirectory(tmp_path), manifest)
    assert list(space) == [{"x": 1, "shape": ("a", (2, 3))}, {"x": 2, "shape": None}]


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    """A run directory that was copied in part says what it lacks."""
    manifest = {"space": {"table": "combinations.jsonl", "names": ["x"]}}
    with pytest.raises(RunError, match=r"has no `combinations\.jsonl`"):
        read_space(RunDirectory(tmp_path), manifest)
