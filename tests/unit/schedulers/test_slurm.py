"""Slurm's commands: what is asked, what is read, and what happens when there is no answer."""

from __future__ import annotations

import shlex
from datetime import datetime
from pathlib import Path

import pytest

from sciflow.errors import SchedulerError, TransportError
from sciflow.model.plan import ArrayJob
from sciflow.model.profile import Limits
from sciflow.model.resources import GIB, Resources
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER, REST, Statement
from sciflow.schedulers.base import After, Errand, Submission
from sciflow.schedulers.slurm import (
    LONGEST_LIST,
    SUBMIT_PATIENCE,
    SlurmScheduler,
    cancel_commands,
    past_command,
    present_command,
    read_accounting,
    read_indices,
    read_limits,
    read_names,
    read_queue,
    split_list,
)
from sciflow.schedulers.slurm_submission import errand_command, postpone_command
from sciflow.transport.base import Answer
from sciflow_shim import files
from unit.scripted import ScriptedTransport, refusal

RUN = Path("/home/sci/runs/w/1")
ARRAY = ArrayJob("train.0", "train", 4, Resources(2, GIB))
ALL = dict.fromkeys(range(4), 1)
PLAIN = {"SLURM_BITSTR_LEN": "0", "SLURM_TIME_FORMAT": "%s"}


def submission(attempts: dict[int, int] = ALL, after: tuple[After, ...] = ()) -> Submission:
    """Make a submission of four indices, or of some of them."""
    return Submission(ARRAY, RUN / "scripts" / "train.0.sh", attempts, "train.0.1.1", after)


def scheduler(
    clock: float = 1000.0, **answers: str | Answer | list[str | Answer]
) -> tuple[SlurmScheduler, ScriptedTransport]:
    """Make a scheduler, and what its commands answer."""
    transport = ScriptedTransport(**answers)
    return SlurmScheduler(transport, RUN, lambda: clock), transport


# --- submitting


def test_an_array_job_is_submitted_from_its_run_directory() -> None:
    """By its script, under its unique name; what is always so stands in the script. `sbatch` gets its time."""
    slurm, transport = scheduler(sbatch="616\n")
    assert slurm.submit(submission()) == "616"
    [call] = transport.calls
    assert call.command == ["sbatch", "--parsable", "--job-name=train.0.1.1", "scripts/train.0.sh"]
    assert (call.cwd, call.seconds) == (RUN, SUBMIT_PATIENCE)


def test_a_small_job_is_submitted_like_an_array_job() -> None:
    """From the run directory, and `sbatch` gets its time; a refusal names it."""
    errand = Errand(RUN / "scripts" / "tend.sh", "tend.1.9", ("7",))
    slurm, transport = scheduler(sbatch=["617\n", refusal("sbatch: error: Invalid qos specification\n")])
    assert slurm.send(errand) == "617"
    [call] = transport.calls
    assert (call.command, call.cwd, call.seconds) == (errand_command(errand, RUN), RUN, SUBMIT_PATIENCE)
    with pytest.raises(SchedulerError, match=r"Slurm refuses tend\.1\.9: Invalid qos specification"):
        slurm.send(errand)


def test_a_job_that_waits_is_made_to_wait_for_others() -> None:
    """Slurm's own words tell that it does not wait any more."""
    said = refusal("slurm_update error: Job is no longer pending execution\n")
    slurm, transport = scheduler(scontrol=["", said])
    slurm.postpone("12", (After("9", "whole"),))
    assert transport.calls[0].command == postpone_command("12", (After("9", "whole"),))
    with pytest.raises(SchedulerError, match="Job is no longer pending execution"):
        slurm.postpone("12", (After("9", "whole"),))


def test_the_call_can_be_typed() -> None:
    """It is quoted as a shell reads it, and nothing is run."""
    slurm, transport = scheduler()
    call = slurm.call(submission({0: 1}, (After("train me.0", "whole"),)))
    assert shlex.split(call) == [
        "sbatch",
        "--parsable",
        "--job-name=train.0.1.1",
        "--array=0",
        "--dependency=afterany:train me.0",
        "scripts/train.0.sh",
    ]
    assert transport.calls == []


