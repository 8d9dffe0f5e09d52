"""Values in a crate."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from sciflow.package.crate.graph import Graph
from sciflow.package.crate.values import add_resources, add_value, add_values, type_of


def _written(graph: Graph, folder: Path) -> dict[str, dict[str, Any]]:
    return {one["@id"]: one for one in json.loads(graph.write(folder).read_text(encoding="utf-8"))["@graph"]}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], "Integer"),
        ([1, 2.5], "Float"),
        ([True, False], "Boolean"),
        ([True, 1], "Text"),
        (["a", 1], "Text"),
        ([None], "Text"),
        ([None, 3], "Integer"),
        ([[1, 2]], "Text"),
    ],
)
def test_values_have_the_type_that_schema_org_gives_them(values: list[Any], kind: str) -> None:
    """What is mixed is text."""
    assert type_of(values) == kind


@pytest.mark.parametrize(
    ("value", "told"),
    [(None, "none"), (math.nan, "nan"), (math.inf, "inf"), ([1, 2], "[1, 2]"), (0, 0), (False, False), ("ü", "ü")],
)
def test_values_are_such_as_json_ld_can_have(value: Any, told: Any, tmp_path: Path) -> None:
    """No null, no list in a list, and no number that is none."""
    graph = Graph()
    id = add_value(graph, "x", value, [{"@id": "#p"}])["@id"]
    found = _written(graph, tmp_path)[id]["value"]
    assert (found, type(found)) == (told, type(told))


def test_the_same_value_stands_once_for_all_that_have_it(tmp_path: Path) -> None:
    """And names all of them."""
    graph = Graph()
    ids = {add_value(graph, "x", 1, [{"@id": one}])["@id"] for one in ("#a", "#b", "#a")}
    assert len(ids) == 1
    assert _written(graph, tmp_path)[ids.pop()]["exampleOfWork"] == [{"@id": "#a"}, {"@id": "#b"}]


def test_true_and_one_are_two_values() -> None:
    """As are a number and its text."""
    graph = Graph()
    assert len({add_value(graph, "x", value, [])["@id"] for value in (1, True, "1", 1.5)}) == 4


def test_a_value_is_no_secret_by_its_name(tmp_path: Path) -> None:
    """It is neither told nor part of an id."""
    graph = Graph()
    id = add_value(graph, "password", "correct-horse-battery", [])["@id"]
    assert "correct" not in id
    assert _written(graph, tmp_path)[id]["value"] == "[redacted]"


def test_of_many_values_a_crate_says_how_many_there_are(tmp_path: Path) -> None:
    """And between which they lie, where they are numbers."""
    graph = Graph()
    few = add_values(graph, "few", [3, 1, 3], {"@id": "#few"})["@id"]
    many = add_values(graph, "many", range(1000), {"@id": "#many"})["@id"]
    texts = add_values(graph, "texts", [f"t{n}" for n in range(30)], {"@id": "#texts"})["@id"]
    found = _written(graph, tmp_path)
    assert [found[one]["value"] for one in (few, many, texts)] == [[3, 1], "1,000 values from 0 to 999", "30 values"]


def test_resources_that_were_not_measured_are_not_told(tmp_path: Path) -> None:
    """CPU time is that in the program and in the kernel; each has a unit and says what it is."""
    graph = Graph()
    measured = {"user_cpu_seconds": 1.5, "system_cpu_seconds": 0.25, "peak_rss_bytes": 0, "wall_seconds": math.nan}
    ids = [one["@id"] for one in add_resources(graph, ("action", "a.0", 1), measured)]
    found = _written(graph, tmp_path)
    assert {found[one]["name"]: found[one]["value"] for one in ids} == {"CPU time": 1.75, "peak memory": 0}
    assert all(found[one]["unitCode"].startswith("http://qudt.org/vocab/unit/") for one in ids)
    assert all(found[one]["propertyID"].startswith("https://") for one in ids)
