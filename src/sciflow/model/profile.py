"""The cluster profile: how one site wants things done."""

from __future__ import annotations

from pydantic import Field

from sciflow.model.fields import Names, Variables
from sciflow.model.validation import Value


class Capacity(Value):
    """What one machine, or the largest node, can give; what is not said is found out or not limited."""

    cpu_cores: int | None = Field(default=None, ge=1)
    memory_gb: float | None = Field(default=None, gt=0)
    gpus: int | None = Field(default=None, ge=0)


class Limits(Value):
    """What the scheduler accepts in one array job."""

    highest_index: int | None = Field(default=None, ge=0)
    indices_per_array: int | None = Field(default=None, ge=1)


class ClusterProfile(Value):
    """How one site wants things done.

    `shared` says whether others work there too: start times are kept only where it is true.
    """

    name: str
    description: str = ""
    scheduler: str
    shared: bool = True
    templates: str | None = None
    capacity: Capacity = Capacity()
    limits: Limits = Limits()
    setup: Names = ()
    environment: Variables = {}
