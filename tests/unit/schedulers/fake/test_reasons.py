from dataclasses import replace

from sciflow.schedulers.fake.nodes import Node
from sciflow.schedulers.fake.partitions import Partition
from sciflow.schedulers.fake.reservations import Reservation
from sciflow.schedulers.fake.rules import Rules
from unit.schedulers.fake.yard import HOUR, MINUTE, NOW, Yard


def test_the_first_waits_for_room_and_the_rest_for_the_first() -> None:
    """`Resources` and `Priority`; before anybody has looked there is no reason."""
    yard = Yard()
    yard.submit("runs", 4)
    yard.run(seconds=1.0)
    first, second = yard.submit("first"), yard.submit("second")
    assert yard.why(first) == "None"
    yard.run(seconds=1.0)
    assert (yard.why(first), yard.why(second)) == ("Resources", "Priority")


def test_what_is_no_matter_of_room() -> None:
    """Held, waiting for others, for ever, for a time, for a partition, or for the next one of an array."""
    yard = Yard(Rules((Partition(), Partition("off", is_default=False, is_up=False))))
    first = yard.submit("first")
    waits = yard.submit("waits", after=f"afterok:{first.id}")
    never = yard.submit("never", after=f"afternotok:{first.id}")
    held = yard.submit("held", is_held=True)
    late = yard.submit("late", begin=NOW + 9 * HOUR)
    down = yard.submit("down", partition="off")
    many = yard.submit("many", 2, throttle=1)
    yard.run(seconds=1.0)
    jobs = {job.name: yard.why(job) for job in (waits, held, late, down)} | {"many": yard.why(many, 1)}
    assert jobs == {
        "waits": "Dependency",
        "held": "JobHeldUser",
        "late": "BeginTime",
        "down": "PartitionDown",
        "many": "JobArrayTaskLimit",
    }
    yard.run(seconds=2 * HOUR)
    assert yard.why(never) == "DependencyNeverSatisfied"
    yard.cluster.set_partition(Partition("off", is_default=False))
    yard.run(seconds=1.0)
    assert yard.starts(down) == [2 * HOUR + 1.0]


def test_the_limits_of_a_user() -> None:
    """So many indices, or cores, of one user run at once; others go ahead."""
    for rules, reason in (
        (Rules(running_indices=1), "QOSMaxJobsPerUserLimit"),
        (Rules(running_cores=1), "QOSMaxCpuPerUserLimit"),
    ):
        yard = Yard(rules)
        mine, other = yard.submit("mine", 2), yard.submit("other", user="lee")
        yard.run(seconds=1.0)
        assert yard.why(mine, 1) == reason
        assert yard.starts(other) == [0.0]
        yard.run()
        assert yard.starts(mine) == [0.0, HOUR]


def test_nodes_that_are_not_there_or_kept_for_others() -> None:
    """Down or drained, kept for others, or about to be worked on."""
    yard = Yard(nodes=[Node("n1", 2, 4)])
    yard.cluster.drain_node("n1", "disk")
    job = yard.submit("job")
    yard.run(seconds=1.0)
    assert yard.why(job) == "ReqNodeNotAvail, UnavailableNodes:n1"
    yard.cluster.drain_node("n1", "")
    window = Reservation("work", NOW + MINUTE, NOW + HOUR, is_maintenance=True)
    yard.cluster.reserve(window)
    yard.run(seconds=1.0)
    assert yard.why(job) == "ReqNodeNotAvail, Reserved for maintenance"
    yard.cluster.reserve(replace(window, is_maintenance=False, users=("lee",)))
    yard.run(seconds=1.0)
    assert yard.why(job) == "ReqNodeNotAvail, May be reserved for other job"
    theirs = yard.submit("theirs", user="lee", reservation="work", seconds=MINUTE)
    yard.run(seconds=1.0)
    assert yard.why(theirs) == "Reservation"
    yard.run()
    assert yard.starts(theirs) == [MINUTE]
    assert yard.starts(job) == [HOUR]
