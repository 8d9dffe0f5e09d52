from collections import Counter

from sciflow.schedulers.fake.load import Habits, Load
from sciflow.schedulers.fake.nodes import make_nodes
from unit.schedulers.fake.yard import HOUR, NOW, Yard

DAY = 24 * HOUR


def busy(seed: int, share: float = 0.9) -> tuple[Yard, Load]:
    """Return a yard of two wide nodes on which others have worked for three days."""
    yard = Yard(nodes=make_nodes(2, 32, 128))
    load = Load(yard.cluster, Habits(share=share), seed)
    load.begin()
    load.warm_up(3 * DAY)
    return yard, load


def test_the_same_seed_submits_the_same() -> None:
    """At the same times; another seed something else."""
    stories = [[(job.submitted, job.request) for job in busy(seed)[0].cluster.jobs.values()] for seed in (1, 1, 2)]
    assert stories[0] == stories[1] != stories[2]


def test_one_waits_behind_others() -> None:
    """On a full cluster a wide job waits for hours, on an empty one not at all; others are not what is waited for."""
    waits = []
    for share in (0.0, 0.9):
        yard, _ = busy(1, share)
        job = yard.submit("mine", cores=32)
        before = yard.cluster.clock()
        yard.cluster.run(until=lambda job=job: not job.open)
        waits.append((job.indices[0].start or 0.0) - before)
    assert waits[0] == 0.0
    assert waits[1] > HOUR
    assert yard.cluster.clock() < NOW + 10 * DAY


def test_fewer_come_at_night_and_at_the_end_of_the_week() -> None:
    """As often as the habits say."""
    yard = Yard()
    load = Load(yard.cluster)
    thursday = 0.0  # when the epoch began
    noon, midnight, saturday = (load.rate(thursday + hours * HOUR) for hours in (12, 23, 60))
    assert noon == load.per_second > 0.0
    assert midnight == saturday == 0.3 * noon
    load.begin(NOW + 7 * DAY)
    yard.run(seconds=7 * DAY)
    hours = Counter(8 <= job.submitted % DAY / HOUR < 20 for job in yard.cluster.jobs.values())
    assert hours[True] > 1.5 * hours[False]
    arrived = len(yard.cluster.jobs)
    yard.run(seconds=DAY)
    assert len(yard.cluster.jobs) == arrived


def test_they_ask_for_more_time_than_they_take_and_end_well() -> None:
    """What no node can hold is refused, and counted."""
    yard, load = busy(3)
    ended = [job for job in yard.cluster.jobs.values() if not job.open]
    assert len(ended) > 100
    assert all(not job.failed and load.seconds[job.order] <= job.request.seconds for job in ended)
    assert load.refused == 0
    small = Yard()
    load = Load(small.cluster, seed=1)
    load.begin()
    load.warm_up(DAY)
    assert load.refused > 0


def test_who_is_told_to_end_does() -> None:
    """Jobs of others can be cancelled, and die with their node, as all jobs do."""
    yard, _ = busy(1)
    running = [job for job in yard.cluster.jobs.values() if job.running]
    yard.cluster.cancel(running[0])
    yard.run(seconds=2.0)
    assert running[0].open == 0
    node = next(one.node for one in running[1].indices.values() if one.node)
    yard.cluster.kill_node(node.name)
    yard.run(seconds=60.0)
    assert not node.running
