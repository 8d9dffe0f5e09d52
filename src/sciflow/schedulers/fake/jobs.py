"""Jobs and their array indices, as the controller of the queue keeps them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sciflow.schedulers.base import After
from sciflow.schedulers.fake.directives import Asked
from sciflow.schedulers.fake.nodes import Node

WAITS, RUNS = "PENDING", "RUNNING"


@dataclass
class Job:
    """One submission.

    Attributes
    ----------
    id, name, script, directory
        Its id, its unique name, its script, and the directory from which it was submitted.
    asked
        What its script says.
    after
        What it waits for.
    is_any
        Whether the first of these to end lets it start.
    excluded
        The nodes on which it must not run.
    begin
        When it may start at the earliest.
    indices
        All of its indices by number; one that is no array job has the index 0.
    waiting
        The numbers of those that wait.
    running, open
        How many run, and how many have not ended.
    last_end
        When the last one has ended until now.
    throttle
        How many may run at once; 0 for any number.
    """

    id: str
    name: str
    script: Path
    directory: Path
    asked: Asked
    after: tuple[After, ...] = ()
    is_any: bool = False
    excluded: frozenset[str] = frozenset()
    begin: float = 0.0
    is_errand: bool = False
    indices: dict[int, Index] = field(default_factory=dict)
    waiting: dict[int, None] = field(default_factory=dict)
    running: int = 0
    open: int = 0
    last_end: float = 0.0
    throttle: int = 0

    def fill(self, numbers: Iterable[int]) -> None:
        """Give it its indices, which all wait."""
        for number in numbers:
            self.indices[number] = Index(self, number)
            self.waiting[number] = None
        self.open = len(self.indices)

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
        Its state in Slurm's word, and Slurm's reason.
    start, end
        When it was started and has ended, in seconds since the epoch.
    node
        Where it runs or ran.
    exit
        Its exit code and signal, as Slurm writes them.
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
    exit: str = "0:0"
    restarts: int = 0
    eligible: float = 0.0
    fate: str = ""
    has_vanished: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it has ended for good."""
        return self.word not in (WAITS, RUNS)

    @property
    def run_of(self) -> tuple[str, int, int]:
        """Which start of it this is: job, index, and how often it was put back before."""
        return self.job.id, self.number, self.restarts

    @property
    def log(self) -> Path:
        """Where what its job script prints goes."""
        text = self.job.asked.output.replace("%a", str(self.number)).replace("%A", self.job.id)
        return self.job.directory / text.replace("%j", self.job.id).replace("%x", self.job.name)

    @property
    def variables(self) -> dict[str, str]:
        """What Slurm tells it in its environment."""
        node = self.node.name if self.node else ""
        return {
            "SLURM_JOB_ID": f"{self.job.id}{self.number:06d}",
            "SLURM_ARRAY_JOB_ID": self.job.id,
            "SLURM_ARRAY_TASK_ID": str(self.number),
            "SLURM_JOB_NODELIST": node,
            "SLURMD_NODENAME": node,
            "SLURM_JOB_PARTITION": self.job.asked.partition,
            "SLURM_SUBMIT_DIR": str(self.job.directory),
            **({"SLURM_RESTART_COUNT": str(self.restarts)} if self.restarts else {}),
        }
