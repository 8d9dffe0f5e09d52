"""A run keeps within its manners: what it may have is divided between its jobs, and throttles are changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sciflow.errors import BusyError, SchedulerError, TransportError
from sciflow.model.load import Load, PartitionLoad
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.manners import AGAIN, LOOK, Kept, keep, keep_by_itself
from sciflow.run.recover import terms_of
from sciflow.run.submit import Handed, calls, submit
from sciflow.run.track import observe
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.lock import hold
from sciflow.store.manifest import has_manners, read_manners
from unit.memory_queue import MemoryQueue
from unit.queued_run import QueuedRun

NOON = datetime(2031, 5, 14, 12, tzinfo=ZoneInfo("UTC")).timestamp()
EVENING, MORNING = NOON + 6 * 3600, NOON + 20 * 3600
BY_CLOCK = "running_by_day: 2, running_by_night: 8"
LeaveRecord = Callable[..., Path]


class Polite(QueuedRun):
    """A run with manners, at a time that a test moves."""

    now = NOON

    def clock(self) -> float:
        """Return the time."""
        return self.now

    @property
    def journal(self) -> Journal:
        """The journal, at that time."""
        return Journal(self.run.journal, self.clock)

    def hand_over(self) -> Handed:
        """Submit what was not submitted."""
        return submit(self.run, self.plan, self.queue.connect, terms_of(self.profile, self.recovery, self.policies))

    def keep(self) -> Kept:
        """Do what somebody does who watches and holds the lock."""
        conduct = terms_of(self.profile, self.recovery, self.policies).conduct
        assert conduct is not None
        return keep(self.run, observe(self.run), self.queue, self.journal, conduct)

    def watch(self) -> Kept:
        """Do what somebody does who watches."""
        conduct = terms_of(self.profile, self.recovery, self.policies).conduct
        assert conduct is not None
        return keep_by_itself(self.run, self.plan, self.queue.connect, conduct, observe(self.run))

    @property
    def throttles(self) -> dict[str, int | None]:
        """Job → how many of its indices may run at once, as it is noted."""
        return {one.job: one.throttle.at_once for one in observe(self.run).submissions.by_name.values()}


@pytest.fixture
def polite(
    tmp_path: Path,
    stage_for_queue: Callable[..., RunDirectory],
    queue: MemoryQueue,
    leave_record: LeaveRecord,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Polite]:
    """Return a function that stages ten `a`, ten `b` after them index by index, and ten `d` after all of them."""

    def make(manners: str, tasks: str = "abd", said: str = "", cores: int = 1) -> Polite:
        workflow = ExperimentalWorkflow("polite", tmp_path)
        resources = {"cpu_cores": cores, "max_runtime_hours": 2}
        workflow.add_task("a", command="echo {{ x }}", resources=resources)
        if "b" in tasks:
            workflow.add_task("b", command="echo {{ x }}", depends_on=["a"], resources=resources, fuse="f" in tasks)
        if "d" in tasks:
            workflow.add_task("c", lambda b: {"n": len(b)}, depends_on=["b"], over="all", resources=resources)
            workflow.add_task("d", command="echo {{ x }} {{ inputs.c }}", depends_on=["c"], resources=resources)
        workflow.add_parameter_space({"x": list(range(10))})
        run = stage_for_queue(workflow, f"timezone: UTC\nmanners: {{{manners}}}\n{said}")
        made = Polite(run, queue, leave_record, monkeypatch)
        monkeypatch.setattr("time.time", made.clock)
        monkeypatch.setattr(Journal.__init__, "__defaults__", (made.clock,))
        return made

    return make


def submitted(queue: MemoryQueue) -> list[tuple[str, int | None]]:
    """Return array job and throttle of all that was submitted."""
    return [(one.array.name, one.throttle) for one in queue.accepted.values()]


# --- at submission


def test_what_runs_side_by_side_shares_what_there_is(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """`b` follows `a` index by index; what comes after all of these has all of it to itself."""
    made = polite("running_by_day: 4")
    assert made.hand_over().kept == Kept()
    assert submitted(queue) == [("a.0", 2), ("b.0", 2), ("c.0", None), ("d.0", 4)]
    assert queue.throttled == []
    assert made.events("intent")[0] == {
        "event": "intent",
        "array": "a.0",
        "name": f"a.0.{made.run.run_id}.1",
        "indices": "0-9",
        "at_once": 2,
        "why": "by day",
        "until": EVENING,
    }


def test_the_calls_are_shown_with_their_throttles(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """Of who asks before anything is submitted; the cluster is not asked for that."""
    made = polite("running_by_day: 4, share: 0.5", tasks="a", said="partitions: {main: {cpu_cores: 2, nodes: 3}}\n")
    taken: list[int | None] = []
    queue.call = lambda submission: str(taken.append(submission.throttle))
    calls(made.run, observe(made.run), queue, terms_of(made.profile, made.recovery, made.policies), NOON)
    assert taken == [4]
    assert queue.looks == []


def test_a_night_job_that_is_submitted_by_day_has_the_throttle_of_the_night(
    polite: Callable[..., Polite], queue: MemoryQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It begins then; by day nothing of it is changed, and by night neither."""
    made = polite(BY_CLOCK, tasks="a")
    terms = terms_of(made.profile, made.recovery, made.policies)
    plan = made.plan
    evening = datetime.fromtimestamp(EVENING, ZoneInfo("UTC"))
    array = plan.arrays[0].__class__.from_document({**plan.arrays[0].to_document(), "begin": evening.isoformat()})
    later = plan.__class__.from_document({**plan.to_document(), "arrays": [array.to_document()]})
    (made.run / "plan.json").write_text(json.dumps(later.to_document()))
    submit(made.run, later, queue.connect, terms)
    assert submitted(queue) == [("a.0", 8)]
    assert made.events("intent")[0]["begin"] == EVENING
    assert made.keep() == Kept()
    made.now = EVENING
    assert made.keep() == Kept()
    made.now = MORNING
    assert [one.now.at_once for one in made.keep().changes] == [2]


