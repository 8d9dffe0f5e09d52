"""Which schedulers there are: those of the entry-point group `sciflow.schedulers`, by name."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from sciflow.errors import ProfileError
from sciflow.model.nearest import nearest
from sciflow.schedulers.base import QueueScheduler
from sciflow.store.layout import RunDirectory
from sciflow.transport.local import LocalTransport

GROUP = "sciflow.schedulers"

if TYPE_CHECKING:
    from sciflow.model.profile import ClusterProfile


def check_known(profile: ClusterProfile) -> None:
    """Refuse a profile whose scheduler nobody knows.

    Raises
    ------
    ProfileError
        Naming those that are known.
    """
    known = sorted({*entry_points(group=GROUP).names, "local"})
    if profile.scheduler not in known:
        raise ProfileError(
            f"profile `{profile.name}` names the scheduler `{profile.scheduler}`, which nobody knows",
            hint=nearest(profile.scheduler, known),
        )


def connect(name: str, run: RunDirectory, keep_open: Sequence[int] = ()) -> QueueScheduler:
    """The scheduler of that name, for a run.

    Parameters
    ----------
    name
        As profiles name it.
    run
        The run, from whose directory jobs are submitted.
    keep_open
        File descriptors that its commands hold as long as they live.

    Raises
    ------
    ProfileError
        Where there is none.
    """
    found = entry_points(group=GROUP, name=name)
    if not found:
        raise ProfileError(f"there is no scheduler `{name}` here", hint="install the package that brings it")
    return next(iter(found)).load()(LocalTransport(keep_open), run.path)
