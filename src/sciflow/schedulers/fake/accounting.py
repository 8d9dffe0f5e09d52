"""Accounting: what it is told late, and keeps longer than the controller does."""

from __future__ import annotations

import random
from typing import NamedTuple

from sciflow.schedulers.fake.jobs import Index, Job

ALL_THE_REST = -1  # stands for all indices of a job that have no row of their own


class Row(NamedTuple):
    """What was written down of an index at some time; see `Index` for what its parts mean."""

    word: str
    reason: str
    code: int
    signal: int
    by: int | None
    start: float | None
    end: float | None
    node: str

    @classmethod
    def of(cls, index: Index) -> Row:
        """What there is to write down of an index now."""
        node = index.node.name if index.node else ""
        return cls(index.word, index.reason, index.code, index.signal, index.by, index.start, index.end, node)


class Account(NamedTuple):
    """All that is written down of a job: when that can be read, and what, by index and in order."""

    job: Job
    visible: float
    rows: dict[int, list[tuple[float, Row]]]


class Accounting:
    """What was written down of every job, as it can be read some seconds later.

    Parameters
    ----------
    lag
        By how many seconds at most it lags behind.
    chance
        Draws the lag of each row.
    kept
        For how many seconds it keeps a job whose last index has ended.
    """

    def __init__(self, lag: float, chance: random.Random, kept: float = float("inf")) -> None:
        self.lag, self.kept = lag, kept
        self.chance = chance
        self.accounts: dict[int, Account] = {}

    def open(self, job: Job, now: float) -> None:
        """Take in a job."""
        self.accounts[job.order] = Account(job, now + self.chance.uniform(0, self.lag), {})

    def note(self, job: Job, number: int, row: Row, now: float) -> None:
        """Write down what became of an index; `ALL_THE_REST` stands for all that have no row of their own."""
        account = self.accounts.get(job.order)
        if account is None:
            return  # it was forgotten, and somebody has put the job back into the queue
        rows = account.rows.setdefault(number, [])
        visible = now + self.chance.uniform(0, self.lag)
        rows.append((max(visible, rows[-1][0] if rows else 0.0), row))

    def said(self, job: Job, now: float) -> dict[int, Row]:
        """What it says of the indices of a job now: the last that can be read of each."""
        return {number: rows[-1] for number, rows in self.history(job, now).items()}

    def history(self, job: Job, now: float) -> dict[int, list[Row]]:
        """All that it says of the indices of a job now, in order."""
        account = self.accounts.get(job.order)
        found: dict[int, list[Row]] = {}
        for number, rows in (account.rows if account else {}).items():
            seen = [row for visible, row in rows if visible <= now]
            if seen:
                found[number] = seen
        return found

    def known(self, now: float) -> list[Job]:
        """The jobs that it knows now, in the order in which they were submitted; of an id perhaps several."""
        self._purge(now)
        return [one.job for one in self.accounts.values() if one.visible <= now]

    def newest(self, now: float) -> list[Job]:
        """The jobs that it knows now, of each id only the one that was submitted last."""
        return list({job.id: job for job in self.known(now)}.values())

    def _purge(self, now: float) -> None:
        if self.kept < float("inf"):
            old = [order for order, one in self.accounts.items() if now - one.job.last_end >= self.kept]
            for order in old:
                if not self.accounts[order].job.open:
                    del self.accounts[order]
