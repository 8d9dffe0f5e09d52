"""What tasks should ask for."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sciflow.analysis.advice.advise import advice_of
from sciflow.errors import ResultError
from sciflow.model.advice import Seen
from sciflow.model.request import ResourceRequest
from unit.analysis.measured_run import GIB, MIB, MeasuredRun

SIZES = [10, 20, 50, 100, 200, 400]
RANDOM = np.random.default_rng(1)


def grown(one: dict[str, Any]) -> dict[str, Any]:
    """Return memory that grows with the square of the size, and time that grows with it."""
    error = float(np.exp(0.03 * RANDOM.normal()))
    seconds = 20 * one["size"] * error
    return {"memory": (100 + 0.05 * one["size"] ** 2) * error, "seconds": seconds, "cpu": 1.02 * seconds}


@pytest.fixture
def growing(tmp_path: Path) -> MeasuredRun:
    """Return a run over six sizes, with eight seeds each."""
    return MeasuredRun(tmp_path, {"size": SIZES, "seed": list(range(8))}).measure(grown)


def test_advice_is_what_was_enough_for_most(tmp_path: Path) -> None:
    """Of instances that differ by chance alone, what suffices for all but few is asked for, rounded up."""
    run = MeasuredRun(tmp_path, {"seed": list(range(39))})
    run.measure(lambda one: {"memory": 100 + one["seed"] % 7, "seconds": 600 + one["seed"] % 5, "cpu": 500})
    wanted = advice_of(run.results()).tasks["solve"]({"seed": 100})
    assert wanted.memory_bytes == 122 * MIB
    assert wanted.runtime_seconds == 605
    assert wanted.expected_seconds == 602
    assert wanted.cpu_cores == 1
    assert wanted.chance == pytest.approx(0.95)


def test_advice_follows_the_parameter_that_matters(growing: MeasuredRun) -> None:
    """Each size asks for what it needs; the seed does not matter."""
    advice = advice_of(growing.results(), 0.9)
    assert advice.names == {"solve": ("size",)}
    assert advice.seen == {"solve": {"size": Seen.of(SIZES, "power"), "seed": Seen.of(range(8))}}
    wanted = advice.tasks["solve"]
    small, large = wanted({"size": 10, "seed": 0}), wanted({"size": 400, "seed": 0})
    assert small.memory_bytes == pytest.approx(130 * MIB, rel=0.2)
    assert large.memory_bytes == pytest.approx(8_900 * MIB, rel=0.2)
    assert large.expected_seconds == pytest.approx(8000, rel=0.05)
    assert large.runtime_seconds == pytest.approx(8700, rel=0.1)
    assert large.chance == pytest.approx(0.9)


def test_a_hundred_thousand_are_asked_in_seconds(growing: MeasuredRun) -> None:
    """Equal ones are worked out once, others quickly."""
    wanted = advice_of(growing.results()).tasks["solve"]
    began = time.process_time()
    for seed in range(100_000):
        wanted({"size": 10 + seed % 1000, "seed": seed})
    assert time.process_time() - began < 2


def test_expressions_give_each_what_it_needs(growing: MeasuredRun) -> None:
    """As a workflow has them, they give each instance of the run at least what is advised for it."""
    one = growing.results().advise().tasks["solve"]
    request = ResourceRequest(**one.request(is_each=True))
    assert request.names == {"size"}
    for parameters in one.points:
        wanted, found = one.wanted(parameters), request.resolve(parameters, "solve")
        assert wanted.memory_bytes - MIB <= found.memory_bytes <= 1.5 * wanted.memory_bytes
        assert wanted.runtime_seconds - 60 <= found.runtime_seconds <= 1.5 * wanted.runtime_seconds + 60
        assert found.cpu_cores == wanted.cpu_cores == 1 + (0 if one.cores is None else one.cores.most_busy > 1.1)


def test_what_rounds_to_the_same_needs_no_expression(tmp_path: Path) -> None:
    """Seconds that grow are a minute for all."""
    run = MeasuredRun(tmp_path, {"size": SIZES, "seed": list(range(4))})
    run.measure(lambda one: {"memory": 50 + one["size"] ** 2 / 50, "seconds": one["size"] / 10, "cpu": 1.0})
    one = run.results().advise().tasks["solve"]
    assert one.seconds is not None
    assert one.seconds.law.names == ("size",)
    assert set(one.formulas) == {"memory_gb"}
    assert one.request(is_each=True)["max_runtime"] == "1 min"


def test_one_request_for_all_is_that_of_the_largest(growing: MeasuredRun) -> None:
    """Written into a workflow it suffices for every instance, and holds far more than each for itself."""
    one = growing.results().advise().tasks["solve"]
    found = ResourceRequest(**one.request()).resolve({}, "solve")
    assert found.memory_bytes == max(one.wanted(each).memory_bytes for each in one.points)
    seconds = max(one.wanted(each).runtime_seconds for each in one.points)
    assert seconds <= found.runtime_seconds + 1 <= seconds + 60
    assert one.gigabyte_hours() < 0.8 * one.gigabyte_hours(is_same=True)


def test_more_chance_costs_more(growing: MeasuredRun) -> None:
    """Memory and walltime grow with the chance, failures become fewer; what so few cannot show is said."""
    one = growing.results().advise().tasks["solve"]
    half, most, beyond = (one.trade(chance) for chance in (0.5, 0.9, 0.999))
    assert half.memory_bytes[1] < most.memory_bytes[1] < beyond.memory_bytes[1]
    assert half.failures == pytest.approx(12, rel=0.4)  # memory and time are too little for the same ones
    assert most.failures < 6
    assert (half.is_shown, most.is_shown, beyond.is_shown) == (True, True, False)
    assert (half.is_most, beyond.is_most, beyond.failures) == (False, True, pytest.approx(48 / 49))
    assert one.shown(0.999) == pytest.approx(1 - 2 / 49)


@pytest.mark.parametrize("chance", [0.0, 1.0, -1.0])
def test_a_chance_is_between_0_and_1(tmp_path: Path, chance: float) -> None:
    """Nothing is certain."""
    run = MeasuredRun(tmp_path, {"seed": [1]})
    with pytest.raises(ResultError, match="is no chance"):
        advice_of(run.results(), chance)


def test_of_a_task_that_has_not_run_nothing_is_said(tmp_path: Path) -> None:
    """Nothing measured, no advice."""
    run = MeasuredRun(tmp_path, {"seed": [1, 2]})
    run.add(0, "FAILED", memory=10, seconds=1)
    assert advice_of(run.results()).tasks == {}
    one = run.results().advise().tasks["solve"]
    assert (one.is_known, one.whole(), one.request(), one.shown(0.95)) == (False, (0, 0), {}, 0.0)


def test_one_that_was_measured_shows_one_half(tmp_path: Path) -> None:
    """Another one needs more as likely as not; both amounts together have no chance that could be shown."""
    run = MeasuredRun(tmp_path, {"seed": [1, 2]})
    run.add(0, memory=84, seconds=100.0)
    wanted = advice_of(run.results()).tasks["solve"]({"seed": 2})
    assert wanted.memory_bytes == 120 * MIB
    assert wanted.runtime_seconds == 121
    assert wanted.chance == 0.0


def test_what_all_were_killed_at_is_not_advised(tmp_path: Path) -> None:
    """All out of memory: that they need more than the limit is all that is known of it."""
    run = MeasuredRun(tmp_path, {"seed": [1, 2]})
    for index in (0, 1):
        run.add(index, "OUT_OF_MEMORY", memory=8000, seconds=100.0)
    assert advice_of(run.results()).tasks == {}


def test_who_was_killed_for_memory_raises_what_is_asked_for(tmp_path: Path) -> None:
    """With some killed at 8 GB, more than that is asked for, and the chance is less than survivors would say."""
    run = MeasuredRun(tmp_path, {"seed": list(range(20))})
    for index in range(20):
        run.add(index, "OUT_OF_MEMORY" if index > 15 else "COMPLETED", memory=5000, seconds=100.0, cpu=100.0)
    wanted = advice_of(run.results()).tasks["solve"]({"seed": 2})
    assert wanted.memory_bytes == 12 * GIB
    assert wanted.chance < 0.8


def test_without_a_measured_memory_only_time_is_advised(tmp_path: Path) -> None:
    """And the chance is all for the time then."""
    run = MeasuredRun(tmp_path, {"seed": list(range(19))}).measure(lambda _: {"seconds": 100.0})
    wanted = advice_of(run.results()).tasks["solve"]({"seed": 2})
    assert (wanted.memory_bytes, wanted.runtime_seconds, wanted.cpu_cores) == (0, 101, 0)
    assert wanted.chance == pytest.approx(0.95)


def test_the_same_request_costs_the_same(tmp_path: Path) -> None:
    """Whatever chance it was rounded up from: of what lets all through that were measured, next to none fail."""
    run = MeasuredRun(tmp_path, {"x": [1, 2, 3], "seed": list(range(20))})
    run.measure(lambda one: {"memory": 32.6, "seconds": 1 + 0.01 * one["seed"], "cpu": 1.0})
    one = run.results().advise().tasks["solve"]
    trades = [one.trade(chance) for chance in (1e-7, 0.5, 0.9, 0.95)]
    assert {(trade.memory_bytes, trade.runtime_seconds) for trade in trades} == {((49 * MIB,) * 2, (60, 60))}
    assert len({(trade.failures, trade.is_most, trade.gigabyte_hours, trade.core_hours) for trade in trades}) == 1
    assert (trades[0].failures, trades[0].is_most) == (pytest.approx(60 / 61), True)


def test_failures_are_counted_in_what_was_measured(tmp_path: Path) -> None:
    """One in four needs ten times the memory: with half of the chance a quarter fails, and no more."""
    run = MeasuredRun(tmp_path, {"seed": list(range(40))})
    run.measure(lambda one: {"memory": 1000 if one["seed"] % 4 == 0 else 100, "seconds": 30.0, "cpu": 1.0})
    low, high = (run.results().advise().tasks["solve"].trade(chance) for chance in (0.4, 0.9))
    assert (low.failures, low.is_most) == (pytest.approx(40 * (1 - 30 / 41)), False)
    assert high.failures < 1


def test_seconds_are_kept_for_what_shares_an_index(tmp_path: Path) -> None:
    """A second each, not a minute; only what is written into a workflow is whole minutes."""
    run = MeasuredRun(tmp_path, {"seed": list(range(60))}).measure(lambda _: {"memory": 100, "seconds": 0.5})
    one = run.results().advise().tasks["solve"]
    assert one.wanted({"seed": 0}).runtime_seconds == 2
    assert one.request()["max_runtime"] == "1 min"


def test_a_run_that_goes_on_says_so(tmp_path: Path) -> None:
    """What has not ended may be what takes longest."""
    run = MeasuredRun(tmp_path, {"seed": [1, 2, 3]})
    run.add(0, memory=84, seconds=100.0)
    run.add(1, "RUNNING", seconds=50.0)
    (remark,) = advice_of(run.results()).remarks["solve"]
    assert remark.startswith("2 of 3 instances of `solve` have not ended yet")
