"""What a submission now asks for: of a run that goes on, only what no scheduler has yet and is not done."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sciflow.model.cost import Cost, cost_of, total
from sciflow.model.plan import Plan
from sciflow.model.profile import ClusterProfile
from sciflow.model.state import State
from sciflow.run.status import RunStatus, untouched
from sciflow.run.submit import to_submit
from sciflow.run.terms import Terms
from sciflow.run.track import observe
from sciflow.schedulers.base import QueueScheduler
from sciflow.store.layout import RunDirectory


@dataclass(frozen=True)
class Due:
    """What a submission now asks for.

    Attributes
    ----------
    cost
        Of all that asks for a runtime.
    unsaid
        The tasks that ask for none.
    """

    cost: Cost
    unsaid: tuple[str, ...] = ()

    def above(self, profile: ClusterProfile) -> str:
        """Say what of it the profile does not want to be submitted without being asked; empty for nothing."""
        cap = profile.ask_above
        found = list(cap.exceeded(self.cost))
        if self.unsaid and cap.needs_runtimes:
            tasks = ", ".join(f"`{task}`" for task in self.unsaid)
            found.append(f"hours that nobody knows, since {tasks} {'ask' if len(self.unsaid) > 1 else 'asks'} for none")
        where = f"(`ask_above` of profile `{profile.name}`)"
        return f"this asks for {', and for '.join(found)} {where}" if found else ""


def not_done(plan: Plan, done: Collection[tuple[str, int]]) -> RunStatus:
    """The status of a new run, of which some places are taken over from earlier ones."""
    status = untouched(plan)
    for array, index in done:
        status.indices[array][index].state = State.COMPLETED
    return status


def due_here(plan: Plan, done: Collection[tuple[str, int]]) -> Due:
    """What is asked for of this machine by all that is not done."""
    status = not_done(plan, done)
    left = [
        array
        for array in plan.arrays
        for one in status.indices[array.name].values()
        if one.state is not State.COMPLETED
    ]
    unsaid = dict.fromkeys(array.task for array in left if not array.resources.runtime_seconds)
    return Due(total(cost_of(array.resources, array.links) for array in left), tuple(unsaid))


def due(
    run: RunDirectory | None, plan: Plan, done: Collection[tuple[str, int]], scheduler: QueueScheduler, terms: Terms
) -> Due:
    """What a submission hands to a scheduler.

    Parameters
    ----------
    run
        The run that goes on; None for a new one.
    plan, done
        What is to be done, and the places that are done.
    scheduler, terms
        Who cuts it into parts, which are not submitted, and on what terms.
    """
    status = observe(run, plan) if run is not None else not_done(plan, done)
    cost = Cost()
    unsaid: dict[str, None] = {}
    for part, _ in to_submit(run or RunDirectory("RUN"), status, scheduler, terms):
        cost += cost_of(part.array.resources, len(part.elements))
        if not part.array.resources.runtime_seconds:
            unsaid[part.array.task] = None
    return Due(cost, tuple(unsaid))
