"""How the site of the virtual cluster is set up, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sciflow.schedulers.fake.directives import Asked
from sciflow.schedulers.fake.nodes import Node

_INVALID = "sbatch: error: Batch job submission failed: "
TOO_MANY = (
    "sbatch: error: QOSMaxSubmitJobPerUserLimit\n"
    f"{_INVALID}Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"
)


@dataclass(frozen=True)
class Rules:
    """How the site is set up; times in seconds.

    Attributes
    ----------
    longest
        The longest walltime.
    highest_index, submitted_indices
        Of one array job, and of all that is queued and runs.
    lag
        By how much accounting lags behind at most.
    remembered
        How long the controller knows what has ended.
    put_back
        How long one that was put back into the queue waits there.
    noticed
        How long it takes until a node that has died is missed.
    late, kill_wait
        How long after its time limit a job is told to end, and how long it has then.
    """

    partition: str = "main"
    longest: float = 7 * 86_400.0
    highest_index: int = 10_000
    submitted_indices: int | None = None
    lag: float = 5.0
    remembered: float = 300.0
    put_back: float = 121.0
    noticed: float = 28.0
    late: float = 10.0
    kill_wait: float = 30.0


def refusal_of(rules: Rules, nodes: Iterable[Node], asked: Asked, chosen: Sequence[int], queued: int) -> str:
    """Why a submission is refused, in Slurm's words; empty if it is not."""
    if asked.partition and asked.partition != rules.partition:
        said = f"sbatch: error: invalid partition specified: {asked.partition}"
        return f"{said}\n{_INVALID}Invalid partition name specified"
    if chosen[-1] > rules.highest_index:
        return f"{_INVALID}Invalid job array specification"
    if asked.seconds > rules.longest:
        return f"{_INVALID}Requested time limit is invalid (missing or exceeds some limit)"
    if not any(node.can_ever_hold(asked) for node in nodes):
        return f"{_INVALID}Requested node configuration is not available"
    most = rules.submitted_indices
    if most is not None and queued + len(chosen) > most:
        return TOO_MANY
    return ""