def test_a_backslash_in_the_folder_is_refused() -> None:
    """Slurm can write no logs there: nothing is submitted."""
    transport = ScriptedTransport(sbatch="616\n")
    slurm = SlurmScheduler(transport, Path("/data/a\\b"))
    with pytest.raises(SchedulerError, match="has a backslash in it, with which Slurm cannot write logs") as caught:
        slurm.submit(Submission(ARRAY, Path("/data/a\\b/scripts/train.0.sh"), ALL))
    assert "`--runs`" in caught.value.hint
    assert transport.calls == []


# --- cancelling


def test_a_whole_job_is_cancelled_by_its_id_and_indices_by_a_list() -> None:
    """One call for as many indices as one list can hold."""
    slurm, transport = scheduler(scancel="")
    slurm.cancel("7")
    slurm.cancel("7", [3, 0, 1])
    assert [call.command for call in transport.calls] == [["scancel", "7"], ["scancel", "7_[0-1,3]"]]


def test_no_index_is_too_many_for_one_list() -> None:
    """A list that is too long for one call is cut into several, which hold all indices in order."""
    indices = range(0, 20_000, 2)
    lists = [command[1].removeprefix("7_[").removesuffix("]") for command in cancel_commands("7", indices)]
    assert max(map(len, lists)) <= LONGEST_LIST
    assert len(lists) > 1
    assert [index for text in lists for index in files.parse_ranges(text)] == list(indices)


def test_what_may_not_be_cancelled_is_told() -> None:
    """Slurm's own words, and the job."""
    slurm, _ = scheduler(scancel=refusal("scancel: error: Kill job error on job id 7: Access/permission denied\n", 210))
    with pytest.raises(SchedulerError, match=r"Slurm does not cancel job 7: .*Access/permission denied"):
        slurm.cancel("7", [1])


def test_lists_that_fit_are_not_cut() -> None:
    """A range is short however many it holds; one index is never cut further."""
    assert [list(part) for part in split_list(range(100_000))] == [list(range(100_000))]
    assert list(split_list([123456], longest=3)) == [[123456]]
    assert list(scheduler()[0].parts([1, 5, 9])) == [[1, 5, 9]]


# --- the controller


def test_rows_of_the_queue_are_read() -> None:
    """The reason comes last, since it may hold anything; so does what Slurm does not say."""
    text = (
        "7|0|n|RUNNING|100|200|n[1-3]|None\n"
        "7|1|n|PENDING|N/A|N/A||ReqNodeNotAvail, UnavailableNodes:n1|x\n"
        "7|2|n|SPAGHETTI|N/A|NONE||None\n"
        "7|3-4%1|n|COMPLETING|100|NONE|n1|\n"
        "8|0|n|RUNNING|1|2|n1|None\n"
        "Welcome to the cluster\n"
        "\n"
    )
    assert read_queue(text, {"7": "n", "9": "m"}) == {
        "7": {
            0: Statement(State.RUNNING, "RUNNING", "", 100.0, 200.0, "n[1-3]"),
            1: Statement(State.PENDING, "PENDING", "nodes that it could use are down, drained or reserved"),
            2: Statement(State.UNKNOWN, "SPAGHETTI"),
            **dict.fromkeys((3, 4), Statement(State.RUNNING, "COMPLETING", "", 100.0, None, "n1")),
        },
        "9": {},
    }


def test_a_job_that_is_no_array_is_like_its_index_0() -> None:
    """A row of index 0 itself knows better, in whatever order they come: its array has lost all others."""
    bare, own = "7|N/A|n|CANCELLED|100|200||None\n", "7|0|n|RUNNING|100|200|n1|None\n"
    assert read_queue(bare, {"7": "n"})["7"] == {0: Statement(State.CANCELLED, "CANCELLED", "", 100.0, 200.0)}
    for text in (bare + own, own + bare):
        assert read_queue(text, {"7": "n"})["7"] == {0: Statement(State.RUNNING, "RUNNING", "", 100.0, 200.0, "n1")}


