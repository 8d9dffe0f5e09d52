"""Hands the array jobs of a plan to a virtual cluster, as the submitter does it: what fits, and the rest by and by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from sciflow.model.plan import ArrayJob, Plan
from sciflow.run.follow import LONGEST
from sciflow.run.parts import spread
from sciflow.run.submit import what_fits
from sciflow.run.terms import Terms
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.jobs import Index, Job
from sciflow.schedulers.fake.request import Condition, Dependency, Order, Request
from sciflow.simulation.throttles import Throttles

_USER = "you"
Asks = Callable[[ArrayJob], Request]
Group = tuple[datetime | None, tuple[Job, ...], Sequence[int]]  # when it was to begin, what it waits for, and which


@dataclass
class Link:
    """One link of an array job; the only one of those that are no chain.

    Attributes
    ----------
    array, number
        Of which array job, and which of its links: they count from 1.
    left
        The scheduler's indices that have not been handed over.
    jobs
        What was handed over, in order.
    job_of
        The job in which each index is.
    ahead
        The jobs of those that run ahead of the others.
    """

    array: ArrayJob
    number: int
    left: list[int] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    job_of: list[Job | None] = field(default_factory=list)
    ahead: list[Job] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.left = list(range(self.array.elements))
        self.job_of = [None] * self.array.elements


class Submitter:
    """Somebody who looks after a run: submits at once what the site takes, and more when something has ended.

    Parameters
    ----------
    plan, terms
        What is submitted, and what the site takes.
    cluster
        Where.
    asks
        An array job → what one of its indices asks for.
    throttles
        How many of an array job run at once; by default what the site takes.
    """

    def __init__(
        self, plan: Plan, terms: Terms, cluster: VirtualCluster, asks: Asks, throttles: Throttles | None = None
    ) -> None:
        self.plan = plan
        self.terms = terms
        self.cluster = cluster
        self.links = {
            (array.name, number): Link(array, number) for array in plan.arrays for number in range(1, array.links + 1)
        }
        self.open = sum(len(link.left) for link in self.links.values())
        self._left = self.open
        self._asks = asks
        self._throttles = throttles or Throttles(terms.limits)
        self._is_looking = False
        cluster.listeners.append(self._hear)
        self._wait_for_change()

    @property
    def is_done(self) -> bool:
        """Whether all has ended."""
        return not self.open

    def feed(self) -> None:
        """Submit what can be submitted now."""
        self._is_looking = False
        waiting: set[str] = set()
        most = self.terms.limits.submitted_indices
        room = None if most is None else max(0, most - self.cluster.users.by_name[_USER].queued)
        for (name, number), link in self.links.items():
            if name in waiting or not link.left:
                continue
            if number == 1 and any(one.array in waiting for one in link.array.after):
                waiting.add(name)  # it would not wait for what is not there yet
                continue
            taken = what_fits(link.left, room, self.terms.limits)
            if len(taken) < len(link.left):
                waiting.add(name)
            room = None if room is None else room - len(taken)
            del link.left[: len(taken)]
            self._left -= len(taken)
            self._submit(link, taken)

    def _hear(self, what: str, index: Index) -> None:
        if what != "ended" or index.job.user != _USER:
            return
        self.open -= 1
        if self._left and not self._is_looking:
            self._is_looking = True
            self.cluster.clock.after(LONGEST, self.feed)

    def _wait_for_change(self) -> None:
        change = self._throttles.change(self.cluster.clock())
        if change is not None:
            self.cluster.clock.at(change, self._change)

    def _change(self) -> None:
        """Give what is in the queue the throttles of another time of day."""
        if self.is_done:
            return
        for link in self.links.values():
            throttle = self._throttles.at(link.array, self.cluster.clock())
            for job in link.jobs:
                if job.request.throttle != throttle:
                    self.cluster.alter(job, replace(job.request, throttle=throttle))
        self._wait_for_change()

    def _submit(self, link: Link, elements: Sequence[int]) -> None:
        canaries = self.terms.canaries
        if link.number == 1 and len(elements) == link.array.elements and 0 < 2 * canaries < len(elements):
            first = spread(canaries, len(elements))
            for _, twins, some in self._by_twins(link, first, is_ahead=True):
                begin = self._begin(link.array, link.array.begin)
                link.ahead.append(self._hand_over(link, some, self._whole(link.array), begin, twins))
            elements = [one for one in elements if one not in set(first)]
        whole = [*self._whole(link.array), *link.ahead] if link.number == 1 else []
        for planned, twins, some in self._by_twins(link, elements):
            self._hand_over(link, some, whole, self._begin(link.array, planned), twins)

    def _by_twins(self, link: Link, elements: Sequence[int], is_ahead: bool = False) -> Iterator[Group]:
        """Elements by when they begin, and the jobs of which they wait for the same index."""
        if link.number > 1:
            before = [self.links[link.array.name, link.number - 1]]
        else:
            before = [self._last_link(one.array) for one in link.array.after if one.kind == "element"]
        groups: dict[tuple[datetime | None, tuple[int, ...]], tuple[datetime | None, tuple[Job, ...], list[int]]] = {}
        for element in elements:
            begin = link.array.begin if is_ahead else link.array.begin_of(element)
            jobs = tuple(job for one in before if (job := one.job_of[element]) is not None)
            groups.setdefault((begin, tuple(job.order for job in jobs)), (begin, jobs, []))[2].append(element)
        yield from groups.values()

    def _whole(self, array: ArrayJob) -> list[Job]:
        return [job for one in array.after if one.kind == "whole" for job in self._last_link(one.array).jobs]

    def _last_link(self, name: str) -> Link:
        return self.links[name, self.plan.array(name).links]

    def _hand_over(
        self,
        link: Link,
        elements: Sequence[int],
        whole: Sequence[Job],
        begin: datetime | None,
        twins: Sequence[Job],
    ) -> Job:
        conditions = [Condition("aftercorr", job.id) for job in twins] + [
            Condition("afterany", job.id) for job in whole
        ]
        request = replace(
            self._asks(link.array),
            name=f"{link.array.name}.{link.number}",
            indices=tuple(elements),
            throttle=self._throttles.at(link.array, self.cluster.clock()),
            begin=begin.timestamp() if begin else 0.0,
        )
        waits = Dependency(tuple(conditions))
        job = self.cluster.submit(Order(request, Path(request.name), Path("/"), waits, user=_USER))
        link.jobs.append(job)
        for element in elements:
            link.job_of[element] = job
        return job

    def _begin(self, array: ArrayJob, planned: datetime | None) -> datetime | None:
        later = self.terms.begin(array, planned, self.cluster.clock())
        return array.begin if later is None else datetime.fromtimestamp(later, timezone.utc)
