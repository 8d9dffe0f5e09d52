"""Tries again what has failed: only that and what depends on it, as new attempts of the same indices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sciflow.errors import RunError
from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.profile import ClusterProfile
from sciflow.model.recovery import RecoveryPolicy
from sciflow.run.causes import Failure
from sciflow.run.decide import Decider, Decision
from sciflow.run.needs import Place
from sciflow.run.sizing import Ask, Sizing
from sciflow.run.status import RunStatus
from sciflow.run.variants import next_of, write_variant
from sciflow.run.wish import Wish
from sciflow.store.brakes import read_brakes, release
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.manifest import task_retries
from sciflow.store.submissions import RETRY
from sciflow_shim import files


@dataclass
class Again:
    """Elements of an array job that are tried again under one request."""

    array: ArrayJob
    ask: Ask
    decisions: list[Decision] = field(default_factory=list)

    @property
    def indices(self) -> list[int]:
        """The indices that are run."""
        return sorted(one.place[1] for one in self.decisions)

    @property
    def elements(self) -> list[int]:
        """The scheduler's indices in which they run."""
        return sorted({self.array.element(index) for index in self.indices})

    @property
    def most_members(self) -> int:
        """How many run one after another in an element at most."""
        counts: dict[int, int] = {}
        for index in self.indices:
            counts[self.array.element(index)] = counts.get(self.array.element(index), 0) + 1
        return max(counts.values())


def decide(
    run: RunDirectory,
    plan: Plan,
    status: RunStatus,
    failures: Mapping[Place, Failure],
    profile: ClusterProfile,
    recovery: RecoveryPolicy,
    wish: Wish,
) -> list[Decision]:
    """Decide what is done about each failure of a run, and about what waits for it.

    Raises
    ------
    RunError
        Where a node is to be used again that is not avoided.
    """
    avoided = status.submissions.avoided
    for node in wish.trusted:
        if node not in avoided:
            known = ", ".join(f"`{one}`" for one in avoided)
            raise RunError(
                f"node `{node}` is not avoided", hint=f"avoided are {known}" if known else "no node of this run is"
            )
    decider = Decider(
        run,
        status,
        failures,
        recovery,
        task_retries(run),
        read_brakes(run),
        Sizing(run, plan, status, profile),
        wish,
    )
    return list(decider.all())


def note(
    run: RunDirectory,
    plan: Plan,
    status: RunStatus,
    journal: Journal,
    decisions: Sequence[Decision],
    render: Callable[[ArrayJob], str],
) -> list[Again]:
    """Write down what is to be tried again, with the scripts for it; whoever submits next does so.

    Nothing has been decided before the journal says so: scripts that were written until then belong to nobody.
    """
    groups: list[Again] = []
    events: list[dict[str, Any]] = []
    for found in _grouped(plan, decisions):
        again = _with_variant(run, status, found)  # it sees the scripts of those before it
        if again.array.variant and not (run / files.script(again.array.name_on_node)).exists():
            _write(run, again, render)
        groups.append(again)
        events += _events(again)
    journal.append(events)
    for event in events:
        status.submissions.hear({"time": journal.clock(), **event})
    return groups


def release_all(run: RunDirectory, places: Iterable[str]) -> list[str]:
    """Let array jobs that a brake holds back go on; gives those that it held."""
    return [array for array in places if release(run, array)]


def _grouped(plan: Plan, decisions: Sequence[Decision]) -> Iterator[Again]:
    """What is tried again, by array job and request; all in one element get the most that one of them asks for."""
    elements: dict[tuple[str, int], list[Decision]] = {}
    for one in decisions:
        if one.action.is_retry:
            elements.setdefault((one.place[0], plan.array(one.place[0]).element(one.place[1])), []).append(one)
    groups: dict[tuple[str, Ask], Again] = {}
    for (name, _), members in elements.items():
        ask = Ask(max(one.ask.memory for one in members), max(one.ask.seconds for one in members))
        groups.setdefault((name, ask), Again(plan.array(name), ask)).decisions.extend(members)
    yield from groups.values()


def _with_variant(run: RunDirectory, status: RunStatus, again: Again) -> Again:
    """The same, with the request and the variant under which it runs."""
    array, ask = again.array, again.ask
    seconds = ask.seconds * (again.most_members if array.pack > 1 else 1)
    resources = array.resources._replace(memory_bytes=ask.memory, runtime_seconds=seconds)
    if array.pack == 1 and resources == array.resources:
        return again
    known = [one for one in status.submissions.retries if one.array == array.name and one.variant]
    same = [one.variant for one in known if array.pack == 1 and Ask(one.memory, one.seconds) == ask]
    taken = {one.variant for one in known} | {path.stem.rpartition("@")[2] for path in _scripts(run, array)}
    number = next(n for n in range(1, len(taken) + 2) if f"r{n}" not in taken)
    return replace(again, array=replace(array, resources=resources, variant=same[0] if same else f"r{number}"))


def _scripts(run: RunDirectory, array: ArrayJob) -> Iterable[Any]:
    return (run / "scripts").glob(f"{array.name}@*.sh")


def _write(run: RunDirectory, again: Again, render: Callable[[ArrayJob], str]) -> None:
    facts: dict[str, Any] = {}
    if again.array.pack > 1:
        facts = {"only": files.format_ranges(again.indices), "members": again.most_members}
    write_variant(run.path, again.array, render, **facts)
    if again.array.links > 1:
        following = replace(again.array, variant=next_of(again.array.variant))
        write_variant(run.path, following, render, goes_on=True, **facts)


def _events(again: Again) -> Iterator[dict[str, Any]]:
    kinds: dict[tuple[str, str, bool, str], list[int]] = {}
    for one in again.decisions:
        key = (one.cause.value, one.error, one.counts, ": ".join(filter(None, (one.action.value, one.why))))
        kinds.setdefault(key, []).append(one.place[1])
    for (cause, error, counts, why), indices in kinds.items():
        indices.sort()
        packed = {"elements": files.format_ranges(sorted({again.array.element(i) for i in indices}))}
        yield {
            "event": RETRY,
            "array": again.array.name,
            "indices": files.format_ranges(indices),
            **(packed if again.array.pack > 1 else {}),
            "variant": again.array.variant,
            "memory": again.ask.memory,
            "seconds": again.ask.seconds,
            "cause": cause,
            "error": error,
            "counts": counts,
            "why": why,
        }
