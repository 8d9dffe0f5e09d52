"""Short tasks are packed, and chains fused, where that is worth it."""

from __future__ import annotations

from pathlib import Path

from sciflow.analysis.advice.proposals import Proposal
from unit.analysis.measured_run import HABIT, MeasuredRun

SEEDS = {"seed": list(range(30))}


def proposals(run: MeasuredRun) -> list[Proposal]:
    """Return what is proposed for a run."""
    return list(run.results().advise().proposals)


def test_short_tasks_are_packed_to_less_than_an_hour(tmp_path: Path) -> None:
    """Of five minutes each, nine together take three quarters of an hour, and save the waits of the others."""
    run = MeasuredRun(tmp_path, SEEDS).measure(lambda _: {"memory": 100, "seconds": 300.0, "cpu": 300.0})
    (found,) = proposals(run)
    assert (found.kind, found.tasks, found.change) == ("pack", ("solve",), "combinations_per_index: 9")
    assert found.saves == 30 - 4
    assert "5 min" in found.why


def test_what_is_long_or_packed_is_left_as_it_is(tmp_path: Path) -> None:
    """Half an hour is worth a job of its own, and what is packed runs for long enough."""
    run = MeasuredRun(tmp_path / "long", SEEDS).measure(lambda _: {"memory": 100, "seconds": 1800.0, "cpu": 1800.0})
    assert proposals(run) == []
    packed = MeasuredRun(tmp_path / "packed", SEEDS, {**HABIT, "combinations_per_index": 10})
    packed.measure(lambda _: {"memory": 100, "seconds": 300.0, "cpu": 300.0})
    assert proposals(packed) == []


def test_a_chain_whose_tasks_ask_for_the_same_is_fused(tmp_path: Path) -> None:
    """Three tasks index by index in one allocation wait once and not three times."""
    run = MeasuredRun(tmp_path, SEEDS, tasks=("prepare", "solve", "check"))
    for task in run.tasks:
        run.measure(lambda _: {"memory": 100, "seconds": 1800.0, "cpu": 1800.0}, task)
    (found,) = proposals(run)
    assert (found.kind, found.tasks, found.change) == ("fuse", ("prepare", "solve", "check"), "fuse: true")
    assert found.saves == 60


def test_tasks_that_need_different_things_are_not_fused(tmp_path: Path) -> None:
    """One that needs ten times the memory, or four cores, would hold that for the other too."""
    memory = MeasuredRun(tmp_path / "memory", SEEDS, tasks=("solve", "check"))
    memory.measure(lambda _: {"memory": 1000, "seconds": 1800.0, "cpu": 1800.0}, "solve")
    memory.measure(lambda _: {"memory": 100, "seconds": 1800.0, "cpu": 1800.0}, "check")
    assert proposals(memory) == []
    cores = MeasuredRun(tmp_path / "cores", SEEDS, tasks=("solve", "check"))
    cores.measure(lambda _: {"memory": 100, "seconds": 1800.0, "cpu": 7000.0}, "solve")
    cores.measure(lambda _: {"memory": 100, "seconds": 1800.0, "cpu": 1800.0}, "check")
    assert proposals(cores) == []


def test_what_is_fused_is_not_to_be_fused_again(tmp_path: Path) -> None:
    """Nor to be packed, which would end that: a task that runs in the indices of another has nothing to gain."""
    run = MeasuredRun(tmp_path, SEEDS, tasks=("prepare", "solve", "check"), is_fused=True)
    for task, seconds in zip(run.tasks, (60.0, 1800.0, 60.0), strict=True):
        run.measure(lambda _, seconds=seconds: {"memory": 100, "seconds": seconds, "cpu": seconds}, task)
    assert proposals(run) == []


def test_of_what_is_unknown_nothing_is_proposed(tmp_path: Path) -> None:
    """Before anything has run there is no reason for a change."""
    assert proposals(MeasuredRun(tmp_path, SEEDS, tasks=("solve", "check"))) == []
