"""Why each index has failed: a row for each case."""

from __future__ import annotations

import os
import pwd
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from sciflow.model.cause import Cause
from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.resources import Resources
from sciflow.model.state import State
from sciflow.model.statement import Statement
from sciflow.run.causes import Failure, classify, group
from sciflow.run.status import IndexStatus, RunStatus, untouched
from sciflow.run.track import observe
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.records import RecordState
from sciflow.store.submitted import Submitted

JOB = "7"
ENDED = RecordState(State.FAILED, "ValueError: no", 5.0, job=JOB, end=9.0, host="h", node="n3", exit_code=1)
DIVIDED = replace(ENDED, error="ValueError: no 3", error_type="ValueError", origin="train.py:88 in fit")
KILLED = replace(ENDED, error="was killed by signal 9 (SIGKILL)", signal=9, exit_code=-1, was_killed=True)
RUNNING = replace(ENDED, state=State.RUNNING, error="")
NO_RECORD = "the scheduler says FAILED with exit code {}, and it has left no final record"


def plan_of(count: int = 1, pack: int = 1) -> Plan:
    """Return a plan of one array job."""
    array = ArrayJob("train.0", "train", count, Resources(), pack=pack)
    return Plan("w", "site", count, (array,), tasks=("train",))


@dataclass
class Case:
    """What is known of one index, and its cause, signature and detail."""

    state: State
    cause: Cause
    signature: str
    record: RecordState | None = ENDED
    error: str | None = None
    said: Statement | None = None
    log: str = ""
    detail: str | None = None
    reason: str = ""
    by: str = ""


def said(exit_code: str = "", state: State = State.FAILED, word: str = "", reason: str = "") -> Statement:
    """Return what the scheduler says."""
    return Statement(state, word or state.value, reason, node="n3", exit=exit_code)


def launch(exit_code: str, signature: str, log: str = "", of: RecordState | None = None, **more: Any) -> Case:
    """Return a case of an index that has left no record, or one of an earlier job."""
    return Case(State.FAILED, Cause.LAUNCH_FAILURE, signature, of, None, said(exit_code), log, **more)


def failed(cause: Cause, error: str, signature: str = "", **facts: Any) -> Case:
    """Return a case of an index whose record tells an error; its type is what stands before the first colon."""
    kind, colon, _ = error.partition(": ")
    record = replace(ENDED, error=error, error_type=kind if colon and " " not in kind else "", **facts)
    return Case(State.FAILED, cause, signature or error, record)


