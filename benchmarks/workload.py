"""Other users of a cluster, as workload models know them: they come by day more than by night, with jobs of all sizes.

Sizes, runtimes and the cycle of the day are those of Lublin and Feitelson, "The workload on parallel supercomputers:
modeling the characteristics of rigid jobs" (J. Parallel Distrib. Comput. 63, 2003), with the parameters of their
program for jobs of all kinds; the largest job is one node here. Walltimes are the runtime times a number drawn
uniformly between 1 and 1 + f, the f-model of Mu'alem and Feitelson (IEEE Trans. Parallel Distrib. Syst. 12, 2001), with
f = 3, in quarters of an hour. Within the cycle jobs come at random. That half as many come on Saturdays and Sundays is
an assumption of this program's: the model has no weeks.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from pathlib import Path

from scipy.stats import gamma

from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.jobs import Index
from sciflow.schedulers.fake.request import Order, Request

HOUR, DAY, WEEK = 3_600.0, 86_400.0, 604_800.0
_BUCKETS, _FIRST = 48, 11  # half-hours of a day; the one with which the cycle begins
_CYCLE = (8.1737, 3.9631)  # gamma: which half-hour a job comes in
_SERIAL, _POWER_OF_2 = 0.244, 0.576
_LOW, _MEDIUM_BELOW, _SMALL = 0.8, 2.5, 0.86  # two-stage uniform of log2 of the size
_SHORT, _LONG = (4.2, 0.94), (312.0, 0.03)  # gammas of the logarithm of seconds
_SHORTER = (-0.0054, 0.78)  # the share of the first: falls with the size
_GENEROSITY = 3.0
_LONGEST = 24 * HOUR
_WEEKEND = 0.5
_DRAWN = 20_000  # jobs from which it is told what one needs on average


@dataclass(frozen=True)
class Job:
    """One job of somebody else: cores, how long it runs, and how long it may."""

    cores: int
    seconds: float
    asked: float


class Others:
    """Lets other users submit to a virtual cluster for ever; by the same seed they do the same, whoever else is there.

    Parameters
    ----------
    cluster
        Where.
    share
        The share of all cores that they would use on average if nobody else did.
    seed
        Of what is left to chance.

    Attributes
    ----------
    seconds
        How long each of their jobs runs, by its place among all submissions.
    """

    def __init__(self, cluster: VirtualCluster, share: float, seed: int = 1) -> None:
        self._cluster = cluster
        self._chance = random.Random(seed)
        self._widest = max(node.cores for node in cluster.nodes.values())
        self.seconds: dict[int, float] = {}
        self._cycle = cycle()
        jobs = [draw(random.Random(number), self._widest) for number in range(_DRAWN)]
        work = sum(one.cores * one.seconds for one in jobs) / _DRAWN
        cores = sum(node.cores for node in cluster.nodes.values())
        self._busiest = max(self._cycle)
        self._rate = share * cores / work / ((5 + 2 * _WEEKEND) / 7)  # jobs a second on a working day, on average

    def begin(self) -> None:
        """Let them come from now on."""
        if self._rate:
            after = self._chance.expovariate(self._rate * self._busiest)
            self._cluster.clock.after(after, self._arrive, is_aside=True)

    def _arrive(self) -> None:
        now, job, chance = self._cluster.clock(), draw(self._chance, self._widest), self._chance.random()
        is_weekend = (now // DAY + 3) % 7 >= 5  # the epoch began on a Thursday
        weight = self._cycle[int(now % DAY // (DAY / _BUCKETS))] * (_WEEKEND if is_weekend else 1.0)
        if chance * self._busiest < weight:
            request = Request("others", cores=job.cores, memory=job.cores << 31, seconds=job.asked)
            taken = self._cluster.submit(Order(request, Path("others.sh"), Path("/"), user="others", number=2_000))
            self.seconds[taken.order] = job.seconds
        self.begin()

    def ran(self, index: Index) -> float | None:
        """How long an index runs, if it is one of theirs."""
        return self.seconds.get(index.job.order)


def cycle() -> list[float]:
    """How many jobs come in each half-hour of a day, from midnight on, where one is the average."""
    places = range(_FIRST, _FIRST + _BUCKETS)
    shape, scale = _CYCLE
    shares = {(i - 1) % _BUCKETS: gamma.cdf(i + 0.5, shape, scale=scale) - gamma.cdf(i - 0.5, shape, scale=scale)
              for i in places}  # fmt: skip
    mean = sum(shares.values()) / _BUCKETS
    return [float(shares[place] / mean) for place in range(_BUCKETS)]


def draw(chance: random.Random, widest: int) -> Job:
    """One job, of so many cores at most."""
    cores = _size(chance, math.log2(widest))
    share = min(1.0, max(0.0, _SHORTER[0] * cores + _SHORTER[1]))
    while True:
        shape, scale = _SHORT if chance.random() < share else _LONG
        seconds = math.exp(chance.gammavariate(shape, scale))
        if 1.0 <= seconds <= _LONGEST:
            break
    asked = seconds * chance.uniform(1.0, 1.0 + _GENEROSITY)
    return Job(cores, seconds, min(_LONGEST, 900.0 * math.ceil(asked / 900.0)))


def _size(chance: random.Random, high: float) -> int:
    kind = chance.random()
    if kind <= _SERIAL:
        return 1
    medium = max(_LOW, high - _MEDIUM_BELOW)
    size = chance.uniform(_LOW, medium) if chance.random() <= _SMALL else chance.uniform(medium, high)
    return round(2 ** (round(size) if kind <= _SERIAL + _POWER_OF_2 else size))
