from pathlib import Path
from typing import Any

import pytest

from sciflow.schedulers.fake.nodes import Node
from sciflow.schedulers.fake.partitions import Partition
from sciflow.schedulers.fake.request import Order, Refused, Request
from sciflow.schedulers.fake.rules import Rules
from unit.schedulers.fake.yard import Yard

GIB = 1 << 30
RULES = Rules(
    (Partition(longest=7200.0), Partition("shut", is_default=False, is_open=False), Partition("b", ("n2",))),
    highest_index=20,
    indices_per_array=10,
    submitted_indices=12,
)


def make_yard() -> Yard:
    """Return a yard with a wide and a narrow node."""
    return Yard(RULES, [Node("n1", 4, 8 * GIB, gpus=1, features=("fast",)), Node("n2", 2, GIB)])


@pytest.mark.parametrize(
    ("why", "asked"),
    [
        ("partition", {"partition": "none"}),
        ("partition down", {"partition": "shut"}),
        ("index", {"indices": (21,)}),
        ("width", {"indices": tuple(range(11))}),
        ("time", {"seconds": 7201.0}),
        ("features", {"features": ("slow",)}),
        ("features", {"features": ("fast",), "partition": "b"}),
        ("nodes", {"cores": 5}),
        ("memory", {"memory": 9 * GIB}),
        ("gpus", {"gpus": 2}),
        ("nodes", {"cores": 3, "partition": "b"}),
    ],
)
def test_what_is_refused(why: str, asked: dict[str, Any]) -> None:
    """And by which word; nothing of it is left."""
    yard = make_yard()
    with pytest.raises(Refused) as refused:
        yard.cluster.submit(Order(Request("job", **asked), Path("x.sh"), Path("/")))
    assert refused.value.why == why
    assert not yard.cluster.jobs
    assert not yard.cluster.queued()


def test_so_many_of_each_user() -> None:
    """What runs and waits counts, of each user alone, and what has ended no more."""
    yard = make_yard()
    yard.submit("mine", 10)
    with pytest.raises(Refused, match="queued"):
        yard.submit("more", 3)
    yard.submit("theirs", 10, user="lee")
    yard.run()
    yard.submit("more", 3)
    assert yard.cluster.queued() == 3
