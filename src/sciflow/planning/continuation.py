"""Tasks that take longer than the site allows, and keep checkpoints: chains of array jobs that fit its walltime."""

from __future__ import annotations

from dataclasses import replace

from sciflow.errors import PlanError
from sciflow.model.options import Options
from sciflow.model.plan import ArrayJob
from sciflow.model.profile import ClusterProfile
from sciflow.model.units import format_duration
from sciflow.planning.caps import longest_walltime

_WARNING, _TENTH = 120, 10  # a program is warned a minute ahead, by some schedulers two; a tenth of what is short


def continued(array: ArrayJob, options: Options, profile: ClusterProfile) -> ArrayJob:
    """An array job of a task with checkpoints, as a chain that fits the site's walltime where it is longer.

    Each link gets the longest walltime. There are as many as it takes when what lies between a warning and the end of
    a link is lost.

    Raises
    ------
    PlanError
        Where it packs several combinations into an index, of which nobody knows how far each has come.
    """
    longest, asked = longest_walltime(options, profile), array.resources.runtime_seconds
    if longest is None or asked <= longest:
        return array
    if array.pack > 1:
        raise PlanError(
            f"task `{array.task}` asks for {format_duration(asked)} for {array.pack} combinations in one array index, "
            f"but the longest walltime is {format_duration(longest)}, and what is packed cannot be continued",
            hint="leave out `combinations_per_index`, or make it smaller",
        )
    links = -(-asked // useful_seconds(longest))
    return replace(array, resources=array.resources._replace(runtime_seconds=longest), links=links)


def useful_seconds(walltime: int) -> int:
    """How much of the walltime of a link is surely not lost: what lies before the warning that its end is near."""
    return walltime - min(_WARNING, walltime // _TENTH)
