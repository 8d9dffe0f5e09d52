"""What a task says that it will give: results with a type, a unit and bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from sciflow.errors import WorkflowError
from sciflow.model.nearest import nearest
from sciflow.model.validation import Value

if TYPE_CHECKING:
    from sciflow.model.task import Extract, Task

METRICS = ("float", "int", "str", "bool", "any")  # what a rule for success can judge
_WITH_UNIT = ("float", "int", "array", "any")
_ORDERED = ("float", "int")


class ResultDeclaration(Value):
    """One declared result; what is missing or does not fit is an outcome of its own on the node."""

    type: Literal["float", "int", "str", "bool", "array", "table", "path", "any"]
    required: bool = True
    unit: str | None = None
    minimum: float | None = Field(default=None, allow_inf_nan=False)
    maximum: float | None = Field(default=None, allow_inf_nan=False)
    finite: bool = False
    shape: tuple[int | None, ...] | None = None
    dtype: Literal["float", "int", "bool", "complex", "str"] | None = None

    @field_validator("shape")
    @classmethod
    def _has_extents(cls, value: tuple[int | None, ...] | None) -> tuple[int | None, ...] | None:
        if value is not None and (not value or any(extent is not None and extent < 0 for extent in value)):
            raise ValueError("a shape has one whole number for each dimension, or `null` where any will do")
        return value

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if self.type != "array" and (self.shape is not None or self.dtype is not None):
            raise ValueError(f"`shape` and `dtype` are for arrays, not for `{self.type}`")
        if self.unit is not None and self.type not in _WITH_UNIT:
            raise ValueError(f"`unit` is for numbers and arrays, not for `{self.type}`")
        number = self.dtype if self.type == "array" else self.type
        if self.bounds and number not in _ORDERED:
            hint = "; say `dtype: float` or `dtype: int`" if self.type == "array" else ""
            raise ValueError(f"`minimum` and `maximum` are for real numbers, not for `{self.type}`{hint}")
        if self.finite and self.type not in ("float", "int", "array"):
            raise ValueError(f"`finite` is for numbers, not for `{self.type}`")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"`minimum` is {self.minimum:g}, which is above `maximum`, {self.maximum:g}")
        return self

    @property
    def bounds(self) -> bool:
        """Whether it has a minimum or a maximum."""
        return self.minimum is not None or self.maximum is not None


def check_declared(task: Task) -> None:
    """Check that what a task declares can come out of it.

    Raises
    ------
    WorkflowError
        Naming the task, the result and what is wrong.
    """
    for name, declared in task.results.items():
        if task.command is not None:
            _check_source(task, name, declared)
        elif "/" in name or name in (".", ".."):
            raise WorkflowError(f"task `{task.name}`: {name!r} cannot name a result: names have no `/`")


def _check_source(task: Task, name: str, declared: ResultDeclaration) -> None:
    """A command gives the metrics that are extracted, and its outputs."""
    where = f"task `{task.name}` declares the result `{name}` as `{declared.type}`"
    if name in task.extract:
        if problem := _conflict(task.extract[name], declared):
            raise WorkflowError(f"{where}, but its `extract` {problem}")
    elif name not in task.outputs:
        hint = nearest(name, [*task.extract, *task.outputs]) or "say under `extract` where it is found"
        raise WorkflowError(f"{where}, but neither `extract` nor `outputs` gives it", hint=hint)
    elif declared.type not in ("path", "any"):
        raise WorkflowError(f"{where}, but it is one of its `outputs`, and those are of type `path`")


def _conflict(rule: Extract, declared: ResultDeclaration) -> str:
    if rule.unit is not None and declared.unit is not None and rule.unit != declared.unit:
        return f"gives it the unit `{rule.unit}`, not `{declared.unit}`"
    if declared.type in ("table", "path"):
        return "gives numbers, texts and lists of them"
    gathers = rule.csv is not None and rule.row == "all"
    can_gather = gathers or rule.json_file is not None or rule.hdf5 is not None
    if declared.type == "array":
        return "" if can_gather else "takes a single value"
    if gathers and declared.type != "any":
        return "takes all rows"
    fits = declared.type in (rule.type, "any") or (declared.type, rule.type) == ("float", "int")
    return "" if fits else f"takes it as `{rule.type}`"


def units(extract: Mapping[str, Extract], results: Mapping[str, ResultDeclaration]) -> dict[str, str]:
    """Result → unit, of all that have one."""
    said = [*extract.items(), *results.items()]
    return {name: one.unit for name, one in said if one.unit is not None}
