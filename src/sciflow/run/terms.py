"""On what terms array jobs are submitted: what the site takes, when they may begin, and how much of them at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.profile import Limits
from sciflow.run.manners import Conduct
from sciflow.run.parts import Part
from sciflow.run.portions import Key, Portion
from sciflow.run.status import RunStatus
from sciflow.schedulers.base import QueueScheduler
from sciflow.store.layout import RunDirectory
from sciflow.store.submitted import Throttle

Connect = Callable[[Sequence[int]], QueueScheduler]


@dataclass(frozen=True)
class Terms:
    """On what terms array jobs are submitted.

    Attributes
    ----------
    limits
        What the site takes.
    canaries
        How many elements of each array job run ahead of the others.
    reserved
        How many of the indices that the site takes are left for jobs that tend the run.
    begin
        Array job, when some of its elements were planned to begin, and present time → when these may begin, if that
        is another time than its script says.
    conduct
        How the run behaves towards others; None where nothing was said of that.
    replan
        What is known of a run, and present time → its plan, with new start times where some were missed.
    """

    limits: Limits = field(default_factory=Limits)
    canaries: int = 0
    reserved: int = 0
    begin: Callable[[ArrayJob, datetime | None, float], float | None] = lambda _array, _planned, _now: None
    conduct: Conduct | None = None
    replan: Callable[[RunStatus, float], Plan] = lambda status, _now: status.plan


def portions_now(
    run: RunDirectory, status: RunStatus, scheduler: QueueScheduler | None, now: float, terms: Terms
) -> dict[Key, Portion]:
    """How much of what there is may run at once; the cluster is asked for its load where somebody can be asked."""
    if terms.conduct is None:
        return {}
    load = terms.conduct.look(run, scheduler, now, []) if scheduler is not None else None
    return terms.conduct.portions(run, status, load, now)


@dataclass(frozen=True)
class Given:
    """On what terms one part is submitted, now."""

    terms: Terms
    portions: dict[Key, Portion]
    now: float

    def begin(self, part: Part) -> float | None:
        """When it may begin, where that is another time than its script says."""
        return self.terms.begin(part.array, part.begin, self.now)

    def noted_begin(self, part: Part) -> float | None:
        """When it may begin, where its throttle depends on that."""
        if self.terms.conduct is None or part.begin is None:
            return None
        begin = self.begin(part) or part.begin.timestamp()
        return begin if begin > self.now and self.terms.conduct.profile.keeps_start_times else None

    def throttle(self, part: Part) -> Throttle:
        """How much of it may run at once: its part of what all that is submitted together may."""
        portion = self.portions.get((part.array.name, "", part.begin))
        if portion is None or portion.at_once is None:
            return Throttle()
        count = len(part.elements)
        most = portion.at_once if count >= portion.need else max(1, portion.at_once * count // portion.need)
        return Throttle(most, portion.why, portion.until) if most < count else Throttle()