def test_without_manners_nothing_is_different(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """No call, no question, no word in the journal."""
    made = polite("nice: 5")
    made.hand_over()
    assert submitted(queue) == [("a.0", None), ("b.0", None), ("c.0", None), ("d.0", None)]
    assert queue.looks == []
    assert set(made.events("intent")[0]) == {"event", "array", "name", "indices"}
    assert not has_manners(made.run)


def test_what_is_fused_is_one_job(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """It has all there is to itself, also when of some indices only the second task is left."""
    made = polite(BY_CLOCK, tasks="abf")
    made.hand_over()
    assert submitted(queue) == [("a.0", 2)]
    for index in range(6):
        made.leave("101", "a.0", index, 1, State.COMPLETED, "")
    made.now = EVENING
    assert made.watch().described() == ["a.0 (job 101) runs 8 at once now instead of 2: by night"]
    assert made.watch() == Kept()


# --- as the clock and the load change


def test_the_throttle_changes_when_the_day_ends(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """It is told, and noted, and nothing is done twice."""
    made = polite(BY_CLOCK, tasks="a")
    made.hand_over()
    made.now = EVENING - 1
    assert made.watch() == Kept()
    made.now = EVENING
    kept = made.watch()
    assert kept.described() == ["a.0 (job 101) runs 8 at once now instead of 2: by night"]
    assert queue.throttled == [("101", 8)]
    assert made.events("throttled") == [
        {"event": "throttled", "array": "a.0", "job": "101", "at_once": 8, "why": "by night", "until": MORNING}
    ]
    assert made.watch() == Kept()
    assert queue.throttled == [("101", 8)]


def test_a_night_without_a_number_lets_all_of_them_run(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """So many as there are indices."""
    made = polite("running_by_day: 2", tasks="a")
    made.hand_over()
    made.now = EVENING
    assert made.watch().described() == ["a.0 (job 101) runs any number at once now instead of 2"]
    assert queue.throttled == [("101", 10)]
    assert made.throttles == {"101": None}
    made.now = MORNING
    assert made.watch().described() == ["a.0 (job 101) runs 2 at once now instead of any number: by day"]


def test_what_one_does_not_need_any_more_is_for_the_other(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """At the end of `a` all is for `b`; what comes after that has had its own from the beginning."""
    made = polite("running_by_day: 4")
    made.hand_over()
    made.end("101", "0-9")
    made.status()
    assert made.watch().described() == ["b.0 (job 102) runs 4 at once now instead of 2: by day"]


def test_what_waits_for_all_of_another_has_all_after_it(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """In PBS `b` begins when all of `a` is over; what is tried again of `a` runs beside the rest of it, though."""
    made = polite("running_by_day: 4", tasks="ab", said="templates: pbs\n")
    made.recovery = made.recovery.model_copy(update={"retries": 2})
    made.hand_over()
    assert submitted(queue) == [("a.0", 4), ("b.0", 4)]
    made.end("101", "0-4")
    made.status()
    assert made.watch() == Kept()
    made.end("101", "5-9", State.FAILED, "ValueError: no")
    made.now += 60
    made.recover()
    assert submitted(queue)[2] == ("a.0", 2)
    assert made.throttles["102"] == 2


def test_nodes_come_and_go(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """A share is one of those that are up; it is looked at every ten minutes and no more often."""
    made = polite("share: 0.5", tasks="a", cores=4)
    queue.busy = Load({"main": PartitionLoad(64)}, "main")
    made.hand_over()
    assert submitted(queue) == [("a.0", 8)]
    assert queue.looks == [False]
    queue.busy = Load({"main": PartitionLoad(16)}, "main")
    for _ in range(10):
        made.now += LOOK / 10 - 1
        assert made.watch() == Kept()
    made.now += 20
    assert made.watch().described() == ["a.0 (job 101) runs 2 at once now instead of 8: 50 % of 16 cores"]
    assert queue.looks == [False, False]


def test_less_than_one_index_is_one_all_the_same(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """And that is said, each time."""
    made = polite("share: 0.1", tasks="a", cores=4)
    queue.busy = Load({"main": PartitionLoad(16)}, "main")
    handed = made.hand_over()
    assert submitted(queue) == [("a.0", 1)]
    note = "one index of each job runs at least, which is more than allowed (10 % of 16 cores, 1.6)"
    assert handed.kept == Kept([], [note])


def test_others_who_wait_are_let_in(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """As long as they wait."""
    made = polite("running_when_others_wait: 2", tasks="a")
    queue.busy = Load({"main": PartitionLoad(64, 0)}, "main")
    made.hand_over()
    assert submitted(queue) == [("a.0", None)]
    queue.busy = Load({"main": PartitionLoad(64, 3)}, "main")
    made.now += LOOK
    assert made.watch().described() == ["a.0 (job 101) runs 2 at once now instead of any number: others wait for main"]
    queue.busy = Load({"main": PartitionLoad(64, 0)}, "main")
    made.now += LOOK
    assert made.watch().described() == ["a.0 (job 101) runs any number at once now instead of 2"]
    assert queue.looks == [True, True, True]


def test_what_grows_by_less_than_a_tenth_waits(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """Else each node that comes back would be a call; what shrinks does so at once."""
    made = polite("share: 0.1", tasks="a")
    made.plan.arrays[0]
    queue.busy = Load({"main": PartitionLoad(60)}, "main")
    made.hand_over()
    assert submitted(queue) == [("a.0", 6)]
    queue.busy = Load({"main": PartitionLoad(50)}, "main")
    made.now += LOOK
    assert [one.now.at_once for one in made.watch().changes] == [5]


def test_what_is_tried_again_is_throttled_as_well(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """Beside what still runs."""
    made = polite("running_by_day: 4", tasks="a")
    made.recovery = made.recovery.model_copy(update={"retries": 2})
    made.hand_over()
    made.end("101", "0-4", State.FAILED, "ValueError: no")
    made.now += 60
    done = made.recover()
    assert submitted(queue) == [("a.0", 4), ("a.0", 2)]
    assert [one.describe() for one in done.handed.kept.changes] == [
        "a.0 (job 101) runs 2 at once now instead of 4: by day"
    ]


# --- where something goes wrong


def test_killed_in_the_middle_it_is_said_once_more(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """The scheduler was told and nobody has noted it: nothing is lost, and the second time does no harm."""
    made = polite(BY_CLOCK)
    made.hand_over()
    made.now = EVENING
    queue.fatal = {"throttle"}
    with pytest.raises(KeyboardInterrupt):
        made.watch()
    assert made.events("throttled") == []
    queue.fatal = set()
    made.watch()
    assert queue.throttled == [("101", 4), ("101", 4), ("102", 4), ("104", 8)]
    assert made.watch() == Kept()


def test_a_refusal_is_told_once(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """It is noted, and tried again with another number, or hours later."""
    made = polite(BY_CLOCK, tasks="a")
    made.hand_over()
    made.now = EVENING
    queue.refusals = {"throttle": SchedulerError("no such attribute")}
    assert made.watch() == Kept([], ["no such attribute"])
    assert made.watch() == Kept()
    assert queue.throttled == [("101", 8)]
    assert made.events("throttled")[0]["error"] == "no such attribute"
    assert made.throttles == {"101": 2}
    made.now += AGAIN - 1
    assert made.watch() == Kept()
    made.now += 1
    queue.refusals = {}
    assert made.watch().described() == ["a.0 (job 101) runs 8 at once now instead of 2: by night"]


def test_silence_changes_nothing_and_asks_no_further(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """The next look tries again."""
    made = polite(BY_CLOCK)
    made.hand_over()
    made.now = EVENING
    queue.refusals = {"throttle": TransportError("timed out")}
    assert made.watch() == Kept([], ["timed out"])
    assert queue.throttled == [("101", 4)]
    assert made.events("throttled") == []
    queue.refusals = {}
    assert len(made.watch().changes) == 3


def test_where_the_load_is_not_told_it_is_as_it_was(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """And is asked ten minutes later, not at each look."""
    made = polite("share: 0.5", tasks="a", cores=4)
    queue.busy = Load({"main": PartitionLoad(16)}, "main")
    made.hand_over()
    queue.refusals = {"load": SchedulerError("no answer")}
    made.now += LOOK
    assert made.watch() == Kept([], ["how busy the cluster is cannot be told: no answer"])
    assert made.watch() == Kept()
    assert len(queue.looks) == 2
    assert made.throttles == {"101": 2}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"asked": 1}', '{"asked": 9e99, "load": {"partitions": 3}}'])
def test_a_damaged_load_is_asked_anew(polite: Callable[..., Polite], queue: MemoryQueue, text: str) -> None:
    """It is nothing but what was last heard."""
    made = polite("share: 0.5", tasks="a", cores=4)
    made.run.load.write_text(text)
    queue.busy = Load({"main": PartitionLoad(16)}, "main")
    made.hand_over()
    assert submitted(queue) == [("a.0", 2)]


def test_a_clock_that_goes_back_does_no_harm(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """What is day again is treated as day, and what was looked at in the future is looked at again."""
    made = polite(f"{BY_CLOCK}, share: 1.0", tasks="a")
    queue.busy = Load({"main": PartitionLoad(64)}, "main")
    made.now = EVENING + 60
    made.hand_over()
    made.now = EVENING - 3600
    assert [one.now.at_once for one in made.watch().changes] == [2]
    assert len(queue.looks) == 2


def test_of_two_who_watch_one_changes_it(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """The other finds the run busy, or that it is done."""
    made = polite(BY_CLOCK, tasks="a")
    made.hand_over()
    made.now = EVENING
    with hold(made.run.lock), pytest.raises(BusyError):
        made.watch()
    assert queue.throttled == []
    stale = observe(made.run)
    made.watch()
    conduct = terms_of(made.profile, made.recovery, made.policies).conduct
    assert conduct is not None
    assert keep_by_itself(made.run, made.plan, queue.connect, conduct, stale) == Kept()
    assert queue.throttled == [("101", 8)]


def test_a_job_that_is_over_is_left_alone(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """Nothing is noted where the scheduler says that it is; nobody is told of what makes no difference."""
    made = polite(BY_CLOCK, tasks="a")
    made.hand_over()
    queue.end("101")
    made.now = EVENING
    assert made.watch() == Kept()
    assert queue.throttled == [("101", 8)]
    assert made.events("throttled") == []


# --- other manners


def test_who_submits_again_with_other_manners_changes_those_of_the_run(
    polite: Callable[..., Polite], tmp_path: Path
) -> None:
    """They are no other work: the run goes on with them."""
    from sciflow.engine import Engine
    from sciflow.run.stage import note_manners

    made = polite(BY_CLOCK, tasks="a")
    assert (read_manners(made.run).running_by_day, has_manners(made.run)) == (2, True)
    profile = tmp_path / "site.yaml"
    profile.write_text(profile.read_text().replace("running_by_day: 2", "running_by_day: 1"))
    workflow = ExperimentalWorkflow("polite", tmp_path)
    workflow.add_task("a", command="echo {{ x }}")
    workflow.add_parameter_space({"x": [1]})
    compiled = Engine(str(profile), tmp_path / "runs").compile(workflow)
    for _ in range(2):
        note_manners(compiled, made.run)
    assert made.events("manners") == [{"event": "manners", "manners": {"running_by_day": 1, "running_by_night": 8}}]
    assert read_manners(made.run).running_by_day == 1


def test_how_long_until(polite: Callable[..., Polite], queue: MemoryQueue) -> None:
    """The status says of each job how many may run, of how many, until when, and why."""
    from sciflow.cli.describe import describe_throttle, throttles

    made = polite(BY_CLOCK, tasks="a")
    made.hand_over()
    [one] = throttles(observe(made.run))
    assert one == {"array": "a.0", "job": "101", "at_once": 2, "left": 10, "why": "by day", "until": EVENING}
    text = describe_throttle(one)
    assert text.startswith("a.0 (job 101) is throttled to 2 of 10 that are left until Wed ")
    assert text.endswith(": by day")
    made.end("101", "0-7")
    made.status()
    assert throttles(observe(made.run)) == []
