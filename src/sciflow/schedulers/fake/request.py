"""What a job asks of the cluster, in the words of no scheduler: each face reads its own options into these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Kind = Literal["after", "afterany", "afterok", "afternotok", "aftercorr", "singleton"]


@dataclass(frozen=True)
class Condition:
    """What a job waits for: another job, or one of its indices; for `singleton`, those of its own name.

    `after` counts from the start of that job, and waits `delay` seconds more.
    """

    kind: Kind
    job: str = ""
    index: int | None = None
    delay: float = 0.0


@dataclass(frozen=True)
class Dependency:
    """All of what a job waits for, or any of it."""

    conditions: tuple[Condition, ...] = ()
    is_any: bool = False


@dataclass(frozen=True)
class Request:
    """What one array index asks for, and what holds for all of them.

    Attributes
    ----------
    name
        The name of the job.
    indices
        None for no array job.
    throttle
        How many indices may run at once; 0 for any number.
    output, error
        Where its output and its errors go, with the patterns of the face; an empty `error` joins the output.
    is_appended
        Whether a second start adds to what the first has printed.
    is_requeued
        Whether it goes back into the queue where its end was no fault of its own.
    cores, memory, gpus
        Of one index; bytes of memory, 0 where none is asked for.
    seconds
        Its walltime; 0 for the longest of the partition.
    begin
        When it may start at the earliest, in seconds since the epoch.
    partition, account, qos, reservation
        Empty for those of the site.
    features
        What its node must have.
    excluded
        The nodes on which it must not run.
    nice
        By how much it steps back behind others.
    is_held
        Whether it waits until somebody releases it.
    is_removed_when_hopeless
        Whether it is cancelled, and does not wait for ever, when what it waits for can no longer happen.
    """

    name: str
    indices: tuple[int, ...] | None = None
    throttle: int = 0
    output: str = ""
    error: str = ""
    is_appended: bool = False
    is_requeued: bool = True
    cores: int = 1
    memory: int = 0
    gpus: int = 0
    seconds: float = 0.0
    begin: float = 0.0
    partition: str = ""
    account: str = ""
    qos: str = ""
    reservation: str = ""
    features: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    nice: int = 0
    is_held: bool = False
    is_removed_when_hopeless: bool = False


@dataclass(frozen=True)
class Order:
    """A job as it is handed to the cluster.

    Attributes
    ----------
    script, text
        The path of its script as it was named, and what it held: a cluster runs its own copy.
    directory
        From where it was submitted.
    variables
        The environment that it takes along.
    call
        The command by which it was submitted.
    details
        What only the face understands of it.
    arguments
        What its script is called with.
    user, number
        Whose it is.
    """

    request: Request
    script: Path
    directory: Path
    dependency: Dependency = Dependency()
    text: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    call: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    user: str = "chen"
    number: int = 1001


class Refused(Exception):
    """A job that the cluster does not take.

    Parameters
    ----------
    why
        One of the words below; each face has its own sentence for it.
    value
        What was asked for.
    """

    def __init__(self, why: Why, value: object = "") -> None:
        super().__init__(f"{why}: {value}")
        self.why: Why = why
        self.value = value


Why = Literal[
    "partition", "partition down", "index", "width", "time", "nodes", "memory", "gpus", "features", "account", "qos",
    "reservation", "queued", "dependency", "ids",
]  # fmt: skip
