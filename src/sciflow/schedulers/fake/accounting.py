"""Accounting: what it is told late, and keeps for ever."""

from __future__ import annotations

import random
from typing import NamedTuple

from sciflow.model.statement import Statement


class _Row(NamedTuple):
    visible: float
    statement: Statement


class Accounting:
    """What was written down of every index, as it can be read some seconds later.

    Parameters
    ----------
    lag
        By how many seconds at most it lags behind.
    chance
        Draws the lag of each row.
    """

    def __init__(self, lag: float, chance: random.Random) -> None:
        self.lag = lag
        self.chance = chance
        self.names: dict[str, str] = {}
        self.submitted: dict[str, float] = {}
        self._rows: dict[str, dict[int, list[_Row]]] = {}

    def open(self, job: str, name: str, now: float) -> None:
        """Take in a job."""
        self.names[job], self.submitted[job] = name, now + self.chance.uniform(0, self.lag)
        self._rows[job] = {}

    def note(self, job: str, index: int, statement: Statement, now: float) -> None:
        """Write down what became of an index; `REST` stands for all that have no row of their own."""
        rows = self._rows[job].setdefault(index, [])
        visible = now + self.chance.uniform(0, self.lag)
        rows.append(_Row(max(visible, rows[-1].visible if rows else 0.0), statement))

    def said(self, job: str, now: float) -> dict[int, Statement]:
        """What it says of the indices of a job now."""
        found = {}
        for index, rows in self._rows.get(job, {}).items():
            seen = [row for row in rows if row.visible <= now]
            if seen:
                found[index] = seen[-1].statement
        return found

    def find(self, name: str, now: float) -> str | None:
        """The id of the job of a name."""
        known = (job for job, one in self.names.items() if one == name and self.submitted[job] <= now)
        return next(known, None)
