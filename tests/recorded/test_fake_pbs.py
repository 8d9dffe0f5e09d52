"""What a real OpenPBS answered in some situation, the virtual PBS answers when the same is played on it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sciflow.schedulers.fake.partitions import Partition
from sciflow.schedulers.pbs_answers import read_json, read_statements
from sciflow.transport.base import Answer
from unit.schedulers.fake.pbs_desk import Course, PbsDesk

HERE = Path(__file__).parent / "pbs-23.06"
FAR = Course()
STUBBORN = Course(stops_after=None)
# A site may keep count of the time for which a job could have run; the others come and go with short jobs.
AT_TIMES = {"eligible_time", "session_id", "Stageout_status", "Account_Name"}
# Numbers of jobs, hosts, times and folders are others.
OTHER = {
    *("ctime", "mtime", "qtime", "etime", "stime", "obittime", "history_timestamp", "Execution_Time"),
    *("exec_host", "exec_vnode", "Job_Owner", "server", "Submit_Host", "Error_Path", "Output_Path", "jobdir", "queue"),
    *("Variable_List", "resources_used", "Submit_arguments", "array_id", "Job_Name", "depend", "comment"),
}
_ELSEWHERE = (
    (r"\b(vm|virtual)\b", "srv"),
    (r"\w+ \w+ \d+ at \d\d:\d\d", "THEN"),
    (r"\(n1:", "(srv:"),
    (r"\b(sci|chen)@", "me@"),
    (r"\d+(\[[\d,-]*\])?\.srv", r"1\1.srv"),
    (r"(A|T): \d+", r"\1: N"),
)


def recorded(name: str) -> Answer:
    """Return one recorded answer."""
    facts = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    return Answer(facts["code"], facts["out"], facts["err"])


def elsewhere(text: str) -> str:
    """Replace what is another on each site."""
    for pattern, word in _ELSEWHERE:
        text = re.sub(pattern, word, text)
    return text


def shape(jobs: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What must be alike: which attributes there are, and their values where these do not depend on the site."""
    found = []
    for facts in jobs.values():
        known = {key: value for key, value in facts.items() if key not in AT_TIMES}
        alike = {key: value for key, value in known.items() if key not in OTHER}
        if "comment" in known:
            alike["comment"] = elsewhere(known["comment"])
        if "depend" in known:
            alike["depend"] = re.findall(r"[a-z]+(?=:\d)", known["depend"])
        if "resources_used" in known:
            alike["resources_used"] = set(known["resources_used"])
        found.append({"keys": list(known), **alike})
    return found


def verdicts(jobs: dict[str, dict[str, Any]], has_history: bool) -> list[Any]:
    """What the adapter makes of it: state, word, reason and exit of each index of each job."""
    wanted = {name: "" for name in jobs if re.fullmatch(r"\d+(\[\])?\.\w+", name)}
    said = read_statements(jobs, wanted, {}, has_history)
    return [
        {index: (one.state, one.word, _by_me(one.reason), one.exit) for index, one in said[name].items()}
        for name in wanted
    ]


def _by_me(reason: str) -> str:
    return elsewhere(re.sub(r"^by (sci|chen)$", "by me", reason))


def mixed(desk: PbsDesk) -> str:
    """Two of six have ended, the third with code 3; three run, and one waits for its turn."""
    courses = [Course(0.5), Course(0.5, 3), STUBBORN, STUBBORN, FAR, FAR]
    job = desk.submit("-J 0-5%3", *courses)
    desk.run(4.0)
    return job


def deleted_then(desk: PbsDesk) -> str:
    """All of that is deleted: those that had ended lose what they had."""
    job = mixed(desk)
    desk.type(f"qdel {job}")
    desk.run(20.0)
    return job


def ranges_deleted(desk: PbsDesk) -> str:
    """Ranges that wait, then some that run, then all are deleted."""
    job = desk.submit("-J 0-9%4")
    desk.run(1.0)
    number = job.partition("[")[0]
    assert desk.type(f"qdel '{number}[5-7]'").code == 0
    assert desk.type(f"qdel '{number}[0-1].virtual'").code == 0
    desk.run(3.0)
    desk.type(f"qdel '{job}'")
    desk.run(20.0)
    return job


def children(desk: PbsDesk, job: str) -> str:
    """Three jobs wait for one, each for another end of it."""
    for kind in ("afterok", "afternotok", "afterany"):
        desk.submit(f"-W depend={kind}:{job}", name=kind)
    return job


def over_time(desk: PbsDesk) -> str:
    """One ends well, one does not, one runs for too long."""
    job = desk.submit("-J 0-2 -l walltime=00:00:03", Course(0.5), Course(0.5, 4), FAR)
    children(desk, job)
    desk.run(60.0)
    return job


