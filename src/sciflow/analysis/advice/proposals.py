"""What could be done about the shape of a run: short tasks that are packed, and chains that are fused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.units import format_duration

if TYPE_CHECKING:
    from sciflow.analysis.advice.advise import TaskAdvice

_SHORT = 600.0  # seconds that an array index runs below which packing is worth while
_TOGETHER = 2700.0  # seconds that several together are to run: between half an hour and an hour
_ALIKE = 2.0  # times as much memory as the other that one of a chain may need


@dataclass(frozen=True)
class Proposal:
    """Something to change in a workflow.

    Attributes
    ----------
    kind
        ``pack`` or ``fuse``.
    tasks
        Those that it is about.
    change
        What to write, such as ``combinations_per_index: 40``.
    why
        The reason.
    saves
        How many waits in the queue it saves.
    """

    kind: str
    tasks: tuple[str, ...]
    change: str
    why: str
    saves: int


def proposals_of(plan: Plan, tasks: Mapping[str, TaskAdvice]) -> Iterator[Proposal]:
    """What could be done, the tasks in running order."""
    chains = list(_chains(plan, tasks))
    fused = {task for one in chains for task in one.tasks}
    yield from chains
    for task, advice in tasks.items():
        if task not in fused and (proposal := _packing(plan, task, advice)) is not None:
            yield proposal


def _packing(plan: Plan, task: str, advice: TaskAdvice) -> Proposal | None:
    arrays = [array for array in plan.arrays if array.task == task]
    is_fused = any(array.rides or array.riders for array in arrays)
    if advice.seconds is None or not arrays or is_fused:  # what is packed cannot be fused
        return None
    count, pack = sum(array.count for array in arrays), max(array.pack for array in arrays)
    typical = max(advice.seconds.middle(point) for point in advice.points)
    if typical * pack >= _SHORT or count <= pack:
        return None
    together = min(count, max(1, int(_TOGETHER // max(typical, 0.1))))
    saves = sum(array.elements for array in arrays) - -(-count // together)
    if together <= pack or saves < 1:
        return None
    why = f"one takes {format_duration(typical)}, and the start of a job about as long or longer"
    return Proposal("pack", (task,), f"combinations_per_index: {together}", why, saves)


def _chains(plan: Plan, tasks: Mapping[str, TaskAdvice]) -> Iterator[Proposal]:
    """Tasks of which each index follows on one of the other, and that ask for about the same."""
    following = _following(plan)
    heads = [task for task in plan.tasks if task in following and task not in following.values()]
    for head in heads:
        chain = [head]
        while (task := following.get(chain[-1])) is not None and _are_alike(tasks.get(chain[-1]), tasks.get(task)):
            chain.append(task)
        if len(chain) > 1:
            elements = sum(array.elements for array in plan.arrays if array.task in chain[1:])
            why = "each index follows on one of the task before, and they need about the same"
            yield Proposal("fuse", tuple(chain), "fuse: true", why, elements)


def _following(plan: Plan) -> dict[str, str]:
    """Task → the one that follows on it index by index, where nothing else does."""
    arrays = {array.name: array for array in plan.arrays}
    after: dict[str, set[str]] = {}
    elementwise: dict[str, set[str]] = {}
    for array in plan.arrays:
        for one in array.after:
            before = arrays[one.array].task
            after.setdefault(before, set()).add(array.task)
            if _is_elementwise(array):
                elementwise.setdefault(before, set()).add(array.task)
    return {task: next(iter(later)) for task, later in elementwise.items() if later == after[task] and len(later) == 1}


def _is_elementwise(array: ArrayJob) -> bool:
    return len(array.after) == 1 and array.after[0].kind == "element" and array.links == 1 and not array.rides


def _are_alike(one: TaskAdvice | None, other: TaskAdvice | None) -> bool:
    if one is None or other is None or one.seconds is None or other.seconds is None:
        return False
    cores = [(task.cores.ask if task.cores else 0) for task in (one, other)]
    gpus = [{tried.given.gpus for tried in task.needs.tried} for task in (one, other)]
    memory = [task.whole()[0] for task in (one, other)]
    if cores[0] != cores[1] or gpus[0] != gpus[1]:
        return False
    return not all(memory) or max(memory) <= _ALIKE * min(memory)
