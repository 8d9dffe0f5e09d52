import pytest

from sciflow.schedulers.fake.accounting import ALL_THE_REST
from sciflow.schedulers.fake.nodes import make_nodes
from sciflow.schedulers.fake.request import Refused
from sciflow.schedulers.fake.rules import Rules
from unit.schedulers.fake.yard import HOUR, MINUTE, Yard


def test_ids_are_used_again_and_told_apart() -> None:
    """After the last one comes the first that the controller does not know; accounting has both, and the newest."""
    yard = Yard(Rules(first_id=7, last_id=9, remembered=5 * MINUTE), make_nodes(1, 2, 4))
    first, runs, third = (
        yard.submit("first", seconds=MINUTE),
        yard.submit("runs", seconds=9 * HOUR),
        yard.submit("third"),
    )
    yard.run(seconds=HOUR)
    again = yard.submit("again")
    assert [job.id for job in (first, runs, third, again)] == ["7", "8", "9", "7"]
    assert yard.cluster.find("7") is again
    yard.run(seconds=MINUTE)
    now = yard.cluster.clock()
    accounting = yard.cluster.accounting
    assert accounting.known(now) == [first, runs, third, again]
    assert [job.name for job in accounting.newest(now)] == ["again", "runs", "third"]
    assert accounting.said(first, now)[0].word == "COMPLETED"
    assert yard.cluster.known()[-1] is again
    yard.run(seconds=3 * HOUR)
    assert yard.submit("last").id == "9"  # 8 runs, and is skipped


def test_where_all_ids_are_in_use_nothing_more_is_taken() -> None:
    """With as many jobs as there are ids the next one is refused, until the controller has forgotten one of them."""
    yard = Yard(Rules(first_id=7, last_id=8, remembered=5 * MINUTE), make_nodes(1, 2, 4))
    yard.submit("first", seconds=MINUTE)
    yard.submit("second", seconds=9 * HOUR)
    with pytest.raises(Refused, match="ids"):
        yard.submit("third")
    yard.run(seconds=HOUR)
    assert yard.submit("fourth").id == "7"


def test_it_forgets_what_has_ended_long_ago() -> None:
    """And not what runs, however long ago it was submitted."""
    yard = Yard(Rules(kept=10 * HOUR))
    short, long = yard.submit("short"), yard.submit("long", seconds=20 * HOUR)
    yard.run(seconds=10 * HOUR)
    assert yard.cluster.accounting.known(yard.cluster.clock()) == [short, long]
    yard.run(seconds=HOUR)
    assert yard.cluster.accounting.known(yard.cluster.clock()) == [long]
    assert yard.cluster.accounting.said(short, yard.cluster.clock()) == {}


def test_what_was_put_back_has_rows_of_its_own() -> None:
    """All that it was, in order; also where it is cancelled before it starts again."""
    yard = Yard(Rules(lag=0.0))
    job = yard.submit("job", 2)
    yard.run(seconds=MINUTE)
    yard.cluster.requeue(job.indices[0])
    yard.cluster.cancel(job, [0], by=0)
    yard.run()
    rows = yard.cluster.accounting.history(job, yard.cluster.clock())
    assert [row.word for row in rows[0]] == ["RUNNING", "REQUEUED", "PENDING", "CANCELLED"]
    assert rows[0][-1].by == 0


def test_all_cancelled_one_by_one_leave_one_row() -> None:
    """For all of them, and none while one of them is left."""
    yard = Yard(Rules(lag=0.0))
    yard.submit("runs", 4)
    job = yard.submit("job", 2)
    yard.run(seconds=1.0)
    yard.cluster.cancel(job, [0])
    assert yard.cluster.accounting.said(job, yard.cluster.clock()) == {}
    yard.cluster.cancel(job, [1])
    said = yard.cluster.accounting.said(job, yard.cluster.clock())
    assert {number: row.word for number, row in said.items()} == {ALL_THE_REST: "CANCELLED"}
