"""What the controller and accounting of the queue say of an index: the same as Slurm's do."""

from __future__ import annotations

from sciflow.model.state import State
from sciflow.model.statement import Statement
from sciflow.schedulers.fake.jobs import WAITS, Index
from sciflow.schedulers.slurm_words import STATES, state_and_reason

USER = 1001  # who cancels


def code_and_word(code: int, signal: int, is_oom: bool) -> tuple[str, str, str]:
    """Slurm's word, exit code and reason for how a job script has ended."""
    if is_oom:
        return "OUT_OF_MEMORY", "0:125", "OutOfMemory"
    if signal:
        return "FAILED", f"0:{signal}", "JobLaunchFailure"
    return ("FAILED", f"{code}:0", "NonZeroExitCode") if code else ("COMPLETED", "0:0", "None")


def controller_statement(index: Index, why: str) -> Statement:
    """What `squeue` tells of an index; `why` is the reason of one that waits."""
    state, word, reason = state_and_reason(index.word, why if index.word == WAITS else index.reason)
    return Statement(state, word, reason, index.start, index.end, index.node.name if index.node else "")


def accounting_statement(index: Index) -> Statement:
    """What `sacct` tells of an index; of exit codes from 128 on it takes 128 away."""
    code, _, signal = index.exit.partition(":")
    shown = f"{int(code) - 128}:{signal}" if int(code) >= 128 else index.exit
    by = f"by {USER}" if index.word == "CANCELLED" and index.start is not None else ""
    node = index.node.name if index.node else ""
    if index.word == "CANCELLED":
        shown = "0:0"
    return Statement(STATES[index.word], index.word, by, index.start, index.end, node, shown)


def cancelled_statement(now: float) -> Statement:
    """What `sacct` tells of all that was cancelled together before it started."""
    return Statement(State.CANCELLED, "CANCELLED", f"by {USER}", None, now, "", "0:0")
