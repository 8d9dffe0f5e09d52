from pathlib import Path

import pytest

from sciflow.model.statement import ACCOUNTING
from unit.schedulers.fake.slurm.conftest import DAY, Terminal

ROWS = ("sacct", "-X", "-n", "-P", "-o", "JobID,State,ExitCode")


@pytest.fixture
def done(terminal: Terminal) -> Terminal:
    """Return a terminal at which three jobs were submitted: one that fails, one that waits, one that was cancelled."""
    terminal.body.codes = {("first", 0): 3, ("first", 1): 137}
    terminal.submit("--array=0-3%2", "--mem=300", "-c", "2", name="first")
    terminal.submit("--array=0-4%3", f"--dependency=afterany:{1}", "-p", "short", name="waits")
    terminal.submit("--hold", "--array=0-2", name="held")
    terminal.run(601.0)
    terminal.says("scancel", "3")
    return terminal


def test_the_table(done: Terminal) -> None:
    """As Slurm prints it: with the step of each job script, in columns that are cut with a plus."""
    assert done.says("sacct", "-j", "1,2,3")[:4] == [
        "JobID           JobName  Partition    Account  AllocCPUS      State ExitCode ",
        "------------ ---------- ---------- ---------- ---------- ---------- -------- ",
        "1_0               first       main                     2     FAILED      3:0 ",
        "1_0.batch         batch                                2     FAILED      3:0 ",
    ]
    assert done.says("sacct", "-n", "-j", "3") == [
        "3_[0-2]            held       main                     1 CANCELLED+      0:0 "
    ]


def test_rows_of_what_waits_are_together(done: Terminal) -> None:
    """Of codes from 128 on Slurm takes 128 away; what waits has no end, and what never ran no start."""
    assert done.says(*ROWS) == [
        "1_0|FAILED|3:0", "1_1|FAILED|9:0", "1_2|RUNNING|0:0", "1_3|RUNNING|0:0",
    ]  # fmt: skip
    assert done.says(*ROWS, "-j", "2,3") == ["2_[0-4%3]|PENDING|0:0", "3_[0-2]|CANCELLED by 1001|0:0"]
    fields = "JobID,Start,End,Elapsed,ElapsedRaw,NodeList,ReqMem,AllocCPUS,Timelimit,Submit"
    command = ("sacct", "-X", "-n", "-P", "-o", fields, "-j")
    assert done.says(*command, "1_0", SLURM_TIME_FORMAT="%s") == [
        "1_0|1795577292|1795577892|00:10:00|600|n1|300M|2|UNLIMITED|1795577292"
    ]
    assert done.says(*command, "2") == [
        "2_[0-4%3]|Unknown|Unknown|00:00:00|0|None assigned|0|1|12:00:00|2026-11-25T03:28:12"
    ]
    assert done.says("sacct", "-X", "-n", "-P", "-o", "Start", "-j", "3") == ["None"]


def test_steps(done: Terminal) -> None:
    """Can be asked for alone, and have the state of their script."""
    assert done.says("sacct", "-n", "-P", "-o", "JobID,JobName,State", "-j", "1_0.batch") == ["1_0.batch|batch|FAILED"]
    done.says("scancel", "1_2")
    done.run(5.0)
    command = ("sacct", "-n", "-P", "-o", "JobID,State,ExitCode", "-j", "1_2")
    assert done.says(*command) == ["1_2|CANCELLED by 1001|0:0", "1_2.batch|CANCELLED|0:15"]


@pytest.mark.parametrize(
    ("options", "jobs"),
    [
        ("-s F", set()), ("-s F -E now", {"1_0", "1_1"}), ("-s CA -E now", {"3_[0-2]"}),
        ("-S now", {"1_2", "1_3"}),
        ("-S 2026-11-24 -E 2026-11-25", set()), ("--name held -s CA -E now", {"3_[0-2]"}), ("-u nobody", set()),
        ("-r short -j 2", {"2_[0-4%3]"}), ("-u chen -j 1_1", {"1_1"}), ("-j 1.batch", set()),
    ],
)  # fmt: skip
def test_windows_and_filters(done: Terminal, options: str, jobs: set[str]) -> None:
    """States need an end of the window; what was never eligible is in none, but for its state."""
    assert {line.partition("|")[0] for line in done.says(*ROWS, *options.split())} == jobs


def test_without_ids_it_begins_at_midnight(done: Terminal) -> None:
    """What ended on another day is told only of jobs that are named, or since a day that is."""
    done.cluster.run()
    done.cluster.clock.sleep(2 * DAY)
    assert done.says(*ROWS) == []
    assert len(done.says(*ROWS, "-j", "1")) == 4
    assert len(done.says(*ROWS, "-S", "2026-11-25")) == 9


def test_all_starts(terminal: Terminal) -> None:
    """Of one that was put back, with another option."""
    terminal.submit("--array=0-0", name="back")
    terminal.run(1.0)
    terminal.says("scontrol", "requeue", "1_0")
    terminal.run(1_000.0)
    assert terminal.says(*ROWS, "-j", "1") == ["1_0|COMPLETED|0:0"]
    assert terminal.says(*ROWS, "-j", "1", "-D") == ["1_0|REQUEUED|0:0", "1_0|COMPLETED|0:0"]


def test_one_by_one_they_leave_a_bare_row(terminal: Terminal) -> None:
    """Of an array job of which each index was cancelled by itself before it started."""
    terminal.submit("--hold", "--array=0-1")
    for index in (0, 1):
        terminal.says("scancel", f"1_{index}")
        terminal.run(1.0)
    assert terminal.says(*ROWS, "-j", "1") == ["1|CANCELLED by 1001|0:0"]
    assert terminal.says("squeue", "-h", "-t", "all", "-o", "%i|%K") == ["1|N/A"]


def test_it_lags(tmp_path: Path) -> None:
    """For some seconds it knows nothing."""
    terminal = Terminal(tmp_path, lag=5.0)
    terminal.submit()
    assert terminal.says(*ROWS, "-j", "1") == []
    terminal.run(5.0)
    assert terminal.says(*ROWS, "-j", "1") == ["1|RUNNING|0:0"]


def test_separators(done: Terminal) -> None:
    """One at the end as well, or another one."""
    command = ("sacct", "-X", "-j", "1_0", "-o", "JobID%20,State%-4")
    assert done.says(*command) == ["               JobID Stat ", "-------------------- ---- ", f"{'1_0':>20} FAI+ "]
    assert done.says(*command, "-n", "-p") == ["1_0|FAILED|"]
    assert done.says(*command, "-n", "-P", "--delimiter=;") == ["1_0;FAILED"]


def test_complaints(terminal: Terminal) -> None:
    """Of what there is not, and of a database that does not answer."""
    assert terminal.complains("sacct", "-j", "abc") == (1, ["sacct: fatal: Bad job/step specified: abc"])
    assert terminal.complains("sacct", "-j", "5_[1-2]") == (1, ["sacct: fatal: Bad job array element specified: 5"])
    assert terminal.complains("sacct", "-o", "foo") == (1, ['sacct: error: Invalid field requested: "foo"'])
    terminal.cluster.faults.silence(ACCOUNTING, 60.0)
    code, lines = terminal.complains("sacct")
    assert (code, lines[-1]) == (1, "sacct: error: Problem talking to the database: Connection refused")
