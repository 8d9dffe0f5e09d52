"""How the site of the virtual cluster is set up, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sciflow.schedulers.fake.dependencies import PLAIN, Customs
from sciflow.schedulers.fake.nodes import Node
from sciflow.schedulers.fake.partitions import Partition
from sciflow.schedulers.fake.priorities import Priorities
from sciflow.schedulers.fake.request import Refused, Request, Why


@dataclass(frozen=True)
class Rules:
    """How the site is set up; times in seconds.

    Attributes
    ----------
    partitions
        Its partitions.
    highest_index, indices_per_array, submitted_indices
        Of one array job, and of all that is queued and runs, of a user.
    running_indices, running_cores
        How many of a user may run at once, and with how many cores; None for any number.
    priorities, looked_at
        Who comes first; and how many jobs that find no room are looked at before the rest has to wait for them.
    first_id, last_id
        The ids of jobs: after the last one they begin again.
    lag, kept
        By how much accounting lags behind at most, and for how long it keeps what has ended.
    remembered
        How long the controller knows what has ended.
    put_back
        How long one that was put back into the queue waits there.
    noticed
        How long it takes until a node that has died is missed.
    late, kill_wait
        How long after its time limit a job is told to end, and how long it has then.
    customs
        What is made of jobs that are waited for and have no plain end.
    takes_impossible
        Whether it takes jobs that none of its nodes could ever hold.
    """

    partitions: tuple[Partition, ...] = (Partition(),)
    highest_index: int = 10_000
    indices_per_array: int | None = None
    submitted_indices: int | None = None
    running_indices: int | None = None
    running_cores: int | None = None
    priorities: Priorities = field(default_factory=Priorities)
    looked_at: int = 500
    first_id: int = 101
    last_id: int = 67_043_328
    lag: float = 5.0
    kept: float = float("inf")
    remembered: float = 300.0
    put_back: float = 121.0
    noticed: float = 28.0
    late: float = 10.0
    kill_wait: float = 30.0
    customs: Customs = PLAIN
    takes_impossible: bool = False

    def partition(self, name: str) -> Partition | None:
        """The partition of a name, or the default one for an empty name; None where there is none."""
        found = (one for one in self.partitions if (one.name == name if name else one.is_default))
        return next(found, None)


def check(rules: Rules, nodes: Iterable[Node], request: Request, queued: int) -> None:
    """Refuse what the site does not take.

    Raises
    ------
    Refused
        Naming what is too much, or not there.
    """
    partition = rules.partition(request.partition)
    if partition is None:
        raise Refused("partition", request.partition)
    if not partition.is_open:
        raise Refused("partition down", partition.name)
    if request.indices and max(request.indices) > rules.highest_index:
        raise Refused("index", max(request.indices))
    if rules.indices_per_array and len(request.indices or ()) > rules.indices_per_array:
        raise Refused("width", len(request.indices or ()))
    if request.seconds > partition.longest:
        raise Refused("time", request.seconds)
    _check_nodes(rules, partition, nodes, request)
    most = rules.submitted_indices
    if most is not None and queued + len(request.indices or (0,)) > most:
        raise Refused("queued", most)


def _check_nodes(rules: Rules, partition: Partition, nodes: Iterable[Node], request: Request) -> None:
    if rules.takes_impossible:
        return
    mine = [node for node in nodes if node.is_of(partition)]
    if not any(set(request.features) <= set(node.features) for node in mine):
        raise Refused("features", ",".join(request.features))
    fitting = [node for node in mine if set(request.features) <= set(node.features)]
    if not any(node.can_ever_hold(request) for node in fitting):
        raise Refused(*_too_much(fitting, request))


def _too_much(nodes: list[Node], request: Request) -> tuple[Why, object]:
    """What no node has enough of, alone or together with the rest."""
    if not any(request.memory <= node.memory for node in nodes):
        return "memory", request.memory
    if not any(request.gpus <= node.gpus for node in nodes):
        return "gpus", request.gpus
    return "nodes", request.cores
