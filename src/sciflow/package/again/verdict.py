"""What came of making a packaged run again: a file that says it, and the same in words."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sciflow.package.again.best import Watched
from sciflow.package.again.compare import NOT_RUN, PARTLY, ComparedValue, Comparison, Outcome, Worst
from sciflow.package.again.compared_values import DIFFERENT, IGNORED, REPRODUCED, WITHIN, Compared
from sciflow.package.again.differences import PLACE, Difference
from sciflow.package.environments.surroundings import Difference as Surrounding
from sciflow.store.layout import write_whole

FORMAT = 1  # of the verdict's file
_LONGEST = 200  # characters of what is told of an environment, whose installers say much
_SMALL = 1e-3  # relative difference below which a percentage has many zeros
_COMPARED = frozenset({REPRODUCED, WITHIN, DIFFERENT})
_MOST_NAMES = 3  # of values, in the headline
_MOST_LINES = 12  # of a kind, in words; all of them stand in the file


@dataclass(frozen=True)
class Package:
    """Which package a verdict is on.

    Attributes
    ----------
    name, run, workflow
        Its name, and the run in it.
    digest
        SHA-256 of the list of its files' checksums, but for verdicts and the crate that tells of them.
    """

    name: str
    run: str
    workflow: str
    digest: str


@dataclass(frozen=True)
class Asked:
    """What was to be run again, and how.

    Attributes
    ----------
    sample, seed, where
        How many combinations, drawn by which seed; or which of them; all where nothing is said.
    profile, environment
        By which cluster profile, and whether an environment was built or that of sciflow was taken.
    tolerances
        How much values may differ.
    """

    sample: int | None = None
    seed: int = 0
    where: tuple[str, ...] = ()
    profile: str = "local"
    environment: str = "build"
    tolerances: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Verdict:
    """What came of making a packaged run again.

    Attributes
    ----------
    package, asked
        Which package, and what was to be done with it.
    began, when
        When it began, and when it was done, in UTC.
    machine
        On what kind of machine: nobody's name, and no machine's.
    sciflow
        The version that has compared.
    comparison
        All that was compared; nothing where nothing could be run.
    differences
        What was put in differently.
    surroundings
        How the environment differs from the recorded one, each with a grade.
    reasons
        Why all of it, or some, was not run.
    folder
        Where it was run; not in the file.
    run
        The run directory that was made; not in the file.
    """

    package: Package
    asked: Asked
    began: str
    when: str = ""
    machine: Mapping[str, str] = field(default_factory=dict)
    sciflow: str = field(default_factory=lambda: version("sciflow"))
    comparison: Comparison = field(default_factory=Comparison)
    differences: Sequence[Difference] = ()
    surroundings: Sequence[Surrounding] = ()
    reasons: Sequence[str] = ()
    folder: Path | None = None
    run: Path | None = None

    @property
    def overall(self) -> str:
        """``reproduced``, ``within tolerance``, ``different``, ``not compared``, ``partly run`` or ``not run``."""
        found = self.comparison.overall
        return PARTLY if self.reasons and found in (REPRODUCED, WITHIN) else found

    @property
    def is_reproduced(self) -> bool:
        """Whether all that was to be run gave the same, within the tolerances."""
        return self.overall in (REPRODUCED, WITHIN)

    @property
    def is_best_same(self) -> bool | None:
        """Whether the best combination is the same by each metric that the workflow shows; None without any."""
        best = self.comparison.best
        return all(one.is_same for one in best) if best else None

    def to_document(self) -> dict[str, Any]:
        """The verdict as its file has it."""
        found = self.comparison
        return _plain(
            {
                "format": FORMAT,
                "verdict": self.overall,
                "package": asdict(self.package),
                "began": self.began,
                "when": self.when,
                "sciflow": self.sciflow,
                "machine": dict(self.machine),
                "asked": asdict(self.asked),
                "instances": dict(found.instances),
                "not_compared": found.ignored,
                "values": [_value(one) for one in found.values],
                "outcomes": [asdict(one) for one in found.outcomes],
                "new_values": [f"{task}.{name}" for task, name in found.new],
                "strange_instances": found.strange,
                "best": [asdict(one) for one in found.best],
                "same_best": self.is_best_same,
                "differences": [one.to_document() for one in self.differences],
                "remark": self.remark,
                "environment": [one.to_document() for one in self.surroundings],
                "not_run_because": list(self.reasons),
            }
        )

    def to_json(self) -> str:
        """The verdict's file."""
        return json.dumps(self.to_document(), indent=1, ensure_ascii=False) + "\n"

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, self.to_json())

    def describe(self) -> str:
        """The verdict in words."""
        return "\n".join([self.headline, *_details(self)])

    @property
    def headline(self) -> str:
        """The verdict in a line."""
        counts = self.comparison.instances
        total = sum(counts.values())
        parts = [f"{count} {word}" for word, count in counts.items() if count]
        told = f": of {total} task instances {', '.join(parts)}" if parts else ""
        return f"{self.package.name}: {self.overall}{self._but}{told}"

    @property
    def _but(self) -> str:
        """What the verdict does not hold for, since somebody asked for that."""
        names = self.comparison.ignored
        if not names or self.overall == IGNORED:
            return ""
        shown = ", ".join(f"`{name}`" for name in names[:_MOST_NAMES])
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        return f", but {shown}{more} {'was' if len(names) == 1 else 'were'} not compared (ignored on request)"

    @property
    def remark(self) -> str:
        """Why values may differ though nothing was put in differently; empty where something was, or none differs."""
        if self.comparison.overall != DIFFERENT or any(one.kind != PLACE for one in self.differences):
            return ""
        if not any(one.verdict == DIFFERENT for one in self.comparison.values):
            return ""
        by_itself = (
            "the program itself gives other values each time, as with random numbers that are not drawn from "
            "sciflow's seed"
        )
        reasons = {"where it was run": self.differences, "the environment": self.surroundings}
        if others := " and ".join(name for name, found in reasons.items() if found):
            return f"code, inputs, parameters and seeds are the same: what differs comes of {others}, or {by_itself}"
        same = "nothing was put in differently (code, inputs, parameters, seeds and versions are the same)"
        return f"{same}: {by_itself}"


