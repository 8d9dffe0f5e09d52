"""Why what waits of a run waits, and what is told to be typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.policy import Policies
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import Resources
from sciflow.model.state import State
from sciflow.run.own_reasons import Site
from sciflow.run.status import untouched
from sciflow.run.why import explain
from sciflow.store.layout import RunDirectory
from sciflow_shim.files import HELD_BACK

SITE = Site(ClusterProfile(name="site", scheduler="slurm"), Policies())


@pytest.mark.parametrize(
    ("error", "typed"),
    [("", "--indices 'a.0[1-2]'"), (f"{HELD_BACK}3 of the first 4 failed: ValueError", "--release")],
)
def test_what_lets_it_run_after_all(tmp_path: Path, error: str, typed: str) -> None:
    """All of what was cancelled is named; what a brake holds back is released as `sciflow status` says."""
    run, array = RunDirectory(tmp_path / "20310514-1"), ArrayJob("a.0", "a", 4, Resources())
    run.path.mkdir()
    status = untouched(Plan("w", "site", 4, (array,), tasks=("a",)))
    for index, one in status.indices["a.0"].items():
        one.state = State.CANCELLED if index in (1, 2) else State.COMPLETED
        one.reason = one.error = error
    [group] = explain(run, status, None, SITE, 0.0).groups
    assert group.reason.advice == f"`sciflow retry {run.name_here} {typed}` lets it run after all"
