"""The status of a run: what is known of each of its array indices, and what follows for the whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.state import State
from sciflow.model.statement import Statement
from sciflow.store.records import RecordState
from sciflow.store.submissions import Submissions


@dataclass
class IndexStatus:
    """What is known of one array index, and why.

    Attributes
    ----------
    skipped
        Without how much of its upstream it completed.
    changed
        Which files, on which its results depend, changed while it ran; empty for none.
    damage
        What is wrong with the record of its last attempt: `torn` or `missing`.
    is_settled
        Whether the state will stay so by all that witnesses tell; only of submitted indices this can be otherwise.
    record
        The record of its last attempt, where it can be read.
    path
        Where that record is.
    said
        What the scheduler says of it, where that counts.
    """

    state: State = State.PENDING
    attempt: int = 0
    error: str = ""
    seconds: float = 0.0
    reason: str = ""
    skipped: int = 0
    changed: str = ""
    damage: str = ""
    is_settled: bool = True
    record: RecordState | None = None
    path: str = ""
    said: Statement | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it waits in a queue."""
        return self.state is State.PENDING and self.said is not None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it by itself; one that all have forgotten stays unknown."""
        return self.state.is_final or (self.state is State.UNKNOWN and self.is_settled)


@dataclass
class RunStatus:
    """What is known of a run.

    Attributes
    ----------
    indices
        Array → index → status; every index of the plan is there.
    is_driven
        Whether a process drives the run now.
    is_autonomous
        Whether small jobs tend it while nobody is there.
    """

    plan: Plan
    indices: dict[str, dict[int, IndexStatus]]
    is_driven: bool = False
    is_autonomous: bool = False
    reused: int = 0
    first_event: float | None = None
    last_event: float | None = None
    notes: list[str] = field(default_factory=list)
    submissions: Submissions = field(default_factory=Submissions)

    def counts(self, task: str | None = None) -> dict[State, int]:
        """State → how many task instances have it; of one task, or of all."""
        counts: dict[State, int] = {}
        for array in self.arrays(task):
            for status in self.indices[array.name].values():
                counts[status.state] = counts.get(status.state, 0) + 1
        return counts

    def arrays(self, task: str | None = None) -> Iterable[ArrayJob]:
        """The array jobs of one task, or all."""
        return [array for array in self.plan.arrays if task in (None, array.task)]

    @property
    def is_complete(self) -> bool:
        """Whether every instance is completed."""
        return set(self.counts()) <= {State.COMPLETED}

    @property
    def is_queued(self) -> bool:
        """Whether array jobs of the run were handed to a scheduler with a queue."""
        return bool(self.submissions.by_name or self.submissions.cancelled)

    @property
    def has_failures(self) -> bool:
        """Whether something ended without success."""
        return any(state.is_failure or state is State.UNKNOWN for state in self.counts())

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen by itself."""
        return all(one.is_over for one in self.everyone())

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will happen or become known."""
        return all(one.is_over and one.is_settled for one in self.everyone())

    def everyone(self) -> Iterator[IndexStatus]:
        """The status of every index."""
        return (one for indices in self.indices.values() for one in indices.values())


def untouched(plan: Plan) -> RunStatus:
    """The status of a plan of which nothing has been done."""
    return RunStatus(plan, {array.name: {i: IndexStatus() for i in range(array.count)} for array in plan.arrays})


def companions(status: RunStatus, array: ArrayJob, index: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The array jobs whose same index runs in the same job, or will, before that of one and after it.

    Of most there are none.
    """
    found = status.submissions.round_of(array.name, array.element(index))
    if found is not None:
        chain = (found.array, *found.links[0].riders)
    else:
        first = status.plan.array(array.rides) if array.rides else array
        chain = (first.name, *first.riders)
    place = chain.index(array.name)
    return chain[:place], chain[place + 1 :]
