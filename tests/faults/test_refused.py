"""A cluster that has less than its profile says: what it refuses does not keep a run from its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults.virtual_site import VirtualSite
from sciflow.execution import Run
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.tend import STEADY
from sciflow.schedulers.fake.simulated import Course, Sight
from sciflow.store.journal import Journal

HOUR, GIB = 3600.0, 1 << 30


def big(folder: Path, memory_gb: float) -> ExperimentalWorkflow:
    """Return a workflow of one task, which asks for so much."""

    def big(x):
        return {"y": x}

    def rep(big):
        return {"z": big["y"]}

    workflow = ExperimentalWorkflow("big", folder)
    workflow.add_task("big", big, resources={"max_runtime": "02:00:00", "memory_gb": memory_gb})
    workflow.add_task("rep", rep, depends_on=["big"], resources={"max_runtime": "01:00:00", "memory_gb": 1})
    workflow.add_parameter_space({"x": [1, 2, 3]})
    return workflow


def site_with(folder: Path, needs: dict[int, float]) -> VirtualSite:
    """Return a site whose nodes have 16 GB, of which its profile knows nothing; the second index fails at first."""

    def program(sight: Sight) -> Course:
        if sight.array.startswith("rep"):
            return Course(HOUR / 4, metrics={"z": 1})
        x = sight.parameters["x"]
        error = "ValueError: no" if x == 2 and sight.attempt == 1 else ""
        return Course(HOUR, memory=int(needs.get(x, 1.0) * GIB), error=error, metrics={"y": x})

    site = VirtualSite(folder, program, memory_gb=16)
    profile = folder / "virtual.yaml"
    profile.write_text(profile.read_text().replace("memory_gb: 16, ", ""))
    return site


def states(run: Run, array: str) -> list[str]:
    """Return the states of an array job, by the run directory alone."""
    return [one.state.value for one in run.status(offline=True).indices[array].values()]


def test_a_study_that_nobody_watches_ends_where_the_site_has_no_more(tmp_path: Path) -> None:
    """The index that grows beyond the nodes is given up, and all else completes; a report and results are left."""
    site = site_with(tmp_path, {1: 100.0})
    with site.in_place() as cluster:
        run = site.submit(big(tmp_path, 12), autonomous=True)
        cluster.run()
        assert states(run, "big.0") == ["OUT_OF_MEMORY", "COMPLETED", "COMPLETED"]
        assert states(run, "rep.0") == ["UPSTREAM_FAILED", "COMPLETED", "COMPLETED"]
        assert run.status().is_settled
    assert (run.path / "results.h5").exists()
    left = (run.path / "recovery.md").read_text().partition("## What was not tried again")[2]
    assert "1 × `big.0[0]` out of memory, given up: 16.5 GB were refused: Slurm refuses" in left


def test_less_is_asked_for_than_what_was_refused(tmp_path: Path) -> None:
    """Which is enough here: 15 GB, on nodes of 16 GB."""
    site = site_with(tmp_path, {1: 14.0})
    with site.in_place() as cluster:
        run = site.submit(big(tmp_path, 12), autonomous=True)
        cluster.run()
        assert states(run, "big.0") == ["COMPLETED"] * 3
        assert states(run, "rep.0") == ["COMPLETED"] * 3
    asked = {job.request.memory / GIB for job in cluster.jobs.values() if "@" in job.script.stem}
    assert asked == {15.0}


def test_what_was_decided_is_carried_out_at_once_by_who_tends(tmp_path: Path) -> None:
    """Whoever decided did not come to submit it: nobody waits two minutes for what will not come by itself."""
    site = site_with(tmp_path, {})
    with site.in_place() as cluster:
        run = site.submit(big(tmp_path, 12))
        cluster.run()
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("sciflow.run.recover.hand_over", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                run.retry()
        assert [event["event"] for event in Journal(run.directory.journal).events()][-1] == "retry"
        began = cluster.clock()
        tended = run.tend()
        assert cluster.clock() - began < STEADY / 4
        assert len(tended.recovered.handed.jobs) == 2
        cluster.run()
        assert states(run, "rep.0") == ["COMPLETED"] * 3
