"""What the manifest of a run says of how it was made."""

from __future__ import annotations

import json

import pytest

from sciflow.errors import RunError
from sciflow.model.policy import Policies
from sciflow.model.recovery import RecoveryPolicy
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.manifest import (
    has_queue,
    read_policies,
    read_profile,
    read_recovery,
    scheduler_name,
    task_retries,
)


def rewritten(run: RunDirectory, **profile: object) -> RunDirectory:
    """Change what a run's manifest says of its profile."""
    document = json.loads(run.manifest.read_text())
    document["profile"] |= profile
    run.manifest.write_text(json.dumps(document))
    return run


def test_a_run_knows_its_scheduler_and_profile(staged: RunDirectory) -> None:
    """As they were when it was made."""
    assert scheduler_name(staged) == "local"
    assert not has_queue(staged)
    assert read_profile(staged).name == "local"
    rewritten(staged, scheduler="slurm", partition="short", limits={"submitted_indices": 10})
    assert has_queue(staged)
    profile = read_profile(staged)
    assert (profile.scheduler, profile.partition, profile.limits.submitted_indices) == ("slurm", "short", 10)


def test_a_profile_that_this_sciflow_does_not_understand_is_an_error_of_the_run(staged: RunDirectory) -> None:
    """The file and the field are named."""
    with pytest.raises(RunError) as caught:
        read_profile(rewritten(staged, colour="red"))
    assert caught.value.message.startswith(f"profile in `{staged.manifest}`: `colour` is not known here")


def test_a_run_without_its_manifest_is_damaged(staged: RunDirectory) -> None:
    """Nothing is guessed."""
    staged.manifest.unlink()
    with pytest.raises(RunError, match=r"manifest\.json"):
        has_queue(staged)


def said_later(run: RunDirectory, *policies: dict[str, object], **more: object) -> None:
    """Let the journal tell that failures are met otherwise."""
    Journal(run.journal).append([{"event": "recovery", "policy": policy, **more} for policy in policies])


def test_failures_are_met_as_was_said_last(staged: RunDirectory) -> None:
    """When the run was made, or when it was gone on with."""
    assert read_recovery(staged) == RecoveryPolicy()
    said_later(staged, {"retries": 7}, {"canaries": 3})
    assert read_recovery(staged) == RecoveryPolicy(canaries=3)


def test_what_this_sciflow_does_not_understand_of_recovery_is_an_error_of_the_run(staged: RunDirectory) -> None:
    """It is named."""
    said_later(staged, {"prayers": 7})
    with pytest.raises(RunError, match="`prayers` is not known here"):
        read_recovery(staged)


def test_tasks_may_say_how_often_they_are_tried_again(staged: RunDirectory) -> None:
    """Only those that do are there; what was said last counts, where something was."""
    assert task_retries(staged) == {}
    document = json.loads(staged.manifest.read_text())
    document["tasks"]["square"]["retries"] = 0
    staged.manifest.write_text(json.dumps(document))
    assert task_retries(staged) == {"square": 0}
    said_later(staged, {})
    assert task_retries(staged) == {"square": 0}
    said_later(staged, {}, retries={"total": 4})
    assert task_retries(staged) == {"total": 4}


def test_a_run_knows_when_its_work_may_start(staged: RunDirectory) -> None:
    """As its workflow said."""
    assert read_policies(staged) == Policies()
    document = json.loads(staged.manifest.read_text())
    document["policy"] = {"policy": "off_peak", "preferred_hours": "22:00-08:00"}
    staged.manifest.write_text(json.dumps(document))
    assert read_policies(staged).general.describe() == "off-peak (22:00-08:00)"


@pytest.mark.parametrize("part", ["recovery", "policy"])
def test_a_run_of_an_earlier_sciflow_says_nothing_of_it(staged: RunDirectory, part: str) -> None:
    """It is as always then."""
    document = json.loads(staged.manifest.read_text())
    del document[part]
    for facts in document["tasks"].values():
        facts.pop("retries")
    staged.manifest.write_text(json.dumps(document))
    assert (read_recovery(staged), read_policies(staged)) == (RecoveryPolicy(), Policies())
    assert task_retries(staged) == {}
