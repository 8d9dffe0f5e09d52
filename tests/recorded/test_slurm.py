"""What Slurm's commands really answered, and what is read from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciflow.errors import QueueFullError, SchedulerError, TransportError
from sciflow.model.plan import ArrayJob
from sciflow.model.profile import Limits, Partition
from sciflow.model.resources import Resources
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER, Statement
from sciflow.schedulers.base import Submission
from sciflow.schedulers.slurm import (
    SlurmScheduler,
    read_accounting,
    read_indices,
    read_limits,
    read_names,
    read_queue,
)
from sciflow.schedulers.slurm_site import read_partitions
from sciflow.schedulers.slurm_submission import read_job_id
from sciflow.transport.base import Answer
from unit.scripted import ScriptedTransport, refusal

HERE = Path(__file__).parent / "slurm-22.05"
JOBS = {
    "1": "up",
    "2": "down",
    "3": "after",
    "4": "held",
    "5": "steps",
    "6": "throttled",
    "7": "later",
    "9": "single",
}
ODD = set(range(1, 200, 2))
HELD = {0, 1, 2, 3, 7, 9, 10, 11}


def recorded(name: str) -> str:
    """Return the text of one recording."""
    return (HERE / f"{name}.txt").read_text(encoding="utf-8")


def states(found: dict[str, dict[int, Statement]], job: str) -> dict[int, State]:
    """Return index → state of one job."""
    return {index: statement.state for index, statement in found[job].items()}


def test_right_after_submission_all_indices_wait() -> None:
    """Lists with gaps, with steps and with a throttle are expanded; a job that is no array is like its index 0."""
    found = read_queue(recorded("squeue-submitted"), JOBS)
    assert {job: set(indices) for job, indices in found.items()} == {
        "1": set(range(5)),
        "2": set(range(5)),
        "3": {0},
        "4": HELD,
        "5": ODD,
        "6": set(range(6)),
        "7": {0, 1, 2},
        "9": {0, 1, 2},
    }
    assert {one.state for indices in found.values() for one in indices.values()} == {State.PENDING}
    assert found["6"][0].reason == "has not been looked at by the scheduler yet"
    assert found["4"][0].reason == "held by its owner: `scontrol release` lets it go"
    assert (found["4"][0].start, found["7"][0].start) == (None, 1795580892.0)


def test_the_controller_tells_running_waiting_and_ended_apart() -> None:
    """One array job may be in all of these states at once."""
    found = read_queue(recorded("squeue-running"), JOBS)
    assert states(found, "1") == {**dict.fromkeys((0, 1, 3, 4), State.COMPLETED), 2: State.FAILED}
    assert states(found, "2") == {**dict.fromkeys((0, 1, 3, 4), State.COMPLETED), 2: State.UPSTREAM_FAILED}
    assert states(found, "6") == {
        0: State.CANCELLED,
        **dict.fromkeys((1, 2), State.RUNNING),
        **dict.fromkeys((3, 4, 5), State.PENDING),
    }
    assert found["1"][2].reason == "NonZeroExitCode"
    assert found["2"][2].reason == "what it waits for has failed, so it can never start"
    assert found["6"][1] == (State.RUNNING, "RUNNING", "", 1795577293.0, 1827113293.0, "n1", "")
    assert found["6"][2].end is None
    assert found["6"][3].reason == "as many of its indices run as may run at once"
    assert set(found["9"]) == {0, 2}  # the one that was cancelled while it waited has left no trace
    assert set(found["5"]) == ODD


def test_accounting_knows_exit_codes_and_who_cancelled() -> None:
    """A job without indices tells of none of them; steps and throttles are expanded here, too."""
    found = read_accounting(recorded("sacct-running"), JOBS)
    assert found["3"] == {}
    assert found["1"][2] == (State.FAILED, "FAILED", "", 1795577293.0, 1795577294.0, "n1", "9:0")
    assert found["6"][0] == (State.CANCELLED, "CANCELLED", "by 65534", 1795577293.0, 1795577300.0, "n1", "0:0")
    assert found["2"][2] == (State.CANCELLED, "CANCELLED", "", 1795577295.0, 1795577295.0, "", "0:0")
    assert states(found, "6")[5] is State.PENDING
    assert set(found["5"]) == ODD
    assert set(found["4"]) == HELD
    assert found["7"][1] == (State.CANCELLED, "CANCELLED", "by 65534", None, 1795577300.0, "", "0:0")


def test_all_that_was_cancelled_is_told_by_both() -> None:
    """What waited is one row, with its list; the reason why it waited is nothing that ended it for accounting."""
    cancelled = {"4": "held", "6": "throttled", "7": "later"}
    by_controller = read_queue(recorded("squeue-cancelled"), cancelled)
    by_accounting = read_accounting(recorded("sacct-cancelled"), cancelled)
    for job, indices in {"4": HELD, "6": set(range(6)), "7": {0, 1, 2}}.items():
        assert states(by_controller, job) == states(by_accounting, job) == dict.fromkeys(indices, State.CANCELLED)
        assert {one.reason for one in by_accounting[job].values()} == {"by 65534"}


def test_an_array_of_which_each_index_was_cancelled_is_one_row_for_the_controller() -> None:
    """It has no list any more; accounting tells of those that were left when the last list was written."""
    found = read_queue(recorded("squeue-cancelled"), {"9": "single"})
    assert states(found, "9") == {0: State.CANCELLED}
    assert set(read_accounting(recorded("sacct-cancelled"), {"9": "single"})["9"]) == {0, 2}


def test_a_job_of_somebody_else_with_an_odd_name_disturbs_nobody() -> None:
    """Its name holds the very sign that parts the columns, and its id may be one that was ours."""
    assert read_queue(recorded("squeue-running"), {"8": "mine"}) == {"8": {}}


def test_jobs_are_found_by_their_names() -> None:
    """In the queue and in accounting; what does not start with ours is not there."""
    names = ("up", "held", "nothing")
    assert read_names(recorded("squeue-names"), names) == {"up": "1", "held": "4"}
    assert read_names(recorded("sacct-names"), names) == {"up": "1"}


def test_a_refused_job_that_is_shown_as_failed_was_never_there() -> None:
    """Slurm shows it for a while with a reason that tells."""
    rows = [line.split("|") for line in recorded("squeue-rejected").splitlines()]
    text = "\n".join(f"{row[0]}|{row[2]}|{row[3]}|{row[-1]}" for row in rows if row[0] == "23")
    assert text == "23|wrap|FAILED|BadConstraints"
    assert read_names(text, ["wrap"]) == {}


def test_what_is_queued_is_counted_by_index() -> None:
    """Collapsed lists count with all that is in them, a job without indices as one."""
    scheduler = SlurmScheduler(ScriptedTransport(squeue=recorded("squeue-indices")), Path("/run"))
    assert scheduler.queued() == 3 + 2 + 1 + 100 + 8 + 1 + 1


def test_limits_are_read_from_the_configuration() -> None:
    """The highest index is one less than the size; the time to kill has a unit."""
    assert read_limits(recorded("scontrol-config")) == Limits(highest_index=1000, seconds_to_kill=3)


def test_partitions_are_read() -> None:
    """The default one has a star; a time may have no limit."""
    common = {"cpu_cores": 8, "memory_gb": 15.625, "gpus": 2, "nodes": 2}
    assert read_partitions(recorded("sinfo")) == {
        "main": Partition(**common, default=True),
        "short": Partition(**common, max_runtime="0-12:00:00"),
        "gpu": Partition(**common, max_runtime="2-00:00:00"),
    }


REFUSALS = {
    "partition": ("Invalid partition name specified", "`sinfo -s` lists the partitions"),
    "array": ("Invalid job array specification", "the site allows no such index"),
    "time": ("Invalid --time specification", "the same command tries again"),
    "gres": ("Requested node configuration is not available", "ask for less, or for another partition"),
    "cores": ("CPU count per node can not be satisfied", "ask for less, or for another partition"),
    "feature": ("Invalid feature specification", "`sinfo -o %f` lists"),
    "licenses": ("Invalid license specification", "`scontrol show licenses`"),
    "reservation": ("Requested reservation is invalid", "`scontrol show reservation`"),
    "account": ("Invalid account or account/partition combination", "`sacctmgr show assoc user=$USER"),
    "qos": ("Invalid qos specification", "name one as `qos`"),
    "walltime": ("QOSMaxWallDurationPerJobLimit", "ask for less time, or for another partition"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_is_told_in_slurms_words_with_a_way_out(kind: str) -> None:
    """Array job, task and request are named, in one line."""
    said, hint = REFUSALS[kind]
    submission = Submission(ArrayJob("train.0", "train", 4, Resources(2)), Path("scripts/train.0.sh"))
    with pytest.raises(SchedulerError) as caught:
        read_job_id(refusal(recorded(f"sbatch-refuses-{kind}")), submission.describe())
    assert not isinstance(caught.value, QueueFullError)
    assert caught.value.message.startswith("Slurm refuses array job `train.0` of task `train` (2 cores): ")
    assert said in caught.value.message
    assert "sbatch: " not in caught.value.message
    assert "\n" not in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize("kind", ["refuses-qos-count", "refuses-account-count", "waits"])
def test_as_much_as_may_be_is_queued(kind: str) -> None:
    """A limit of what is queued is an error of its own: later there is room."""
    submission = Submission(ArrayJob("train.0", "train", 4, Resources()), Path("scripts/train.0.sh"))
    with pytest.raises(QueueFullError):
        read_job_id(refusal(recorded(f"sbatch-{kind}")), submission.describe())


def test_witnesses_that_are_down_are_errors_and_no_answers() -> None:
    """Neither an unreachable controller nor an unreachable database says anything of any index."""
    down = {name: refusal(recorded(f"{name}-down")) for name in ("squeue", "sacct")}
    testimony = SlurmScheduler(ScriptedTransport(**down), Path("/run")).testify({"1": "up"}, {"1": {0}})
    assert testimony.answers == {}
    assert testimony.errors[CONTROLLER] == (
        "slurm_load_jobs error: Unable to contact slurm controller (connect failure)"
    )
    assert testimony.errors[ACCOUNTING].endswith("Problem talking to the database: Connection refused")


def test_accounting_that_is_off_is_told_shortly() -> None:
    """That is a choice of the site, and no failure."""
    transport = ScriptedTransport(squeue="", sacct=refusal(recorded("sacct-off")))
    testimony = SlurmScheduler(transport, Path("/run")).testify({"1": "up"}, {"1": {0}})
    assert testimony.errors == {ACCOUNTING: "it is off"}
    assert testimony.answers == {CONTROLLER: {"1": {}}}


def test_a_controller_that_is_down_takes_nothing_and_cancels_nothing() -> None:
    """Both are errors that say that the controller cannot be reached, and that nothing is lost."""
    down = {"sbatch": refusal(recorded("sbatch-down")), "scancel": refusal(recorded("scancel-down"), 8)}
    scheduler = SlurmScheduler(ScriptedTransport(**down), Path("/run"))
    array = ArrayJob("train.0", "train", 4, Resources())
    with pytest.raises(TransportError, match=r"Unable to contact slurm controller") as silent:
        scheduler.submit(Submission(array, Path("/run/scripts/train.0.sh"), dict.fromkeys(range(4), 1)))
    assert silent.value.hint.startswith("nothing is lost")
    with pytest.raises(SchedulerError, match=r"Slurm does not cancel job 1: .*Unable to contact") as caught:
        scheduler.cancel("1")
    assert caught.value.hint.startswith("nothing is lost")


def test_a_silence_is_no_refusal() -> None:
    """What the controller did not answer in time it may have taken: it is looked for before it is submitted again."""
    late = "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation"
    submission = Submission(ArrayJob("train.0", "train", 4, Resources()), Path("x"), {0: 1})
    with pytest.raises(TransportError, match="did not answer") as silent:
        read_job_id(Answer(1, "", late), submission.describe())
    assert "looks for it before" in silent.value.hint


@pytest.mark.parametrize(("name", "answer"), [("plain", "616\n"), ("of several clusters", "616;lab\n")])
def test_the_job_id_is_read(name: str, answer: str) -> None:
    """With several clusters the cluster stands behind it."""
    submission = Submission(ArrayJob("train.0", "train", 4, Resources()), Path("scripts/train.0.sh"))
    assert read_job_id(Answer(0, answer, ""), submission.describe()) == "616"


def test_lists_of_indices_are_read_as_slurm_writes_them() -> None:
    """`%` is a throttle, `:` a step, and brackets are of no account."""
    assert list(read_indices("[1,4,7,10]")) == [1, 4, 7, 10]
    assert list(read_indices("2-1000:2")) == list(range(2, 1001, 2))
    assert list(read_indices("[8-11%2]")) == [8, 9, 10, 11]
