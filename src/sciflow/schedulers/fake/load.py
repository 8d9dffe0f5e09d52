"""Other users of the cluster: they come by day and by night, with jobs of all sizes, and start before you do.

What is drawn follows what is known of real sites: many short and narrow jobs, few long and wide ones, walltimes that
are asked for too generously, and fewer arrivals at night and on Saturdays and Sundays.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sciflow.schedulers.fake.jobs import Index
from sciflow.schedulers.fake.request import Order, Refused, Request

if TYPE_CHECKING:
    from sciflow.schedulers.fake.body import Body
    from sciflow.schedulers.fake.cluster import VirtualCluster

HOUR, DAY = 3_600.0, 86_400.0
SCRIPT = Path("load.sh")
DRAWN = 2_000  # jobs from which it is told what one needs on average


@dataclass(frozen=True)
class Habits:
    """What other users do; times in seconds.

    Attributes
    ----------
    share
        The share of all cores that they would use on average if nobody else did; of what comes in a week.
    at_night
        What share of what comes by day comes at night, and on Saturdays and Sundays; from 20 to 8 o'clock UTC is night.
    cores
        How many cores a job asks for, and how often that is so compared with the others.
    memory_per_core
        Bytes of memory that it asks for, for each core.
    median, spread
        Half of all jobs run for longer; and by what factor the middle two thirds differ from that.
    generosity
        The walltime is up to so many times the runtime.
    narrow, width
        What share of jobs has one index, and how many the others have at most.
    users
        How many users there are.
    partitions
        The partitions into which they submit, all alike often.
    """

    share: float = 0.8
    at_night: float = 0.3
    cores: tuple[tuple[int, float], ...] = ((1, 6.0), (2, 2.0), (4, 2.0), (8, 1.0), (16, 1.0))
    memory_per_core: int = 2 << 30
    median: float = HOUR
    spread: float = 4.0
    generosity: float = 4.0
    narrow: float = 0.8
    width: int = 20
    users: int = 12
    partitions: tuple[str, ...] = ("",)


class Load:
    """Lets other users submit, by a seed, for ever or until some time.

    Parameters
    ----------
    cluster
        Where they submit.
    habits
        What they do.
    seed
        The same seed lets them do the same.

    Attributes
    ----------
    seconds
        How long the indices of each of their jobs run, by the place of the job among all submissions.
    refused
        How many of their jobs the cluster did not take.
    per_second
        How many jobs a second come by day.
    """

    def __init__(self, cluster: VirtualCluster, habits: Habits | None = None, seed: int = 0) -> None:
        self._cluster = cluster
        self.habits = habits or Habits()
        self._chance = random.Random(seed)  # noqa: S311 - no secret is drawn
        self.seconds: dict[int, float] = {}
        self.refused = 0
        self._until = math.inf
        self.per_second = self._rate_by_day()

    def begin(self, until: float = math.inf) -> None:
        """Let them come from now on."""
        self._until = until
        self._cluster.body = Beside(self._cluster.body, self)
        self._next()

    def warm_up(self, seconds: float) -> None:
        """Let them alone use the cluster for a while, so that it is as full as it usually is."""
        self._cluster.run(seconds=seconds)

    def submit(self) -> None:
        """Let one of them submit one job."""
        request, ran = self._draw(self._chance)
        user = int(request.name.removeprefix("load"))
        order = Order(request, SCRIPT, Path("/"), text="#!/bin/sh\n", user=f"user{user}", number=2000 + user)
        try:
            job = self._cluster.submit(order)
        except Refused:
            self.refused += 1
        else:
            self.seconds[job.order] = ran

    def rate(self, now: float) -> float:
        """How many jobs a second come at a time."""
        is_weekend = (now // DAY + 3) % 7 >= 5  # the epoch began on a Thursday
        is_day = 8 <= now % DAY / HOUR < 20 and not is_weekend
        return self.per_second * (1.0 if is_day else self.habits.at_night)

    def _draw(self, chance: random.Random) -> tuple[Request, float]:
        """What one job asks for, and how long each of its indices runs."""
        habits = self.habits
        sizes, weights = zip(*habits.cores, strict=True)
        cores = chance.choices(sizes, weights)[0]
        partition = chance.choice(habits.partitions)
        meant = self._cluster.rules.partition(partition)
        longest = meant.longest if meant is not None else DAY
        ran = min(chance.lognormvariate(math.log(habits.median), math.log(habits.spread)), longest)
        asked = min(longest, 60.0 * math.ceil(ran * chance.uniform(1.0, habits.generosity) / 60.0))
        width = 1 if chance.random() < habits.narrow else chance.randint(1, habits.width)
        user = chance.randrange(habits.users)
        request = Request(
            name=f"load{user}",
            indices=tuple(range(width)) if width > 1 else None,
            cores=cores,
            memory=cores * habits.memory_per_core,
            seconds=asked,
            partition=partition,
        )
        return request, ran

    def _rate_by_day(self) -> float:
        """How many jobs a second fill that share of the cores: by what many of them need on average."""
        chance = random.Random(0)  # noqa: S311 - no secret is drawn
        drawn = [self._draw(chance) for _ in range(DRAWN)]
        work = sum(one.cores * len(one.indices or (0,)) * seconds for one, seconds in drawn) / DRAWN
        cores = sum(node.cores for node in self._cluster.nodes.values())
        by_day = 5 / 14  # of all hours of a week
        return self.habits.share * cores / work / (by_day + (1 - by_day) * self.habits.at_night)

    def _next(self) -> None:
        """Draw the next arrival: as often as by day, of which some do not come at night."""
        if not self.per_second:
            return
        at = self._cluster.clock() + self._chance.expovariate(self.per_second)
        if at < self._until:
            self._cluster.clock.at(at, self._arrive, is_aside=True)

    def _arrive(self) -> None:
        if self._chance.random() * self.per_second < self.rate(self._cluster.clock()):
            self.submit()
        self._next()


class Beside:
    """A body whose jobs share the nodes with those of other users, which only take their time.

    Parameters
    ----------
    body
        What runs the other jobs.
    load
        The other users.
    """

    def __init__(self, body: Body, load: Load) -> None:
        self.body, self._load = body, load

    def start(self, cluster: VirtualCluster, index: Index) -> None:
        """Start an index."""
        seconds = self._load.seconds.get(index.job.order)
        if seconds is None:
            self.body.start(cluster, index)
            return
        run = index.run_of
        cluster.clock.after(seconds, lambda: cluster.is_current(index, run) and cluster.exited(index, 0))

    def stop(self, cluster: VirtualCluster, index: Index) -> None:
        """Let an index end."""
        if index.job.order not in self._load.seconds:
            self.body.stop(cluster, index)
            return
        run = index.run_of
        cluster.clock.after(1.0, lambda: cluster.is_current(index, run) and cluster.exited(index, 143))

    def kill(self, cluster: VirtualCluster, index: Index) -> None:
        """Let nothing be left of an index."""
        if index.job.order not in self._load.seconds:
            self.body.kill(cluster, index)

    def wait(self, cluster: VirtualCluster) -> bool:
        """Let what is real go on."""
        return self.body.wait(cluster)
