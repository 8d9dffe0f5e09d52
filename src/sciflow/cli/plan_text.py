"""A plan in words: its array jobs, and what they cost and when they end at the earliest."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sciflow.cli.output import table
from sciflow.cli.waves import begins, wave_rows, zone_of_start_times
from sciflow.model.cost import format_amount, total
from sciflow.model.units import format_duration
from sciflow_shim.files import format_ranges

if TYPE_CHECKING:
    from sciflow.model.plan import ArrayJob, Plan
    from sciflow.planning.earliest import Earliest

_MOST_ARRAYS = 4  # of a task, until those that ask for the same are shown as one
_MOST_CUT = 6  # array jobs that begin in waves, of which each wave has a line
_NARROWEST = 16  # characters of a folded column
_HOUR = 3600
_NO_BREAK = "\N{NO-BREAK SPACE}"


def plan_text(plan: Plan, earliest: Earliest) -> str:
    """Say what a plan does, what it costs, and when its array jobs begin and end at the earliest."""
    lines = [plan.describe(), "", _arrays(plan), ""]
    if any(array.resources.runtime_seconds for array in plan.arrays):
        lines += [_costs(plan, earliest), ""]
    lines += _totals(plan)
    lines += [f"warning: {text}" for text in plan.warnings]
    lines += [f"note: {text}" for text in plan.notes]
    return "\n".join(lines)


def rows_of(plan: Plan) -> list[list[ArrayJob]]:
    """The array jobs that are shown as one: neighbours of a task that ask for the same, where the task has many."""
    found: list[list[ArrayJob]] = []
    for _, arrays in groupby(plan.arrays, key=lambda one: one.task):
        mine = list(arrays)
        if len(mine) <= _MOST_ARRAYS:
            found += [[one] for one in mine]
        else:
            found += [list(same) for _, same in groupby(mine, key=_request)]
    return found


def _request(array: ArrayJob) -> tuple[Any, ...]:
    kinds = {(one.array.rpartition(".")[0], one.kind) for one in array.after}
    alike = (array.options, array.pack, array.links, array.begin, array.waves, frozenset(kinds))
    return array.resources, array.together, bool(array.rides), *alike


def _name(arrays: Sequence[ArrayJob]) -> str:
    first, last = arrays[0].name, arrays[-1].name
    return first if len(arrays) == 1 else f"{first}-{last.rpartition('.')[2]}"


def _arrays(plan: Plan) -> str:
    rows = []
    shown = rows_of(plan)
    is_room = sum(bool(arrays[0].waves) for arrays in shown) <= _MOST_CUT
    for arrays in shown:
        array = arrays[0]
        highest = max(one.elements for one in arrays) - 1
        indices = f"0-{highest}" if highest else "0"
        elements = sum(one.elements for one in arrays)
        count = f"{elements} × {array.pack}" if array.pack > 1 else elements
        times = [f"up to {array.links} times"] if array.links > 1 else []
        request = ", ".join([array.submitted_first.resources.describe(), *times, *array.options.described()])
        several = f"{len(arrays)} × {indices}" if len(arrays) > 1 else indices
        rows.append((_name(arrays), several, count, request, _after(arrays), begins(array, is_room)))
        rows += [("", *cells[:2], "", "", cells[2]) for cells in wave_rows(array, len(arrays))] if is_room else []
    header = ("array", "indices", "count", "request for each", "after", "begins")
    columns = len(header) if any(array.begin or array.waves for array in plan.arrays) else -1
    return folded(header[:columns], [row[:columns] for row in rows], (3, 4))


def _after(arrays: Sequence[ArrayJob]) -> str:
    """What array jobs wait for, or in whose indices they run; numbers of the same task together."""
    kinds = {"element": "same index", "whole": "all"}
    waits = [(one.array, kinds[one.kind]) for array in arrays for one in array.after if not array.rides]
    numbers: dict[tuple[str, str], set[int]] = {}
    for name, how in [*waits, *((array.rides, "in its indices") for array in arrays if array.rides)]:
        task, _, number = name.rpartition(".")
        numbers.setdefault((task, how), set()).add(int(number))
    shown = (f"{task}.{format_ranges(sorted(found))} ({how})" for (task, how), found in numbers.items())
    return ", ".join(shown) or "-"


def _costs(plan: Plan, earliest: Earliest) -> str:
    """What array jobs cost, and when they begin and end at the earliest."""
    has_gpus = plan.cost.gpu_hours > 0
    zone = zone_of_start_times(plan)

    def moment(one: datetime | None, at_once: str = "at once") -> str:
        if one is None:
            return "?"
        if zone is not None:
            return one.astimezone(zone).strftime("%Y-%m-%d %H:%M")
        seconds = (one - earliest.now).total_seconds()
        return f"in {_taken(seconds)}" if seconds > 0 else at_once

    def row(name: str, arrays: Sequence[ArrayJob]) -> tuple[str, ...]:
        cost, span = total(array.cost for array in arrays), earliest.of(array.name for array in arrays)
        hours = [cost.core_hours, *([cost.gpu_hours] if has_gpus else []), cost.memory_gb_hours]
        is_known = cost.core_hours or all(array.rides for array in arrays)  # what is fused counts with its job
        shown = [format_amount(one) if one else "-" if is_known else "?" for one in hours]
        return (name, *shown, moment(span.start), moment(span.end))

    rows = [row(_name(arrays), arrays) for arrays in rows_of(plan)]
    if len(rows) > 1:
        rows.append(row("all", plan.arrays))
    hours = ("core-hours", "GPU-hours", "GB·h") if has_gpus else ("core-hours", "GB·h")
    return "\n".join(
        [
            "at the earliest: each runs as long as it asks for, and none waits in the queue",
            table(*_to_the_right(("array", *hours, "starts", "ends"), rows, range(1, len(hours) + 1))),
        ]
    )


def _to_the_right(
    header: Sequence[str], rows: Sequence[Sequence[str]], columns: Iterable[int]
) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """Header and rows with amounts such as ``1,440`` at the right of their columns."""
    widths = {column: max(len(row[column]) for row in (header, *rows)) for column in columns}
    aligned = [[cell.rjust(widths.get(i, 0)) for i, cell in enumerate(row)] for row in (header, *rows)]
    return aligned[0], aligned[1:]


def _taken(seconds: float) -> str:
    """Seconds for people; nobody plans a day by seconds."""
    return format_duration(round(seconds / 60) * 60 if seconds >= _HOUR else seconds)


def _totals(plan: Plan) -> Iterator[str]:
    cost = plan.cost
    if not cost.core_hours:
        yield "core-hours are not known: no task asks for a runtime"
        return
    gpus = [f"{format_amount(cost.gpu_hours)} GPU-hours"] if cost.gpu_hours else []
    memory = [f"{format_amount(cost.memory_gb_hours)} GB·h of memory"] if cost.memory_gb_hours else []
    yield f"requested at most: {', '.join([f'{format_amount(cost.core_hours)} core-hours', *gpus, *memory])}"
    unsaid = sorted({array.task for array in plan.arrays if not array.resources.runtime_seconds})
    if unsaid:
        yield f"(without {', '.join(unsaid)}, which ask for no runtime)"


def folded(header: Sequence[str], rows: Sequence[Sequence[Any]], flexible: Sequence[int]) -> str:
    """A table no wider than the terminal, where its flexible columns can be folded after their commas for that."""
    most = shutil.get_terminal_size().columns
    text = table(header, rows)
    widest = max((len(str(row[column])) for row in rows for column in flexible), default=0)
    while max(map(len, text.splitlines())) > most and widest > _NARROWEST:
        widest -= 1
        text = table(header, [line for row in rows for line in _folded(row, flexible, widest)])
    return text


def _folded(row: Sequence[Any], flexible: Sequence[int], width: int) -> Iterator[Sequence[Any]]:
    cells = {column: _pieces(str(row[column]), width) for column in flexible}
    yield [cells[column][0] if column in cells else value for column, value in enumerate(row)]
    for number in range(1, max(map(len, cells.values()))):
        yield [
            cells[column][number] if column in cells and number < len(cells[column]) else ""
            for column in range(len(row))
        ]


def _pieces(text: str, width: int) -> list[str]:
    """A text cut after commas into pieces of a width, as far as these allow it."""
    kept = text.replace(", ", ",\n").replace(" ", _NO_BREAK).replace(f"{_NO_BREAK}(", " (").replace("\n", " ")
    pieces = textwrap.wrap(kept, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return [piece.replace(_NO_BREAK, " ") for piece in pieces] or [""]
