"""A paragraph for the methods of a paper: how a run was made, by what the run itself knows, and nothing else."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sciflow.analysis.cells import plain
from sciflow.analysis.efficiency import efficiency
from sciflow.analysis.observations import Observations, Parameter
from sciflow.analysis.table import RunTable
from sciflow.analysis.typeset import escaped_latex, escaped_markdown
from sciflow.model.resources import GIB
from sciflow.model.state import State
from sciflow.store.layout import read_document

_MOST = 5  # values, machines or errors that are named one by one
_SCHEDULERS = {"slurm": "Slurm", "pbs": "PBS", "torque": "TORQUE", "fake": "a fake scheduler"}
_DESIGNS = {
    "random": "drawn at random",
    "lhs": "drawn by Latin hypercube sampling",
    "sobol": "drawn from a Sobol sequence",
    "saltelli": "drawn by Saltelli's design",
    "morris": "drawn along Morris trajectories",
}


class Name(NamedTuple):
    """A name as it is written in a workflow or in code."""

    text: str


Part = str | Name


@dataclass(frozen=True)
class Methods:
    """How a run was made, in sentences.

    Attributes
    ----------
    sentences
        Each in parts: words, and names.
    """

    sentences: tuple[tuple[Part, ...], ...]

    def to_text(self) -> str:
        """The paragraph in plain text."""
        return self._joined(str, str)

    def to_markdown(self) -> str:
        """The paragraph in Markdown; names are code."""
        return self._joined(
            escaped_markdown_words, lambda name: f"`{name}`" if "`" not in name else escaped_markdown(name)
        )

    def to_latex(self) -> str:
        """The paragraph in LaTeX; names are typed."""
        return self._joined(escaped_latex, lambda name: rf"\texttt{{{escaped_latex(name)}}}")

    def __str__(self) -> str:
        return self.to_text()

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def _joined(self, words: Any, name: Any) -> str:
        return " ".join(
            "".join(name(part.text) if isinstance(part, Name) else words(part) for part in sentence)
            for sentence in self.sentences
        )


def escaped_markdown_words(text: str) -> str:
    """Words that may stand in a paragraph of Markdown; the blanks at their ends stay."""
    inner = text.strip()
    return text.replace(inner, escaped_markdown(inner)) if inner else text


def methods_of(results: RunTable, observations: Observations) -> Methods:
    """Tell how a run was made: what is not known is left out, and what failed is not."""
    manifest = read_document(results.run.manifest)
    told = [
        _asked(results, manifest),
        *_space(observations),
        _ran(results, manifest),
        _machines(results),
        _counted(results),
        _taken_over(results),
        *_failed(results),
        _used(results),
        _code(manifest.get("code") or {}),
    ]
    return Methods(tuple(tuple(one) for one in told if one))


def _asked(results: RunTable, manifest: Mapping[str, Any]) -> list[Part]:
    tasks = [Name(task) for task in manifest.get("tasks", {})]
    parts: list[Part] = ["The workflow ", Name(str(manifest.get("workflow", "")))]
    if tasks:
        parts += [f" ({_many(len(tasks), 'task')}", *([": ", *_listed(tasks)] if len(tasks) <= _MOST else []), ")"]
    parts += [f" was run with sciflow {manifest['sciflow']}" if manifest.get("sciflow") else " was run"]
    return [*parts, f" (run {results.run.run_id})."]


def _space(observations: Observations) -> list[list[Part]]:
    varied = [one for one in observations.parameters.values() if not (one.is_derived or one.is_repeat)]
    varied = [one for one in varied if len(one.levels) > 1]
    repeats = [one for one in observations.parameters.values() if one.is_repeat]
    sentences: list[list[Part]] = []
    if varied:
        named: list[Part] = [part for one in varied[:_MOST] for part in (", ", *_described(one))][1:]
        more = f", and {len(varied) - _MOST} more" if len(varied) > _MOST else ""
        how = _DESIGNS.get(observations.design or "", "") if any(one.is_sampled for one in varied) else ""
        drawn = f", {how}" if how else ""
        count = f"{len(observations):,} {'combination' if len(observations) == 1 else 'combinations'}"
        of = _many(len(varied), "parameter") if not repeats else f"{_many(len(varied), 'parameter')} and repeats"
        sentences.append([f"It covered {count} of {of} (", *named, f"{more}){drawn}."])
    fixed = [one for one in observations.parameters.values() if len(one.levels) == 1 and not one.is_repeat]
    if fixed:
        kept = [part for one in fixed[:_MOST] for part in (", ", Name(one.name), f" = {one.levels[0]}")][1:]
        more = f", and {len(fixed) - _MOST} more" if len(fixed) > _MOST else ""
        sentences.append([f"Fixed {'was' if len(fixed) == 1 else 'were'} ", *kept, f"{more}."])
    for one in repeats:
        values = [str(value) for value in one.levels]
        if len(values) > 1:
            kept = f": {_and(values)}" if len(values) <= _MOST else ""
            sentences.append([f"Each setting was repeated {len(values)} times (", Name(one.name), f"{kept})."])
        elif values:
            sentences.append(["Each setting was run once (", Name(one.name), f": {values[0]})."])
    return sentences


def _described(one: Parameter) -> list[Part]:
    count = len(one.levels)
    if count <= _MOST and not one.is_sampled:
        return [Name(one.name), f": {_and([str(value) for value in one.levels])}"]
    if one.kind == "number" and None not in one.levels:
        drawn = "drawn values" if one.is_sampled else "values"
        return [Name(one.name), f": {count} {drawn} from {one.levels[0]:.3g} to {one.levels[-1]:.3g}"]
    return [Name(one.name), f": {count} values"]


def _ran(results: RunTable, manifest: Mapping[str, Any]) -> list[Part]:
    profile = manifest.get("profile") or {}
    scheduler = str(profile.get("scheduler", ""))
    starts = _values(results, "attempts", "start")
    when = _period(starts, _values(results, "attempts", "end"))
    if not starts:
        return []
    if scheduler == "local":
        return [f"It was run without a batch system{when}."]
    where: list[Part] = [" with the cluster profile ", Name(str(profile["name"]))] if profile.get("name") else []
    return [f"It was run by {_SCHEDULERS.get(scheduler, scheduler) or 'a scheduler'}", *where, f"{when}."]


def _period(starts: Sequence[float], ends: Sequence[float]) -> str:
    if not starts:
        return ""
    first, last = (_day(one) for one in (min(starts), max([*starts, *ends])))
    return f" on {first} (UTC)" if first == last else f" from {first} to {last} (UTC)"


def _day(seconds: float) -> str:
    day = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return f"{day.day} {day:%B %Y}"


def _machines(results: RunTable) -> list[Part]:
    hosts = set(_values(results, "attempts", "host")) - {""}
    table = results.tables.table("environments")
    kinds: dict[str, None] = {}
    for row in range(table.count):
        of = {name: table[name][row] for name in table}
        kinds[_machine(of)] = None
    systems = _different(of for of in _values(results, "environments", "distribution"))
    pythons = _different(_values(results, "environments", "python"))
    known = [one for one in kinds if one]
    if not hosts and not known:
        return []
    parts = [f"It used {_many(len(hosts), 'node') if hosts else 'a node or more'}"]
    if known:
        parts.append(
            f" with {_and(known[:_MOST])}" + (f", and {len(known) - _MOST} other kinds" if len(known) > _MOST else "")
        )
    software = [*systems[:_MOST], *([f"Python {_and(pythons[:_MOST])}"] if pythons else [])]
    return [*parts, f", under {_and(software)}." if software else "."]


def _machine(of: Mapping[str, Any]) -> str:
    details = []
    if of.get("logical_cores"):
        details.append(_many(int(of["logical_cores"]), "logical core"))
    if of.get("memory_bytes"):
        details.append(f"{of['memory_bytes'] / GIB:.3g} GiB of memory")
    told = f" ({_and(details)})" if details else ""
    return f"{of['cpu_model']}{told}" if of.get("cpu_model") else _and(details)


def _counted(results: RunTable) -> list[Part]:
    instances, attempts = results.tables.instances.count, results.tables.attempts.count
    done = f"{results.completed:,} of {_many(len(results), 'combination')} {_was(results.completed)} completed"
    tried = f"{_many(instances, 'task instance')} took {_many(attempts, 'attempt')}" if instances and attempts else ""
    return [f"{tried[:1].upper()}{tried[1:]}; {done}." if tried else f"{done[:1].upper()}{done[1:]}."]


def _taken_over(results: RunTable) -> list[Part]:
    """How many attempts were made by earlier runs, whose results this one took over."""
    others = Counter(str(one) for one in _values(results, "attempts", "run") if str(one) != results.run.run_id)
    if not others:
        return []
    runs = _and([*list(others)[:_MOST], *(["others"] if len(others) > _MOST else [])])
    return [
        f"{_many(sum(others.values()), 'attempt')} of these {_was(sum(others.values()))} made by earlier runs ({runs})."
    ]


def _failed(results: RunTable) -> list[list[Part]]:
    states = Counter(State(one) for one in _values(results, "instances", "state"))
    failed = Counter({state: count for state, count in states.items() if state.is_failure})
    waiting = sum(count for state, count in states.items() if not state.is_final)
    sentences: list[list[Part]] = []
    if failed:
        told = _and([f"{count:,} {_ended(state, count)}" for state, count in failed.most_common()])
        kinds = Counter(one for one in _values(results, "instances", "error_type") if one)
        why: list[Part] = []
        if kinds:
            named = [Name(kind) for kind, _ in kinds.most_common(_MOST)]
            why = [", by ", *_listed(named), *([" and others"] if len(kinds) > _MOST else [])]
        total = sum(failed.values())
        sentences.append([f"{_many(total, 'task instance')} did not succeed ({told}", *why, ")."])
    if waiting:
        sentences.append([f"When this was written, {_many(waiting, 'task instance')} {_was(waiting)} not over yet."])
    return sentences


def _ended(state: State, count: int) -> str:
    return {
        State.FAILED: "failed",
        State.TIMEOUT: "ran out of time",
        State.OUT_OF_MEMORY: "ran out of memory",
        State.NODE_FAIL: f"{_was(count)} lost with a node",
        State.PREEMPTED: f"{_was(count)} preempted",
        State.CANCELLED: f"{_was(count)} cancelled",
        State.UPSTREAM_FAILED: "lacked what comes before",
        State.CRITERIA_NOT_MET: "did not meet the criteria of success",
    }.get(state, f"ended as {state.value}")


def _used(results: RunTable) -> list[Part]:
    if not results.run.plan.is_file():
        return []
    total = efficiency(results).total
    if not total.core_hours > 0:
        return []
    parts = [f"It held {_hours(total.core_hours, 'core-hour')}"]
    if not math.isnan(total.cpu_hours):
        parts.append(f", with {_hours(total.cpu_hours, 'hour')} of CPU time")
    if total.gpu_hours > 0:
        parts.append(f", and {_hours(total.gpu_hours, 'GPU-hour')}")
    if total.lost_core_hours >= 0.01:
        parts.append(f"; attempts that did not succeed held {_hours(total.lost_core_hours, 'core-hour')} of them")
    return ["".join(parts), "."]


def _hours(hours: float, what: str) -> str:
    if hours < 0.01:
        return f"less than 0.01 {what}s"
    digits = f"{hours:,.0f}" if hours >= 100 else f"{hours:.3g}"
    return f"{digits} {what}{'' if digits == '1' else 's'}"


def _code(code: Mapping[str, Any]) -> list[Part]:
    if commit := code.get("commit"):
        place: list[Part] = [" of ", Name(str(code["remote"]))] if code.get("remote") else []
        state = ", with changes that were not committed" if code.get("dirty") else ""
        return ["The code was commit ", Name(str(commit)[:12]), *place, f"{state}."]
    if digest := code.get("sha256"):
        return ["Of the code no commit is known; its SHA-256 is ", Name(str(digest)), "."]
    return []


def _values(results: RunTable, table: str, column: str) -> list[Any]:
    """What is there of a column; a table or column that is not there has nothing."""
    found = results.tables.table(table)
    return [value for value in map(plain, found[column]) if value is not None] if column in found else []


def _different(values: Iterable[Any]) -> list[str]:
    return [str(one) for one in dict.fromkeys(values) if one]


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


def _and(texts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))


def _listed(names: Sequence[Name]) -> list[Part]:
    parts: list[Part] = []
    for place, name in enumerate(names):
        parts += [("" if place == 0 else " and " if place == len(names) - 1 else ", "), name]
    return parts
