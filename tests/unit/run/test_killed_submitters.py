"""Whoever tries something again may be killed at any instant: the next one goes on, and nothing is submitted twice."""

from __future__ import annotations

import copy
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.model.recovery import RecoveryPolicy
from sciflow.model.state import State
from sciflow.run import retry as retry_module
from sciflow.run.follow import track
from sciflow.run.recover import Recovered, recover
from sciflow.run.submit import submit
from sciflow.run.terms import Terms
from sciflow.run.track import observe, read_plan
from sciflow.run.variants import renderer_of
from sciflow.run.wish import Wish
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.manifest import read_profile
from unit.memory_queue import MemoryQueue

Leave = Callable[..., None]
GIB = 1024**3
# What is to be submitted of the run below, once: script, indices, and memory.
EXPECTED = {
    ("relax.0@r1", (1,), 1.5): 1,
    ("relax.0@r1-next", (1,), 1.5): 2,
    ("relax.0", (2,), 1.0): 1,
    ("relax.0@next", (2,), 1.0): 2,
    ("see.0", (1,), 0.0): 1,
    ("see.0", (2,), 0.0): 1,
    ("all.0", (0,), 0.0): 1,
}


@pytest.fixture
def failed(relax: RunDirectory, queue: MemoryQueue, leave: Leave) -> RunDirectory:
    """Return a run of which one chain has used up its memory, and one has failed by itself."""
    submit(relax, read_plan(relax), queue.connect, Terms())
    leave(relax, "relax.0", "101", {0: "COMPLETED", 1: "OUT_OF_MEMORY", 2: "FAILED", 3: "COMPLETED"})
    leave(relax, "see.0", "104", {0: "COMPLETED", 1: "UPSTREAM_FAILED", 2: "UPSTREAM_FAILED", 3: "COMPLETED"})
    leave(relax, "all.0", "105", {0: "UPSTREAM_FAILED"})
    for job in queue.states:
        queue.end(job)
    for index, state in ((1, State.OUT_OF_MEMORY), (2, State.FAILED)):
        queue.end("101", state, [index])
        for job in ("102", "103", "104"):
            queue.end(job, State.UPSTREAM_FAILED, [index])
    queue.end("105", State.FAILED)
    track(relax, read_plan(relax), queue)
    return relax


def try_again(run: RunDirectory, queue: MemoryQueue) -> Recovered:
    """Meet the failures of a run."""
    plan, profile = read_plan(run), read_profile(run)
    return recover(run, plan, queue.connect, profile, RecoveryPolicy(), Terms(), renderer_of(run), Wish())


def tried(queue: MemoryQueue) -> Counter[tuple[str, tuple[int, ...], float]]:
    """Return what was submitted after the first five: by which script, which indices, and with how many GiB."""
    return Counter(
        (one.script.stem, tuple(sorted(one.attempts)), one.array.resources.memory_bytes / GIB)
        for one in list(queue.accepted.values())[5:]
    )


class Killer:
    """Kills whoever does something for the n-th time, before or after it is done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, queue: MemoryQueue, moment: int) -> None:
        self.left = moment
        for owner, name in (
            (Journal, "append"),
            (Journal, "commit"),
            (MemoryQueue, "submit"),
            (retry_module, "write_variant"),
        ):
            monkeypatch.setattr(owner, name, self.counted(getattr(owner, name)))

    def counted(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """Return the same act, before and after which somebody may be killed."""

        def done(*arguments: Any, **more: Any) -> Any:
            self.strike()
            result = act(*arguments, **more)
            self.strike()
            return result

        return done

    def strike(self) -> None:
        """Kill, if it is time."""
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def test_all_is_tried_again_once(failed: RunDirectory, queue: MemoryQueue) -> None:
    """Where nobody is killed; a second time there is nothing left to do."""
    try_again(failed, queue)
    assert tried(queue) == EXPECTED
    assert try_again(failed, queue).handed.jobs == {}
    assert tried(queue) == EXPECTED


def test_killed_before_or_after_each_step(failed: RunDirectory, queue: MemoryQueue, tmp_path: Path) -> None:
    """Of scripts, of the journal, of the scheduler: the next one goes on, under the requests that were decided."""
    moment = 0
    while True:
        moment += 1
        folder, here = tmp_path / f"{moment}" / failed.run_id, copy.deepcopy(queue)
        shutil.copytree(failed.path, folder)
        run = RunDirectory(folder)
        with pytest.MonkeyPatch.context() as patched:
            killer = Killer(patched, here, moment)
            try:
                try_again(run, here)
            except KeyboardInterrupt:
                pass
            else:
                assert killer.left > 0
                break
        try_again(run, here)
        found = Counter({(renamed(script), *rest): n for (script, *rest), n in tried(here).items()})
        assert found == EXPECTED, moment
        assert try_again(run, here).handed.jobs == {}
        assert not observe(run).submissions.open
        shutil.rmtree(folder.parent)
    assert moment > 40


def renamed(script: str) -> str:
    """Return the name of a script as if no variant had been left by somebody who was killed."""
    return script.replace("@r2", "@r1")


def test_a_journal_that_ends_anywhere_is_gone_on_with(failed: RunDirectory, queue: MemoryQueue, tmp_path: Path) -> None:
    """Also within a line, and between decisions that were written at once: those that are there hold."""
    before = failed.journal.stat().st_size
    whole, later = tmp_path / "whole" / failed.run_id, copy.deepcopy(queue)
    shutil.copytree(failed.path, whole)
    try_again(RunDirectory(whole), later)
    lines = (whole / "journal.jsonl").read_bytes()[before:].splitlines(keepends=True)
    decisions = [line for line in lines if b'"retry"' in line]
    assert len(decisions) >= 4
    for count in range(len(decisions)):
        for half in (b"", decisions[count][: len(decisions[count]) // 2]):
            folder, here = tmp_path / f"{count}{bool(half)}" / failed.run_id, copy.deepcopy(queue)
            shutil.copytree(whole, folder)
            run = RunDirectory(folder)
            run.journal.write_bytes(failed.journal.read_bytes() + b"".join(decisions[:count]) + half)
            try_again(run, here)
            found = Counter({(renamed(script), *rest): n for (script, *rest), n in tried(here).items()})
            assert found == EXPECTED, (count, half)
            assert try_again(run, here).handed.jobs == {}


@pytest.mark.parametrize("fatal", ["relax.0", "see.0", "all.0"])
def test_what_had_reached_the_scheduler_is_found(failed: RunDirectory, queue: MemoryQueue, fatal: str) -> None:
    """By its name, and it is not submitted again."""
    queue.fatal = {fatal}
    with pytest.raises(KeyboardInterrupt):
        try_again(failed, queue)
    queue.fatal = set()
    done = try_again(failed, queue)
    assert len(done.handed.found) == 1
    assert tried(queue) == EXPECTED
    assert len({one.name for one in queue.accepted.values()}) == len(queue.accepted)
