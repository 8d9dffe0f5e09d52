"""How complete the records of a run are: what is there, what is not, and what does not belong there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sciflow.model.state import State
from sciflow.run.catalog import Catalog
from sciflow.run.status import IndexStatus
from sciflow.store.columns import Table
from sciflow.store.inventory import place_of
from sciflow.store.records import SEALED, TORN, UNSEALED
from sciflow_shim.files import format_ranges

EXPECTED, MISSING, NOT_RUN, WAITING = "expected", "missing", "not_run", "waiting"
DUPLICATE, STALE, FOREIGN = "duplicate", "stale", "foreign"
# What an index is; together they are all that is expected.
OF_INDICES = (SEALED, UNSEALED, TORN, MISSING, NOT_RUN, WAITING)
# What a file is beside those that count.
OF_FILES = (DUPLICATE, STALE, FOREIGN)
_LISTED = (UNSEALED, TORN, MISSING, NOT_RUN, *OF_FILES)


@dataclass(frozen=True)
class Apart:
    """An index without a whole record, or a file that is no such record.

    Attributes
    ----------
    index
        -1 where a file stands for none.
    path
        The file, from the run directory; empty where there is none.
    """

    kind: str
    array: str
    index: int
    attempt: int
    path: str
    why: str


def kind_of(known: IndexStatus, seal: str | None, is_torn: bool) -> str:
    """What is there of an index.

    Parameters
    ----------
    known
        Its status.
    seal
        That of the record of its last attempt; None where there is none that can be read.
    is_torn
        Whether there is one that cannot.
    """
    if known.damage or (seal is None and is_torn):
        return known.damage or TORN
    if not known.state.is_final:
        return WAITING
    if seal is not None:
        return seal
    never_started = known.state is State.UPSTREAM_FAILED or (known.state is State.CANCELLED and not known.attempt)
    return NOT_RUN if never_started else MISSING


def files_apart(catalog: Catalog, last: Mapping[tuple[str, int], int]) -> list[Apart]:
    """The files that are not the record of an index's last attempt.

    Parameters
    ----------
    catalog
        All files.
    last
        (Array job, index) → its last attempt.
    """
    there = {
        (place_of(name)[0], index, place_of(name)[2])
        for name, known in catalog.files.items()
        if catalog.is_own(name, known)
        for index in known.states or [place_of(name)[1]]
    }
    found = []
    for name, known in catalog.files.items():
        array, index, attempt = place_of(name)
        if catalog.is_own(name, known):
            for one in known.states or [index]:
                if attempt < last.get((array, one), 0):
                    text = f"attempt {last[array, one]} came after it"
                    found.append(Apart(STALE, array, one, attempt, name, text))
            continue
        run, its_array, its_index, its_attempt = known.says
        of_run = run == catalog.run_id
        copies = [
            one for one in ([its_index] if its_index >= 0 else known.states) if (its_array, one, its_attempt) in there
        ]
        if of_run and copies:
            text = f"{its_array}[{format_ranges(copies)}] has another record of attempt {its_attempt}"
            found.append(Apart(DUPLICATE, its_array, copies[0], its_attempt, name, text))
        else:
            found.append(Apart(FOREIGN, array, index, attempt, name, _why(catalog, name, known.says)))
    return found


def _why(catalog: Catalog, name: str, says: tuple[str, str, int, int]) -> str:
    run, array, index, attempt = says
    if not run:
        return "it is no record"
    if run != catalog.run_id:
        return f"it is of run {run}"
    place, named, of = place_of(name)
    if (place, named, of) == (array, index, attempt):
        return f"the run has no {array}[{index}]"
    return f"it says that it is attempt {attempt} of {array}[{index}]"


def summary(kinds: Iterable[str], apart: Iterable[Apart]) -> dict[str, int]:
    """How many there are of each kind."""
    counts = Counter(kinds)
    beside = Counter(one.kind for one in apart if one.kind in OF_FILES)
    return {
        EXPECTED: counts.total(),
        **{kind: counts[kind] for kind in OF_INDICES},
        **{kind: beside[kind] for kind in OF_FILES},
    }


def to_table(apart: Iterable[Apart]) -> Table:
    """The list as a table."""
    listed = list(apart)
    names = ("kind", "array", "index", "attempt", "path", "why")
    return Table.of({name: [getattr(one, name) for one in listed] for name in names})


def to_document(table: Table) -> dict[str, list[dict[str, Any]]]:
    """Kind → array job, index ranges, why, and paths, as JSON has them."""
    groups: dict[str, dict[tuple[str, str], tuple[list[int], list[str]]]] = {}
    for kind, array, index, path, why in zip(
        *(table[name] for name in ("kind", "array", "index", "path", "why")), strict=True
    ):
        indices, paths = groups.setdefault(kind, {}).setdefault((array, why), ([], []))
        if index >= 0:
            indices.append(index)
        if path:
            paths.append(path)
    return {
        kind: [
            {"array": array, "indices": format_ranges(sorted(set(indices))), "why": why, "paths": paths}
            for (array, why), (indices, paths) in groups[kind].items()
        ]
        for kind in _LISTED
        if kind in groups
    }
