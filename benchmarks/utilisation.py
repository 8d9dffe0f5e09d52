"""How well the virtual cluster is used, and what it costs to let weeks of queue pass on it.

    python benchmarks/utilisation.py [quick]

A sweep of 1,000 instances, short and long, narrow and wide, some of which wait for others index by index, is handed to
a virtual cluster, and its makespan compared with the floor: no order of starts whatever can take less than all
core-hours over all cores, or than the longest chain. Then 100,000 indices in arrays of 10,000, which wait for others
index by index and some of which are throttled, are played in a process of their own, beside an event queue that does
nothing but start and end as many things in turn.
"""

from __future__ import annotations

import heapq
import json
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

from measure import show

from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.jobs import Index, Job
from sciflow.schedulers.fake.nodes import make_nodes
from sciflow.schedulers.fake.request import Condition, Dependency, Order, Request
from sciflow.schedulers.fake.slurm.face import SLURM
from sciflow.schedulers.fake.timed import TimedBody

HOUR = 3_600.0
SCRIPT = Path("work.sh")


Lengths = dict[tuple[int, int], float]  # (place of a job, index) → how long it runs


def make_cluster(count: int, cores: int) -> tuple[VirtualCluster, Lengths]:
    """An empty cluster of nodes that are all alike, whose programs only take their time."""
    lengths: Lengths = {}
    body = TimedBody(lambda index: lengths[index.job.order, index.number])
    return VirtualCluster(make_nodes(count, cores, 4.0 * cores), body, SLURM, VirtualClock(0.0)), lengths


def hand_over(
    cluster: VirtualCluster, lengths: Lengths, request: Request, seconds: list[float], after: str = ""
) -> Job:
    """Submit an array job whose indices run for so long."""
    dependency = Dependency((Condition("aftercorr", after),) if after else ())
    job = cluster.submit(Order(request, SCRIPT, Path("/"), dependency))
    lengths.update({(job.order, index): one for index, one in enumerate(seconds)})
    return job


def sweep(count: int = 1_000, nodes: int = 4, cores: int = 16, seed: int = 1) -> tuple[float, float, float]:
    """Play a mixed sweep; gives makespan, floor, and the share of core-hours used."""
    chance = random.Random(seed)
    cluster, lengths = make_cluster(nodes, cores)
    work, chains = 0.0, [0.0]
    # The share of all instances, cores, the median of their hours, and whether they wait for those before them.
    parts = (
        (0.4, 1, 0.5, False),
        (0.2, 2, 1.0, True),
        (0.2, 4, 1.0, False),
        (0.1, 8, 2.0, False),
        (0.1, 1, 4.0, False),
    )
    before, last = "", [0.0] * count
    for share, wide, hours, is_after in parts:
        width = int(count * share)
        seconds = [hours * HOUR * chance.uniform(0.5, 1.5) for _ in range(width)]
        request = Request(f"part{wide}", tuple(range(width)), cores=wide, seconds=2 * hours * HOUR)
        before = hand_over(cluster, lengths, request, seconds, before if is_after else "").id
        last = [one + (last[index] if is_after else 0.0) for index, one in enumerate(seconds)]
        chains.extend(last)
        work += wide * sum(seconds)
    cluster.run()
    floor = max(work / (nodes * cores), max(chains))
    return cluster.clock(), floor, work / (nodes * cores) / cluster.clock()


def many(arrays: int, width: int) -> dict[str, float]:
    """Play arrays that wait for each other index by index, every third of them throttled; gives what it took."""
    began = time.process_time()
    chance = random.Random(2)
    cluster, lengths = make_cluster(16, 64)
    before = ""
    for number in range(arrays):
        seconds = [60.0 * chance.uniform(1, 60) for _ in range(width)]
        request = Request(
            f"array{number}",
            tuple(range(width)),
            throttle=500 if number % 3 == 2 else 0,
            cores=1 + number % 2,
            seconds=2 * HOUR,
            is_removed_when_hopeless=True,
        )
        before = hand_over(cluster, lengths, request, seconds, before if number % 2 else "").id
    cluster.run()
    assert all(not job.failed and not job.open for job in cluster.jobs.values())
    taken = time.process_time() - began
    used = sum(
        (1 + place % 2) * sum(map(lasted, job.indices.values())) for place, job in enumerate(cluster.jobs.values())
    )
    return {
        "seconds": taken,
        "floor": events(arrays * width),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "days": cluster.clock() / 86_400,
        "used": used / (16 * 64) / cluster.clock(),
    }


def lasted(index: Index) -> float:
    """How long an index ran."""
    return (index.end or 0.0) - (index.start or 0.0)


def events(count: int) -> float:
    """How long a bare queue of events takes for as many starts and ends."""
    began = time.process_time()
    heap: list[tuple[float, int]] = []
    for number in range(count):
        heapq.heappush(heap, (number * 7919 % 3600, number))
        if len(heap) > 1024:
            heapq.heappop(heap)
    while heap:
        heapq.heappop(heap)
    return time.process_time() - began


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["many"]:
        sys.stdout.write(json.dumps(many(int(sys.argv[2]), int(sys.argv[3]))))
        return
    is_quick = sys.argv[1:2] == ["quick"]
    makespan, floor, used = sweep()
    show("mixed sweep of 1,000 instances on 4 x 16 cores, makespan", makespan / HOUR, "h")
    show("floor: all core-hours over all cores, or the longest chain", floor / HOUR, "h")
    show("ratio of makespans", makespan / floor, "", 1 / 0.9)
    show("core-hours left unused", 100 * (1 - used), "%", 10)
    arrays, width = (4, 500) if is_quick else (10, 10_000)
    command = [sys.executable, __file__, "many", str(arrays), str(width)]
    found = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    show(f"{arrays * width:,} indices in {arrays} arrays, CPU", found["seconds"], "s", 30)
    show("virtual time that passed meanwhile", found["days"], "days")
    show("each index", found["seconds"] / (arrays * width) * 1e6, "µs")
    show("floor: a bare queue of events", found["floor"] / (arrays * width) * 1e6, "µs")
    show("ratio", found["seconds"] / found["floor"], "")
    show("peak memory", found["megabytes"], "MB", 500)
    show("core-hours left unused", 100 * (1 - found["used"]), "%")


if __name__ == "__main__":
    main()
