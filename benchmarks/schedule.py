"""What it brings to run when others do not, and to ask for what is needed: weeks on a virtual cluster with other users.

    python benchmarks/schedule.py [quick] [--weeks N]

A virtual cluster of 8 nodes of 16 cores is used by others as `workload.py` says. Every Tuesday at 10 o'clock one more
user submits a campaign: real plans of sciflow, with the start times and waves that it gives them. Each way of planning
it is played on the same weeks, with the same jobs of the others in the same moments; ratios are against submitting
everything now. Then a sweep whose memory and time grow with a parameter asks for the most that any of it needs, by
habit, and for what was learned, in the plan that `--learn-from` makes.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from measure import show
from workload import DAY, HOUR, WEEK, Others

from sciflow.errors import PlanError
from sciflow.model.advice import Advice, Wanted
from sciflow.model.plan import ArrayJob
from sciflow.model.policy import SchedulingPolicy
from sciflow.model.profile import ClusterProfile, Limits, Partition
from sciflow.model.resources import GIB
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.build import build_plan
from sciflow.planning.calendar import preferred_windows
from sciflow.planning.compiled import Compiled
from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.jobs import Index
from sciflow.schedulers.fake.nodes import make_nodes
from sciflow.schedulers.fake.request import Order, Request
from sciflow.schedulers.fake.slurm.face import SLURM
from sciflow.schedulers.fake.timed import TimedBody

NODES, CORES, MEMORY = 8, 16, 64.0
MONDAY = datetime(2026, 1, 5, tzinfo=timezone.utc).timestamp()
WARM = 3 * DAY  # others alone, until the cluster is as full as it usually is
TUESDAY = DAY + 10 * HOUR
HOURS = {"preferred_hours": "20:00-08:00", "weekend_preferred": True, "timezone": "UTC"}
INSTANCES, WIDE, ASKED = 200, 4, 6.0  # of a campaign: how many, cores, and hours of walltime by habit
MIDDLE, SPREAD = 1.2, 0.35  # hours that one runs in the middle, and the spread of their logarithm
SUFFICES = 2.4  # hours: for 39 of 40
LOAD = 0.65
Seconds = Callable[[Mapping[str, Any]], float]


@dataclass(frozen=True)
class Way:
    """One way to hand a campaign over.

    Attributes
    ----------
    policy
        The name of the policy, and what belongs to it.
    asked
        Hours of walltime that each instance asks for.
    at_once
        How many may run at once; None for any number.
    days
        Days after the submission at which it is to be done; None for no deadline.
    """

    policy: str = "immediate"
    asked: float = ASKED
    at_once: int | None = None
    days: float | None = None


WAYS = {
    "everything now": Way(),
    "everything now, 8 at once": Way(at_once=8),
    "off-peak": Way("off_peak"),
    "off-peak, walltimes as learned": Way("off_peak", asked=SUFFICES),
    "off-peak, walltimes as learned, 8 at once": Way("off_peak", asked=SUFFICES, at_once=8),
    "off-peak, walltimes as learned, done within 2 days": Way("off_peak", asked=SUFFICES, days=2.0),
}


@dataclass
class Weeks:
    """What came of weeks: campaigns, and what became of the others.

    Attributes
    ----------
    campaigns
        The indices of each campaign, with the moment of its submission.
    waits
        How long jobs of others waited that came by day.
    used, held
        Core-seconds that ran of all that there were after the beginning.
    refused, missed
        Campaigns whose deadline the plan refused, and those that came too late all the same.
    """

    campaigns: list[tuple[float, list[Index]]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    used: float = 0.0
    refused: int = 0
    missed: int = 0


class Place:
    """A virtual cluster with other users on it."""

    def __init__(self, load: float, nodes: int = NODES) -> None:
        self.lengths: dict[tuple[int, int], float] = {}
        self.cluster = VirtualCluster(
            make_nodes(nodes, CORES, MEMORY), TimedBody(self._took), SLURM, VirtualClock(MONDAY - WARM)
        )
        self.others = Others(self.cluster, load)
        self.others.begin()

    def _took(self, index: Index) -> float:
        seconds = self.others.ran(index)
        return self.lengths[index.job.order, index.number] if seconds is None else seconds

    def until(self, moment: float) -> None:
        """Let time pass."""
        self.cluster.run(seconds=moment - self.cluster.clock())

    def hand_over(self, compiled: Compiled, seconds: Mapping[str, list[float]], at_once: int | None) -> list[Index]:
        """Submit a plan, each wave as a job of its own; gives all of its indices."""
        found = []
        for array in compiled.plan.arrays:
            waves: dict[datetime | None, list[int]] = {}
            for element in range(array.elements):
                waves.setdefault(array.begin_of(element), []).append(element)
            for begin, elements in waves.items():
                request = _request(array, begin, elements, at_once)
                job = self.cluster.submit(Order(request, Path("mine.sh"), Path("/"), user="you"))
                self.lengths.update({(job.order, one): seconds[array.name][one] for one in elements})
                found += job.indices.values()
        return found


def _request(array: ArrayJob, begin: datetime | None, elements: list[int], at_once: int | None) -> Request:
    asked = array.resources
    return Request(
        array.name,
        tuple(elements),
        throttle=at_once or 0,
        cores=asked.all_cores,
        memory=asked.memory_bytes,
        seconds=asked.runtime_seconds,
        begin=begin.timestamp() if begin else 0.0,
    )


def site(at_once: int | None = None) -> ClusterProfile:
    """The profile of the cluster."""
    partition = Partition(cpu_cores=CORES, memory_gb=MEMORY, nodes=NODES, default=True)
    limits = Limits(highest_index=100_000, running_indices=at_once)
    return ClusterProfile(name="site", scheduler="slurm", partitions={"main": partition}, limits=limits)


def campaign(way: Way, now: float) -> ExperimentalWorkflow:
    """A sweep of instances that are all alike."""
    workflow = ExperimentalWorkflow("campaign")
    workflow.add_parameter_space({"x": list(range(INSTANCES))})
    resources = {"cpu_cores": WIDE, "memory_gb": 4, "max_runtime_hours": way.asked}
    workflow.add_task("relax", command="relax {{ x }}", resources=resources)
    options: dict[str, Any] = dict(HOURS) if way.policy == "off_peak" else {}
    if way.days is not None:
        options["deadline"] = datetime.fromtimestamp(now + way.days * DAY, timezone.utc)
    workflow.set_scheduling_policy(way.policy, options)
    return workflow


def play(way: Way, weeks: int, load: float) -> Weeks:
    """Play weeks with one way to hand campaigns over."""
    place, done = Place(load), Weeks()
    chance = random.Random(7)
    lengths = [[HOUR * chance.lognormvariate(math.log(MIDDLE), SPREAD) for _ in range(INSTANCES)] for _ in range(weeks)]
    ends: list[float] = []
    for week in range(weeks):
        now = MONDAY + week * WEEK + TUESDAY
        place.until(now)
        moment = datetime.fromtimestamp(now, timezone.utc)
        try:
            compiled = build_plan(campaign(way, now), site(way.at_once), now=moment)
        except PlanError:
            done.refused += 1
            continue
        seconds = {array.name: lengths[week] for array in compiled.plan.arrays}
        done.campaigns.append((now, place.hand_over(compiled, seconds, way.at_once)))
        ends.append(now + way.days * DAY if way.days is not None else math.inf)
    place.until(MONDAY + weeks * WEEK)
    place.cluster.run(until=lambda: all(one.is_over for _, mine in done.campaigns for one in mine))
    done.missed = sum(
        max(one.end or math.inf for one in mine) > end for (_, mine), end in zip(done.campaigns, ends, strict=True)
    )
    _look_at_others(place, done, weeks)
    return done


def _look_at_others(place: Place, done: Weeks, weeks: int) -> None:
    last = MONDAY + weeks * WEEK
    for job in place.cluster.jobs.values():
        for index in job.indices.values():
            if index.start is None:
                continue
            start, end = max(index.start, MONDAY), min(index.end or last, last)
            done.used += max(0.0, end - start) * job.request.cores
            if job.user == "others" and MONDAY <= job.submitted < last and 8 <= job.submitted % DAY / HOUR < 18:
                done.waits.append(index.start - job.submitted)
    done.used /= weeks * WEEK * NODES * CORES


def in_windows(done: Weeks) -> float:
    """Which part of the core-hours of campaigns ran in the preferred hours."""
    policy = SchedulingPolicy(policy="off_peak", **HOURS)
    inside = everything = 0.0
    for now, mine in done.campaigns:
        moment = datetime.fromtimestamp(now, timezone.utc)
        windows = [
            (one.timestamp(), other.timestamp())
            for one, other in preferred_windows(policy, moment, moment + timedelta(days=60))
        ]
        for index in mine:
            start, end = _ran(index)
            everything += end - start
            inside += sum(max(0.0, min(end, closes) - max(start, opens)) for opens, closes in windows)
    return inside / everything


def makespan(done: Weeks) -> float:
    """Seconds from submission to the last end, on average."""
    return statistics.mean(max(_ran(one)[1] for one in mine) - now for now, mine in done.campaigns)


def _ran(index: Index) -> tuple[float, float]:
    return index.start or 0.0, index.end or 0.0


def off_peak(weeks: int, load: float) -> None:
    """Compare all ways, against submitting everything now."""
    found = {name: play(way, weeks, load) for name, way in WAYS.items()}
    base = found["everything now"]
    waited = statistics.mean(base.waits)
    print(f"\n{weeks} weeks, others would use {load:.0%} of {NODES} x {CORES} cores")
    for name, done in found.items():
        print(f"- {name}")
        show("  core-hours in the preferred hours", 100 * in_windows(done), "%")
        show("  makespan, against everything now", makespan(done) / makespan(base), "x")
        others = statistics.mean(done.waits)
        show("  waits of others that came by day", others / 60, "min")
        show("  … against everything now", others / waited if waited else math.nan, "x")
        show("  cores used", 100 * done.used, "%")
        late = sum(one.word == "TIMEOUT" for _, mine in done.campaigns for one in mine)
        show("  indices stopped at their walltime", 100 * late / (INSTANCES * max(1, len(done.campaigns))), "%")
        if WAYS[name].days is not None:
            show("  deadlines refused by the plan", done.refused, f"of {weeks}")
            show("  deadlines missed that the plan took", done.missed, f"of {len(done.campaigns)}", 0)


def deadlines(weeks: int) -> None:
    """Deadlines where nobody else is there: what the plan takes is kept."""
    missed = refused = taken = 0
    for days in (0.4, 0.5, 0.75, 1.0, 1.5, 2.0):
        done = play(Way("off_peak", asked=SUFFICES, days=days), weeks, 0.0)
        missed, refused, taken = missed + done.missed, refused + done.refused, taken + len(done.campaigns)
    print("\ndeadlines of ten hours to 2 days where nobody else is there")
    show("deadlines refused by the plan", refused, f"of {refused + taken}")
    show("deadlines missed that the plan took", missed, f"of {taken}", 0)


def law(parameters: Mapping[str, Any]) -> tuple[float, float]:
    """Seconds and bytes that an instance of the sweep needs in the middle."""
    n = parameters["n"]
    return 600.0 + 20.0 * 60 * (n / 8) ** 2, (0.25 + 0.02 * n**1.5) * GIB


def sweep(seeds: int) -> ExperimentalWorkflow:
    """A sweep whose memory and time grow with a parameter; by habit all ask for the most that any may need."""
    workflow = ExperimentalWorkflow("sweep")
    workflow.add_parameter_space({"seed": list(range(seeds)), "n": list(range(4, 33, 2))})  # short and long in turn
    resources = {"cpu_cores": 1, "memory_gb": 8, "max_runtime_hours": 12}
    workflow.add_task("solve", command="solve {{ n }} {{ seed }}", resources=resources)
    return workflow


def learned(spread: float) -> Advice:
    """What `advise` says where it has found the law: for 19 of 20 instances both suffice."""
    margin = math.exp(2.24 * spread)

    def wanted(parameters: Mapping[str, Any]) -> Wanted:
        seconds, memory = law(parameters)
        return Wanted(int(memory * margin), 60 * math.ceil(seconds * margin / 60), 0, seconds, 0.95)

    return Advice("earlier", {"solve": wanted}, {"solve": ("n",)})


@dataclass(frozen=True)
class Sweep:
    """What came of a sweep: seconds, byte-seconds, and shares."""

    makespan: float
    waits: float
    until_result: float
    held: float
    asked: float
    used: float
    late: int


def play_sweep(advice: Advice | None, load: float, seeds: int, spread: float = 0.1) -> Sweep:
    """Submit the sweep once on a Tuesday, and again in the two weeks after that."""
    place, chance = Place(load), random.Random(11)
    done: list[tuple[float, list[Index]]] = []
    sizes: list[int] = []
    until: list[float] = []  # seconds from the submission until an instance has ended, but for its wait in the queue
    for week in range(3 if load else 1):
        now = MONDAY + week * WEEK + TUESDAY
        place.until(now)
        compiled = build_plan(sweep(seeds), site(), now=datetime.fromtimestamp(now, timezone.utc), advice=advice)
        seconds: dict[str, list[float]] = {}
        for array in compiled.plan.arrays:
            members = compiled.members(array)
            each = [law(compiled.projections["solve"].parameters(int(one)))[0] for one in members]
            each = [one * chance.lognormvariate(0.0, spread) for one in each]
            pack = array.pack
            packs = [each[i : i + pack] for i in range(0, len(each), pack)]
            seconds[array.name] = [sum(one) for one in packs]
            sizes += [len(one) for one in packs]
            until += [sum(one[: i + 1]) for one in packs for i in range(len(one))]
        done.append((now, place.hand_over(compiled, seconds, None)))
    place.cluster.run(until=lambda: all(one.is_over for _, mine in done for one in mine))
    mine = [one for _, indices in done for one in indices]
    took = sum((_ran(one)[1] - _ran(one)[0]) * one.job.request.cores for one in mine)
    spans = [(min(_ran(one)[0] for one in some), max(_ran(one)[1] for one in some)) for _, some in done]
    return Sweep(
        statistics.mean(max(_ran(one)[1] for one in some) - now for now, some in done),
        statistics.mean(_ran(one)[0] - one.job.submitted for one in mine),
        (sum((_ran(one)[0] - one.job.submitted) * size for one, size in zip(mine, sizes, strict=True)) + sum(until))
        / len(until),
        sum((_ran(one)[1] - _ran(one)[0]) * one.job.request.memory for one in mine),
        sum(one.job.request.seconds * one.job.request.memory for one in mine),
        took / sum((end - start) * NODES * CORES for start, end in spans),
        sum(one.word == "TIMEOUT" for one in mine),
    )


def right_size() -> None:
    """Compare one habitual request with what was learned, beside others and alone."""
    for load, seeds, where in (
        (LOAD, 20, f"others would use {LOAD:.0%}"),
        (0.0, 200, "nobody else is there, and there is work for two days"),
    ):
        habit, known = (play_sweep(advice, load, seeds) for advice in (None, learned(0.1)))
        print(f"\na sweep of {15 * seeds:,} by what was learned, against one request for all; {where}")
        show("memory-hours that were held", known.held / habit.held, "x")
        show("memory-hours that were asked for", known.asked / habit.asked, "x")
        show("wait in the queue, of what the scheduler starts", known.waits / habit.waits, "x")
        show("time from submission to a result, on average", known.until_result / habit.until_result, "x")
        show("makespan", known.makespan / habit.makespan, "x")
        show("indices stopped at their walltime", known.late, "")
        if not load:
            show("cores left unused by habit", 100 * (1 - habit.used), "%")
            show("cores left unused by what was learned", 100 * (1 - known.used), "%", 10)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("quick", nargs="?", choices=["quick"])
    parser.add_argument("--weeks", type=int, default=3)
    given = parser.parse_args()
    weeks = 1 if given.quick else given.weeks
    off_peak(weeks, LOAD)
    deadlines(weeks)
    right_size()


if __name__ == "__main__":
    main()
