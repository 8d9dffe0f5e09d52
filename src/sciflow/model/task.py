"""One node of the workflow."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema, field_validator, model_validator
from typing_extensions import Self

from sciflow.errors import ExpressionError, WorkflowError
from sciflow.model.declaration import ResultDeclaration, check_declared, units
from sciflow.model.expressions import Expression
from sciflow.model.fields import NAMES_SCHEMA, Names, Variables, one_or_more
from sciflow.model.metadata import MetadataRequest
from sciflow.model.policy import SchedulingPolicy
from sciflow.model.site_options import SetUp
from sciflow.model.validation import Value, validated


class Extract(Value):
    """Where a metric of a command is found: stdout or a log by regular expression, JSON by key, CSV by column."""

    model_config = ConfigDict(populate_by_name=True)

    stdout: str | None = None
    log: str | None = None
    pattern: str | None = None
    json_file: str | None = Field(default=None, alias="json")  # `json` is a method of every pydantic model
    key: str | None = None
    csv: str | None = None
    column: str | None = None
    row: Literal["first", "last", "all"] | int = "last"
    hdf5: str | None = None
    dataset: str | None = None
    type: Literal["float", "int", "str", "bool"] = "float"
    unit: str | None = None

    @field_validator("stdout", "pattern")
    @classmethod
    def _is_a_pattern(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                groups = re.compile(value).groups
            except re.error as error:
                raise ValueError(f"`{value}` is no regular expression: {error}") from None
            if groups > 1:
                raise ValueError(f"`{value}` has {groups} groups; mark the value with one pair of parentheses")
        return value

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        needs = {"stdout": None, "log": "pattern", "json_file": "key", "csv": "column", "hdf5": "dataset"}
        given = [source for source in needs if getattr(self, source) is not None]
        if len(given) != 1:
            raise ValueError("say where the value is: one of `stdout`, `log`, `json`, `csv` or `hdf5`")
        for source, partner in needs.items():
            if partner and (getattr(self, partner) is not None) != (source == given[0]):
                raise ValueError(f"`{source.removesuffix('_file')}` and `{partner}` go together")
        return self


class TaskDetails(SetUp):
    """What a task may say of itself beyond its name and its program."""

    parameters: Names | None = None
    over: Annotated[tuple[str, ...] | Literal["all"], WithJsonSchema(NAMES_SCHEMA)] = ()
    missing: Literal["fail", "skip"] = "fail"
    files: dict[str, str] = {}
    inputs: Names = ()
    outputs: Names = ()
    extract: dict[str, Extract] = {}
    results: dict[str, ResultDeclaration] = {}
    success: str | None = None
    environment: Variables = {}
    metadata: MetadataRequest = MetadataRequest()
    checkpoints: bool = False
    fuse: bool = False
    retries: int | None = Field(default=None, ge=0)
    schedule: SchedulingPolicy | None = None

    @field_validator("over", mode="before")
    @classmethod
    def _all_or_names(cls, value: Any) -> Any:
        return value if value == "all" else one_or_more(value)

    @field_validator("files", "outputs")
    @classmethod
    def _stay_inside(cls, value: Any) -> Any:
        for path in value:
            if not path or path.startswith("/") or ".." in path.split("/") or "\0" in path:
                raise ValueError(f"`{path}` does not stay inside the working directory")
        return value

    @field_validator("extract", mode="after")
    @classmethod
    def _metric_names(cls, value: dict[str, Extract]) -> dict[str, Extract]:
        for name in value:
            if not name.isidentifier():
                raise ValueError(f"{name!r} cannot name a metric; use letters, digits and `_`")
        return value

    @field_validator("results", mode="after")
    @classmethod
    def _result_names(cls, value: dict[str, ResultDeclaration]) -> dict[str, ResultDeclaration]:
        for name in value:
            if not name or "\0" in name:
                raise ValueError(f"{name!r} cannot name a result")
        return value

    @field_validator("success")
    @classmethod
    def _is_an_expression(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                Expression(value)
            except ExpressionError as error:
                raise ValueError(error.message) from None
        return value


class Task(TaskDetails):
    """One node of the workflow: a Python function or a command, and what it depends on."""

    name: str
    function: Callable[..., Any] | None = None
    command: str | None = None
    depends_on: Names = ()

    @property
    def kind(self) -> str:
        """``function`` or ``command``."""
        return "function" if self.command is None else "command"

    @property
    def units(self) -> dict[str, str]:
        """Result → unit, of those that have one."""
        return units(self.extract, self.results)


_FOR_COMMANDS = ("files", "outputs", "extract")


def make_task(
    name: str,
    function: Callable[..., Any] | None,
    command: str | None,
    depends_on: str | tuple[str, ...],
    details: Mapping[str, Any],
    locate: Callable[[tuple[int | str, ...]], str] | None = None,
) -> Task:
    """Check what is said of a task and make it.

    Raises
    ------
    WorkflowError
        Naming the task and what is wrong.
    """
    if (function is None) == (command is None):
        raise WorkflowError(f"task `{name}` needs a function or a command, and not both")
    if command is not None and not str(command).strip():
        raise WorkflowError(f"the command of task `{name}` is empty")
    known = validated(TaskDetails, details, f"task `{name}`", locate=locate)
    if command is None:
        for detail in _FOR_COMMANDS:
            if getattr(known, detail):
                raise WorkflowError(
                    f"task `{name}` is a function; `{detail}` is for commands", hint="return the values instead"
                )
    program = {"name": name, "function": function, "command": command, "depends_on": depends_on}
    said = {n: getattr(known, n) for n in TaskDetails.model_fields}
    task = validated(Task, {**program, **said}, f"task `{name}`")
    for before in task.depends_on:
        if task.depends_on.count(before) > 1:
            raise WorkflowError(f"task `{name}` depends on `{before}` twice")
    check_declared(task)
    return task
