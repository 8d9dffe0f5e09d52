"""`squeue`: what the controller knows."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from sciflow.model.statement import CONTROLLER
from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.slurm.arguments import Arguments, Option, Parser, Wrong, complains
from sciflow.schedulers.fake.slurm.queue_columns import COLUMNS, View
from sciflow.schedulers.fake.slurm.queue_rows import Row, rows_of
from sciflow.schedulers.fake.slurm.words import SHORT, SILENT, UNKNOWN_JOB, VERSION, raw_id, read_states
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

NOTHING = "nothing"
_PARSER = Parser(
    "squeue",
    [
        Option("account", "A"), Option("all", "a", NOTHING), Option("array", "r", NOTHING),
        Option("format", "o"), Option("Format", "O"), Option("help", "", NOTHING), Option("job", "j"),
        Option("jobs"), Option("local", "", NOTHING), Option("long", "l", NOTHING), Option("me", "", NOTHING),
        Option("name", "n"), Option("noconvert", "", NOTHING), Option("noheader", "h", NOTHING),
        Option("nodelist", "w"), Option("partition", "p"), Option("qos", "q"), Option("sort", "S"),
        Option("start", "", NOTHING), Option("states", "t"), Option("user", "u"), Option("version", "V", NOTHING),
    ],
)  # fmt: skip
_SHORT = "%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R"
_LONG = "%.18i %.9P %.8j %.8u %.8T %.10M %.9l %.6D %R"
_START = "%.18i %.9P %.8j %.8u %.2t %.19S %.6D %20Y %R"
_DATE = "%a %b %d %H:%M:%S %Y\n"


@complains
def squeue(cluster: VirtualCluster, call: Call) -> Answer:
    """List what is queued, runs, and has ended not long ago."""
    arguments = _PARSER.read(call.argv[1:])
    if "version" in arguments:
        return Answer(0, f"{VERSION}\n", "")
    if "help" in arguments:
        return Answer(0, "Usage: squeue [OPTIONS]\n", "")
    if "Format" in arguments:
        raise Wrong("squeue: error: the virtual cluster has no `--Format`; `--format` has the same columns")
    rows = _rows(cluster, call, arguments)
    is_long = "long" in arguments and "format" not in arguments
    default = _START if "start" in arguments else _LONG if is_long else _SHORT
    form = arguments.get("format") or call.variables.get("SQUEUE_FORMAT") or default
    view = View(cluster, call)
    title = "" if "noheader" in arguments else _write(form, lambda letter: COLUMNS[letter][0]) + "\n"
    lines = [_write(form, lambda letter, row=row: COLUMNS[letter][1](view, row)) for row in rows]
    date = view.now().strftime(_DATE) if is_long and title else ""
    return Answer(0, date + title + "".join(f"{line}\n" for line in lines), "")


def _rows(cluster: VirtualCluster, call: Call, arguments: Arguments) -> list[Row]:
    """The rows that are asked for, in Slurm's order: by partition, state and priority."""
    if cluster.faults.is_silent(CONTROLLER):
        raise Wrong(f"slurm_load_jobs error: {SILENT}")
    states, users = _states(arguments), _users(cluster, call, arguments)
    jobs = arguments.names("job") or arguments.names("jobs")
    if jobs is not None:
        _check_ids(cluster, jobs)
    wanted = {name: arguments.names(name) for name in ("name", "partition", "account", "qos", "nodelist")}
    rows = []
    for job in cluster.known():
        partition = cluster.partition_of(job).name
        facts = {"name": job.name, "partition": partition, "account": job.request.account, "qos": job.request.qos}
        if users is not None and job.ordered.user not in users:
            continue
        if any(wanted[name] is not None and value not in (wanted[name] or ()) for name, value in facts.items()):
            continue
        for row in rows_of(cluster, job, "array" in arguments):
            is_on = wanted["nodelist"] is None or row.node in wanted["nodelist"]
            if (states is None or row.word in states) and (jobs is None or _is_asked(row, jobs)) and is_on:
                rows.append(row)
    places = {one.name: place for place, one in enumerate(cluster.rules.partitions)}
    view = View(cluster, call)
    return sorted(
        rows, key=lambda row: (places[cluster.partition_of(row.job).name], SHORT[row.word], -view.priority(row))
    )


def _states(arguments: Arguments) -> set[str] | None:
    """The states that are asked for; None for all."""
    text = arguments.get("states", "PENDING,RUNNING,SUSPENDED,COMPLETING,CONFIGURING")
    if text.lower() == "all":
        return None
    states = read_states(text)
    if states is None:
        odd = next(one for one in text.split(",") if read_states(one) is None)
        valid = ",".join(SHORT)
        raise Wrong(
            f"squeue: error: Invalid job state specified: {odd}\nsqueue: error: Valid job states include: {valid}\n"
        )
    return states


def _users(cluster: VirtualCluster, call: Call, arguments: Arguments) -> set[str] | None:
    if "me" in arguments:
        return {call.user}
    asked = arguments.names("user")
    if asked is None:
        return None
    numbers = {str(job.ordered.number): job.ordered.user for job in cluster.jobs.values()}
    numbers[str(call.number)] = call.user
    return {numbers.get(one, one) for one in asked}


def _check_ids(cluster: VirtualCluster, asked: set[str]) -> None:
    for one in asked:
        if not re.fullmatch(r"\d+(_(\d+|\[[\d,:-]+\]))?", one):
            raise Wrong(f"squeue: error: Invalid job id: {one}")
    # Of several ids Slurm asks for all jobs, and knows no better than that some are not among them.
    if len(asked) == 1 and all("_" not in one and cluster.find(one) is None for one in asked):
        raise Wrong(f"slurm_load_jobs error: {UNKNOWN_JOB}")


def _is_asked(row: Row, asked: set[str]) -> bool:
    job = row.job
    if job.id in asked:
        return True
    return any(f"{job.id}_{number}" in asked or raw_id(job, number) in asked for number in row.numbers)


def _write(form: str, cell: Callable[[str], str]) -> str:
    """Fill the letters of a format in; ``%.18i`` is aligned to the right, ``%18i`` to the left, and both are cut."""

    def fill(match: re.Match[str]) -> str:
        right, width, letter, suffix = match.groups()
        if letter not in COLUMNS:
            return ""
        text, most = cell(letter), int(width or 0)
        if most:
            text = text[:most].rjust(most) if right else text[:most].ljust(most)
        return text + suffix

    return re.sub(r"%(\.?)(\d*)([A-Za-z])([^%]*)", fill, form)
