"""Intents: what is noted before a scheduler is called, and what became of those that were cut off."""

from __future__ import annotations

from typing import Any

from sciflow.run.manners import document
from sciflow.run.parts import Part
from sciflow.run.status import RunStatus
from sciflow.schedulers.base import QueueScheduler
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.submissions import INTENT, SUBMITTED, TEND
from sciflow.store.submitted import Submitted
from sciflow_shim import files


def open_intent(status: RunStatus, part: Part) -> Submitted | None:
    """A submission of the same that was cut off or refused, and has reached no scheduler."""
    wanted = (part.array.name, frozenset(part.elements), part.variant, part.link)
    same = (one for one in status.submissions.open if (one.array, one.indices, one.variant, one.link) == wanted)
    return next(same, None)


def intended(run: RunDirectory, status: RunStatus, part: Part, now: float) -> Submitted:
    """A new submission of a part, as it is noted before the scheduler is called."""
    name = f"{part.array.name}.{run.run_id}.{len(status.submissions.by_name) + 1}"
    elements = frozenset(part.elements)
    return Submitted(
        part.array.name,
        name,
        elements,
        now,
        variant=part.variant,
        link=part.link,
        is_ahead=part.is_ahead,
        riders=part.array.carries,
    )


def event_of(one: Submitted) -> dict[str, Any]:
    """The event of the journal that notes an intent."""
    return {
        "event": INTENT,
        "array": one.array,
        "name": one.name,
        "indices": files.format_ranges(sorted(one.indices)),
        **({"variant": one.variant} if one.variant else {}),
        **({"link": one.link} if one.link > 1 else {}),
        **({"is_ahead": True} if one.is_ahead else {}),
        **({"riders": list(one.riders)} if one.riders else {}),
        **({} if one.begin is None else {"begin": one.begin}),
        **document(one.throttle),
    }


def resolve(status: RunStatus, scheduler: QueueScheduler, journal: Journal) -> list[str]:
    """Find out what became of intents without a job id: by their names, and by the records that jobs have left."""
    names = {one.name: one.since for one in status.submissions.open}
    if not names:
        return []
    found = _by_records(status)
    left = {name: since for name, since in names.items() if name not in found}
    found |= scheduler.find(left) if left else {}
    for name, job in found.items():
        array = status.submissions.by_name[name].array
        journal.commit({"event": SUBMITTED, "array": array, "name": name, "job": job})
    return list(found.values())


def _by_records(status: RunStatus) -> dict[str, str]:
    """Name → job id, of open intents whose indices have records of jobs that the journal does not know of."""
    known = status.submissions.jobs
    found: dict[str, str] = {}
    for one in status.submissions.open:
        if one.array == TEND:  # it leaves no records
            continue
        array = status.plan.array(one.array)
        for index in (index for element in one.indices for index in array.of_element(element)):
            record = status.indices[one.array][index].record
            if record is not None and record.job and record.job not in known:
                found[one.name] = record.job
    return found
