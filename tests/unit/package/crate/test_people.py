"""People and licences in a crate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sciflow.package.crate.graph import Graph
from sciflow.package.crate.people import add_people, agent
from sciflow.package.gathered.people import Author, People

ADA = Author("Ada Lovelace", "Ada", "Lovelace", "https://orcid.org/0000-0002-1825-0097", "ada@example.org", "Engines")


def _entities(people: People, folder: Path) -> dict[str, dict[str, Any]]:
    graph = Graph()
    add_people(graph, people)
    return {one["@id"]: one for one in json.loads(graph.write(folder).read_text(encoding="utf-8"))["@graph"]}


def test_authors_are_people_with_an_affiliation_or_organisations(tmp_path: Path) -> None:
    """An ORCID is an author's id; whoever has no affiliation has one that says so."""
    bob = Author("Bob Smith", "Bob", "Smith")
    found = _entities(People((ADA, bob, Author("The Team"))), tmp_path)
    ids = [one["@id"] for one in found["./"]["author"]]
    assert ids == [ADA.orcid, "#author/Bob%20Smith", "#author/The%20Team"]
    assert [found[one]["@type"] for one in ids] == ["Person", "Person", "Organization"]
    assert found[ADA.orcid]["email"] == "ada@example.org"
    affiliations = [found[found[one]["affiliation"]["@id"]]["name"] for one in ids[:2]]
    assert affiliations == ["Engines", "not stated"]


@pytest.mark.parametrize(
    ("said", "id", "name"),
    [
        ("MIT", "https://spdx.org/licenses/MIT", "MIT"),
        ("https://example.org/terms", "https://example.org/terms", "https://example.org/terms"),
        ("ask Ada", "#licence", "ask Ada"),
        ("MIT OR Apache-2.0", "#licence", "MIT OR Apache-2.0"),
        ("", "#no-licence", "no licence was stated: all rights reserved"),
    ],
)
def test_a_licence_is_one_that_is_known_or_what_was_said(said: str, id: str, name: str, tmp_path: Path) -> None:
    """Where nobody said anything, that is said."""
    found = _entities(People(license=said), tmp_path)
    assert found["./"]["license"] == {"@id": id}
    assert found[id]["name"] == name


def test_whoever_ran_it_is_a_user_or_its_only_author() -> None:
    """Of two authors nobody knows which one it was."""
    graph = Graph()
    bob = Author("Bob Smith", "Bob", "Smith")
    assert agent(graph, People((ADA,), user="ada")) == {"@id": "#user/ada"}
    assert agent(graph, People((ADA,))) == {"@id": ADA.orcid}
    assert agent(graph, People((ADA, bob))) == {"@id": "#not-stated"}