ERROR, NOT_STARTED, MISSING = Cause.APPLICATION_ERROR, Cause.LAUNCH_FAILURE, Cause.RESULT_MISSING
OOM = "the kernel killed it because the memory was used up"
CASES: dict[str, Case] = {
    "memory": Case(State.OUT_OF_MEMORY, Cause.OUT_OF_MEMORY, "used N GB", error="used 2.5 GB"),
    "memory, an error of Python's": Case(
        State.OUT_OF_MEMORY, Cause.OUT_OF_MEMORY, "MemoryError in a.py:3",
        replace(ENDED, error_type="MemoryError", origin="a.py:3 in f"), "MemoryError",
    ),
    "killed, and Slurm says why": Case(
        State.FAILED, Cause.OUT_OF_MEMORY, OOM, KILLED, log="slurmstepd: error: Detected 1 oom-kill event(s) in x\n",
        detail="slurmstepd: error: Detected 1 oom-kill event(s) in x",
    ),
    "killed, and PBS says why": Case(
        State.FAILED, Cause.OUT_OF_MEMORY, OOM, KILLED,
        log="=>> PBS: job killed: mem 321076kb exceeded limit 51200kb\n",
        detail="=>> PBS: job killed: mem 321076kb exceeded limit 51200kb",
    ),
    "a shell whose program was killed": Case(
        State.FAILED, Cause.OUT_OF_MEMORY, OOM, replace(ENDED, error="ended with exit code 137", exit_code=137),
        log="srun: error: n1: task 0: Out Of Memory\n", detail="srun: error: n1: task 0: Out Of Memory",
    ),
    "srun says so in the program's own words": Case(
        State.FAILED, Cause.OUT_OF_MEMORY, OOM,
        replace(ENDED, error="ended with exit code 137; the last it printed: srun: Out Of Memory", exit_code=137),
    ),
    "killed with its shim for memory": Case(
        State.FAILED, Cause.OUT_OF_MEMORY, OOM, RUNNING, NO_RECORD.format("0:9"), said("0:9"),
        "slurmstepd: Step 7.0 exceeded memory limit (177684480 > 52428800), being killed\n",
        "slurmstepd: Step 7.0 exceeded memory limit (177684480 > 52428800), being killed",
    ),
    "killed by somebody": Case(State.FAILED, Cause.APPLICATION_ERROR, KILLED.error, KILLED, log="nothing of note\n"),
    "killed with its shim by somebody": Case(
        State.FAILED, Cause.APPLICATION_ERROR, NO_RECORD.format("0:9"), RUNNING, NO_RECORD.format("0:9"), said("0:9")
    ),
    "a program that has changed": failed(
        Cause.FILE_CHANGED, "FileChanged: `a.sh` has changed since the run was planned", exit_code=70
    ),
    "an error of the user's of that name": failed(
        ERROR, "FileChanged: no", "FileChanged in a.py:3", origin="a.py:3 in f"
    ),
    "the memory of a GPU": failed(
        ERROR, "OutOfMemoryError: CUDA out of memory", "OutOfMemoryError in a.py:3", origin="a.py:3 in f"
    ),
    "time": Case(State.TIMEOUT, Cause.TIMEOUT, "ran longer than the N s", error="ran longer than the 5 s"),
    "node": Case(State.NODE_FAIL, Cause.NODE_FAILURE, "", RUNNING, "x", said(state=State.NODE_FAIL)),
    "node that did not boot": Case(
        State.NODE_FAIL, Cause.NODE_FAILURE, "", None, "x", said(state=State.NODE_FAIL, word="BOOT_FAIL")
    ),
    "node that did not start it": Case(
        State.NODE_FAIL, Cause.LAUNCH_FAILURE, "x", None, "x", said(state=State.NODE_FAIL, word="LAUNCH_FAILED")
    ),
    "preempted": Case(State.PREEMPTED, Cause.PREEMPTED, "", RUNNING, "x", said(state=State.PREEMPTED)),
    "preempted, and its program said so in time": Case(
        State.PREEMPTED, Cause.PREEMPTED, "", replace(ENDED, error="stopped by a signal (SIGTERM)"),
        said=said(state=State.PREEMPTED),
    ),
    "log folder": launch(
        "0:53", "its log folder is missing or cannot be written (exit code 0:53)",
    ),
    "interpreter": launch(
        "127:0", "a command was not found (exit code 127:0): …/N.slurm: line N: exec: pythonN: not found",
        "loading\n/var/spool/7.slurm: line 12: exec: python3: not found\n",
        detail="a command was not found (exit code 127:0): /var/spool/7.slurm: line 12: exec: python3: not found",
    ),
    "a line of setup": launch("7:0", "it has left no record (exit code 7:0): no licence", "no licence\n"),
    "the record is of an earlier job": launch(
        "7:0", "it has left no record (exit code 7:0)", of=replace(ENDED, job="6")
    ),
    "no folder to run in": launch(
        "1:0", "it has left no record (exit code 1:0): slurmstepd: couldn't chdir to '…/d': No such file",
        "slurmstepd: couldn't chdir to '/p/d': No such file\nTraceback\nlast\n",
        detail="it has left no record (exit code 1:0): slurmstepd: couldn't chdir to '/p/d': No such file",
    ),
    "no room for a record": launch(
        "1:0", "its record cannot be written: [Errno 28] No space left on device: '…/N.hN'",
        "train.0[0] FAILED: its record cannot be written: [Errno 28] No space left on device: '/r/0.1.h5'\n",
        detail="its record cannot be written: [Errno 28] No space left on device: '/r/0.1.h5'",
    ),
    "no room for the last record": Case(
        State.FAILED, Cause.LAUNCH_FAILURE, "its record cannot be written: [Errno 122] Disk quota exceeded", RUNNING,
        NO_RECORD.format("1:0"), said("1:0"),
        "train.0[0] FAILED: its record cannot be written: [Errno 122] Disk quota exceeded\n",
        "its record cannot be written: [Errno 122] Disk quota exceeded",
    ),
    "no room for what it printed": failed(
        NOT_STARTED, "OSError: [Errno 28] No space left on device: '/r/0.1.out'",
        "OSError: [Errno 28] No space left on device: '…/N.out'", exit_code=70,
    ),
    "no room for what it returned": failed(NOT_STARTED, "OSError: [Errno 30] Read-only file system", exit_code=0),
    "the project's folder is not there": failed(
        NOT_STARTED, "FileNotFoundError: [Errno 2] No such file or directory: '/home/u'",
        "FileNotFoundError: [Errno 2] No such file or directory: '…/u'", exit_code=70,
    ),
    "no room for what the program itself writes": failed(
        ERROR, "OSError: [Errno 28] No space", "OSError in a.py:3", origin="a.py:3 in f"
    ),
    "a program that ends with the shim's number": failed(ERROR, "ended with exit code 70", exit_code=70),
    "an error of a function": Case(State.FAILED, ERROR, "ValueError in train.py:88", DIVIDED),
    "an error of a command": failed(
        ERROR, "ended with exit code 3; the last it printed: M=32",
        "ended with exit code 3; the last it printed: M=N", exit_code=3,
    ),
    "run by hand": Case(State.FAILED, Cause.APPLICATION_ERROR, "ValueError in train.py:88", replace(DIVIDED, job="")),
    "of a job that nobody has noted": Case(
        State.FAILED, Cause.APPLICATION_ERROR, "ValueError in train.py:88", replace(DIVIDED, job="99")
    ),
    "a metric that is missing": failed(
        MISSING, "ValueError: nothing in what it printed matches `y=(\\d+)`", exit_code=0
    ),
    "a column that is missing": failed(MISSING, "ValueError: `a.csv` has no column `y` but ['x']", exit_code=0),
    "an output that is missing": failed(
        MISSING, "FileNotFoundError: the command ended well, but its output `a` is not there", exit_code=0
    ),
    "a file that a function promised": failed(
        MISSING, "FileNotFoundError: [Errno 2] No such file or directory: '/r/work/t/1/a.png'",
        "FileNotFoundError: [Errno 2] No such file or directory: '…/a.png'",
    ),
    "no outcome at all": failed(MISSING, "it ended without leaving a result", exit_code=0),
    "a metric that is no number": failed(ERROR, "ValueError: metric `y` is 'a', which is no float", exit_code=0),
    "a declared result that is missing": Case(
        State.CRITERIA_NOT_MET, MISSING, "ResultMissing: `y` is declared", error="ResultMissing: `y` is declared"
    ),
    "a rule that does not hold": Case(
        State.CRITERIA_NOT_MET, Cause.CRITERIA_NOT_MET, "`y < 3` does not hold", error="`y < 3` does not hold"
    ),
    "held back": Case(
        State.CANCELLED, Cause.HELD, "held back: N of the first N failed: ValueError: no", None,
        "held back: 12 of the first 12 failed: ValueError: no",
    ),
    "held back in a queue": replace(
        launch("75:0", "held back: N of the first N failed: ValueError: no",
               "train.0[0] held back: 12 of the first 12 failed: ValueError: no\n",
               detail="held back: 12 of the first 12 failed: ValueError: no"),
        cause=Cause.HELD,
    ),
    "cancelled by a person": Case(
        State.CANCELLED, Cause.CANCELLED, "by uid 4123456", None, "",
        said(state=State.CANCELLED, reason="by 4123456"), by="uid 4123456",
    ),
    "cancelled by root": Case(
        State.CANCELLED, Cause.CANCELLED, f"by {pwd.getpwuid(0).pw_name} (uid 0)", None, "",
        reason="it was cancelled by 0", by=f"{pwd.getpwuid(0).pw_name} (uid 0)",
    ),
    "cancelled by one whose name is told": Case(
        State.CANCELLED, Cause.CANCELLED, "by ann",
        replace(ENDED, state=State.CANCELLED, error="stopped by a signal"), "",
        said(state=State.CANCELLED, reason="by ann"), by="ann",
    ),
    "cancelled by a signal": Case(
        State.CANCELLED, Cause.CANCELLED, "by a signal",
        replace(ENDED, state=State.CANCELLED, error="stopped by a signal"), by="a signal",
    ),
    "cancelled, too late for its deadline": Case(
        State.CANCELLED, Cause.CANCELLED, "by the scheduler, since its deadline could not be met", None, "",
        said(state=State.CANCELLED, word="DEADLINE"), by="the scheduler, since its deadline could not be met",
    ),
    "cancelled by nobody knows whom": Case(State.CANCELLED, Cause.CANCELLED, "", None, ""),
    "upstream": Case(State.UPSTREAM_FAILED, Cause.UPSTREAM_FAILED, "", error="a.0[3] is FAILED"),
    "lost": Case(State.UNKNOWN, Cause.LOST, "nobody knows", None, "nobody knows"),
}  # fmt: skip


