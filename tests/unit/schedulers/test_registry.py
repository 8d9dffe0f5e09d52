"""Which schedulers there are."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import ProfileError
from sciflow.model.profile import ClusterProfile
from sciflow.schedulers.registry import GROUP, check_known, connect
from sciflow.schedulers.slurm import SlurmScheduler
from sciflow.store.layout import RunDirectory
from sciflow.transport.local import LocalTransport


def profile(scheduler: str) -> ClusterProfile:
    """Make a profile that names a scheduler."""
    return ClusterProfile(name="site", scheduler=scheduler)


def test_slurm_and_this_machine_are_known() -> None:
    """Nobody needs to install anything for them."""
    check_known(profile("slurm"))
    check_known(profile("local"))


def test_a_scheduler_that_nobody_knows_is_told() -> None:
    """With the nearest that there is."""
    with pytest.raises(ProfileError) as caught:
        check_known(profile("slrum"))
    assert caught.value.message == "profile `site` names the scheduler `slrum`, which nobody knows"
    assert "slurm" in caught.value.hint


def test_slurm_is_connected_from_the_run_directory(tmp_path: Path) -> None:
    """Its commands run here, and hold what they are told to."""
    run = RunDirectory(tmp_path)
    scheduler = connect("slurm", run, (7,))
    assert isinstance(scheduler, SlurmScheduler)
    assert scheduler.directory == run.path
    assert isinstance(scheduler.transport, LocalTransport)
    assert scheduler.transport.keep_open == (7,)


def test_a_scheduler_that_is_gone_is_told(tmp_path: Path) -> None:
    """A run may be opened where the package that it was made with is not installed."""
    with pytest.raises(ProfileError) as caught:
        connect("flux", RunDirectory(tmp_path))
    assert caught.value.message == "there is no scheduler `flux` here"
    assert caught.value.hint == "install the package that brings it"


class Flux:
    """A scheduler of another package."""

    def __init__(self, transport: LocalTransport, directory: Path) -> None:
        self.given = (transport, directory)


def test_other_packages_bring_schedulers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By an entry point; the class is given a transport and the run directory."""
    found = EntryPoints([EntryPoint("flux", f"{__name__}:Flux", GROUP)])
    monkeypatch.setattr("sciflow.schedulers.registry.entry_points", lambda **asked: found.select(**asked))
    monkeypatch.setattr(EntryPoint, "load", lambda self: Flux)
    check_known(profile("flux"))
    made: Any = connect("flux", RunDirectory(tmp_path))
    assert isinstance(made, Flux)
    assert made.given[1] == tmp_path.resolve()
