"""The cluster profile: how one site wants things done."""

from __future__ import annotations

from pydantic import Field, field_validator

from sciflow.model.ask_above import AskAbove
from sciflow.model.fields import Names, Variables
from sciflow.model.manners import Manners
from sciflow.model.periods import Zone
from sciflow.model.request import ResourceRequest
from sciflow.model.site_options import SetUp, SiteOptions
from sciflow.model.units import parse_duration
from sciflow.model.validation import Value


class Capacity(Value):
    """What one machine, or the largest node, can give; what is not said is found out or not limited."""

    cpu_cores: int | None = Field(default=None, ge=1)
    memory_gb: float | None = Field(default=None, gt=0)
    gpus: int | None = Field(default=None, ge=0)
    nodes: int | None = Field(default=None, ge=1)


_AS_WHOLES = frozenset(("pbs", "torque"))  # there array jobs wait for array jobs as wholes only


class Partition(Capacity):
    """One partition: what one of its nodes has, how many there are, and how long a job may run."""

    max_runtime: str | None = None
    default: bool = False

    @field_validator("max_runtime")
    @classmethod
    def _is_duration(cls, value: str | None) -> str | None:
        if value is not None:
            parse_duration(value)
        return value

    @property
    def runtime_seconds(self) -> int | None:
        """The longest walltime; None for any."""
        return parse_duration(self.max_runtime) if self.max_runtime else None


class Limits(Value):
    """What the scheduler accepts.

    `highest_index` and `indices_per_array` are of one array job, `submitted_indices` of all that a user may have queued
    and running, `running_indices` of an array job's indices that run at once.
    """

    highest_index: int | None = Field(default=None, ge=0)
    indices_per_array: int | None = Field(default=None, ge=1)
    submitted_indices: int | None = Field(default=None, ge=1)
    running_indices: int | None = Field(default=None, ge=1)
    seconds_to_kill: float | None = Field(default=None, gt=0)


class ClusterProfile(SiteOptions, SetUp):
    """How one site wants things done.

    `shared` says whether others work there too: start times are kept only where it is true. `timezone` is that of the
    site, in which start times are meant where a workflow names none. `accounts` and
    `qos_names` are those that the user may name, and `python` is the interpreter that runs the shim on the nodes.
    `tend` is what the small job asks for that tends a run while nobody is there. `ask_above` says for how much nobody
    submits without being asked.
    `tend` is what the small job asks for that tends a run while nobody is there, `manners` how much of a shared cluster
    a run takes.
    """

    name: str
    description: str = ""
    scheduler: str
    shared: bool = True
    timezone: Zone = None
    templates: str | None = None
    python: str | None = None
    requeue: bool = True
    capacity: Capacity = Capacity()
    partitions: dict[str, Partition] = {}
    accounts: Names = ()
    qos_names: Names = ()
    limits: Limits = Limits()
    environment: Variables = {}
    tend: ResourceRequest = ResourceRequest()
    ask_above: AskAbove = AskAbove()
    manners: Manners = Manners()

    @property
    def has_queue(self) -> bool:
        """Whether array jobs are handed to a scheduler that keeps them, instead of being run from here."""
        return self.scheduler != "local"

    @property
    def keeps_start_times(self) -> bool:
        """Whether array jobs begin when the policy says."""
        return self.shared and self.has_queue

    @property
    def waits_by_index(self) -> bool:
        """Whether an index starts beside others of the array job for which it waits, instead of after all of that."""
        return _AS_WHOLES.isdisjoint((self.scheduler, self.templates))

    @property
    def default_partition(self) -> str:
        """The partition of those that name none; empty where that is not known."""
        return next((name for name, one in self.partitions.items() if one.default), "")
