"""Several runs of one workflow, asked as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sciflow.answers.selection import Answers, Selection
from sciflow.execution import Run, open_run

if TYPE_CHECKING:
    pass


def join_runs(runs: Iterable[Run | Answers | str | Path], absent: Mapping[str, Any] | None = None) -> Selection:
    """The results of several runs of one workflow, every combination once.

    Of the same combination in several runs, a completed one counts, and of these the newest by the runs' ids. Where
    values differ between runs it is noted. The column ``run`` of the data frame says where a row is from.

    Parameters
    ----------
    runs
        Runs, their directories or ids, results, or parts of them.
    absent
        Parameter → the value that it had in runs from before it was varied.

    Returns
    -------
    Selection
        What answers as the results of one run do.

    Raises
    ------
    ResultError
        For runs of different workflows, whose metrics have different units, or with different parameters, where
        `absent` does not say what those were before.
    RunError
        For a run that there is not.
    """
    from sciflow.analysis.joined import joined

    return Selection(joined([_answers(one).observations for one in runs], absent))


def _answers(one: Run | Answers | str | Path) -> Answers:
    if isinstance(one, Answers):
        return one
    return (one if isinstance(one, Run) else open_run(one)).collect()
