"""`observed.json`: what each witness last said of a run's jobs, so that nothing changes while one does not answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sciflow.errors import RunError
from sciflow.model.state import State
from sciflow.model.statement import REST, Statement, Testimony
from sciflow.store.layout import read_document, write_whole
from sciflow_shim import files

Jobs = dict[str, dict[int, Statement]]


@dataclass
class Witness:
    """What one witness said when it last answered.

    Attributes
    ----------
    time
        When that was; None if it never did.
    silent_since
        When it was first asked in vain after that; None while it answers.
    error
        What came instead of an answer.
    """

    jobs: Jobs = field(default_factory=dict)
    time: float | None = None
    silent_since: float | None = None
    error: str = ""


@dataclass
class Observed:
    """All witnesses of a run, and since when indices are missed by all of them: job → index → time."""

    witnesses: dict[str, Witness] = field(default_factory=dict)
    missed: dict[str, dict[int, float]] = field(default_factory=dict)

    def hear(self, testimony: Testimony, now: float) -> None:
        """Take in new answers; what was final stays known when a witness forgets it."""
        for name, jobs in testimony.answers.items():
            before = self.witnesses.get(name, Witness()).jobs
            kept = {job: _final(indices) for job, indices in before.items()}
            merged = {job: {**kept.get(job, {}), **jobs.get(job, {})} for job in {**kept, **jobs}}
            self.witnesses[name] = Witness(merged, now)
        for name, error in testimony.errors.items():
            witness = self.witnesses.setdefault(name, Witness())
            witness.silent_since = witness.silent_since or now
            witness.error = error

    def miss(self, asked: Mapping[str, Iterable[int]], missed: set[tuple[str, int]], now: float) -> None:
        """Note which of the indices that were asked about nobody knows of now; those missed before keep their time."""
        for job, indices in asked.items():
            known = self.missed.setdefault(job, {})
            for index in indices:
                if (job, index) in missed:
                    known.setdefault(index, now)
                else:
                    known.pop(index, None)
        self.missed = {job: known for job, known in self.missed.items() if known}

    def said(self, witness: str, job: str, index: int) -> Statement | None:
        """What a witness last said of an index."""
        indices = self.witnesses[witness].jobs.get(job, {}) if witness in self.witnesses else {}
        return indices.get(index) or indices.get(REST)


def read_observed(path: Path) -> Observed:
    """Read what was observed; nothing where nobody has asked yet.

    Raises
    ------
    RunError
        For a file that is damaged or of a newer format.
    """
    if not path.is_file():
        return Observed()
    document = read_document(path)
    try:
        witnesses = {
            name: Witness(
                {job: _indices(groups) for job, groups in one["jobs"].items()},
                one["time"],
                one["silent_since"],
                one["error"],
            )
            for name, one in document["witnesses"].items()
        }
        missed = {
            job: {index: since for text, since in groups for index in files.parse_ranges(text)}
            for job, groups in document["missed"].items()
        }
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"`{path}` cannot be read: {error!r}", hint="remove it; the scheduler is asked again") from None
    return Observed(witnesses, missed)


def write_observed(path: Path, observed: Observed) -> None:
    """Write what was observed, whole or not at all; neighbours of which the same is said stand together."""
    document = {
        "format": files.FORMAT,
        "witnesses": {
            name: {
                "time": one.time,
                "silent_since": one.silent_since,
                "error": one.error,
                "jobs": {job: _groups(indices) for job, indices in one.jobs.items()},
            }
            for name, one in observed.witnesses.items()
        },
        "missed": {job: [[text, since] for since, text in _ranges(one)] for job, one in observed.missed.items()},
    }
    write_whole(path, json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")


def _final(indices: Mapping[int, Statement]) -> dict[int, Statement]:
    return {index: one for index, one in indices.items() if one.state.is_final}


def _groups(indices: Mapping[int, Statement]) -> list[list[Any]]:
    named = {index: one for index, one in indices.items() if index != REST}
    rest = [["rest", *indices[REST]]] if REST in indices else []
    return [[text, *statement] for statement, text in _ranges(named)] + rest


def _indices(groups: Iterable[list[Any]]) -> dict[int, Statement]:
    found: dict[int, Statement] = {}
    for text, state, *rest in groups:
        statement = Statement(State(state), *rest)
        found.update(dict.fromkeys([REST] if text == "rest" else files.parse_ranges(text), statement))
    return found


def _ranges(by_index: Mapping[int, Any]) -> list[tuple[Any, str]]:
    """Value → the indices that have it, as text."""
    groups: dict[Any, list[int]] = {}
    for index in sorted(by_index):
        groups.setdefault(by_index[index], []).append(index)
    return [(value, files.format_ranges(found)) for value, found in groups.items()]
