"""What is done about each failure: a row for each case, and what bounds and wishes make of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from sciflow.model.cause import Cause
from sciflow.model.profile import ClusterProfile, Partition
from sciflow.model.recovery import RecoveryPolicy
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.causes import Failure
from sciflow.run.decide import _UNCOUNTED, Action, Decider, Decision
from sciflow.run.needs import Place
from sciflow.run.sizing import Sizing
from sciflow.run.track import observe, read_plan
from sciflow.run.wish import Wish, make_wish
from sciflow.store.brakes import Brake
from sciflow.store.digests import file_digest
from sciflow.store.layout import RunDirectory
from sciflow.store.records import RecordState
from sciflow.store.submitted import Submitted
from sciflow_shim import files

GIB = 1024**3
STATES = {
    Cause.OUT_OF_MEMORY: State.OUT_OF_MEMORY,
    Cause.TIMEOUT: State.TIMEOUT,
    Cause.NODE_FAILURE: State.NODE_FAIL,
    Cause.PREEMPTED: State.PREEMPTED,
    Cause.CANCELLED: State.CANCELLED,
    Cause.HELD: State.CANCELLED,
    Cause.CRITERIA_NOT_MET: State.CRITERIA_NOT_MET,
    Cause.UPSTREAM_FAILED: State.UPSTREAM_FAILED,
    Cause.LOST: State.UNKNOWN,
}
FAILED = Cause.APPLICATION_ERROR


@dataclass
class Judge:
    """A run of which a test says what has become of each index, and what it had been tried again for."""

    run: RunDirectory
    profile: ClusterProfile = field(
        default_factory=lambda: ClusterProfile(
            name="site",
            scheduler="slurm",
            partitions={"main": Partition(max_runtime="04:00:00", memory_gb=8, default=True)},
        )
    )
    recovery: RecoveryPolicy = field(default_factory=RecoveryPolicy)
    retries: dict[str, int] = field(default_factory=dict)
    brakes: dict[str, list[Brake]] = field(default_factory=dict)
    failures: dict[Place, Failure] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.plan = read_plan(self.run)
        self.status = observe(self.run, self.plan)
        for array in self.plan.arrays:
            for element in range(array.elements):
                one = Submitted(array.name, f"{array.name}.{element}", frozenset((element,)), 1.0, job="1")
                self.status.submissions.add(one)
            for known in self.status.indices[array.name].values():
                known.state, known.attempt, known.is_settled = State.COMPLETED, 1, True

    def fails(self, array: str, indices: str, cause: Cause, error: str = "ValueError", **facts: Any) -> Judge:
        """Let indices fail of a cause."""
        for index in map(int, indices.split(",")):
            known = self.status.indices[array][index]
            known.state = STATES.get(cause, State.FAILED)
            if cause is not Cause.UPSTREAM_FAILED or error != "ValueError":
                self.failures[array, index] = Failure(cause, error, error, state=known.state, **facts)
            else:
                self.failures[array, index] = Failure(cause, "", "", state=known.state)
        return self

    def tried(self, array: str, indices: str, cause: Cause, error: str = "ValueError", **facts: Any) -> Judge:
        """Let indices have been tried again for a cause."""
        event = {"event": "retry", "time": 5.0, "array": array, "indices": indices, "variant": "", "memory": GIB}
        counts = cause not in _UNCOUNTED
        event |= {"seconds": 3600, "cause": cause.value, "error": error, "counts": counts, "why": "", **facts}
        self.status.submissions.hear(event)
        return self

    def decide(self, wish: Wish | None = None) -> list[Decision]:
        """Return all decisions."""
        sizing = Sizing(self.run, self.plan, self.status, self.profile)
        decider = Decider(
            self.run,
            self.status,
            self.failures,
            self.recovery,
            self.retries,
            self.brakes,
            sizing,
            wish or Wish(),
        )
        return list(decider.all())

    def told(self, **wish: Any) -> dict[str, tuple[Action, str]]:
        """Return place → what is done, and why."""
        return {f"{one.place[0]}[{one.place[1]}]": (one.action, one.why) for one in self.decide(make_wish(**wish))}

    def actions(self, **wish: Any) -> dict[str, Action]:
        """Return place → what is done."""
        return {place: action for place, (action, _) in self.told(**wish).items()}


@pytest.fixture
def make(tmp_path: Path, stage_for_queue: Callable[..., RunDirectory]) -> Callable[..., Judge]:
    """Return a function that makes a judge of a run: four `a`, four `b` after them, and `c` and `d` after all of these,
    of which `d` goes on without what is missing, and `e` after that."""

    def staged(resources: Mapping[str, Any] | None = None, **facts: Any) -> Judge:
        workflow = ExperimentalWorkflow("decided", tmp_path)
        given = resources or {"cpu_cores": 1, "memory_gb": 1, "max_runtime": "1 h"}
        workflow.add_task("a", command="echo {{ x }}", resources=given)
        workflow.add_task("b", command="echo {{ x }}", depends_on=["a"])
        workflow.add_task("c", lambda b: {"n": len(b)}, depends_on=["b"], over="all")
        workflow.add_task("d", lambda b: {"n": len(b)}, depends_on=["b"], over="all", missing="skip")
        workflow.add_task("e", lambda d: {"n": d["n"]}, depends_on=["d"])
        workflow.add_parameter_space({"x": [1, 2, 3, 4]})
        return Judge(stage_for_queue(workflow), **facts)

    return staged


# --- by cause


CASES = [
    (Cause.OUT_OF_MEMORY, Action.MORE_MEMORY, "1 GB → 1.5 GB"),
    (Cause.TIMEOUT, Action.MORE_TIME, "1 h → 1 h 30 min"),
    (Cause.NODE_FAILURE, Action.AGAIN, ""),
    (Cause.PREEMPTED, Action.AGAIN, ""),
    (Cause.LAUNCH_FAILURE, Action.AGAIN, ""),
    (Cause.LOST, Action.AGAIN, ""),
    (Cause.APPLICATION_ERROR, Action.AGAIN, ""),
    (Cause.RESULT_MISSING, Action.AGAIN, ""),
    (Cause.CRITERIA_NOT_MET, Action.AGAIN, ""),
    (Cause.HELD, Action.AGAIN, ""),
    (Cause.FILE_CHANGED, Action.AGAIN, ""),
    (Cause.CANCELLED, Action.LEFT, "it was cancelled; `--only cancelled` tries it again"),
    (Cause.UPSTREAM_FAILED, Action.WITH_UPSTREAM, ""),
]


@pytest.mark.parametrize(("cause", "action", "why"), CASES, ids=[cause.value for cause, _, _ in CASES])
def test_what_is_done_depends_on_the_cause(make: Callable[..., Judge], cause: Cause, action: Action, why: str) -> None:
    """The first time: again, with more of what was used up, or not at all."""
    judge = make()
    assert judge.fails("a.0", "2", cause).told() == {"a.0[2]": (action, why)}


def test_what_would_not_start_is_left_alone(make: Callable[..., Judge], tmp_path: Path) -> None:
    """A changed file is tried again once it is what it was, as often as that takes; until then nothing would start."""
    judge = make(recovery=RecoveryPolicy(max_attempts=1, max_retries=0))
    judge.tried("a.0", "2", Cause.FILE_CHANGED).fails("a.0", "2", Cause.FILE_CHANGED)
    program = tmp_path / "program.sh"
    program.write_text("old")
    path = judge.run / files.task_file("a")
    told = {"path": "program.sh", "size": 3, "mtime_ns": 1, "sha256": file_digest(program)}
    path.write_text(json.dumps({**json.loads(path.read_text()), "inputs": {"files": [told]}}))
    program.write_text("new")
    why = "`program.sh` is still not what the run was planned with"
    assert judge.told() == judge.told(is_forced=True) == {"a.0[2]": (Action.LEFT, why)}
    program.write_text("old")
    assert judge.told() == {"a.0[2]": (Action.AGAIN, "")}


def test_nothing_is_decided_where_nothing_has_failed(make: Callable[..., Judge]) -> None:
    """All is completed."""
    assert make().decide() == []


def test_it_is_not_decided_before_it_is_known_what_became_of_it(make: Callable[..., Judge]) -> None:
    """Accounting may still tell that it was killed for its memory."""
    judge = make().fails("a.0", "2", FAILED)
    judge.status.indices["a.0"][2].is_settled = False
    assert judge.told() == {"a.0[2]": (Action.NOT_YET, "it may still become known what became of it")}
    assert judge.actions(is_forced=True) == {"a.0[2]": Action.NOT_YET}


def test_who_has_come_further_goes_on_from_its_checkpoint(make: Callable[..., Judge]) -> None:
    """However often: that is no failure, and needs no more time."""
    judge = make(recovery=RecoveryPolicy(max_attempts=1, max_retries=0)).fails("a.0", "2", Cause.TIMEOUT)
    record = RecordState(State.TIMEOUT, "", 3600.0, checkpoint_left=True, left_time=9.0)
    judge.status.indices["a.0"][2].record = record
    [one] = judge.decide()
    assert (one.action, one.why, one.counts) == (Action.GO_ON, "", False)


@pytest.mark.parametrize("by", ["", "sciflow cancel", "ann (uid 7)"])
def test_who_cancelled_it_is_told(make: Callable[..., Judge], by: str) -> None:
    """Where that is known."""
    [(_, why)] = make().fails("a.0", "2", Cause.CANCELLED, by=by).told().values()
    assert why == f"it was cancelled{f' by {by}' if by else ''}; `--only cancelled` tries it again"


@pytest.mark.parametrize("wish", [{"only": "cancelled"}, {"places": {"a.0": {2}}}, {"only": ["timeout", "cancelled"]}])
def test_what_was_cancelled_is_tried_again_when_it_is_asked_for(make: Callable[..., Judge], wish: Any) -> None:
    """By its cause, or by its name."""
    assert make().fails("a.0", "2", Cause.CANCELLED).actions(**wish) == {"a.0[2]": Action.AGAIN}


def test_who_was_stopped_with_its_driver_goes_on(make: Callable[..., Judge]) -> None:
    """On this machine nobody else could have cancelled it."""
    judge = make().fails("a.0", "2", Cause.CANCELLED, by="a signal")
    judge.status.submissions.by_name.clear()
    assert judge.actions() == {"a.0[2]": Action.AGAIN}


# --- how often


def test_the_same_error_twice_is_not_tried_a_third_time(make: Callable[..., Judge]) -> None:
    """However many retries there are; another instance is no reason."""
    judge = make(recovery=RecoveryPolicy(retries=4)).fails("a.0", "1,2", FAILED)
    judge.tried("a.0", "2", FAILED)
    assert judge.told() == {
        "a.0[1]": (Action.AGAIN, ""),
        "a.0[2]": (Action.GIVEN_UP, "it failed twice with the same error"),
    }


def test_another_error_is_tried_again_up_to_the_retries(make: Callable[..., Judge]) -> None:
    """Of the run, or of the task where that says so."""
    judge = make(recovery=RecoveryPolicy(retries=2)).fails("a.0", "2", FAILED, "KeyError")
    judge.tried("a.0", "2", FAILED)
    assert judge.actions() == {"a.0[2]": Action.AGAIN}
    judge.tried("a.0", "2", Cause.CRITERIA_NOT_MET, "too small")
    assert judge.told() == {"a.0[2]": (Action.GIVEN_UP, "its program has been tried again twice (`retries`)")}
    judge.retries = {"a": 3}
    assert judge.actions() == {"a.0[2]": Action.AGAIN}
    judge.retries = {"a": 0, "b": 9}
    assert judge.actions() == {"a.0[2]": Action.GIVEN_UP}


def test_a_program_is_not_tried_again_where_that_is_not_wanted(make: Callable[..., Judge]) -> None:
    """A node that failed is another matter."""
    judge = make(recovery=RecoveryPolicy(retries=0)).fails("a.0", "1", FAILED).fails("a.0", "2", Cause.NODE_FAILURE)
    assert judge.actions() == {"a.0[1]": Action.GIVEN_UP, "a.0[2]": Action.AGAIN}


def test_errors_of_other_kinds_do_not_count_for_the_program(make: Callable[..., Judge]) -> None:
    """It had too little memory once, and fails by itself for the first time."""
    judge = make().fails("a.0", "2", FAILED).tried("a.0", "2", Cause.OUT_OF_MEMORY, "ValueError")
    assert judge.actions() == {"a.0[2]": Action.AGAIN}


def test_an_instance_fails_only_so_often_whatever_the_cause(make: Callable[..., Judge]) -> None:
    """What is no failure does not count."""
    judge = make(recovery=RecoveryPolicy(max_attempts=3)).fails("a.0", "2", Cause.NODE_FAILURE)
    for cause in (Cause.PREEMPTED, Cause.CANCELLED, Cause.HELD, Cause.UPSTREAM_FAILED, Cause.OUT_OF_MEMORY):
        judge.tried("a.0", "2", cause)
    assert judge.actions() == {"a.0[2]": Action.AGAIN}
    judge.tried("a.0", "2", Cause.LOST)
    assert judge.told() == {"a.0[2]": (Action.GIVEN_UP, "it has failed 3 times (`max_attempts`)")}


def test_being_preempted_is_no_failure(make: Callable[..., Judge]) -> None:
    """However often, and beyond all bounds."""
    judge = make(recovery=RecoveryPolicy(max_attempts=1, max_retries=0)).fails("a.0", "2", Cause.PREEMPTED)
    for _ in range(9):
        judge.tried("a.0", "2", Cause.PREEMPTED)
    [one] = judge.decide()
    assert (one.action, one.counts) == (Action.AGAIN, False)


def test_a_run_has_only_so_many_retries(make: Callable[..., Judge]) -> None:
    """Those before count, and in the end some are left over."""
    judge = make(recovery=RecoveryPolicy(max_retries=3)).fails("a.0", "0,1,2", Cause.NODE_FAILURE)
    judge.tried("a.0", "3", Cause.NODE_FAILURE).tried("a.0", "3", Cause.PREEMPTED)
    given_up = (Action.GIVEN_UP, "the run has had all of its 3 retries (`max_retries`)")
    assert judge.told() == {"a.0[0]": (Action.AGAIN, ""), "a.0[1]": (Action.AGAIN, ""), "a.0[2]": given_up}


def test_a_small_run_has_twenty_retries_unless_it_says_otherwise(make: Callable[..., Judge]) -> None:
    """Of eleven instances."""
    judge = make().fails("a.0", "0,1", Cause.NODE_FAILURE)
    for _ in range(19):
        judge.tried("a.0", "3", Cause.NODE_FAILURE)
    assert judge.actions() == {"a.0[0]": Action.AGAIN, "a.0[1]": Action.GIVEN_UP}


def test_force_tries_what_would_be_given_up(make: Callable[..., Judge]) -> None:
    """Whatever the bound, also where there is no more to be had."""
    judge = make({"cpu_cores": 1, "memory_gb": 8, "max_runtime": "1 h"})
    judge.recovery = RecoveryPolicy(retries=0, max_attempts=1, max_retries=0)
    judge.fails("a.0", "0", FAILED).fails("a.0", "1", Cause.OUT_OF_MEMORY).fails("a.0", "2", Cause.TIMEOUT)
    judge.failures["a.0", 0] = Failure(FAILED, "ValueError")
    assert set(judge.actions().values()) == {Action.GIVEN_UP}
    assert judge.told(is_forced=True) == {
        "a.0[0]": (Action.AGAIN, ""),
        "a.0[1]": (Action.AGAIN, ""),
        "a.0[2]": (Action.MORE_TIME, "1 h → 1 h 30 min"),
    }


# --- with what


def test_there_is_no_more_than_the_site_has(make: Callable[..., Judge]) -> None:
    """Who had that is given up, and the partition is named; who had less is given that."""
    judge = make({"cpu_cores": 1, "memory_gb": 8, "max_runtime": "3 h"})
    judge.fails("a.0", "1", Cause.OUT_OF_MEMORY).fails("a.0", "2", Cause.TIMEOUT)
    assert judge.told() == {
        "a.0[1]": (Action.GIVEN_UP, "it was given the most memory of 8 GB that partition `main` has"),
        "a.0[2]": (Action.MORE_TIME, "3 h → 4 h"),
    }
    judge.tried("a.0", "2", Cause.TIMEOUT, seconds=4 * 3600, memory=8 * GIB)
    why = "it was given the most walltime of 4 h that partition `main` has"
    assert judge.told()["a.0[2]"] == (Action.GIVEN_UP, why)


def test_a_factor_takes_the_place_of_what_was_measured(make: Callable[..., Judge]) -> None:
    """It is given to all that is tried again, whatever its cause; what is wrong is more than the site has."""
    judge = make().fails("a.0", "0", Cause.OUT_OF_MEMORY).fails("a.0", "1", Cause.TIMEOUT).fails("a.0", "2", FAILED)
    assert judge.told(scale=["memory=2"]) == {
        "a.0[0]": (Action.MORE_MEMORY, "1 GB → 2 GB"),
        "a.0[1]": (Action.MORE_TIME, "1 GB → 2 GB, 1 h → 1 h 30 min"),
        "a.0[2]": (Action.AGAIN, "1 GB → 2 GB"),
    }
    assert judge.told(scale={"runtime": 100.0}) == {
        "a.0[0]": (Action.MORE_MEMORY, "1 GB → 1.5 GB, 1 h → 4 h"),
        "a.0[1]": (Action.MORE_TIME, "1 h → 4 h"),
        "a.0[2]": (Action.AGAIN, "1 h → 4 h"),
    }
    assert judge.told(scale=["runtime=0.5"])["a.0[2]"] == (Action.AGAIN, "1 h → 30 min")


def test_a_factor_gives_up_only_what_failed_for_want_of_it(make: Callable[..., Judge]) -> None:
    """A program that fails by itself needs no more memory than there is."""
    judge = make({"cpu_cores": 1, "memory_gb": 8, "max_runtime": "1 h"})
    judge.fails("a.0", "0", Cause.OUT_OF_MEMORY).fails("a.0", "2", FAILED)
    assert judge.told(scale=["memory=2"]) == {
        "a.0[0]": (Action.GIVEN_UP, "it was given the most memory of 8 GB that partition `main` has"),
        "a.0[2]": (Action.AGAIN, ""),
    }


def test_what_nobody_has_measured_cannot_be_sized(make: Callable[..., Judge]) -> None:
    """The way out is the workflow."""
    judge = make({"cpu_cores": 1}).fails("a.0", "2", Cause.OUT_OF_MEMORY)
    why = "it asks for no memory, and what it used was not measured: say in the workflow what it needs"
    assert judge.told() == {"a.0[2]": (Action.GIVEN_UP, why)}
    assert judge.told(scale=["memory=2"]) == {"a.0[2]": (Action.GIVEN_UP, why)}


# --- wishes


def test_only_some_causes(make: Callable[..., Judge]) -> None:
    """The others are left alone, and that is said."""
    judge = make().fails("a.0", "0", Cause.TIMEOUT).fails("a.0", "2", FAILED)
    assert judge.told(only="timeout") == {
        "a.0[0]": (Action.MORE_TIME, "1 h → 1 h 30 min"),
        "a.0[2]": (Action.LEFT, "it is not asked for"),
    }


def test_only_some_indices(make: Callable[..., Judge]) -> None:
    """Of the others nothing is said."""
    judge = make().fails("a.0", "0,1", FAILED)
    assert judge.actions(places={"a.0": {1}, "b.0": {1}}) == {"a.0[1]": Action.AGAIN}


# --- brakes


@pytest.fixture
def brake() -> Brake:
    """Return a brake that is on."""
    return Brake("a.0", 5.0, 12, 12, "ValueError: no licence")


def test_an_array_job_that_is_held_back_goes_on_only_when_it_is_released(
    make: Callable[..., Judge], brake: Brake
) -> None:
    """What has failed of it as well as what did not start, and what waits for it."""
    judge = make(brakes={"a.0": [brake]}).fails("a.0", "0", FAILED).fails("a.0", "1,2,3", Cause.HELD)
    judge.fails("b.0", "0,1,2,3", Cause.UPSTREAM_FAILED)
    reason = "held back: 12 of the first 12 failed: ValueError: no licence; `--release` lets its array job go on"
    told = judge.told()
    assert {told[f"a.0[{i}]"] for i in range(4)} == {(Action.LEFT, reason)}
    assert {told[f"b.0[{i}]"] for i in range(4)} == {(Action.LEFT, "something that it needs is not tried again")}
    assert set(judge.told(is_released=True).values()) == {(Action.AGAIN, ""), (Action.WITH_UPSTREAM, "")}
    assert set(judge.actions(is_forced=True).values()) == {Action.LEFT}


def test_what_was_tried_before_a_release_is_not_counted(make: Callable[..., Judge], brake: Brake) -> None:
    """Neither before an earlier one, nor before that of this call, whose own retries are not counted later either."""
    judge = make(brakes={"a.0": [brake]}).fails("a.0", "0", FAILED).tried("a.0", "0", FAILED)
    [decision] = [one for one in judge.decide(make_wish(is_released=True)) if one.place == ("a.0", 0)]
    assert (decision.action, decision.counts) == (Action.AGAIN, False)
    judge.brakes = {"a.0": [replace(brake, released=6.0)]}
    assert judge.actions()["a.0[0]"] is Action.AGAIN
    judge.brakes = {"a.0": [replace(brake, released=4.0)]}
    assert judge.told()["a.0[0]"] == (Action.GIVEN_UP, "it failed twice with the same error")


def test_what_was_cancelled_goes_with_its_upstream(make: Callable[..., Judge]) -> None:
    """Where only that is named; that of others stays."""
    judge = make().fails("a.0", "1,2", Cause.CANCELLED).fails("b.0", "1,2", Cause.CANCELLED)
    assert judge.actions(places={"a.0": {1}}) == {"a.0[1]": Action.AGAIN, "b.0[1]": Action.WITH_UPSTREAM}


def test_what_was_cancelled_by_itself_does_not_go_with_an_upstream_that_failed(make: Callable[..., Judge]) -> None:
    """Nobody has asked for it."""
    judge = make().fails("a.0", "1", FAILED).fails("b.0", "1", Cause.CANCELLED)
    assert judge.actions(places={"a.0": {1}}) == {"a.0[1]": Action.AGAIN}


def test_with_less_is_not_with_more(make: Callable[..., Judge]) -> None:
    """Somebody knows better."""
    judge = make().fails("a.0", "0", Cause.OUT_OF_MEMORY)
    assert judge.told(scale=["memory=0.5"]) == {"a.0[0]": (Action.AGAIN, "1 GB → 512 MB")}


def test_a_brake_that_was_released_holds_nothing_back(make: Callable[..., Judge], brake: Brake) -> None:
    """Nor does that of another array job."""
    released = Brake("a.0", 5.0, 12, 12, "ValueError", released=9.0)
    judge = make(brakes={"a.0": [released], "b.0": [Brake("b.0", 5.0, 9, 9, "e")]}).fails("a.0", "0", FAILED)
    assert judge.actions() == {"a.0[0]": Action.AGAIN}


def test_what_waits_for_others_may_be_held_back_itself(make: Callable[..., Judge]) -> None:
    """Its upstream is tried again all the same."""
    judge = make(brakes={"b.0": [Brake("b.0", 5.0, 9, 9, "KeyError")]})
    judge.fails("a.0", "0", FAILED).fails("b.0", "0", Cause.UPSTREAM_FAILED)
    reason = "held back: 9 of the first 9 failed: KeyError; `--release` lets its array job go on"
    assert judge.told() == {"a.0[0]": (Action.AGAIN, ""), "b.0[0]": (Action.LEFT, reason)}


# --- what waits for others


def test_what_waits_follows_through_all_of_the_graph(make: Callable[..., Judge]) -> None:
    """Index by index and over all; what went on without it is made anew, and what was made from that too."""
    judge = make().fails("a.0", "2", FAILED).fails("b.0", "2", Cause.UPSTREAM_FAILED)
    judge.fails("c.0", "0", Cause.UPSTREAM_FAILED)
    judge.status.indices["d.0"][0].skipped = 1
    anew = (Action.WITH_UPSTREAM, "it was made without some of its upstream")
    assert judge.told() == {
        "a.0[2]": (Action.AGAIN, ""),
        "b.0[2]": (Action.WITH_UPSTREAM, ""),
        "c.0[0]": (Action.WITH_UPSTREAM, ""),
        "d.0[0]": anew,
        "e.0[0]": anew,
    }
    assert [one.counts for one in judge.decide()] == [True, False, False, False, False]


def test_who_needs_something_that_is_given_up_is_left_alone(make: Callable[..., Judge]) -> None:
    """Also where something else that it needs is tried again; who can do without it is made anew."""
    judge = make().fails("a.0", "1,2", FAILED).tried("a.0", "2", FAILED)
    judge.fails("b.0", "1,2", Cause.UPSTREAM_FAILED).fails("c.0", "0", Cause.UPSTREAM_FAILED)
    judge.status.indices["d.0"][0].skipped = 2
    assert judge.actions() == {
        "a.0[1]": Action.AGAIN,
        "a.0[2]": Action.GIVEN_UP,
        "b.0[1]": Action.WITH_UPSTREAM,
        "b.0[2]": Action.LEFT,
        "c.0[0]": Action.LEFT,
        "d.0[0]": Action.WITH_UPSTREAM,
        "e.0[0]": Action.WITH_UPSTREAM,
    }


def test_what_went_on_without_some_is_made_anew_when_these_have_come_in_between(make: Callable[..., Judge]) -> None:
    """Nobody tries them again now; what is still lacking is given up."""
    judge = make(recovery=RecoveryPolicy(retries=0)).fails("b.0", "2", FAILED)
    judge.status.indices["d.0"][0].skipped = 2
    assert judge.actions() == {
        "b.0[2]": Action.GIVEN_UP,
        "d.0[0]": Action.WITH_UPSTREAM,
        "e.0[0]": Action.WITH_UPSTREAM,
    }


def test_what_went_on_without_some_is_left_as_it_is_where_these_are_given_up(make: Callable[..., Judge]) -> None:
    """It would be made as it was."""
    judge = make(recovery=RecoveryPolicy(retries=0)).fails("b.0", "2", FAILED)
    judge.status.indices["d.0"][0].skipped = 1
    assert judge.actions() == {"b.0[2]": Action.GIVEN_UP}


def test_what_was_made_from_a_record_that_is_lost_is_not_made_anew(make: Callable[..., Judge]) -> None:
    """It lacks nothing."""
    assert make().fails("a.0", "2", Cause.LOST).actions() == {"a.0[2]": Action.AGAIN}


def test_who_waits_for_what_is_there_meanwhile_is_tried_again(make: Callable[..., Judge]) -> None:
    """Its upstream was run by hand, or still runs."""
    judge = make().fails("b.0", "1,2", Cause.UPSTREAM_FAILED)
    judge.status.indices["a.0"][2].state = State.RUNNING
    assert judge.actions() == {"b.0[1]": Action.WITH_UPSTREAM, "b.0[2]": Action.WITH_UPSTREAM}


def test_a_partial_wish_takes_along_what_depends_on_it_and_no_more(make: Callable[..., Judge]) -> None:
    """Of two that have failed upstream one is meant, by its index."""
    judge = make().fails("a.0", "1,2", FAILED).fails("b.0", "1,2", Cause.UPSTREAM_FAILED)
    assert judge.actions(places={"a.0": {1}}) == {"a.0[1]": Action.AGAIN, "b.0[1]": Action.WITH_UPSTREAM}


def test_what_depends_on_a_cause_that_is_meant_goes_with_it(make: Callable[..., Judge]) -> None:
    """Of two that have failed upstream one is meant, by its cause."""
    judge = make().fails("a.0", "1", Cause.TIMEOUT).fails("a.0", "2", FAILED)
    judge.fails("b.0", "1,2", Cause.UPSTREAM_FAILED)
    assert judge.actions(only="timeout") == {
        "a.0[1]": Action.MORE_TIME,
        "a.0[2]": Action.LEFT,
        "b.0[1]": Action.WITH_UPSTREAM,
    }


def test_what_waits_can_be_asked_for_itself(make: Callable[..., Judge]) -> None:
    """Where all that it needs is there it is run, and else that is said."""
    judge = make().fails("a.0", "2", FAILED).fails("b.0", "1,2", Cause.UPSTREAM_FAILED)
    left = (Action.LEFT, "something that it needs is not tried again")
    assert judge.told(places={"b.0": {1, 2}}) == {"b.0[1]": (Action.WITH_UPSTREAM, ""), "b.0[2]": left}
    assert judge.told(only="upstream_failed") == {
        "a.0[2]": (Action.LEFT, "it is not asked for"),
        "b.0[1]": (Action.WITH_UPSTREAM, ""),
        "b.0[2]": left,
    }


# --- packed


@pytest.fixture
def packed(tmp_path: Path, stage_for_queue: Callable[..., RunDirectory]) -> Judge:
    """Return a run of eight, of which four at a time run as one array index."""
    workflow = ExperimentalWorkflow("packed", tmp_path)
    request = {"cpu_cores": 1, "memory_gb": 1, "max_runtime": "10 min", "combinations_per_index": 4}
    workflow.add_task("a", command="echo {{ x }}", resources=request)
    workflow.add_parameter_space({"x": list(range(8))})
    return Judge(stage_for_queue(workflow))


def test_nothing_is_decided_while_others_run_in_the_same_array_index(packed: Judge) -> None:
    """A scheduler runs it as one."""
    packed.fails("a.0", "1,5", FAILED)
    packed.status.indices["a.0"][2].state = State.RUNNING
    assert packed.told() == {
        "a.0[1]": (Action.NOT_YET, "others in its array index are not over: a.0[0-3]"),
        "a.0[5]": (Action.AGAIN, ""),
    }
    packed.status.indices["a.0"][2].state, packed.status.indices["a.0"][2].is_settled = State.COMPLETED, False
    assert packed.actions()["a.0[1]"] is Action.NOT_YET


def test_one_of_several_has_its_share_of_the_walltime(packed: Judge) -> None:
    """And of the longest that there is."""
    packed.fails("a.0", "1", Cause.TIMEOUT)
    assert packed.told() == {"a.0[1]": (Action.MORE_TIME, "10 min → 15 min")}
    packed.tried("a.0", "1", Cause.TIMEOUT, seconds=3600)
    assert packed.told() == {
        "a.0[1]": (Action.GIVEN_UP, "it was given the most walltime of 1 h that partition `main` has")
    }
