"""The matrix of faults: what goes wrong, when, and under which scheduler; and its page.

    python tests/faults/matrix.py [PAGE]

prints the matrix, or writes it into a page, between `<!-- matrix -->` and `<!-- /matrix -->`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "concepts" / "recovery.md"
BETWEEN = re.compile(r"(?<=<!-- matrix -->\n).*?(?=<!-- /matrix -->)", re.DOTALL)

SUBMIT, PENDING, START, RUNNING, WRITING, FINISHING, COLLECTING, RETRYING = MOMENTS = (
    *("submit", "pending", "start", "running"),
    *("writing the record", "finishing", "collecting", "retrying"),
)
SUBMITTER, NODE, PROGRAM, SHIM, MEMORY, TIME, DISK, TORN, CONTROLLER, ACCOUNTING, REPLY, REFUSED, PREEMPTED = FAULTS = (
    *("who submits is killed", "the node dies", "the program is killed", "all of a job is killed"),
    *("out of memory", "time limit", "the disk is full", "a record is torn", "the controller is silent"),
    *("accounting is silent", "a reply is lost", "a submission is refused", "preempted"),
)
VIRTUAL, LOCAL, SLURM = SCHEDULERS = ("virtual", "local", "Slurm")

Scenario = Callable[..., None]


class Cell(NamedTuple):
    """One fault at one moment under one scheduler."""

    scheduler: str
    fault: str
    moment: str


# What a real Slurm on one machine is made to do, and the test of `tests/live` that does it.
LIVE = {
    (SUBMITTER, SUBMIT): "test_submit.py::test_killed_at_every_step_each_array_is_there_once",
    (DISK, SUBMIT): "test_submit.py::test_a_full_disk_when_submitting",
    (CONTROLLER, SUBMIT): "test_submit.py::test_without_slurm_nothing_is_lost",
    (REFUSED, SUBMIT): "test_submit.py::test_a_refusal_is_in_slurms_words",
    (NODE, RUNNING): "test_recovery.py::test_a_bad_node_and_a_dead_one",
    (SHIM, RUNNING): "test_ends.py::test_all_of_a_job_is_killed",
    (MEMORY, RUNNING): "test_recovery.py::test_memory_that_the_kernel_takes_away",
    (TIME, RUNNING): "test_recovery.py::test_each_by_its_cause_while_the_others_go_on",
    (CONTROLLER, RUNNING): "test_witnesses.py::test_without_the_controller_nothing_changes",
    (ACCOUNTING, RUNNING): "test_witnesses.py::test_without_the_accounting_daemon",
    (PREEMPTED, RUNNING): "test_recovery.py::test_preempted_is_no_failure",
}

_NO_CLIENT = "no process of sciflow lives then that could be killed"
_NO_JOB = "nothing runs then"
_OVER = "the program is over then"
_NO_RECORD = "there is no record of it yet"
_NO_CALL = "nothing is submitted then"
_NONSENSE = {
    SUBMITTER: dict.fromkeys((PENDING, START, RUNNING, WRITING, FINISHING), _NO_CLIENT),
    NODE: dict.fromkeys((SUBMIT, COLLECTING), _NO_JOB),
    PROGRAM: {
        **dict.fromkeys((SUBMIT, PENDING, COLLECTING), _NO_JOB),
        **dict.fromkeys((WRITING, FINISHING), _OVER),
    },
    SHIM: dict.fromkeys((SUBMIT, PENDING, COLLECTING), _NO_JOB),
    MEMORY: {
        **dict.fromkeys((SUBMIT, PENDING, COLLECTING), _NO_JOB),
        **dict.fromkeys((WRITING, FINISHING), "the shim needs next to none: it is the job that is killed, as above"),
    },
    TIME: {**dict.fromkeys((SUBMIT, PENDING, COLLECTING), _NO_JOB), START: "no time has passed then"},
    DISK: dict.fromkeys((PENDING, FINISHING), "nothing is written then"),
    TORN: dict.fromkeys((SUBMIT, PENDING, START, RUNNING), _NO_RECORD),
    ACCOUNTING: {SUBMIT: "it is not asked then"},
    REPLY: dict.fromkeys((PENDING, START, RUNNING, WRITING, FINISHING, COLLECTING), _NO_CALL),
    REFUSED: dict.fromkeys((PENDING, START, RUNNING, WRITING, FINISHING, COLLECTING), _NO_CALL),
    PREEMPTED: dict.fromkeys((SUBMIT, PENDING, COLLECTING), _NO_JOB),
}
_NO_QUEUE = "this machine has no queue"
_NONSENSE_HERE = {
    **dict.fromkeys((CONTROLLER, ACCOUNTING, REPLY, REFUSED, PREEMPTED), dict.fromkeys(MOMENTS, _NO_QUEUE)),
    NODE: {
        PENDING: "what waits is held by the driver alone, which is killed at other moments",
        FINISHING: "the same as when the driver and its shims are killed there",
    },
    SUBMITTER: {PENDING: "what waits is held by the driver, which is killed while others run"},
    MEMORY: {START: "memory is looked at from then on: it is the same as while it runs"},
    TIME: dict.fromkeys((WRITING, FINISHING), "nobody but the shim has a limit, and it has stopped to look"),
    DISK: {START: "its log is opened by the same process that writes the record"},
    TORN: {WRITING: "it is renamed: a disk that tears it afterwards is the same as when it finishes"},
}
_ALSO_HERE = {(SUBMITTER, moment) for moment in (START, RUNNING, WRITING, FINISHING)}  # the driver stays until the end
_ON_SLURM = "played on the virtual cluster, and in other live tests where one machine can do it"


def reason(cell: Cell) -> str:
    """Why a cell makes no sense; empty where it does."""
    if cell.scheduler == LOCAL:
        if text := _NONSENSE_HERE.get(cell.fault, {}).get(cell.moment, ""):
            return text
        if (cell.fault, cell.moment) in _ALSO_HERE:
            return ""
    text = _NONSENSE[cell.fault].get(cell.moment, "") if cell.fault in _NONSENSE else ""
    if not text and cell.scheduler == SLURM and (cell.fault, cell.moment) not in LIVE:
        return _ON_SLURM
    return text


def cells(scheduler: str) -> Iterator[Cell]:
    """The cells of a scheduler that make sense."""
    for fault in FAULTS:
        for moment in MOMENTS:
            cell = Cell(scheduler, fault, moment)
            if not reason(cell):
                yield cell


def table() -> str:
    """The matrix with its counts, as Markdown, and below it why the empty cells are empty."""
    reasons: dict[str, int] = {}
    lines = ["", f"| | {' | '.join(MOMENTS)} |", "| --- |" + " --- |" * len(MOMENTS)]
    for fault in FAULTS:
        shown = [_shown(fault, moment, reasons) for moment in MOMENTS]
        lines.append(f"| {fault} | {' | '.join(shown)} |")
    counts = {scheduler: sum(1 for _ in cells(scheduler)) for scheduler in SCHEDULERS}
    lines += ["", f"{sum(counts.values())} cells are played: {_spelled(counts)}."]
    lines += ["V is the virtual cluster, L this machine, S a real Slurm."]
    lines += ["Where nothing is played at all, the number says why:", ""]
    lines += [f"{number}. {text}" for text, number in reasons.items()]
    return "\n".join(lines) + "\n\n"


def _shown(fault: str, moment: str, reasons: dict[str, int]) -> str:
    played = [scheduler[0].upper() for scheduler in SCHEDULERS if not reason(Cell(scheduler, fault, moment))]
    if played:
        return " ".join(played)
    text = reason(Cell(VIRTUAL, fault, moment))
    return str(reasons.setdefault(text, len(reasons) + 1))


def _spelled(counts: dict[str, int]) -> str:
    parts = [f"{count} on {where}" for where, count in counts.items()]
    named = {"on virtual": "on the virtual cluster", "on local": "on this machine", "on Slurm": "on a real Slurm"}
    text = ", ".join(parts)
    for short, long in named.items():
        text = text.replace(short, long)
    return text


def written_into(page: str) -> str:
    """A page with the matrix in its place."""
    return BETWEEN.sub(lambda _: table(), page)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        target = Path(sys.argv[1])
        target.write_text(written_into(target.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(table())
