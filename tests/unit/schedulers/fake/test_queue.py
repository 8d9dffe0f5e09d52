from sciflow.schedulers.fake.nodes import make_nodes
from sciflow.schedulers.fake.request import Condition, Dependency, Order, Request
from unit.schedulers.fake.yard import HOUR, MINUTE, NOW, Yard


def test_who_waits_longest_comes_first_unless_nice_says_otherwise() -> None:
    """First in, first out; who steps back by `nice` does so behind all who come soon after."""
    yard = Yard(nodes=make_nodes(1, 1, 4))
    jobs = [yard.submit(name, nice=nice) for name, nice in (("runs", 0), ("nice", 5), ("next", 0), ("last", 0))]
    yard.run()
    assert [yard.starts(job)[0] for job in jobs] == [0.0, 3 * HOUR, HOUR, 2 * HOUR]


def test_an_array_takes_its_indices_in_order_and_as_many_as_it_may() -> None:
    """Others go on beside a throttled one."""
    yard = Yard()
    many = yard.submit("many", 4, throttle=1)
    other = yard.submit("other", 3)
    yard.run()
    assert yard.starts(many) == [0.0, HOUR, 2 * HOUR, 3 * HOUR]
    assert yard.starts(other) == [0.0, 0.0, 0.0]


def test_a_delay_after_a_start_passes() -> None:
    """`after:job+10` waits until ten minutes after all of it has started, also where nothing else happens then."""
    yard = Yard()
    first = yard.submit("first", 4)
    request = Request("second", seconds=HOUR)
    wait = Dependency((Condition("after", first.id, delay=10 * MINUTE),))
    yard.run(seconds=MINUTE)
    yard.cluster.cancel(first, [3])
    second = yard.cluster.submit(Order(request, first.script, first.directory, wait))
    yard.run()
    assert yard.starts(second) == [10 * MINUTE]


def test_only_one_of_a_name_runs() -> None:
    """`singleton` waits for earlier ones of the same name and user, also for those that run."""
    yard = Yard()
    jobs = [yard.submit("same", after="singleton:") for _ in range(3)]
    other = yard.submit("same", after="singleton:", user="lee")
    yard.run()
    assert [yard.starts(job)[0] for job in jobs] == [0.0, HOUR, 2 * HOUR]
    assert yard.starts(other) == [0.0]


def test_index_by_index_in_any_order() -> None:
    """Each index starts when its twin has ended; those without one, when all of it has."""
    yard = Yard(nodes=make_nodes(1, 3, 4))
    first = yard.submit("first", 2)
    yard.lengths = {"first": 10 * MINUTE}
    second = yard.submit("second", 3, after=f"aftercorr:{first.id}", seconds=MINUTE)
    yard.run(seconds=MINUTE)
    yard.cluster.requeue(first.indices[0])
    yard.run()
    back = MINUTE + yard.cluster.rules.put_back + 10 * MINUTE
    assert yard.starts(second) == [back, 10 * MINUTE, back]


def test_a_place_that_was_given_back_is_taken_at_once() -> None:
    """Who is put back waits for two minutes, and another one goes ahead."""
    yard = Yard(nodes=make_nodes(1, 1, 4))
    first, second = yard.submit("first"), yard.submit("second")
    yard.run(seconds=MINUTE)
    yard.cluster.requeue(first.indices[0])
    yard.run(seconds=1.0)
    assert yard.starts(second) == [MINUTE]
    yard.run()
    assert first.indices[0].word == "COMPLETED"
    assert first.indices[0].start == NOW + MINUTE + HOUR


def test_who_may_begin_later_or_is_released_does() -> None:
    """What is changed while a job waits counts as if it had been so from the beginning."""
    yard = Yard()
    held, late = yard.submit("held", is_held=True), yard.submit("late", begin=NOW + 10 * MINUTE)
    yard.run(seconds=30 * MINUTE)
    assert yard.starts(held) == [None]
    assert yard.starts(late) == [10 * MINUTE]
    yard.cluster.release(held)
    yard.run()
    assert yard.starts(held) == [30 * MINUTE]