def submitted(run: RunDirectory, plan: Plan) -> RunStatus:
    """Return the status of a run of which all was submitted as job 7, after a job 6."""
    status = untouched(plan)
    for array in plan.arrays:
        for job in ("6", JOB):
            status.submissions.add(Submitted(array.name, job, frozenset(range(array.elements)), 100.0, job))
    return status


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_each_failure_has_a_cause(tmp_path: Path, case: Case) -> None:
    """By its record, the scheduler's word, and what its job printed."""
    run, plan = RunDirectory(tmp_path), plan_of()
    status = submitted(run, plan)
    error = case.error if case.error is not None else case.record.error if case.record else NO_RECORD.format("1:0")
    status.indices["train.0"][0] = IndexStatus(
        case.state, 1, error, record=case.record, said=case.said, reason=case.reason
    )
    log = run.job_log("train.0", 0, JOB)
    log.parent.mkdir(parents=True)
    if case.log:
        log.write_text("x" * 9_000 + "\n" + case.log)
    [found] = classify(run, status).values()
    assert (found.cause, found.state) == (case.cause, case.state)
    assert found.signature == case.signature
    assert found.by == case.by
    if case.detail is not None:
        assert found.detail == case.detail
    elif case.cause is not Cause.LAUNCH_FAILURE:
        assert found.detail in (error, "") or case.cause is Cause.OUT_OF_MEMORY


