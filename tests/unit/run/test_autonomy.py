"""A run is tended by itself from when that is wanted, and until it is cancelled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sciflow.run.autonomy import begin_tending, end_tending, is_autonomous
from sciflow.run.errands import Chained, chain
from sciflow.run.track import observe
from sciflow.store.layout import RunDirectory
from unit.memory_queue import MemoryQueue
from unit.queued_run import QueuedRun

LeaveRecord = Callable[..., Path]
NOW = 1000.0


def follow(one: QueuedRun) -> Chained | None:
    """See to it that somebody tends the run."""
    return chain(one.run, one.plan, one.queue.connect, lambda: NOW)


def test_a_run_is_tended_by_itself_from_when_that_is_wanted(
    chain: RunDirectory, queue: MemoryQueue, leave_record: LeaveRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script of the small job is there then, and names the interpreter; wanting it twice changes nothing."""
    made = QueuedRun(chain, queue, leave_record, monkeypatch)
    assert not is_autonomous(chain)
    begin_tending(chain, made.profile, "/opt/python")
    assert is_autonomous(chain)
    assert observe(chain).is_autonomous
    script = chain.script("tend")
    text = script.read_text()
    assert "/opt/python -m sciflow tend --chain" in text
    assert "#SBATCH --time=01:00:00" in text
    assert script.stat().st_mode & 0o111
    script.unlink()
    begin_tending(chain, made.profile, "/opt/python")
    assert not script.exists()


def test_the_job_asks_for_what_the_profile_says_and_no_more_than_its_partition_has(
    tmp_path: Path, chain: RunDirectory, queue: MemoryQueue, leave_record: LeaveRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour where nothing is said."""
    from sciflow.loading import load_profile

    path = tmp_path / "small.yaml"
    path.write_text(
        "name: small\nscheduler: slurm\npartitions: {tiny: {max_runtime: 20 min}}\n"
        "tend: {partition: tiny, memory_gb: 1}\n"
    )
    begin_tending(chain, load_profile(str(path), tmp_path), "/opt/python")
    text = chain.script("tend").read_text()
    assert "#SBATCH --time=00:20:00" in text
    assert "#SBATCH --mem=1024M" in text
    assert "#SBATCH --partition=tiny" in text


def test_tending_ends_when_the_run_is_cancelled(one: QueuedRun) -> None:
    """The job that waits is cancelled; one that runs, and would let another one follow, does not."""
    follow(one)
    end_tending(one.run, one.queue.connect)
    assert one.queue.cancelled == [("104", None)]
    assert not is_autonomous(one.run)
    assert follow(one) is None
    end_tending(one.run, one.queue.connect)
    assert len(one.queue.cancelled) == 1


def test_the_job_that_cancels_the_run_is_not_cancelled_itself(one: QueuedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """And of those before it none is asked for once more."""
    for _ in range(4):
        job = follow(one)
        assert job is not None
        one.queue.end(job.job)
    monkeypatch.setenv("SLURM_JOB_ID", "106")
    end_tending(one.run, one.queue.connect)
    assert one.queue.cancelled == [("107", None)]
