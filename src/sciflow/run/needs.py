"""Which array indices need the results of which others, by the tables of a run."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sciflow.model.plan import ArrayJob
from sciflow.store.layout import RunDirectory, read_document
from sciflow_shim import files

Place = tuple[str, int]  # array, index


def needed(run: RunDirectory, array: ArrayJob) -> Iterator[tuple[int, Iterator[Place]]]:
    """Each index of an array job, with the places whose results it needs."""
    tasks = read_document(run.header(array.name))["upstream"]
    twins = [facts["array"] for facts in tasks.values() if facts["array"]]
    named = [task for task, facts in tasks.items() if not facts["array"]]
    if not named:
        for index in range(array.count):
            yield index, ((twin, index) for twin in twins)
        return
    with run.lines(array.name).open("rb") as lines:
        for index, text in enumerate(lines):
            upstream = json.loads(text)["upstream"]
            yield index, _places(index, twins, [upstream[task] for task in named])


def _places(index: int, twins: list[str], named: list[list[list[str]]]) -> Iterator[Place]:
    yield from ((twin, index) for twin in twins)
    for upstream in named:
        for array, text in upstream:
            yield from ((array, place) for place in files.parse_ranges(text))
