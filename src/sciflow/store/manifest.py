"""What the manifest of a run says of how it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sciflow.errors import RunError
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory, read_document

if TYPE_CHECKING:
    from sciflow.model.manners import Manners
    from sciflow.model.policy import Policies
    from sciflow.model.profile import ClusterProfile
    from sciflow.model.recovery import RecoveryPolicy

RECOVERY = "recovery"  # the event of the journal that tells of another policy
MANNERS = "manners"  # … and of other manners


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


def read_recovery(run: RunDirectory) -> RecoveryPolicy:
    """How failures of a run are met: as it was said when the run was made, or was gone on with last.

    Raises
    ------
    RunError
        Where what is said cannot be understood.
    """
    from sciflow.model.recovery import RecoveryPolicy
    from sciflow.model.validation import validated

    made_with = read_document(run.manifest).get("recovery", {})
    said = next((event["policy"] for event in _changes(run)), made_with)
    return validated(RecoveryPolicy, said, f"recovery policy of `{run.path}`", RunError)


def has_manners(run: RunDirectory) -> bool:
    """Whether anything was said of how much of the cluster a run takes; quickly found out."""
    return bool(_said_of_manners(run).keys() - {"day", "nice"})


def read_manners(run: RunDirectory) -> Manners:
    """How much of the cluster a run takes: as it was said when the run was made, or was gone on with last.

    Raises
    ------
    RunError
        Where what is said cannot be understood.
    """
    from sciflow.model.manners import Manners
    from sciflow.model.validation import validated

    return validated(Manners, _said_of_manners(run), f"manners of `{run.path}`", RunError)


def _said_of_manners(run: RunDirectory) -> dict[str, Any]:
    made_with = read_document(run.manifest)["profile"].get("manners") or {}
    return next((event["manners"] for event in _changes(run, MANNERS)), made_with)


def read_policies(run: RunDirectory) -> Policies:
    """When work of a run may start."""
    from sciflow.model.policy import Policies, SchedulingPolicy
    from sciflow.model.validation import validated

    document = read_document(run.manifest)
    where = f"scheduling policy of `{run.path}`"
    own = {task: facts["schedule"] for task, facts in document["tasks"].items() if facts.get("schedule")}
    return Policies(
        validated(SchedulingPolicy, document.get("policy", {}), where, RunError),
        {task: validated(SchedulingPolicy, said, f"{where}, task `{task}`", RunError) for task, said in own.items()},
    )


def task_retries(run: RunDirectory) -> dict[str, int]:
    """Task → how often its program is tried again, of those that say so; as the recovery policy."""
    tasks = read_document(run.manifest)["tasks"]
    said = {task: facts["retries"] for task, facts in tasks.items() if facts.get("retries") is not None}
    return next((event["retries"] for event in _changes(run) if "retries" in event), said)


def _changes(run: RunDirectory, kind: str = RECOVERY) -> list[dict[str, Any]]:
    """What was said of recovery, or of manners, since the run was made, the last first."""
    return [event for event in Journal(run.journal).events() if event["event"] == kind][::-1]
