"""What the manifest of a run says of how it was made."""

from __future__ import annotations

import json

import pytest

from sciflow.errors import RunError
from sciflow.store.layout import RunDirectory
from sciflow.store.manifest import has_queue, read_profile, scheduler_name


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
