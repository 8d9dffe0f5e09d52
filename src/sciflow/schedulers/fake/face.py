"""What a face of the virtual cluster is: the commands, variables and files of one kind of scheduler."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster
    from sciflow.schedulers.fake.jobs import Index, Job

# What only asks, and whose answers can break off.
QUERIES = ("sacct", "squeue", "sinfo", "sdiag", "qstat", "qselect", "pbsnodes")


@dataclass(frozen=True)
class Call:
    """One call of a command.

    Attributes
    ----------
    argv
        The name of the command, and its arguments.
    directory
        From where it was called.
    variables
        The whole environment of the caller.
    stdin
        What it can read from its standard input.
    user, number
        The name and number of who calls.
    """

    argv: tuple[str, ...]
    directory: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    stdin: str = ""
    user: str = "chen"
    number: int = 1001


Command = Callable[["VirtualCluster", Call], Answer]


class Face(Protocol):
    """One kind of scheduler.

    Attributes
    ----------
    name
        What it is: ``slurm`` or ``pbs``.
    commands
        Name → what it does.
    tells_all
        Whether all processes of a job are told to end, and not its script alone.
    """

    name: str
    tells_all: bool
    commands: Mapping[str, Command]

    def variables(self, cluster: VirtualCluster, index: Index, /) -> dict[str, str]:
        """What the scheduler tells a job script in its environment."""
        ...

    def output(self, index: Index, /) -> Path:
        """Where what a job script prints goes."""
        ...

    def errors(self, index: Index, /) -> Path:
        """Where what a job script prints as errors goes; the same as `output` where they are joined."""
        ...

    def starts_without_output(self, cluster: VirtualCluster, index: Index, /) -> bool:
        """Whether an index runs although the folder of its output is not there; if not, take in what becomes of it."""
        ...

    def folder(self, index: Index, /) -> Path:
        """Where a job script starts."""
        ...

    def shell(self, program: Sequence[str], /) -> list[str]:
        """The command by which a node runs a program, which is a job script and what reads it."""
        ...

    def out_of_memory(self, index: Index, /) -> str:
        """What is said in the output of a job that was killed for its memory."""
        ...

    def label(self, job: Job, /) -> str:
        """The id of a job, as its commands print it."""
        ...


def answer(cluster: VirtualCluster, call: Call) -> Answer:
    """What a command of the cluster's face answers; one that there is not is not found, as a shell says it."""
    command = cluster.face.commands.get(call.argv[0].rpartition("/")[2])
    if command is None:
        return Answer(127, "", f"{call.argv[0]}: command not found\n")
    cluster.calls[call.argv[0]] += 1
    if cluster.faults.is_too_often():
        return Answer(1, "", f"{call.argv[0]}: error: too many requests from you, slow down\n")
    found = command(cluster, call)
    is_query = call.argv[0].rpartition("/")[2] in QUERIES
    return replace(found, out=cluster.faults.cut(found.out)) if is_query else found
