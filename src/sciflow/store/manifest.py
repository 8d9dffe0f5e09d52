"""What the manifest of a run says of how it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sciflow.errors import RunError
from sciflow.store.layout import RunDirectory, read_document

if TYPE_CHECKING:
    from sciflow.model.profile import ClusterProfile


def scheduler_name(run: RunDirectory) -> str:
    """The scheduler that a run is for."""
    return read_document(run.manifest)["profile"]["scheduler"]


def has_queue(run: RunDirectory) -> bool:
    """Whether a run is for a scheduler that keeps array jobs, instead of being driven from here."""
    return scheduler_name(run) != "local"


def read_profile(run: RunDirectory) -> ClusterProfile:
    """The cluster profile of a run, as it was when the run was made.

    Raises
    ------
    RunError
        Where the manifest holds none that this sciflow understands.
    """
    from sciflow.model.profile import ClusterProfile
    from sciflow.model.validation import validated

    return validated(ClusterProfile, read_document(run.manifest)["profile"], f"profile in `{run.manifest}`", RunError)
