"""Requests against what the profile can give."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sciflow.errors import PlanError
from sciflow.model.nearest import nearest
from sciflow.model.options import Options
from sciflow.model.profile import Capacity, ClusterProfile, Partition
from sciflow.model.resources import GIB, Resources
from sciflow.model.units import format_duration, format_memory

Check = tuple[str, "int | None", Callable[[int], str]]  # field, the most there is, and how to say an amount


def fit(request: Resources, capacity: Capacity, task: str, profile: str, strict: bool) -> tuple[Resources, list[str]]:
    """Reduce a request to what one index can be given at most.

    Parameters
    ----------
    request
        What one index of the task asks for.
    capacity
        What the profile can give to one index.
    task, profile
        Their names, for messages.
    strict
        Refuse instead of reducing.

    Returns
    -------
    tuple
        The request that can be met, and a warning for each thing that was reduced.

    Raises
    ------
    PlanError
        When something would be reduced and `strict` is true.
    """
    warnings = []
    for field, most, asked, spell in _beyond(request, _checks(capacity)):
        warnings.append(f"task `{task}` asks for {spell(asked)}, but profile `{profile}` has {spell(most)}")
        request = request._replace(**{field: most})
    if request.mpi_tasks and capacity.cpu_cores and request.all_cores > capacity.cpu_cores:
        most = capacity.cpu_cores
        warnings.append(
            f"task `{task}` asks for {_cores(request.all_cores)}, but profile `{profile}` has {_cores(most)}"
        )
        request = request._replace(mpi_tasks=max(1, most // request.cpu_cores))
    if warnings and strict:
        raise PlanError("\n".join(warnings), hint="ask for less, choose another profile, or leave out `strict`")
    return request, [f"{warning}: it gets {_gets(warning)}" for warning in warnings]


def check_site(request: Resources, options: Options, task: str, profile: ClusterProfile, pack: int = 1) -> None:
    """Refuse what a shared cluster will not run, as far as its profile tells; `pack` combinations share the request.

    Raises
    ------
    PlanError
        For a partition, account or QOS that is not there, and for amounts that no node, or no job, can have.
    """
    for kind, name, known in (
        ("partition", options.partition, profile.partitions),
        ("account", options.account, profile.accounts),
        ("QOS", options.qos, profile.qos_names),
    ):
        if name and known:
            for one in name.split(","):
                if one not in known:
                    message = f"task `{task}` names the {kind} `{one}`, which profile `{profile.name}` does not have"
                    raise PlanError(message, hint=nearest(one, known))
    where = f"profile `{profile.name}`"
    _refuse(request, profile.capacity, task, where, "")
    name = options.partition or profile.default_partition
    if name in profile.partitions:
        others = [n for n, p in profile.partitions.items() if n != name and not list(_beyond_site(request, p))]
        hint = f"these partitions can: {', '.join(f'`{other}`' for other in others)}" if others else ""
        longest = profile.partitions[name].runtime_seconds
        if not hint and longest and request.runtime_seconds > longest:
            hint = "ask for less, or keep checkpoints and say `checkpoints: true`: it goes on from them then"
        if pack > 1 and longest and (fitting := longest * pack // max(1, request.runtime_seconds)):
            hint = f"it packs {pack} combinations into one array index; `combinations_per_index: {fitting}` would fit"
        _refuse(request, profile.partitions[name], task, f"partition `{name}`", hint)


def _refuse(request: Resources, capacity: Capacity, task: str, where: str, hint: str) -> None:
    for _, most, asked, spell in _beyond_site(request, capacity):
        message = f"task `{task}` asks for {spell(asked)}, but {where} allows {spell(most)}"
        raise PlanError(message, hint=hint or "ask for less, or choose another profile or partition")


def _beyond_site(request: Resources, capacity: Capacity) -> Iterator[tuple[str, int, int, Callable[[int], str]]]:
    """What one node, or one job, cannot have."""
    tasks = -(-max(1, request.mpi_tasks) // request.nodes)
    node = request._replace(
        cpu_cores=request.cpu_cores * tasks, memory_bytes=request.memory_per_node, gpus=request.gpus_per_node
    )
    longest = capacity.runtime_seconds if isinstance(capacity, Partition) else None
    return _beyond(node, (*_checks(capacity), ("runtime_seconds", longest, format_duration)))


def _checks(capacity: Capacity) -> tuple[Check, ...]:
    memory = round(capacity.memory_gb * GIB) if capacity.memory_gb else None
    return (
        ("cpu_cores", capacity.cpu_cores, _cores),
        ("memory_bytes", memory, format_memory),
        ("gpus", capacity.gpus, lambda n: f"{n} GPU{'s' * (n != 1)}" if n else "no GPU"),
        ("nodes", capacity.nodes, lambda n: f"{n} node{'s' * (n != 1)}"),
    )


def _beyond(request: Resources, checks: Iterable[Check]) -> Iterator[tuple[str, int, int, Callable[[Any], str]]]:
    for field, most, spell in checks:
        asked = getattr(request, field)
        if most is not None and asked > most:
            yield field, most, asked, spell


def _cores(count: int) -> str:
    return f"{count} core{'s' * (count != 1)}"


def _gets(warning: str) -> str:
    return warning.rpartition(" has ")[2]