def test_the_node_is_that_of_the_record_or_the_schedulers(tmp_path: Path) -> None:
    """Where there is no record, the scheduler tells."""
    status = submitted(RunDirectory(tmp_path), plan_of(2))
    status.indices["train.0"][0] = IndexStatus(State.FAILED, 1, "x", record=replace(ENDED, node="n1"), said=said())
    status.indices["train.0"][1] = IndexStatus(State.FAILED, 1, "x", said=said())
    assert [one.node for one in classify(RunDirectory(tmp_path), status).values()] == ["n1", "n3"]


def test_who_used_sciflow_cancel_is_known(tmp_path: Path) -> None:
    """A cancellation counts for what had been submitted by then, and not for what was submitted after it."""
    status = submitted(RunDirectory(tmp_path), plan_of(2))
    status.submissions.cancelled.update({("train.0", 0): 101.0, ("train.0", 1): 99.0})
    for index in (0, 1):
        status.indices["train.0"][index] = IndexStatus(
            State.CANCELLED, 1, "", reason="it was cancelled by 4123456", said=said(state=State.CANCELLED)
        )
    status.indices["train.0"][1].said = said(state=State.CANCELLED, reason="by 4123456")
    assert [one.by for one in classify(RunDirectory(tmp_path), status).values()] == ["sciflow cancel", "uid 4123456"]


def test_what_is_well_or_goes_on_has_no_cause(tmp_path: Path) -> None:
    """Only what has ended without success, or is lost, is classified."""
    status = submitted(RunDirectory(tmp_path), plan_of(3))
    for index, state in enumerate((State.COMPLETED, State.RUNNING, State.PENDING)):
        status.indices["train.0"][index].state = state
    assert classify(RunDirectory(tmp_path), status) == {}


def test_a_run_on_this_machine_is_classified_by_its_records(
    staged: RunDirectory, leave_record: Callable[..., Path]
) -> None:
    """The journal tells of the end; the record, which nobody has read yet, where the error was raised."""
    path = leave_record(staged, "square.0", 1, state="FAILED", error="boom 3")
    Journal(staged.journal).append(
        {
            "event": "ended",
            "array": "square.0",
            "index": i,
            "attempt": 1,
            "state": "FAILED",
            "error": text,
            "seconds": 1,
        }
        for i, text in ((1, "boom 3"), (2, "its record cannot be written: [Errno 28] No space left"), (3, "boom 4"))
    )
    found = classify(staged, observe(staged))
    assert found["square.0", 1] == Failure(
        Cause.APPLICATION_ERROR, "boom N", "boom 3", os.environ.get("SLURM_JOB_NODELIST", "")
    )
    assert found["square.0", 2].cause is Cause.LAUNCH_FAILURE
    assert (found["square.0", 3].cause, found["square.0", 3].node) == (Cause.APPLICATION_ERROR, "")
    assert path.exists()


