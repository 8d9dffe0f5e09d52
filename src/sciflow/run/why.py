"""Why what waits of a run waits: for the scheduler, or for something of sciflow's own; what binds, and what helps."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sciflow.errors import SciflowError
from sciflow.model.plan import ArrayJob
from sciflow.model.state import State
from sciflow.run.own_reasons import Site, Waiting, own_facts
from sciflow.run.status import RunStatus
from sciflow.run.variants import read_variant
from sciflow.run.what_helps import tried
from sciflow.schedulers.base import QueueScheduler
from sciflow.schedulers.reasons import Reason
from sciflow.schedulers.waiting import Explainer, Explains, Outlook, Standing
from sciflow.store.layout import RunDirectory
from sciflow_shim.files import HELD_BACK, format_ranges

_SUBMITS = "`sciflow status --watch`, `sciflow tend` or the same `sciflow submit …`"


@dataclass
class Explanation:
    """Why what waits of a run waits.

    Attributes
    ----------
    groups
        What waits, and what was cancelled.
    estimates
        What is to be known of the estimated starts; empty where there are none.
    notes
        What could not be found out.
    """

    groups: list[Waiting] = field(default_factory=list)
    estimates: str = ""
    notes: list[str] = field(default_factory=list)


def explain(
    run: RunDirectory,
    status: RunStatus,
    scheduler: QueueScheduler | None,
    site: Site,
    now: float,
    places: Mapping[str, Iterable[int]] | None = None,
) -> Explanation:
    """Say why what waits waits.

    Parameters
    ----------
    run, status
        The run, and what is known of it.
    scheduler
        Who has its jobs; None for a run on this machine.
    site
        The profile and the policies of the run.
    now
        Seconds since the epoch.
    places
        Array job → indices, where only some are meant.
    """
    done = Explanation(notes=list(status.notes))
    chosen = None if places is None else {array: set(indices) for array, indices in places.items()}
    known = _by_reason(status, chosen)
    jobs = {job: array for array, job, _ in known if job}
    explainer = scheduler.explainer() if jobs and isinstance(scheduler, Explains) else None
    outlook = _look(explainer, run, status, jobs, done)
    for (name, job, text), indices in known.items():
        array = status.plan.array(name)
        done.groups += _refined(run, status, array, job, text, indices, outlook)
    for group in done.groups:
        group.zone = site.zone(group.task)
        group.facts = list(dict.fromkeys([*own_facts(run, status, group, site), *group.facts]))
        group.start = group.start or _planned(status, group, now)
    if explainer is not None:
        _try_out(run, status, explainer, site, now, done, outlook)
    return done


def _by_reason(status: RunStatus, chosen: Mapping[str, set[int]] | None) -> dict[tuple[str, str, str], list[int]]:
    """(Array job, job, reason) → the indices that wait, or were cancelled."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for array in status.plan.arrays:
        for index, one in status.indices[array.name].items():
            if one.state not in (State.PENDING, State.CANCELLED) or (
                chosen is not None and index not in chosen.get(array.name, ())
            ):
                continue
            submitted = status.submissions.round_of(array.name, array.element(index), index)
            job = submitted.last_job if submitted is not None and one.is_waiting else ""
            text = one.reason or "nobody has been told to run it yet"
            found.setdefault((array.name, job, text), []).append(index)
    return found


def _look(
    explainer: Explainer | None, run: RunDirectory, status: RunStatus, jobs: Mapping[str, str], done: Explanation
) -> Outlook:
    if explainer is None:
        if jobs:
            done.notes.append("the scheduler of this run cannot be asked why something waits")
        return Outlook()
    first = _as_submitted(run, status, next(iter(jobs)), status.plan.array(next(iter(jobs.values()))))
    try:
        outlook = explainer.look(set(jobs), first.resources)
    except SciflowError as error:
        done.notes.append(f"the scheduler does not tell more: {error.message}")
        return Outlook()
    done.notes += outlook.notes
    return outlook


