from sciflow.schedulers.fake.rules import Rules
from unit.schedulers.fake.yard import HOUR, MINUTE, NOW, Yard


def test_what_has_ended_can_be_put_back() -> None:
    """As long as the controller knows it: it runs again, and who waits for it waits again; accounting has both ends."""
    yard = Yard(Rules(lag=0.0))
    job = yard.submit("job", seconds=MINUTE)
    waits = yard.submit("waits", after=f"afternotok:{job.id}")
    yard.run(seconds=10.0)
    yard.cluster.cancel(job)
    yard.cluster.cancel(waits)
    yard.run(seconds=10.0)
    assert yard.cluster.requeue(job.indices[0])
    assert not yard.cluster.requeue(waits.indices[0])  # it never started
    yard.run()
    index = job.indices[0]
    assert (index.word, index.by, index.start) == ("COMPLETED", None, NOW + 20.0 + yard.cluster.rules.put_back)
    words = [row.word for row in yard.cluster.accounting.history(job, yard.cluster.clock())[0]]
    assert words == ["RUNNING", "CANCELLED", "REQUEUED", "PENDING", "RUNNING", "COMPLETED"]
    assert (job.failed, job.open, yard.cluster.queued()) == (0, 0, 0)
    yard.run(seconds=HOUR)
    assert not yard.cluster.requeue(index)


def test_who_is_cancelled_on_a_dead_node_does_not_come_back() -> None:
    """It was to end, and has."""
    yard = Yard()
    yard.cluster.body.stop = lambda _cluster, _index: None
    job = yard.submit("job", 2)
    yard.run(seconds=MINUTE)
    yard.cluster.kill_node("n1")
    yard.cluster.cancel(job, [0])
    yard.run(seconds=yard.cluster.rules.noticed + 1.0)
    assert [one.word for one in job.indices.values()] == ["CANCELLED", "PENDING"]


def test_an_end_calls_off_the_limit() -> None:
    """Nothing is left to happen when all has ended: the clock does not go on to the limits of what is over."""
    yard = Yard()
    yard.lengths = {"job": MINUTE}
    yard.submit("job", 4, seconds=100 * HOUR)
    yard.run()
    assert yard.cluster.clock() == NOW + MINUTE
    assert yard.cluster.clock.next_event is None


def test_the_kernel_kills_for_memory() -> None:
    """It is told apart from other kills."""
    yard = Yard()
    job = yard.submit("job", 2)
    yard.run(seconds=MINUTE)
    yard.cluster.kill_job(job.indices[0], is_oom=True)
    yard.cluster.kill_job(job.indices[1])
    assert [(one.word, one.reason) for one in job.indices.values()] == [
        ("OUT_OF_MEMORY", "OutOfMemory"),
        ("FAILED", "JobLaunchFailure"),
    ]
