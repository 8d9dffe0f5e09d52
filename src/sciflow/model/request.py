"""What a task asks for: numbers, or rules that give a number for each combination."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import Self

from sciflow.errors import ExpressionError, WorkflowError
from sciflow.model.expressions import Expression
from sciflow.model.resources import GIB, Resources
from sciflow.model.site_options import SiteOptions
from sciflow.model.units import parse_duration, parse_memory

_MAY_BE_NONE_OF_IT = ("gpus", "mpi_tasks")
Quantity = float | int | str | SkipJsonSchema[Callable[..., Any]] | None


_AMOUNTS = ("cpu_cores", "memory_gb", "gpus", "max_runtime_hours", "nodes", "mpi_tasks")


class ResourceRequest(SiteOptions):
    """What a task asks for; a number, an expression over parameters, or a function of them.

    Memory also takes text with a unit (``"512M"``), runtime also takes ``max_runtime: "02:30:00"``. All amounts are
    those of one combination; `combinations_per_index` run one after another in one array index, which asks for the
    walltime of all of them.
    """

    cpu_cores: Quantity = None
    memory_gb: Quantity = None
    memory: str | None = None
    gpu: bool | None = None
    gpus: Quantity = None
    max_runtime_hours: Quantity = None
    max_runtime: str | None = None
    nodes: Quantity = None
    mpi_tasks: Quantity = None
    combinations_per_index: int | None = Field(default=None, ge=1)

    @field_validator(*_AMOUNTS, mode="before")
    @classmethod
    def _is_a_quantity(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, bool) or not (value is None or isinstance(value, int | float | str) or callable(value)):
            raise ValueError(f"{value!r} is no number, expression or function")
        if isinstance(value, int | float) and not _is_amount(value, info.field_name):
            raise ValueError(f"{value!r} is no amount{_otherwise(value)}")
        if isinstance(value, str):
            try:
                Expression(value)
            except ExpressionError as error:
                raise ValueError(error.message) from None
        return value

    @field_validator("memory")
    @classmethod
    def _is_memory(cls, value: str | None) -> str | None:
        if value is not None and not parse_memory(value):
            raise ValueError(f"`{value}` is no amount{_otherwise(0)}")
        return value

    @field_validator("max_runtime")
    @classmethod
    def _is_duration(cls, value: str | None) -> str | None:
        if value is not None and not parse_duration(value):
            raise ValueError(f"`{value}` is no amount{_otherwise(0)}")
        return value

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        """Refuse two ways of saying the same thing."""
        for one, other in (("memory_gb", "memory"), ("gpus", "gpu"), ("max_runtime_hours", "max_runtime")):
            if getattr(self, one) is not None and getattr(self, other) is not None:
                raise ValueError(f"`{one}` and `{other}` say the same thing; give one")
        return self

    def merged(self, other: ResourceRequest) -> ResourceRequest:
        """This request, overridden by what the other one says."""
        said = {name: value for name, value in other if _is_said(value)}
        twins = {"memory_gb": "memory", "gpus": "gpu", "max_runtime_hours": "max_runtime"}
        twins |= {other: one for one, other in twins.items()}
        kept = {n: v for n, v in self if v not in (None, ()) and n not in said and twins.get(n) not in said}
        return ResourceRequest(**kept, **said)

    @property
    def names(self) -> frozenset[str]:
        """The parameters that the request depends on."""
        return frozenset().union(*(_names(getattr(self, name)) for name in _AMOUNTS))

    def resolve(self, parameters: Mapping[str, Any], task: str) -> Resources:
        """Work the request out for one combination.

        Raises
        ------
        WorkflowError
            Where an expression or function does not give a usable number.
        """
        amounts = _Amounts(self, parameters, task)
        memory = parse_memory(self.memory) if self.memory else math.ceil(amounts.get("memory_gb", 0) * GIB)
        runtime = parse_duration(self.max_runtime) if self.max_runtime else amounts.get("max_runtime_hours", 0) * 3600
        return Resources(
            cpu_cores=math.ceil(amounts.get("cpu_cores", 1)),
            memory_bytes=memory,
            gpus=int(bool(self.gpu)) if self.gpu is not None else math.ceil(amounts.get("gpus", 0)),
            runtime_seconds=math.ceil(runtime),
            nodes=max(1, math.ceil(amounts.get("nodes", 1))),
            mpi_tasks=math.ceil(amounts.get("mpi_tasks", 0)),
        )


@dataclass(frozen=True)
class _Amounts:
    request: ResourceRequest
    parameters: Mapping[str, Any]
    task: str

    def get(self, field: str, default: float) -> float:
        """The amount that a field comes to."""
        value = getattr(self.request, field)
        if value is None:
            return default
        where = f"`{field}` of task `{self.task}`"
        if isinstance(value, str):
            value = Expression(value, where=where).evaluate(self.parameters)
        elif callable(value):
            value = _called(value, self.parameters, where)
        # NumPy's numbers are numbers too.
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not _is_amount(value, field):
            raise WorkflowError(f"{where} comes to {value!r} at {dict(self.parameters)}, which is no amount")
        return int(value) if isinstance(value, numbers.Integral) else float(value)


def _is_said(value: Any) -> bool:
    return value is not None and not (isinstance(value, tuple) and not value)


def _is_amount(value: Any, field: str | None) -> bool:
    """Whether a number says how much of a field: finite, and more than nothing where nobody can run on nothing."""
    return math.isfinite(value) and (value > 0 or (value == 0 and field in _MAY_BE_NONE_OF_IT))


def _otherwise(value: float) -> str:
    return "; leave it out for the default" if value == 0 else ""


def _names(value: Any) -> frozenset[str]:
    if isinstance(value, str):
        return Expression(value).names
    if callable(value):
        return frozenset(_arguments(value))
    return frozenset()


def _arguments(function: Callable[..., Any]) -> list[str]:
    import inspect

    return list(inspect.signature(function).parameters)


def _called(function: Callable[..., Any], parameters: Mapping[str, Any], where: str) -> Any:
    try:
        return function(**{name: parameters[name] for name in _arguments(function)})
    except Exception as error:
        raise WorkflowError(f"{where} fails at {dict(parameters)}: {type(error).__name__}: {error}") from error
