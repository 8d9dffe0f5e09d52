"""Jobs and their array indices, as the controller of the queue keeps them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sciflow.schedulers.fake.nodes import Node
from sciflow.schedulers.fake.request import Dependency, Order, Request

WAITS, RUNS = "PENDING", "RUNNING"


@dataclass
class Job:
    """One submission.

    Attributes
    ----------
    id, order
        Its id, and its place in the order of all submissions: ids are used again some day, and places are not.
    name
        Its name.
    ordered
        What was handed over.
    request
        What it asks for now: some of it can be changed while it waits.
    dependency
        What it waits for now.
    submitted
        When it was submitted.
    indices
        All of its indices by number; one that is no array job has the index 0.
    waiting
        The numbers of those that wait.
    running, open
        How many run, and how many have not ended.
    last_end
        When the last one has ended until now.
    last
        The one that has run and ended last until now.
    tied
        The jobs that it waits for, by id, as they were known when it began to wait for them; None for unknown ones.
    late
        The ids of those of them that were over by then.
    notes
        What its face has noted down of it.
    """

    id: str
    order: int
    ordered: Order
    submitted: float
    request: Request
    dependency: Dependency
    indices: dict[int, Index] = field(default_factory=dict)
    waiting: dict[int, None] = field(default_factory=dict)
    running: int = 0
    open: int = 0
    last_end: float = 0.0
    last: Index | None = None
    tied: dict[str, Job | None] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)
    notes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.name = self.request.name
        self.script, self.directory = self.ordered.script, self.ordered.directory

    def fill(self, numbers: Iterable[int]) -> None:
        """Give it its indices, which all wait."""
        for number in numbers:
            self.indices[number] = Index(self, number)
            self.waiting[number] = None
        self.open = len(self.indices)

    @property
    def is_array(self) -> bool:
        """Whether it is an array job."""
        return self.request.indices is not None

    @property
    def array_on_node(self) -> str:
        """What its script calls the array job: its name, with the variant if there is one."""
        return self.script.stem


@dataclass
class Index:
    """One array index.

    Attributes
    ----------
    word, reason
        Its state, and the reason for it, in Slurm's words: those of the model.
    start, end
        When it was started and has ended, in seconds since the epoch.
    node
        Where it runs or ran.
    code, signal
        How its job script has ended.
    by
        Who has cancelled it: a user's number; None for nobody.
    restarts
        How often it was put back into the queue.
    eligible
        When one that was put back may start again.
    fate
        As what the scheduler is ending one that runs; empty where it does not.
    has_vanished
        Whether nothing is left of it in the queue: it was cancelled before it started.
    """

    job: Job
    number: int
    word: str = WAITS
    reason: str = "None"
    start: float | None = None
    end: float | None = None
    node: Node | None = None
    code: int = 0
    signal: int = 0
    by: int | None = None
    restarts: int = 0
    eligible: float = 0.0
    fate: str = ""
    has_vanished: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it has ended for good."""
        return self.word not in (WAITS, RUNS)

    @property
    def run_of(self) -> tuple[int, int, int]:
        """Which start of it this is: job, index, and how often it was put back before."""
        return self.job.order, self.number, self.restarts
