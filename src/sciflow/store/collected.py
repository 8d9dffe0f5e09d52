"""`collected.json`: what the results were made of, so that the next time only what is new is read.

It is a cache: without it, or where it does not belong to the results that are there, everything is read again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sciflow.model.state import State
from sciflow.store.inventory import Stamp, place_of, stamp_of
from sciflow.store.layout import RunDirectory, write_whole
from sciflow.store.records import RecordState

_FORMAT = 4
_OF_COMPLETED = 9  # the facts, after the state, that anybody asks for where all went well
_COLUMNS = ("name", "size", "time", "inode", "seal", "says", "told", "count")


@dataclass
class KnownFile:
    """What is known of a record file.

    Attributes
    ----------
    seal, says
        As in `RecordFacts`.
    states
        Index → how its attempt ended.
    first, count
        The first of its rows in the table of attempts, and how many there are.
    """

    stamp: Stamp
    seal: str
    says: tuple[str, str, int, int]
    states: dict[int, RecordState]
    first: int = 0
    count: int = 0


@dataclass
class Collected:
    """What the results were made of.

    Attributes
    ----------
    files
        Path from the run directory → what is known of it.
    made_of
        Stamps of the journal and all else that decides what is known of a run.
    digest
        Of the state of every index.
    is_settled
        Whether nothing more was to happen then.
    facts
        Those of the tables.
    """

    files: dict[str, KnownFile] = field(default_factory=dict)
    made_of: list[Any] = field(default_factory=list)
    digest: str = ""
    is_settled: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


def read_collected(run: RunDirectory) -> Collected:
    """Read what the results that are there were made of; nothing where that is not known."""
    try:
        document = json.loads(run.collected.read_bytes())
        if document["format"] != _FORMAT or tuple(document["results"]) != stamp_of(run.results):
            return Collected()
        known: dict[str, KnownFile] = {}
        states, position, first = document["states"], 0, 0
        columns = document["files"].values()
        for name, size, time, inode, seal, says, told, count in zip(*columns, strict=True):
            own = {index: RecordState(State(one), *facts) for index, one, *facts in states[position : position + told]}
            said = tuple(says) if says else _as_named(document["run"], name)
            known[name] = KnownFile((size, time, inode), seal, said, own, first, count)
            position += told
            first += count
        facts = {**document["facts"], "run": document["run"]}
        return Collected(known, document["made_of"], document["digest"], document["is_settled"], facts)
    except (OSError, ValueError, KeyError, TypeError):
        return Collected()


def write_collected(run: RunDirectory, collected: Collected) -> None:
    """Write it down; call it after the results are written."""
    number = str(collected.facts["run"])
    rows: list[tuple[Any, ...]] = []
    states: list[list[Any]] = []
    for name, one in collected.files.items():
        says = list(one.says) if one.says != _as_named(number, name) else 0
        rows.append((name, *one.stamp, one.seal, says, len(one.states), one.count))
        states += [[index, *_plain(state)] for index, state in one.states.items()]
    columns = dict(zip(_COLUMNS, zip(*rows, strict=True), strict=True)) if rows else {name: [] for name in _COLUMNS}
    document = {
        "format": _FORMAT,
        "run": number,
        "results": stamp_of(run.results),
        "made_of": collected.made_of,
        "digest": collected.digest,
        "is_settled": collected.is_settled,
        "facts": collected.facts,
        "files": columns,
        "states": states,
    }
    write_whole(run.collected, json.dumps(document, separators=(",", ":")))


def _as_named(run: str, name: str) -> tuple[str, str, int, int]:
    """What a record at a path would say if it were where it belongs."""
    return (run, *place_of(name))


def _plain(state: RecordState) -> tuple[Any, ...]:
    word, *facts = vars(state).values()
    return (word.value, *(facts[:_OF_COMPLETED] if word is State.COMPLETED else facts))
