"""What was found when a package was checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

VALID, DAMAGED, INCOMPLETE = "valid", "damaged", "incomplete"
Kind = Literal["changed", "missing", "added", "unreadable", "other code", "contradiction", "refused"]
_DAMAGE = frozenset({"changed", "added", "unreadable", "other code", "contradiction", "refused"})


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it should be.

    Attributes
    ----------
    kind
        ``changed``, ``added`` or ``missing`` by the bag's manifests; ``unreadable``, where its own format is broken;
        ``other code``, where a file is not the one that the run had; ``contradiction``, where two parts of the package
        say different things; ``refused``, where the archive was not unpacked.
    path
        The file, from the package's folder; empty where it is about the package as a whole.
    why
        In words.
    """

    kind: Kind
    path: str
    why: str


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what, how many of them, and whether all was well."""

    what: str
    count: int
    is_well: bool


@dataclass
class Verification:
    """What was found when a package was checked.

    Attributes
    ----------
    package
        What was checked.
    problems
        What is not as it should be, by file.
    checks
        What was looked at.
    facts
        What the package says of itself: its `package.json`.
    notes
        What is no problem, but good to know.
    environment
        How this machine differs from where the run was made, as `sciflow.package.environments.surroundings` grades it.
    """

    package: str
    problems: list[Problem] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    environment: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """``valid``, ``damaged`` by bytes that are not those that were packed, or ``incomplete`` by missing files."""
        kinds = {problem.kind for problem in self.problems}
        return DAMAGED if kinds & _DAMAGE else INCOMPLETE if kinds else VALID

    @property
    def is_valid(self) -> bool:
        """Whether all is as it was packed."""
        return not self.problems

    def checked(self, what: str, count: int, problems: Sequence[Problem]) -> None:
        """Take in what one look has found."""
        self.checks.append(Check(what, count, not problems))
        known = {(problem.kind, problem.path) for problem in self.problems}
        self.problems += [problem for problem in problems if (problem.kind, problem.path) not in known]

    def to_document(self) -> dict[str, Any]:
        """The verdict as JSON has it."""
        told = ("name", "run", "workflow", "sciflow", "when", "state", "reproducible", "why_not")
        empty: dict[str, Any] = {"left_out": [], "redacted": {}, "warnings": []}
        return {
            "format": 1,
            "package": self.package,
            "verdict": self.verdict,
            **{name: self.facts[name] for name in told if name in self.facts},
            "problems": [asdict(problem) for problem in self.problems],
            "checks": [asdict(check) for check in self.checks],
            "notes": self.notes,
            **{name: self.facts.get(name, none) for name, none in empty.items()},
            "environment": self.environment,
        }