def test_a_pack_has_one_job_log_for_all(tmp_path: Path) -> None:
    """What ran as one is looked up by the scheduler's index; each is told of by its own line."""
    run = RunDirectory(tmp_path)
    status = submitted(run, plan_of(4, pack=2))
    log = run.job_log("train.0", 1, JOB)
    log.parent.mkdir(parents=True)
    log.write_text("train.0[2] held back: 5 of the first 5 failed: a\nno licence\n")
    for index in range(4):
        status.indices["train.0"][index] = IndexStatus(State.FAILED, 0, "x", said=said("1:0"))
    found = classify(run, status)
    assert [one.detail.partition(": ")[2] for one in found.values()] == [
        "",
        "",
        "5 of the first 5 failed: a",
        "no licence",
    ]


def test_what_a_job_printed_is_found_where_it_was_folded(staged: RunDirectory) -> None:
    """A sealed run tells the same."""
    status = untouched(plan := plan_of())
    status.submissions.add(Submitted("train.0", JOB, frozenset((0,)), 100.0, JOB))
    log = staged.job_log("train.0", 0, JOB)
    log.parent.mkdir(parents=True)
    log.write_text("no licence\n")
    status.indices["train.0"][0] = IndexStatus(State.FAILED, 0, "x", said=said("1:0"))
    before = classify(staged, status)

    (staged / "sealed").mkdir()
    with zipfile.ZipFile(staged / "sealed" / "train.0.logs.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(log, f"logs/train.0/{log.name}")
    log.unlink()
    assert classify(staged, status) == before
    assert group(before, plan)[0].error.endswith("no licence")


def test_failures_of_the_same_kind_are_grouped() -> None:
    """By task, cause and signature, the most frequent first, what was held back upstream last; nodes are counted."""
    arrays = tuple(ArrayJob(name, name.partition(".")[0], 9, Resources()) for name in ("a.0", "a.1", "b.0"))
    plan = Plan("w", "site", 9, arrays, tasks=("a", "b"))
    same = [Failure(Cause.APPLICATION_ERROR, "ValueError in a.py:3", f"ValueError: {i}", f"n{i % 2}") for i in range(5)]
    upstream = Failure(Cause.UPSTREAM_FAILED, "", "x", state=State.UPSTREAM_FAILED)
    failures = {
        ("a.0", 8): Failure(Cause.TIMEOUT, "late", "late", state=State.TIMEOUT),
        **{("a.0", i): same[i] for i in (3, 1, 2)},
        **{("a.1", i): same[i] for i in (0, 4)},
        **{("b.0", i): upstream for i in range(9)},
    }
    first, second, last = group(failures, plan)
    assert (first.task, first.cause, first.state, first.count) == ("a", Cause.APPLICATION_ERROR, State.FAILED, 5)
    assert (first.signature, first.error, first.are_alike) == ("ValueError in a.py:3", "ValueError: 3", False)
    assert first.places == {"a.0": "1-3", "a.1": "0,4"}
    assert first.nodes == {"n0": 3, "n1": 2}
    assert (second.cause, second.are_alike, second.nodes) == (Cause.TIMEOUT, True, {})
    assert (last.task, last.count, last.places) == ("b", 9, {"b.0": "0-8"})


@pytest.mark.parametrize("has_log", [False, True])
def test_ten_thousand_failures_are_classified_quickly(tmp_path: Path, has_log: bool) -> None:
    """It takes less than two seconds, with a job log for each or none; the processor's time counts."""
    run, plan = RunDirectory(tmp_path), plan_of(10_000)
    status = submitted(run, plan)
    folder = run.job_log("train.0", 0, JOB).parent
    folder.mkdir(parents=True)
    for index in range(10_000):
        record = None if has_log else replace(DIVIDED, error=f"ValueError: no {index}")
        status.indices["train.0"][index] = IndexStatus(State.FAILED, 1, f"no {index}", record=record, said=said("1:0"))
        if has_log:
            (folder / f"{index}.{JOB}.job").write_text(f"no licence for {index}\n")
    before = time.process_time()
    [found] = group(classify(run, status), plan)
    assert time.process_time() - before < 2.0
    assert (found.count, found.places) == (10_000, {"train.0": "0-9999"})
