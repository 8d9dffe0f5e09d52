"""Jobs and their array indices, as the controller of the queue keeps them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sciflow.schedulers.fake.clock import Event
from sciflow.schedulers.fake.nodes import Node
from sciflow.schedulers.fake.request import Dependency, Order, Request

Shape = tuple[object, ...]
WAITS, RUNS = "PENDING", "RUNNING"


@dataclass(eq=False)
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
    ready
        Those of them that wait for no time and no index of another job: a heap, which may hold some that have left.
    running, open
        How many run, and how many have not ended.
    failed
        How many have ended, and not well.
    unstarted, last_start
        How many have neither started yet nor were cancelled, and when the last one did.
    last_end
        When the last one has ended until now.
    last
        The one that has run and ended last until now.
    tied
        The jobs that it waits for, by id, as they were known when it began to wait for them; None for unknown ones.
    late
        The ids of those of them that were over by then.
    downstream
        Those that wait for it, by their places.
    notes
        What its face has noted down of it.
    shape
        What decides where its indices may start.
    eligible
        Since when it waits for nothing but its turn; None as long as it waits for other jobs.
    """

    id: str
    order: int
    ordered: Order
    submitted: float
    request: Request
    dependency: Dependency
    indices: dict[int, Index] = field(default_factory=dict, repr=False)
    waiting: dict[int, None] = field(default_factory=dict, repr=False)
    ready: list[int] = field(default_factory=list, repr=False)
    running: int = 0
    open: int = 0
    failed: int = 0
    unstarted: int = 0
    last_start: float = 0.0
    last_end: float = 0.0
    last: Index | None = None
    tied: dict[str, Job | None] = field(default_factory=dict, repr=False)
    late: set[str] = field(default_factory=set)
    notes: dict[str, Any] = field(default_factory=dict)
    downstream: dict[int, Job] = field(default_factory=dict, repr=False)
    eligible: float | None = None

    def __post_init__(self) -> None:
        self.shape = shape_of(self.request)
        self.name = self.request.name
        self.script, self.directory = self.ordered.script, self.ordered.directory

    def fill(self, numbers: Iterable[int]) -> None:
        """Give it its indices, which all wait."""
        for number in numbers:
            self.indices[number] = Index(self, number)
            self.waiting[number] = None
        self.open = self.unstarted = len(self.indices)

    @property
    def upstream(self) -> list[Job]:
        """The jobs that it waits for, as far as they were known."""
        return [one for one in self.tied.values() if one is not None]

    @property
    def user(self) -> str:
        """Whose it is."""
        return self.ordered.user

    @property
    def is_array(self) -> bool:
        """Whether it is an array job."""
        return self.request.indices is not None

    @property
    def array_on_node(self) -> str:
        """What its script calls the array job: its name, with the variant if there is one."""
        return self.script.stem


@dataclass(slots=True, eq=False)
class Index:
    """One array index.

    Attributes
    ----------
    word, reason
        Its state, and the reason for it, in Slurm's words: those of the model.
    start, end
        When it was started and has ended, in seconds since the epoch.
    began
        When it was started for the first time, or was cancelled before.
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
    timer
        What ends it when its time is up.
    has_vanished
        Whether nothing is left of it in the queue: it was cancelled before it started.
    """

    job: Job
    number: int
    word: str = WAITS
    reason: str = "None"
    start: float | None = None
    end: float | None = None
    began: float | None = None
    node: Node | None = None
    code: int = 0
    signal: int = 0
    by: int | None = None
    restarts: int = 0
    eligible: float = 0.0
    fate: str = ""
    has_vanished: bool = False
    timer: Event | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended for good."""
        return self.word not in (WAITS, RUNS)

    @property
    def run_of(self) -> tuple[int, int, int]:
        """Which start of it this is: job, index, and how often it was put back before."""
        return self.job.order, self.number, self.restarts


def shape_of(request: Request) -> Shape:
    """What decides where something may start."""
    return (
        *(request.partition, request.features, request.excluded, request.reservation),
        *(request.cores, request.memory, request.gpus, request.seconds),
    )
