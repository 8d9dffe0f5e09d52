"""The Transport protocol: runs a command where the scheduler is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Answer:
    """What a command answered: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """What it complained of, in one line."""
        text = " ".join(line.strip() for line in (self.err or self.out).splitlines() if line.strip())
        return text or f"it ended with code {self.code} and said nothing"


class Transport(Protocol):
    """Runs commands where the scheduler is."""

    def run(
        self,
        command: Sequence[str],
        cwd: Path | None = None,
        variables: Mapping[str, str] | None = None,
        seconds: float = 60.0,
    ) -> Answer:
        """Run a command to its end.

        Parameters
        ----------
        command
            The program and its arguments; no shell reads them.
        cwd
            Where it runs.
        variables
            Environment variables beside those that are there.
        seconds
            How long it may take; it is killed then.

        Raises
        ------
        TransportError
            Where the program is not there, or did not end in time.
        """
        ...
