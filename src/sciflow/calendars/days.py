"""Holidays and blackouts from plain text: one day or period a line, and comments after ``#``."""

from __future__ import annotations

from sciflow.errors import WorkflowError
from sciflow.model.periods import read_days, read_period


def read_days_text(text: str, name: str, whole_days: bool) -> tuple[str, ...]:
    """Read the lines of a file.

    Parameters
    ----------
    text, name
        The text, and the file's name for messages.
    whole_days
        Whether times are refused.

    Raises
    ------
    WorkflowError
        Naming file and line.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        said = line.partition("#")[0].strip()
        if not said:
            continue
        try:
            (read_days if whole_days else read_period)(said)
        except ValueError as error:
            raise WorkflowError(
                f"{name}, line {number}: {error}", hint="one day or period a line; what follows `#` is a comment"
            ) from None
        found.append(said)
    if not found:
        raise WorkflowError(f"{name} holds no dates", hint="write one a line, like `2031-05-17`")
    return tuple(found)
