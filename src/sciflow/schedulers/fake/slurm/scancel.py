"""`scancel`: cancels jobs, or some of their indices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sciflow.model.statement import CONTROLLER
from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.jobs import RUNS, Job
from sciflow.schedulers.fake.slurm.arguments import Arguments, Option, Parser, Wrong, complains
from sciflow.schedulers.fake.slurm.targets import Target, find_target
from sciflow.schedulers.fake.slurm.words import SILENT, UNKNOWN_JOB, VERSION, read_states
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

NOTHING = "nothing"
_PARSER = Parser(
    "scancel",
    [
        Option("account", "A"), Option("batch", "b", NOTHING), Option("full", "f", NOTHING), Option("me", "", NOTHING),
        Option("name", "n"), Option("jobname"), Option("nodelist", "w"), Option("partition", "p"), Option("qos", "q"),
        Option("quiet", "Q", NOTHING), Option("signal", "s"), Option("state", "t"), Option("user", "u"),
        Option("verbose", "v", NOTHING), Option("version", "V", NOTHING),
    ],
)  # fmt: skip
_FILTERS = ("account", "me", "name", "jobname", "nodelist", "partition", "qos", "state", "user")
_Choice = tuple[Job | None, list[int] | None, str]
NOT_YOURS = 210
DOWN = 8
_KILLS = ("KILL", "SIGKILL", "9")
_ENDS = ("TERM", "SIGTERM", "15")


@complains
def scancel(cluster: VirtualCluster, call: Call) -> Answer:
    """Cancel; what is not known, or has ended, is no error."""
    arguments = _PARSER.read(call.argv[1:])
    if "version" in arguments:
        return Answer(0, f"{VERSION}\n", "")
    if not arguments.rest and not any(one in arguments for one in _FILTERS):
        raise Wrong("scancel: error: No job identification provided")
    _check_signal(arguments)
    for one in arguments.rest:
        if not re.fullmatch(r"\d+(_(\d*|\*|\[[\d,:%-]+\]))?(\.\w+)?", one):
            raise Wrong(f"scancel: error: Invalid job id {one}")
    if cluster.faults.is_silent(CONTROLLER):
        what = f"Kill job error on job id {arguments.rest[0]}: " if arguments.rest else ""
        return Answer(DOWN, "", f"scancel: error: {what}{SILENT}\n")
    said, code = "", 0
    for job, numbers, name in _chosen(cluster, call, arguments):
        if job is None:
            said += _told(arguments, f"Kill job error on job id {name}: {UNKNOWN_JOB}")
        elif job.ordered.number != call.number and call.number:
            said, code = (
                said + f"scancel: error: Kill job error on job id {name}: Access/permission denied\n",
                NOT_YOURS,
            )
        elif not job.open:
            said += _told(arguments, f"Kill job error on job id {name}: Job/step already completing or completed")
        else:
            _end(cluster, call, job, numbers, arguments)
    return Answer(code, "", said)


def _told(arguments: Arguments, words: str) -> str:
    return f"scancel: error: {words}\n" if "verbose" in arguments else ""


def _check_signal(arguments: Arguments) -> None:
    name = arguments.get("signal").upper()
    if not name or name in (*_KILLS, *_ENDS):
        return
    if re.fullmatch(r"(SIG)?(USR1|USR2|HUP|INT|QUIT|ALRM|CONT|STOP|TSTP)|\d+", name):
        # Words of our own: nothing that runs here can be told anything but to end.
        raise Wrong(f"scancel: error: on the virtual cluster jobs can be sent TERM and KILL, and not {name}")
    raise Wrong(f"Unknown job signal: {arguments.get('signal')}")


def _chosen(
    cluster: VirtualCluster, call: Call, arguments: Arguments
) -> Iterator[tuple[Job | None, list[int] | None, str]]:
    """The jobs that are meant, each with its indices that are; None for all of them."""
    if arguments.rest:
        for name in arguments.rest:
            target = find_target(cluster, name.partition(".")[0])
            if target is None:
                yield None, None, name
            elif _fits(cluster, call, arguments, target.job):
                yield target.job, _in_state(arguments, target), name
        return
    for job in cluster.known():
        if job.open and _fits(cluster, call, arguments, job):
            yield job, _in_state(arguments, Target(job)), job.id


def _fits(cluster: VirtualCluster, call: Call, arguments: Arguments, job: Job) -> bool:
    facts = {
        "account": job.request.account,
        "jobname": job.name,
        "name": job.name,
        "partition": cluster.partition_of(job).name,
        "qos": job.request.qos,
    }
    users = {job.ordered.user, str(job.ordered.number)}
    if "me" in arguments and call.user not in users:
        return False
    if "user" in arguments and arguments.get("user") not in users:
        return False
    if not arguments.rest and job.ordered.number != call.number and call.number:
        return False  # whoever is meant by a filter, others' jobs are not touched
    return all(value in (arguments.names(name) or ()) for name, value in facts.items() if name in arguments)


def _in_state(arguments: Arguments, target: Target) -> list[int] | None:
    if "state" not in arguments and "nodelist" not in arguments:
        return target.numbers
    states = read_states(arguments.get("state")) or set()
    nodes = arguments.names("nodelist") or set()
    return [
        number
        for number in (target.job.indices if target.numbers is None else target.numbers)
        if (index := target.job.indices.get(number)) is not None
        and ("state" not in arguments or index.word in states)
        and ("nodelist" not in arguments or (index.node is not None and index.node.name in nodes))
    ]


def _end(cluster: VirtualCluster, call: Call, job: Job, numbers: list[int] | None, arguments: Arguments) -> None:
    """Cancel, or send a signal: to what waits there is none to send."""
    name = arguments.get("signal").upper()
    if not name:
        cluster.cancel(job, numbers, by=call.number)
        return
    for number in list(job.indices if numbers is None else numbers):
        index = job.indices.get(number)
        if index is None or index.word != RUNS:
            continue
        if name in _KILLS:
            index.by = call.number
            cluster.kill_job(index)
        else:
            cluster.body.stop(cluster, index)
