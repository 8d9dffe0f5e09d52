"""What the manifest of a run says of how it was made."""

from __future__ import annotations

from sciflow.errors import RunError
from sciflow.model.profile import ClusterProfile
from sciflow.model.validation import validated
from sciflow.store.layout import RunDirectory, read_document


def read_profile(run: RunDirectory) -> ClusterProfile:
    """The cluster profile of a run, as it was when the run was made.

    Raises
    ------
    RunError
        Where the manifest holds none that this sciflow understands.
    """
    return validated(ClusterProfile, read_document(run.manifest)["profile"], f"profile in `{run.manifest}`", RunError)
