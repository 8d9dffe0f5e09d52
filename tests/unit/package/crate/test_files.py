"""Files in a crate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sciflow.package import layout
from sciflow.package.contents import Contents, LeftOut
from sciflow.package.crate.files import MOST, add_files, add_left_out, add_recipes, format_of
from sciflow.package.crate.graph import Graph


def _written(graph: Graph, folder: Path) -> dict[str, dict[str, Any]]:
    return {one["@id"]: one for one in json.loads(graph.write(folder).read_text(encoding="utf-8"))["@graph"]}


def _lay_out(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.csv", "text/csv"),
        ("A.H5", "application/x-hdf5"),
        ("Dockerfile", "text/plain"),
        ("run.in.j2", "text/plain"),
        ("unknown.xyz", "application/octet-stream"),
        ("noending", "application/octet-stream"),
    ],
)
def test_a_file_has_the_media_type_that_its_name_says(name: str, format: str) -> None:
    """The same on every machine, whatever that has in `/etc/mime.types`."""
    assert format_of(name) == format


def test_folders_with_many_files_are_told_as_folders(tmp_path: Path) -> None:
    """So are records, however few; other folders within are told on their own."""
    many = [f"project/data/{number}.txt" for number in range(MOST + 1)]
    few = ["project/a b.py", "project/data/deep/é.txt", "run/records/a.0/0000/0.1.h5", "run/plan.json"]
    _lay_out(tmp_path, *many, *few)
    contents = Contents()
    contents.add("run/plan.json", b"", "the plan")
    graph = Graph()
    add_files(graph, contents, tmp_path)
    found = _written(graph, tmp_path)
    told = {id for id, one in found.items() if one["@type"] == "File"}
    assert told == {"project/a%20b.py", "project/data/deep/%C3%A9.txt", "run/plan.json"}
    assert found["run/plan.json"]["description"] == "the plan"
    assert found["project/data/"]["description"].endswith(f"({MOST + 2} files)")
    assert found["run/records/"]["description"].endswith("(1 file)")
    assert {one["@id"] for one in found["./"]["hasPart"]} == told | {
        "project/",
        "project/data/",
        "run/",
        "run/records/",
    }


def test_what_was_left_out_is_no_file_of_the_crate_but_is_told(tmp_path: Path) -> None:
    """With its size, its digest and where it is, where these are known."""
    contents = Contents()
    contents.left_out += [
        LeftOut("project/big.csv", "/data/big.csv", "it is larger than 100 MB", 10, "ab", "https://example.org/big"),
        LeftOut("run/work", "work", "scratch"),
    ]
    graph = Graph()
    add_left_out(graph, contents)
    found = _written(graph, tmp_path)
    big = found["#left-out/project%2Fbig.csv"]
    assert (big["@type"], big["contentSize"], big["sha256"]) == ("CreativeWork", "10", "ab")
    assert big["url"] == "https://example.org/big"
    assert "it is larger than 100 MB" in big["description"]
    assert "contentSize" not in found["#left-out/run%2Fwork"]
    assert "hasPart" not in found["./"]
    assert len(found["./"]["mentions"]) == 2


def test_recipes_say_how_they_are_read(tmp_path: Path) -> None:
    """Those that are there."""
    _lay_out(tmp_path, layout.DOCKERFILE, layout.REQUIREMENTS)
    graph = Graph()
    add_files(graph, Contents(), tmp_path)
    assert [one["@id"] for one in add_recipes(graph)] == [layout.REQUIREMENTS, layout.DOCKERFILE]
    found = _written(graph, tmp_path)
    assert found[found[layout.DOCKERFILE]["conformsTo"]["@id"]]["name"] == "the format of Dockerfile"