def over_memory(desk: PbsDesk) -> str:
    """Both need more memory than they were given."""
    greedy = Course(10.0, is_oom=True)
    job = desk.submit("-J 0-1 -l select=1:mem=50mb", greedy, greedy)
    desk.run(60.0)
    return job


def one_alone(desk: PbsDesk) -> str:
    """An array job of one index has just started."""
    job = desk.submit("-J 3-4:2")
    desk.run(0.0)
    return job


def later(desk: PbsDesk) -> str:
    """An array job is to begin in a while."""
    return desk.submit("-J 0-2 -a 203001010000")


def running_deleted(desk: PbsDesk) -> str:
    """An array job for which others wait is deleted while it runs."""
    job = children(desk, desk.submit("-J 0-2"))
    desk.run(1.0)
    desk.type(f"qdel {job}")
    desk.run(60.0)
    return job


def failed(*codes: float) -> Callable[[PbsDesk], str]:
    """Make a situation: three indices with others that wait for them; each ends in order of its seconds, 0 is well."""

    def play(desk: PbsDesk) -> str:
        courses = [Course(abs(one), 5 if one < 0 else 0) for one in codes]
        job = children(desk, desk.submit("-J 0-2", *courses))
        desk.run(60.0)
        return job

    return play


def trapped(desk: PbsDesk) -> str:
    """A job is deleted that does not end by SIGTERM."""
    job = desk.submit("-j oe", STUBBORN)
    desk.run(1.0)
    desk.type(f"qdel {job}")
    desk.run(20.0)
    return job


def forced(desk: PbsDesk) -> str:
    """A job is deleted whose node does not answer."""
    job = desk.submit("-l walltime=00:00:20")
    desk.run(1.0)
    desk.cluster.kill_node("n1")
    assert desk.type(f"qdel {job}").code == 222
    assert desk.type(f"qdel -W force {job}").code == 0
    return job


def shell_killed(desk: PbsDesk) -> str:
    """All of a job is killed by somebody."""
    job = desk.submit()
    desk.run(1.0)
    [index] = desk.cluster.jobs[job.partition(".")[0]].indices.values()
    desk.cluster.kill_job(index)
    return job


def node_lost(desk: PbsDesk) -> str:
    """The node of a job does not come back."""
    job = desk.submit()
    desk.run(1.0)
    desk.cluster.kill_node("n1")
    desk.run(400.0)
    return job


def busy(desk: PbsDesk) -> str:
    """A job asks for more than is free."""
    desk.submit("-l select=1:ncpus=2", name="other")
    desk.run(1.0)
    job = desk.submit("-l select=1:ncpus=32")
    desk.run(5.0)
    return job


def greedy(desk: PbsDesk) -> str:
    """A job asks for what no node has."""
    job = desk.submit("-l select=1:ngpus=9")
    desk.run(5.0)
    return job


def held(desk: PbsDesk) -> str:
    """A job is held by its owner."""
    return desk.submit("-h -W umask=0022")


def just_started(desk: PbsDesk) -> str:
    """All of an array job has just started."""
    job = desk.submit("-J 0-3")
    desk.run(0.0)
    return job


def half_over(desk: PbsDesk) -> str:
    """Two of four have ended, and the server keeps no history."""
    job = desk.submit("-J 0-3%2", Course(0.5), Course(0.5))
    desk.run(3.0)
    return job


PLAYS: dict[str, Callable[[PbsDesk], str]] = {
    "array-mixed": mixed,
    "array-deleted": deleted_then,
    "array-range-deleted": ranges_deleted,
    "array-walltime": over_time,
    "array-memory": over_memory,
    "array-of-one": one_alone,
    "array-later": later,
    "array-waited-for": running_deleted,
    "array-first-failed": failed(-1.0, 5.0, 5.0),
    "array-last-failed": failed(-7.0, 2.0, 2.0),
    "deleted": trapped,
    "deleted-with-force": forced,
    "shell-killed": shell_killed,
    "node-lost": node_lost,
    "queued-busy": busy,
    "queued-never": greedy,
    "held": held,
    "no-history-array-live": just_started,
    "array-no-history": half_over,
}


@pytest.mark.parametrize("name", PLAYS)
def test_it_says_what_the_real_one_said(name: str, tmp_path: Path) -> None:
    """The same attributes, states, substates, exit statuses and comments; and the adapter judges both alike."""
    has_history = "no-history" not in name
    desk = PbsDesk(tmp_path, has_history)
    job = PLAYS[name](desk)
    options = "-t -x" if has_history else "-t"
    told = desk.jobs(job, options=options)
    real = read_json(recorded(name).out)
    assert shape(told) == shape(real)
    assert verdicts(told, has_history) == verdicts(real, has_history)