def _value(one: ComparedValue) -> dict[str, Any]:
    facts = {name: getattr(one, name) for name in ("task", "name", "kind", "verdict", "rule", "counts")}
    if one.worst:
        facts |= {"absolute": one.absolute, "relative": one.relative, "worst": [_worst(worst) for worst in one.worst]}
        facts["largest"] = one.largest and _worst(one.largest)
    return facts


def _worst(one: Worst) -> dict[str, Any]:
    return {"instance": one.number, "parameters": dict(one.parameters), **asdict(one.compared)}


def _plain(value: Any) -> Any:
    """What JSON can hold: numbers that are not finite as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _details(verdict: Verdict) -> list[str]:
    found = verdict.comparison
    lines = [f"not run: {reason}" for reason in verdict.reasons]
    lines += _shortened([_in_words(one) for one in _by_severity(found.values)])
    if found.overall == IGNORED or len(found.ignored) > _MOST_NAMES:
        lines += _shortened([f"not compared, on request: `{name}`" for name in found.ignored])
    lines += _shortened([_outcome(one) for one in found.outcomes])
    if found.new:
        names = ", ".join(f"`{task}.{name}`" for task, name in found.new[:_MOST_LINES])
        lines.append(f"not in the package, and not compared: {names}")
    if found.strange:
        lines.append(f"{found.strange} task instances were run that the package does not have")
    of = "" if not found.instances.keys() - _COMPARED else "of what was compared, "
    lines += [f"{of}{_best(one)}" for one in found.best]
    if verdict.remark:
        lines.append(verdict.remark)
    lines += _shortened([f"put in differently ({one.kind}): {one.what}" for one in verdict.differences])
    lines += _shortened([_surrounding(one) for one in verdict.surroundings])
    return lines


def _by_severity(values: Sequence[ComparedValue]) -> list[ComparedValue]:
    order = {DIFFERENT: 0, WITHIN: 1}
    return sorted((one for one in values if one.verdict in order), key=lambda one: order[one.verdict])


def _in_words(one: ComparedValue) -> str:
    count, worst, largest = one.counts[one.verdict], one.worst[0], one.largest
    text = f"{one.kind} `{one.task}.{one.name}` is {one.verdict} in {count} of {sum(one.counts.values())}"
    if largest:
        text += f" (allowed: {one.rule})"
    text += f"; most{_where(worst)}: {_shown(worst.compared)}"
    if largest and largest.number != worst.number and largest.compared.absolute > worst.compared.absolute:
        text += f"; by the largest number{_where(largest)}: {_shown(largest.compared)}"
    return text


def _where(one: Worst) -> str:
    where = ", ".join(f"{name}={value}" for name, value in one.parameters.items())
    return f" at {where}" if where else ""


def _shown(one: Compared) -> str:
    """Both values, and by how much they differ."""
    parts = [] if one.there is None or one.why else [f"{_number(one.there)} there", f"{_number(one.here)} here"]
    parts = [one.why, *parts] if one.why else parts
    if one.absolute and not math.isnan(one.absolute):
        size = f" ({_part(one.relative)})" if math.isfinite(one.relative) else ""
        parts.append(f"by {one.absolute:.3g}{size}")
    return ", ".join(parts)


def _part(relative: float) -> str:
    """A difference for the size of what differs: small ones as tolerances are written."""
    return f"{100 * relative:.3g} %" if relative >= _SMALL else f"rel {relative:.2g}"


def _number(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else repr(value)


def _outcome(one: Outcome) -> str:
    where = ", ".join(f"{name}={value}" for name, value in one.parameters.items())
    word = "not run" if one.verdict == NOT_RUN else "another outcome"
    return f"{word}: `{one.task}`{f' at {where}' if where else ''}: {one.there} there; {one.here} here"


def _best(one: Watched) -> str:
    word = "largest" if one.is_largest else "smallest"
    there = ", ".join(f"{name}={value}" for name, value in one.there.items())
    if one.is_same:
        return f"`{one.metric}` is {word} at {there}, there and here: {one.value_there:.6g} and {one.value_here:.6g}"
    here = ", ".join(f"{name}={value}" for name, value in one.here.items())
    return (
        f"`{one.metric}` is {word} at {there} there ({one.value_there:.6g}), but at {here} here ({one.value_here:.6g})"
    )


def _surrounding(one: Surrounding) -> str:
    text = f"environment ({one.grade}): {one.what}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _shortened(lines: list[str]) -> list[str]:
    more = len(lines) - _MOST_LINES
    return lines if more <= 0 else [*lines[:_MOST_LINES], f"… and {more} more of these, in the verdict's file"]