def test_a_recycled_id_is_known_by_its_name() -> None:
    """A job that was given the id of one of ours is another one; where no name is known it is believed."""
    text = "7|0|other|RUNNING|100|200|n1|None\n"
    assert read_queue(text, {"7": "ours"}) == {"7": {}}
    assert list(read_queue(text, {"7": ""})["7"]) == [0]
    text = "7_0|other|COMPLETED|0:0|100|200|n1\n"
    assert read_accounting(text, {"7": "ours"}) == {"7": {}}
    assert list(read_accounting(text, {"7": ""})["7"]) == [0]


# --- accounting


def test_an_end_that_is_unknown_is_none() -> None:
    """A final state without its end has not come to it: the exit code is not known yet."""
    text = "7_0|n|FAILED|0:0|100|Unknown|n1\n7_1|n|FAILED|5:0|100|110|n1\n"
    found = read_accounting(text, {"7": "n"})["7"]
    assert (found[0].state, found[0].word, found[0].end) == (State.RUNNING, "FAILED", None)
    assert found[1] == Statement(State.FAILED, "FAILED", "", 100.0, 110.0, "n1", "5:0")


def test_a_row_without_indices_tells_only_of_a_cancelled_job() -> None:
    """For a moment it is that of the last index, and looks like the end of all."""
    assert read_accounting("7|n|FAILED|8:0|100|110|n1\n", {"7": "n"}) == {"7": {}}
    assert read_accounting("7|n|PENDING|0:0|Unknown|Unknown|None assigned\n", {"7": "n"}) == {"7": {}}
    found = read_accounting("7|n|CANCELLED by 1001|0:0|None|110|None assigned\n", {"7": "n"})
    assert found == {"7": {REST: Statement(State.CANCELLED, "CANCELLED", "by 1001", None, 110.0, "", "0:0")}}


@pytest.mark.parametrize("order", [1, -1])
def test_a_row_of_its_own_knows_better_than_a_list(order: int) -> None:
    """Lists are old; the order of the rows is of no account."""
    rows = ["7_1|n|RUNNING|0:0|100|Unknown|n1", "7_[0-2%2]|n|PENDING|0:0|Unknown|Unknown|None assigned"]
    found = read_accounting("\n".join(rows[::order]), {"7": "n"})["7"]
    assert {index: one.state for index, one in found.items()} == {
        0: State.PENDING,
        1: State.RUNNING,
        2: State.PENDING,
    }


def test_accounting_of_other_jobs_is_passed_over() -> None:
    """Also where a word is unknown."""
    text = "8_0|n|COMPLETED|0:0|1|2|n1\n7_0|n|ODD|0:0|1|2|n1\n"
    assert {i: one.state for i, one in read_accounting(text, {"7": "n"})["7"].items()} == {0: State.UNKNOWN}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[2-4,7,10-20:5%3]", [2, 3, 4, 7, 10, 15, 20]),
        ("5", [5]),
        ("0-0", [0]),
        ("N/A", []),
        ("", []),
        ("[1-9:2%1]", [1, 3, 5, 7, 9]),
    ],
)
def test_lists_of_indices(text: str, expected: list[int]) -> None:
    """Ranges, steps and a throttle."""
    assert list(read_indices(text)) == expected


# --- both witnesses


QUEUE = "7|0|n|RUNNING|100|NONE|n1|None\n7|1|n|COMPLETED|100|110|n1|None\n"
PAST = "7_1|n|COMPLETED|0:0|100|110|n1\n"


def test_the_controller_is_asked_once_and_accounting_only_where_it_may_add_something() -> None:
    """What waits or runs needs no second witness; both are asked for whole lists and seconds since the epoch."""
    slurm, transport = scheduler(squeue=QUEUE)
    testimony = slurm.testify({"7": "n"}, {"7": {0}})
    assert transport.programs == ["squeue"]
    assert transport.calls[0].command == ["squeue", "-h", "--me", "-t", "all", "-o", "%F|%K|%j|%T|%S|%e|%N|%r"]
    assert transport.calls[0].variables == PLAIN
    assert set(testimony.answers) == {CONTROLLER}
    assert testimony.errors == {}


