"""What has failed and why: failures of a kind together, what one of them printed last, and what to type."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sciflow.analysis.table import RunTable
from sciflow.errors import RunError
from sciflow.model.cause import Cause
from sciflow.model.state import State
from sciflow.report.text import plain, tail
from sciflow.run.causes import Failure, FailureGroup, classify, group
from sciflow.run.inspect import read_log
from sciflow.run.status import RunStatus
from sciflow.run.track import observe
from sciflow.store import sealed
from sciflow.store.layout import RunDirectory

MOST = 20  # kinds of failure
_READ = 32_768  # bytes of the end of a log
_RANGES = 400  # characters
# What was stopped, or held back by something else, has printed nothing that could be looked at.
_BY_OTHERS = (Cause.CANCELLED, Cause.HELD, Cause.UPSTREAM_FAILED)


@dataclass(frozen=True)
class FailureKind:
    """Failures of one task that have the same cause.

    Attributes
    ----------
    task, state, cause
        Which, and why.
    count, places
        How many, and which indices.
    error
        What they have in common, or an example.
    nodes
        On which nodes, with how many there.
    example
        The index whose log is shown; empty where none is.
    log
        The last lines of what that printed.
    is_shortened
        Whether it printed more.
    commands
        What to type.
    """

    task: str
    state: State
    cause: str
    count: int
    places: str
    error: str
    nodes: str = ""
    example: str = ""
    log: str = ""
    is_shortened: bool = False
    commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failures:
    """All kinds of failure of a run, the most frequent first.

    Attributes
    ----------
    kinds
        The first of them.
    more
        How many kinds there are besides.
    commands
        What to type about all of them.
    """

    kinds: tuple[FailureKind, ...] = ()
    more: int = 0
    commands: tuple[str, ...] = ()


def failures_of(results: RunTable) -> Failures:
    """The failures of a run, by its directory and by what was collected; no scheduler is asked."""
    run = results.run
    if not run.plan.is_file():
        return Failures()
    status = observe(run)
    found = classify(run, status)
    # Where only the results were kept, and no records, they alone tell what failed.
    found.update({place: one for place, one in _collected(results) if place not in found})
    groups = group(found, status.plan)
    if not groups:
        return Failures()
    kinds = tuple(_kind(run, status, one) for one in groups[:MOST])
    by_itself = any(one.cause not in _BY_OTHERS for one in groups)
    held = any(one.cause is Cause.HELD for one in groups)
    release = " --release" if held else ""
    commands = (f"sciflow retry {run.name_here}{release} -n",) if by_itself or held else ()
    return Failures(kinds, max(0, len(groups) - MOST), commands)


def _collected(results: RunTable) -> Iterator[tuple[tuple[str, int], Failure]]:
    table = results.tables.instances
    if not table.count:
        return
    names = ("array", "index", "state", "error_type", "error", "host")
    columns = (table[name] if name in table else [""] * table.count for name in names)
    for array, index, said, kind, error, host in zip(*columns, strict=True):
        state = State(said)
        if state.is_failure:
            upstream = state is State.UPSTREAM_FAILED
            cause = Cause.UPSTREAM_FAILED if upstream else Cause.APPLICATION_ERROR
            text = ": ".join(filter(None, (kind, (error or "").partition("\n")[0])))
            yield (array, index), Failure(cause, kind or "", text, host or "", state=state)


def _kind(run: RunDirectory, status: RunStatus, one: FailureGroup) -> FailureKind:
    array, indices = next(iter(one.places.items()))
    first = int(indices.partition(",")[0].partition("-")[0])
    log, is_shortened, commands = "", False, ()
    if one.cause not in _BY_OTHERS:
        log, is_shortened = tail(_log(run, status, array, first))
        commands = (f"sciflow logs {run.name_here} '{array}[{first}]'",)
    places = "; ".join(f"{name}[{found}]" for name, found in one.places.items())
    if len(places) > _RANGES:
        places = places[:_RANGES].rpartition(",")[0] + ",…"
    nodes = ", ".join(f"{node} ({count})" for node, count in list(one.nodes.items())[:5])
    shown = f"{array}[{first}]" if log else ""
    told = plain(_why(one), 1000)
    return FailureKind(
        one.task, one.state, one.cause.words, one.count, places, told, nodes, shown, log, is_shortened, commands
    )


def _why(one: FailureGroup) -> str:
    """What the failures of a group have in common, and where they differ an example."""
    if one.are_alike and one.error:
        return one.error
    example = f" (for example: {one.error})" if one.error and one.error != one.signature else ""
    return f"{one.signature}{example}"


def _log(run: RunDirectory, status: RunStatus, array: str, index: int) -> str:
    """The end of what the last attempt of an index printed; empty where it left nothing."""
    job, known = status.plan.array(array), status.indices[array][index]
    if job.pack > 1 or not known.attempt:
        try:
            found = read_log(run, array, index, None)
        except RunError:  # it has printed nothing, and why stands in the error
            return ""
        return f"{found.job_text}\n{found.text}".strip("\n")
    path = run.log(array, index, known.attempt)
    try:
        return _end(path)
    except FileNotFoundError:
        return (sealed.read_log(str(path)) or b"").decode(errors="replace")


def _end(path: Path) -> str:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _READ))
        return file.read().decode(errors="replace")
