"""What a real Slurm 22.05 has answered, played on the virtual cluster."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sciflow.model.statement import ACCOUNTING, CONTROLLER
from sciflow.schedulers.fake.request import Why
from sciflow.schedulers.slurm import QUEUE_COMMAND, read_accounting, read_limits, read_queue
from unit.schedulers.fake.slurm.conftest import Terminal

RECORDED = Path(__file__).parents[4] / "recorded" / "slurm-22.05"
JOBS = {"1": "up", "2": "down", "3": "after", "4": "held", "5": "steps", "6": "throttled", "7": "later", "9": "single"}
_ACCOUNT = ("sacct", "-X", "-n", "-P", "-j", ",".join(JOBS), "-o", "JobID,JobName,State,ExitCode,Start,End,NodeList")
_FORM = {"SLURM_BITSTR_LEN": "0", "SLURM_TIME_FORMAT": "%s"}


def recorded(name: str) -> list[str]:
    """Return the lines of one recording, with one word for all times and one for all users."""
    return plain((RECORDED / f"{name}.txt").read_text(encoding="utf-8").splitlines())


def plain(lines: list[str]) -> list[str]:
    """Return lines with one word for all times, and one for all users; in no order."""
    # A job without a time limit has none, but for Slurm's own year of which one recording has caught a glimpse.
    times = (re.sub(r"\b1[78]\d{8}\|NONE", "TIME|TIME", re.sub(r"\b1[78]\d{8}\b", "TIME", line)) for line in lines)
    words = (line.replace("|NONE|", "|TIME|") for line in times)
    return sorted(re.sub(r"CANCELLED by \d+", "CANCELLED by USER", line) for line in words)


@pytest.fixture
def played(terminal: Terminal) -> Terminal:
    """Return a terminal at which those jobs were submitted that were when the answers were recorded."""
    body = terminal.body
    body.codes = {("up", 2): 137}
    body.seconds = 1.0
    ask = terminal.submit
    ask("--array=0-4", name="up")
    ask("--array=0-4", "--dependency=aftercorr:1", "--kill-on-invalid-dep=yes", name="down")
    ask("--dependency=afterany:2", name="after")
    ask("--hold", "--array=0-3,7,9-11%2", name="held")
    ask("--hold", "--array=1-199:2", name="steps")
    ask("--array=0-5%2", name="throttled")
    ask("--begin=now+1hour", "--array=0-2", name="later")
    ask("--hold", name="a|b '|c")
    ask("--hold", "--array=0-2", name="single")
    return terminal


def test_right_after_submission(played: Terminal) -> None:
    """Nobody has looked at them yet; dependent indices are records of their own only later."""
    found = plain(played.says(*QUEUE_COMMAND, **_FORM))
    there = {line.split("|")[0]: line for line in found if not line.startswith("2|")}
    assert {job: line for job, line in there.items() if job in "45789"} == {
        line[0]: line.replace("later|PENDING|TIME|TIME||None", "later|PENDING|TIME|TIME||BeginTime")
        for line in recorded("squeue-submitted")
        if line[0] in "45789"
    }
    assert [line.split("|")[1:4] for line in found if line[0] in "136"] == [
        line.split("|")[1:4] for line in recorded("squeue-submitted") if line[0] in "136"
    ]


@pytest.fixture
def running(played: Terminal) -> Terminal:
    """Return a terminal at which some have ended, some run, and some were cancelled."""
    _let_throttled_run(played)
    played.run(10.0)
    played.says("scancel", "6_0")
    played.says("scancel", "7")
    played.says("scancel", "9_1")
    played.run(3.0)
    return played


def _let_throttled_run(terminal: Terminal) -> None:
    """Let the indices of one job run for long, and those of the others for a second."""
    start, last = terminal.body.start, {"throttled": 5_000.0}

    def begin(cluster: object, index: object) -> None:
        terminal.body.seconds = last.get(index.job.name, 1.0)  # type: ignore[attr-defined]
        start(cluster, index)  # type: ignore[arg-type]

    terminal.body.start = begin


def test_some_run(running: Terminal) -> None:
    """Both witnesses answer line by line as recorded."""
    assert plain(running.says(*QUEUE_COMMAND, **_FORM)) == recorded("squeue-running")
    assert plain(running.says(*_ACCOUNT, **_FORM)) == [
        # When the system itself has removed an index, Slurm sometimes names that time as its start, and sometimes none.
        line.replace("2_2|down|CANCELLED|0:0|TIME|", "2_2|down|CANCELLED|0:0|None|")
        for line in recorded("sacct-running")
    ]


def test_all_were_cancelled(running: Terminal) -> None:
    """What waited leaves one row, what ran one for each index."""
    running.says("scancel", "4", "6", "9")
    running.run(5.0)
    # Slurm has written `N/A` for the list of a job of which one index had been cancelled before.
    lines = [line.replace("9|N/A|single", "9|0,2|single") for line in recorded("squeue-cancelled")]
    assert plain(running.says(*QUEUE_COMMAND, **_FORM)) == sorted(lines)
    command = [*_ACCOUNT[:5], "4,6,7,9", *_ACCOUNT[6:]]
    assert plain(running.says(*command, **_FORM)) == recorded("sacct-cancelled")


def test_the_adapter_reads_both_alike(running: Terminal) -> None:
    """States of all indices, whoever has answered."""
    mine = "\n".join(running.says(*QUEUE_COMMAND, **_FORM))
    real = (RECORDED / "squeue-running.txt").read_text()
    states = [
        {job: {index: one.state for index, one in indices.items()} for job, indices in read_queue(text, JOBS).items()}
        for text in (mine, real)
    ]
    assert states[0] == states[1]
    mine = "\n".join(running.says(*_ACCOUNT, **_FORM))
    real = (RECORDED / "sacct-running.txt").read_text()
    codes = [
        {job: {index: (one.state, one.exit) for index, one in indices.items()} for job, indices in found.items()}
        for found in (read_accounting(mine, JOBS), read_accounting(real, JOBS))
    ]
    assert codes[0] == codes[1]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("array", "--array=0-10001"), ("partition", "-p nope"), ("time", "-t abc"), ("feature", "-C nope"),
        ("reservation", "--reservation=nope"), ("licenses", "-L nope:1"), ("cores", "-c 99"), ("gres", "--gres=gpu:9"),
    ],
)  # fmt: skip
def test_refusals(terminal: Terminal, name: str, options: str) -> None:
    """Word by word."""
    _, lines = terminal.complains("sbatch", *options.split(), "--wrap=true")
    assert sorted(lines) == recorded(f"sbatch-refuses-{name}")


@pytest.mark.parametrize(("name", "why"), [("account", "account"), ("qos", "qos")])
def test_refusals_for_reasons_of_the_site(terminal: Terminal, name: str, why: Why) -> None:
    """Word by word."""
    terminal.cluster.faults.refuse(why)
    assert terminal.complains("sbatch", "--wrap=true") == (1, recorded(f"sbatch-refuses-{name}"))


def test_too_many(tmp_path: Path) -> None:
    """Word by word."""
    terminal = Terminal(tmp_path, submitted_indices=2)
    _, lines = terminal.complains("sbatch", "--array=0-2", "--wrap=true")
    assert sorted(lines) == recorded("sbatch-refuses-qos-count")


def test_nobody_answers(terminal: Terminal) -> None:
    """Word by word; the port of a database is its own."""
    for witness in (CONTROLLER, ACCOUNTING):
        terminal.cluster.faults.silence(witness, 60.0)
    for command in ("sbatch --wrap=true", "squeue", "scancel 1", "sacct"):
        _, lines = terminal.complains(*command.split())
        assert [re.sub(r":\d+:", ":PORT:", line) for line in lines] == [
            re.sub(r":\d+:", ":PORT:", line)
            for line in (RECORDED / f"{command.split()[0]}-down.txt").read_text().splitlines()
        ]


def test_the_site(tmp_path: Path) -> None:
    """Partitions and accounts word by word; of the configuration what is read of it."""
    terminal = Terminal(tmp_path, submitted_indices=10, highest_index=1_000, kill_wait=3.0)
    sinfo = terminal.says("sinfo", "-h", "-e", "-o", "%P|%l|%c|%m|%G|%D|%a")
    assert sorted(sinfo) == recorded("sinfo")
    form = "format=Account,QOS,MaxSubmitJobs"
    assert terminal.says("sacctmgr", "-nP", "show", "associations", "user=chen", form) == recorded("sacctmgr")
    real = (RECORDED / "scontrol-config.txt").read_text()
    assert read_limits(terminal.type("scontrol", "show", "config").out) == read_limits(real)