@pytest.mark.parametrize("wanted", [{0, 1}, {0, 2}, {2}])
def test_accounting_is_asked_about_what_has_ended_or_is_not_there(wanted: set[int]) -> None:
    """Once for all jobs, without a window of time."""
    slurm, transport = scheduler(squeue=QUEUE, sacct=PAST)
    testimony = slurm.testify({"7": "n", "9": "m"}, {"7": wanted, "9": {0}})
    assert transport.programs == ["squeue", "sacct"]
    assert transport.calls[1].command == [
        *("sacct", "-X", "-n", "-P", "-j", "7,9"),
        *("-o", "JobID,JobName,State,ExitCode,Start,End,NodeList"),
    ]
    assert transport.calls[1].variables == PLAIN
    assert list(testimony.answers[ACCOUNTING]["7"]) == [1]
    assert testimony.answers[CONTROLLER]["9"] == {}


def test_nobody_is_asked_about_nothing() -> None:
    """No job, no question."""
    slurm, transport = scheduler()
    testimony = slurm.testify({}, {})
    assert (testimony.answers, testimony.errors, transport.calls) == ({}, {}, [])


def test_a_witness_that_does_not_answer_does_not_silence_the_other() -> None:
    """Its error is kept in its place; it has said nothing, not even that it knows nothing."""
    slurm, _ = scheduler(squeue=refusal("slurm_load_jobs error: Unable to contact slurm controller\n"), sacct=PAST)
    testimony = slurm.testify({"7": "n"}, {"7": {0}})
    assert set(testimony.answers) == {ACCOUNTING}
    assert testimony.errors == {CONTROLLER: "slurm_load_jobs error: Unable to contact slurm controller"}
    slurm, _ = scheduler(squeue=QUEUE, sacct=refusal("sacct: error: Problem talking to the database\n"))
    testimony = slurm.testify({"7": "n"}, {"7": {1}})
    assert set(testimony.answers) == {CONTROLLER}
    assert testimony.errors == {ACCOUNTING: "Problem talking to the database"}


def test_a_command_that_cannot_be_run_is_a_silent_witness() -> None:
    """As on a machine without Slurm."""
    testimony = scheduler()[0].testify({"7": "n"}, {"7": {1}})
    assert testimony.answers == {}
    assert testimony.errors == {
        CONTROLLER: "there is no command `squeue` on this machine",
        ACCOUNTING: "there is no command `sacct` on this machine",
    }


def test_a_query_gives_states_and_the_controller_counts_before_accounting() -> None:
    """What stands for the rest of a job is no index, and what is no job id is not asked about."""
    past = (
        "7_0|n|PENDING|0:0|Unknown|Unknown|None assigned\n8_0|m|FAILED|1:0|1|2|n1\n9|o|CANCELLED by 1|0:0|None|2|n1\n"
    )
    slurm, transport = scheduler(squeue=QUEUE, sacct=past)
    assert slurm.query(["7", "8", "9", "driver"]) == {
        "7": {0: State.RUNNING, 1: State.COMPLETED},
        "8": {0: State.FAILED},
    }
    assert transport.programs == ["squeue", "sacct"]
    assert "driver" not in transport.calls[1].command[5]


def test_a_query_that_the_controller_answers_whole_asks_nobody_else() -> None:
    """It knows of each job."""
    slurm, transport = scheduler(squeue=QUEUE)
    assert slurm.query(["7"]) == {"7": {0: State.RUNNING, 1: State.COMPLETED}}
    assert transport.programs == ["squeue"]


# --- finding jobs by name


def test_jobs_are_looked_for_by_name() -> None:
    """A young one only in the queue, where it surely is if it is anywhere."""
    slurm, transport = scheduler(clock=1000.0, squeue="7|a.0.1.1|PENDING|None\n")
    assert slurm.find({"a.0.1.1": 900.0, "b.0.1.2": 900.0}) == {"a.0.1.1": "7"}
    [call] = transport.calls
    assert call.command == present_command(["a.0.1.1", "b.0.1.2"])
    assert call.command[-3:] == ["a.0.1.1,b.0.1.2", "-o", "%F|%j|%T|%r"]


