"""The zone in which start times are meant: that of the policy, of the site, or of this machine."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sciflow.calendars.files import filled
from sciflow.errors import WorkflowError
from sciflow.model.plan import ArrayJob
from sciflow.model.policy import SchedulingPolicy
from sciflow.model.profile import ClusterProfile
from sciflow.model.tariff import GapError
from sciflow.model.units import format_duration
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.cheapest import check_table

_IMMEDIATE = SchedulingPolicy()
_LOCALTIME = Path("/etc/localtime")


def settled(workflow: ExperimentalWorkflow, profile: ClusterProfile) -> ExperimentalWorkflow:
    """A workflow whose policies need neither the files that they name nor the machine on which they were made.

    Raises
    ------
    WorkflowError
        Where such a file is missing, or wrong.
    """
    zone = profile.timezone or local_zone()

    def settle(policy: SchedulingPolicy) -> SchedulingPolicy:
        policy = filled(policy, workflow.directory)
        if not policy.timezone and zone and policy != _IMMEDIATE:
            policy = policy.filled(timezone=zone)
        _check_tariff(policy)
        return policy

    settled = copy.copy(workflow)
    settled.policy = settle(workflow.policy)
    settled.tasks = {
        name: task.model_copy(update={"schedule": settle(task.schedule)}) if task.schedule else task
        for name, task in workflow.tasks.items()
    }
    return settled


def _check_tariff(policy: SchedulingPolicy) -> None:
    """Refuse a tariff whose times do not follow each other in the zone that has been found only now."""
    if policy.tariff is not None:
        try:
            check_table(policy)
        except GapError as error:
            where = policy.timezone or "this machine"
            raise WorkflowError(f"the tariff, in the zone of {where}: {error}", hint="give times an offset") from None


def local_zone() -> str | None:
    """The name of this machine's zone, as far as it says one: a run may be gone on with on another machine."""
    name = os.environ.get("TZ", "").removeprefix(":")
    if not name and _LOCALTIME.is_symlink():
        name = os.path.realpath(_LOCALTIME).rpartition("/zoneinfo/")[2]
    try:
        return ZoneInfo(name).key if name else None
    except (KeyError, ValueError, OSError):
        return None


def zone_notes(arrays: Iterable[ArrayJob], profile: ClusterProfile) -> Iterator[str]:
    """Say in which zone start times are shown where this machine's clock shows other ones."""
    apart: dict[str, timedelta] = {}
    for array in arrays:
        if array.begin is not None and isinstance(array.begin.tzinfo, ZoneInfo):
            here, there = array.begin.astimezone().utcoffset(), array.begin.utcoffset()
            if here is not None and there is not None and here != there:
                apart[array.begin.tzinfo.key] = here - there
    for zone, ahead in apart.items():
        whose = f", as profile `{profile.name}` says" if zone == profile.timezone else ""
        clock = f"{format_duration(abs(ahead).total_seconds())} {'ahead' if ahead > timedelta() else 'behind'}"
        yield f"start times are those of {zone}{whose}; this machine's clock is {clock}"
