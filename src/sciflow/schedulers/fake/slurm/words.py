"""What Slurm prints of an index: words, exit codes and times."""

from __future__ import annotations

from sciflow.schedulers.fake.accounting import Row


def state_in_accounting(row: Row) -> str:
    """The state as `sacct` has it, with the number of who has cancelled it."""
    return f"CANCELLED by {row.by}" if row.word == "CANCELLED" and row.by is not None else row.word


def exit_in_accounting(row: Row) -> str:
    """The exit code as `sacct` has it: of codes from 128 on it takes 128 away."""
    if row.word == "CANCELLED":
        return "0:0"
    code = row.code - 128 if row.code >= 128 else row.code
    return f"{code}:{row.signal}"
