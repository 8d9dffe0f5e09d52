"""Requests against what the profile can give."""

from __future__ import annotations

from sciflow.errors import PlanError
from sciflow.model.profile import Capacity
from sciflow.model.resources import GIB, Resources
from sciflow.model.units import format_memory


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
    memory = round(capacity.memory_gb * GIB) if capacity.memory_gb else None
    checks = (
        ("cpu_cores", capacity.cpu_cores, lambda n: f"{n} core{'s' * (n != 1)}"),
        ("memory_bytes", memory, format_memory),
        ("gpus", capacity.gpus, lambda n: f"{n} GPU{'s' * (n != 1)}" if n else "no GPU"),
    )
    for field, most, spell in checks:
        asked = getattr(request, field)
        if most is not None and asked > most:
            warnings.append(f"task `{task}` asks for {spell(asked)}, but profile `{profile}` has {spell(most)}")
            request = request._replace(**{field: most})
    if warnings and strict:
        raise PlanError("\n".join(warnings), hint="ask for less, choose another profile, or leave out `strict`")
    return request, [f"{warning}: it gets {_gets(warning)}" for warning in warnings]


def _gets(warning: str) -> str:
    return warning.rpartition(" has ")[2]
