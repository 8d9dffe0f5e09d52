import pytest

from sciflow.schedulers.fake.nodes import make_nodes
from sciflow.schedulers.fake.priorities import Priorities, Users
from sciflow.schedulers.fake.rules import Rules
from unit.schedulers.fake.yard import HOUR, NOW, Yard


def test_who_has_used_less_comes_first() -> None:
    """With a fair share, the user who has run much waits behind one who has not."""
    rules = Rules(priorities=Priorities(fair_share=1000.0, share=10 * HOUR))
    yard = Yard(rules, make_nodes(1, 4, 4))
    yard.submit("much", cores=4)
    yard.run(seconds=HOUR)
    yard.submit("runs", cores=4, user="kim")
    yard.run(seconds=1.0)
    mine, other = yard.submit("mine", cores=4), yard.submit("other", cores=4, user="lee")
    yard.run()
    assert yard.starts(other) == [2 * HOUR]
    assert yard.starts(mine) == [3 * HOUR]


def test_wide_ones_first() -> None:
    """Where size counts, what asks for more comes before what came earlier."""
    yard = Yard(Rules(priorities=Priorities(size=1000.0)), make_nodes(1, 4, 4))
    yard.submit("runs", cores=4)
    yard.run(seconds=1.0)
    narrow, wide = yard.submit("narrow", cores=3), yard.submit("wide", cores=4)
    yard.run()
    assert (yard.starts(wide), yard.starts(narrow)) == ([HOUR], [2 * HOUR])


def test_age_counts_from_when_it_could_have_started() -> None:
    """Who waited for a time or for another job is as old as its turn, up to the age that counts."""
    yard = Yard(Rules(priorities=Priorities(age=1000.0, oldest=10 * HOUR)))
    job = yard.submit("job", begin=NOW + HOUR)
    points = yard.cluster.users.points
    assert points(job, NOW) == 0.0
    job.eligible = NOW
    assert [points(job, NOW + hours * HOUR) for hours in (0.5, 1.0, 6.0, 99.0)] == [0.0, 0.0, 500.0, 1000.0]


def test_what_was_used_is_forgotten_by_and_by() -> None:
    """Half of it after the half-life."""
    users = Users(Priorities(half_life=10.0))
    users.add("chen", 80.0, 0.0)
    users.add("chen", 60.0, 10.0)
    assert users.used("chen", 20.0) == pytest.approx(50.0)
    assert users.used("lee", 20.0) == 0.0