def test_an_old_one_is_looked_for_in_accounting() -> None:
    """Only what the queue does not have, and from a day before it was submitted."""
    slurm, transport = scheduler(clock=90_000.0, squeue="7|a|FAILED|NonZeroExitCode\n", sacct="8_3|b\n8_4|b\n9|c\n")
    assert slurm.find({"a": 86_400.0, "b": 86_400.0 * 365, "c": 89_900.0}) == {"a": "7"} | {}
    slurm, transport = scheduler(clock=86_400.0 * 400, squeue="", sacct="8_3|b\n8_4|b\n")
    assert slurm.find({"b": 86_400.0 * 365}) == {"b": "8"}
    day = datetime.fromtimestamp(86_400.0 * 364).strftime("%Y-%m-%d")
    assert transport.calls[1].command == past_command({"b": 86_400.0 * 365})
    assert transport.calls[1].command == [
        *("sacct", "-X", "-n", "-P", "-S", day, "--name", "b", "-o", "JobID,JobName"),
    ]


def test_a_refused_job_is_none() -> None:
    """Slurm shows what it refused as failed for a while; a job that failed by itself was there."""
    assert read_names("7|a|FAILED|BadConstraints\n8|b|FAILED|NonZeroExitCode\n", ["a", "b"]) == {"b": "8"}
    assert read_names("9|a|FAILED|BadConstraints\n9|a|PENDING|BadConstraints\n", ["a"]) == {"a": "9"}


def test_where_accounting_is_off_nothing_more_can_be_found() -> None:
    """That is no error: whoever asks has looked at the records."""
    slurm, _ = scheduler(clock=9e6, squeue="", sacct=refusal("Slurm accounting storage is disabled\n"))
    assert slurm.find({"a": 0.0}) == {}


@pytest.mark.parametrize("down", ["squeue", "sacct"])
def test_a_search_without_an_answer_is_an_error(down: str) -> None:
    """`Not found` is said only by who has looked."""
    answers = {"squeue": "", "sacct": "", down: refusal(f"{down}: error: Unable to contact slurm controller\n")}
    slurm, _ = scheduler(clock=9e6, **answers)
    with pytest.raises(SchedulerError, match=r"^Unable to contact slurm controller\nhint: nothing is lost"):
        slurm.find({"a": 90_000.0})
    with pytest.raises(TransportError):
        scheduler()[0].find({"a": 0.0})


# --- what it takes


def test_limits_come_from_the_configuration() -> None:
    """Where it says nothing, Slurm's default holds."""
    slurm, transport = scheduler(scontrol="MaxArraySize            = 5\nKillWait                = 30 sec\n")
    assert slurm.limits() == Limits(highest_index=4, seconds_to_kill=30)
    assert transport.calls[0].command == ["scontrol", "show", "config"]
    assert read_limits("") == Limits(highest_index=1000)
    assert read_limits("MaxArraySize = 0\nKillWait = 0 sec\n") == Limits(highest_index=0)
    assert read_limits("KillWait = (null)\n").seconds_to_kill is None


def test_limits_that_cannot_be_asked_for_are_an_error() -> None:
    """In Slurm's words."""
    slurm, _ = scheduler(scontrol=refusal("scontrol: error: no configuration file\n"))
    with pytest.raises(SchedulerError, match=r"^no configuration file"):
        slurm.limits()


def test_what_is_queued_is_counted() -> None:
    """Each index of a list, and each job that is no array; an empty queue is nothing."""
    slurm, transport = scheduler(squeue="0-9%2\n3\nN/A\nN/A\n")
    assert slurm.queued() == 13
    assert transport.calls[0].command == ["squeue", "-h", "--me", "-o", "%K"]
    assert transport.calls[0].variables == PLAIN
    assert scheduler(squeue="")[0].queued() == 0