def finished(desk: PbsDesk) -> None:
    """Jobs 101, 102 and 103 are over, the first is an array job."""
    desk.submit("-J 0-9")
    desk.submit("")
    desk.submit("")
    desk.run(2000.0)


def running(desk: PbsDesk) -> None:
    """Job 101 is an array job that runs, of which one has ended and one is deleted while it waits; 102 is held."""
    desk.submit("-J 0-9%4", Course(0.5))
    desk.run(2.0)
    desk.type("qdel '101[6].virtual'")
    desk.submit("-h")


def silent(desk: PbsDesk) -> None:
    """The server is down."""
    desk.cluster.faults.silence("controller", 1000.0)


def full(desk: PbsDesk) -> None:
    """As much is queued as may be."""
    desk.cluster.rules = replace(desk.cluster.rules, submitted_indices=2)
    desk.submit("-h")
    desk.submit("-h")


def short(desk: PbsDesk) -> None:
    """No job may take longer than an hour."""
    desk.cluster.rules = replace(desk.cluster.rules, partitions=(Partition(longest=3600.0),))


def closed(desk: PbsDesk) -> None:
    """The queue is not open to everybody."""
    desk.cluster.faults.refuse("account")


def disabled(desk: PbsDesk) -> None:
    """The queue takes no jobs."""
    [queue] = desk.cluster.rules.partitions
    desk.cluster.set_partition(replace(queue, is_open=False))


def nothing(desk: PbsDesk) -> None:
    """Nothing has happened."""


def node_down(desk: PbsDesk) -> None:
    """The node of job 101 does not answer."""
    desk.submit("")
    desk.run(1.0)
    desk.cluster.kill_node("n1")


def old_and_bad(desk: PbsDesk) -> None:
    """Job 101 has ended well, job 102 has not, and others waited for both."""
    for name, code in (("pok", 0), ("pbad", 1)):
        desk.submit("", Course(3.0, code), name=name)
    for job in ("101.virtual", "102.virtual"):
        children(desk, job)
    desk.run(2000.0)


# What was recorded → what comes before, and the command that is typed.
SAID: dict[str, tuple[Callable[[PbsDesk], None], str]] = {
    "qalter-sub-job": (running, "qalter -l walltime=00:10:00 '101[0].virtual'"),
    "qdel-finished": (finished, "qdel '101[].virtual'"),
    "qdel-list": (nothing, "qdel '101[8,9].virtual'"),
    "qdel-many": (finished, "qdel 102.virtual 103.virtual 99999"),
    "qdel-no-server": (silent, "qdel 101.virtual"),
    "qdel-node-down": (node_down, "qdel 101.virtual"),
    "qdel-out-of-range": (running, "qdel '101[77].virtual'"),
    "qdel-sub-job-over": (running, "qdel '101[6].virtual'"),
    "qhold-not-mine": (running, "qhold -h s 102.virtual"),
    "qselect-name": (old_and_bad, "qselect -x -N pok"),
    "qselect-no-server": (silent, "qselect"),
    "qsub-array": (nothing, "qsub -N arr10 -J 0-9 s.sh"),
    "qsub-index-too-high": (nothing, "qsub -h -N arrerr -J 2147483646-2147483648 s.sh"),
    "qsub-list": (nothing, "qsub -h -N arrerr -J 1,3,7 s.sh"),
    "qsub-no-amount": (nothing, "qsub -h -l select=1:mem=1.5gb s.sh"),
    "qsub-no-queue": (nothing, "qsub -h -q nosuch s.sh"),
    "qsub-no-server": (silent, "qsub s.sh"),
    "qsub-not-mine": (closed, "qsub s.sh"),
    "qsub-queue-disabled": (disabled, "qsub -h s.sh"),
    "qsub-too-many-at-all": (full, "qsub -h s.sh"),
    "qsub-too-much": (short, "qsub -l walltime=02:00:00 s.sh"),
    "qsub-too-wide": (nothing, "qsub -h -N arrerr -J 0-10000 s.sh"),
}


@pytest.mark.parametrize("name", SAID)
def test_it_answers_in_the_same_words(name: str, tmp_path: Path) -> None:
    """With the same exit code."""
    before, line = SAID[name]
    desk = PbsDesk(tmp_path)
    before(desk)
    told, real = desk.type(line), recorded(name)
    assert told.code == real.code
    assert elsewhere(told.err).rstrip() == elsewhere(real.err).rstrip()
    assert elsewhere(told.out) == elsewhere(real.out)