def _as_submitted(run: RunDirectory, status: RunStatus, job: str, array: ArrayJob) -> ArrayJob:
    """An array job under the request with which one of its jobs was submitted."""
    variant = next((one.variant for one in status.submissions.of_array(array.name) if one.job == job), "")
    return read_variant(run, array, variant) if variant else array


def _refined(
    run: RunDirectory,
    status: RunStatus,
    array: ArrayJob,
    job: str,
    text: str,
    indices: list[int],
    outlook: Outlook,
) -> list[Waiting]:
    """A group, cut by what the scheduler says now of each of its indices."""
    groups: dict[str, Waiting] = {}
    for index in indices:
        element = array.element(index)
        standing = next((one for one in outlook.standings if _is_of(one, job, element)), None)
        code = standing.code if standing is not None else ""
        reason = standing.reason if standing is not None else Reason(text)
        group = groups.setdefault(code, Waiting(array.name, array.task, [], job, code, reason))
        group.indices.append(index)
        if element not in group.elements:
            group.elements.append(element)
        if standing is not None:
            group.start, group.is_array = standing.start, bool(standing.indices)
            group.facts = [*([reason.detail] if reason.detail else []), *outlook.facts.get((job, code), [])]
    for group in groups.values():
        group.reason = _advised(run, status, group)
    return list(groups.values())


def _is_of(standing: Standing, job: str, element: int) -> bool:
    return standing.job == job and bool(job) and (not standing.indices or element in standing.indices)


def _advised(run: RunDirectory, status: RunStatus, group: Waiting) -> Reason:
    """The reason of a group, whose advice can be typed as it stands there."""
    reason = group.reason if group.code else replace(group.reason, advice=_advice(run, status, group))
    of_job = next((one for one in status.submissions.of_array(group.array) if group.job and one.job == group.job), None)
    return reason.advise(
        job=group.job,
        waiting=group.queued,
        count=str(len(of_job.indices) if of_job is not None else len(group.elements)),
        run=run.name_here,
        index=f"{group.array}[{group.indices[0]}]",
    )


def _advice(run: RunDirectory, status: RunStatus, group: Waiting) -> str:
    one = status.indices[group.array][group.indices[0]]
    if one.state is State.CANCELLED:
        which = f"--indices {shlex.quote(f'{group.array}[{format_ranges(group.indices)}]')}"
        is_held = one.error.startswith(HELD_BACK)
        return f"`sciflow retry {run.name_here} {'--release' if is_held else which}` lets it run after all"
    if not status.is_queued:
        return "the same `sciflow run …` or `sciflow submit …` goes on with it"
    return "" if one.is_waiting else f"{_SUBMITS} goes on with it"


def _planned(status: RunStatus, group: Waiting, now: float) -> float | None:
    array = status.plan.array(group.array)
    planned = [begin.timestamp() for element in group.elements if (begin := array.begin_of(element)) is not None]
    return min((one for one in planned if one > now), default=None)


def _try_out(
    run: RunDirectory,
    status: RunStatus,
    explainer: Explainer,
    site: Site,
    now: float,
    done: Explanation,
    outlook: Outlook,
) -> None:
    """Try other requests for the largest group that waits for room or for a limit: more questions would be too many."""
    groups = [group for group in done.groups if group.job and _may_change(group)]
    if not groups:
        return
    group = max(groups, key=lambda one: len(one.indices))
    array = _as_submitted(run, status, group.job, status.plan.array(group.array))
    found = tried(run, status, array, group.elements[0], explainer, site.profile, outlook, now)
    group.tried, done.estimates = found.rows, explainer.estimates if found.rows else ""
    done.notes += found.notes


def _may_change(group: Waiting) -> bool:
    """Whether another request could start sooner."""
    return group.code.split(",")[0] in ("Priority", "Resources", "None", "ReqNodeNotAvail") or (
        group.reason.limit is not None or group.reason.text.startswith(("waits for free", "waits for its turn"))
    )
