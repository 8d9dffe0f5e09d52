"""What a plan makes of what was done before, in words: `plan --against`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sciflow.cli.output import table
from sciflow.model.cost import format_amount
from sciflow.run.changes import Fate
from sciflow_shim.files import format_ranges

if TYPE_CHECKING:
    from sciflow.run.changes import Changes, TaskChanges
    from sciflow.run.due import Due

_ALWAYS = (Fate.DONE, Fate.NEW, Fate.AGAIN)
_GATHERING = 3  # reasons that are told of a task


def changes_text(changes: Changes, due: Due, verb: str, with_ranges: bool) -> str:
    """Say what becomes of each task, and why of what is run again.

    Parameters
    ----------
    changes, due
        What is compared, and what a submission would ask for.
    verb
        That which would do it: ``run`` or ``submit``.
    with_ranges
        Whether it says which instances are meant.
    """
    shown = [fate for fate in Fate if fate in _ALWAYS or changes.count(fate)]
    rows = [[one.task, *(one.count(fate) for fate in shown)] for one in changes.tasks]
    if len(rows) > 1:
        rows.append(["all", *(changes.count(fate) for fate in shown)])
    ours = f"goes on with run {changes.continued.run_id}" if changes.continued else "makes a new run"
    lines = [
        f"against run {changes.against.run_id}: {changes.describe() or 'nothing to do'}; `sciflow {verb}` {ours}",
        "",
        table(("task", *(fate.value for fate in shown)), rows),
        "",
        *(line for one in changes.tasks for line in _reasons(one)),
        *(line for one in changes.tasks for line in _ranges(one) if with_ranges),
        *_asked(due),
    ]
    if changes.note:
        lines.append(f"note: {changes.note}")
    if changes.count(Fate.FAILED):
        lines.append("what has failed stays so: `sciflow retry` tries it again")
    return "\n".join(lines)


def _reasons(one: TaskChanges) -> Iterator[str]:
    """Why instances of a task are run again; how many for each reason, where there are several."""
    if one.why:
        found = sorted(one.why.items(), key=lambda pair: -pair[1])
        several = len(found) > 1
        said = [f"{why} ({count:,})" if several else why for why, count in found[:_GATHERING]]
        yield f"{one.task} again: {'; '.join(said)}{'; …' if len(found) > _GATHERING else ''}"


def _ranges(one: TaskChanges) -> Iterator[str]:
    said = [f"{fate.value} {format_ranges(sorted(one.instances[fate]))}" for fate in Fate if one.count(fate)]
    if said:
        yield f"{one.task}: {'; '.join(said)}"


def _asked(due: Due) -> Iterator[str]:
    cost = due.cost
    if cost.core_hours:
        gpus = f", {format_amount(cost.gpu_hours)} GPU-hours" if cost.gpu_hours else ""
        memory = f", {format_amount(cost.memory_gb_hours)} GB·h of memory" if cost.memory_gb_hours else ""
        yield f"what is left asks for at most {format_amount(cost.core_hours)} core-hours{gpus}{memory}"
        if due.unsaid:
            yield f"(without {', '.join(sorted(due.unsaid))}, which ask for no runtime)"
