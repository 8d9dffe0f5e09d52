import pytest

from sciflow.schedulers.fake.dependencies import is_behind
from sciflow.schedulers.fake.request import Condition, Dependency, Refused
from unit.schedulers.fake.yard import HOUR, MINUTE, Yard


@pytest.mark.parametrize(
    ("kind", "starts"),
    [("afterok", [None]), ("afternotok", [HOUR]), ("afterany", [HOUR]), ("after", [0.0])],
)
def test_how_all_of_a_job_has_ended(kind: str, starts: list[float | None]) -> None:
    """One index that has not ended well is enough; `after` counts from the start."""
    yard = Yard()
    first = yard.submit("first", 2)
    second = yard.submit("second", after=f"{kind}:{first.id}")
    yard.run(seconds=MINUTE)
    yard.cluster.kill_job(first.indices[0])
    yard.run()
    assert yard.starts(second) == starts


def test_one_index_of_a_job() -> None:
    """What happens to the others does not matter; one that was cancelled before it started counts as none."""
    yard = Yard()
    first = yard.submit("first", 5)
    waits = {}
    for number in (1, 4):
        waits[number] = yard.submit("waits", seconds=MINUTE)
        yard.cluster.depend(waits[number], Dependency((Condition("afterok", first.id, number),)))
    yard.run(seconds=MINUTE)
    yard.cluster.cancel(first, [4])
    yard.cluster.kill_job(first.indices[0])
    yard.run()
    assert yard.starts(waits[4]) == [MINUTE]
    assert yard.starts(waits[1]) == [HOUR]


def test_a_circle_is_refused() -> None:
    """Nobody can wait for who waits for them, also through others."""
    yard = Yard()
    first = yard.submit("first", is_held=True)
    second = yard.submit("second", after=f"afterok:{first.id}")
    third = yard.submit("third", after=f"afterok:{second.id}")
    assert is_behind(third, first)
    assert not is_behind(first, third)
    with pytest.raises(Refused, match="dependency"):
        yard.cluster.depend(first, Dependency((Condition("afterok", third.id),)))
    assert first.dependency == Dependency()


def test_it_stays_the_job_that_was_meant() -> None:
    """Another one that is given its id later is none of what is waited for."""
    yard = Yard()
    first = yard.submit("first", seconds=MINUTE)
    waits = yard.submit("waits", after=f"afternotok:{first.id}", is_removed_when_hopeless=False)
    yard.run(seconds=HOUR)
    assert yard.cluster.find(first.id) is None
    assert yard.why(waits) == "DependencyNeverSatisfied"
    late = yard.submit("late", after=f"afternotok:{first.id}")
    yard.run(seconds=1.0)
    assert yard.starts(late) == [HOUR]  # a job that nobody knows counts as ended


def test_who_is_removed_takes_others_along() -> None:
    """Where all of them want to be removed when there is no hope left."""
    yard = Yard()
    first = yard.submit("first")
    second = yard.submit("second", 2, after=f"aftercorr:{first.id}", is_removed_when_hopeless=True)
    third = yard.submit("third", 2, after=f"aftercorr:{second.id}", is_removed_when_hopeless=True)
    yard.run(seconds=MINUTE)
    yard.cluster.kill_job(first.indices[0])
    yard.run()
    assert {one.reason for job in (second, third) for one in job.indices.values()} == {"DependencyNeverSatisfied"}
    assert yard.cluster.queued() == 0
