"""`sbatch`: takes a job script."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sciflow.model.statement import CONTROLLER
from sciflow.schedulers.fake.backfill import Backfill, Turn
from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.jobs import Job
from sciflow.schedulers.fake.request import Order, Refused
from sciflow.schedulers.fake.rules import check
from sciflow.schedulers.fake.slurm.arguments import Wrong, complains
from sciflow.schedulers.fake.slurm.asked import FAILED, TOO_LONG, Place, read_request
from sciflow.schedulers.fake.slurm.dependency import read_dependency
from sciflow.schedulers.fake.slurm.options import PARSER, read_directives, read_variables
from sciflow.schedulers.fake.slurm.times import write_moment, zone
from sciflow.schedulers.fake.slurm.words import SILENT, VERSION
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

LONGEST_SCRIPT = 4_194_304  # bytes
_WRAPPED = "#!/bin/sh\n# This script was created by sbatch --wrap.\n\n{}\n"
_NO_SCRIPT = """\
sbatch: error: This does not look like a batch script.  The first
sbatch: error: line must start with #! followed by the path to an interpreter.
sbatch: error: For instance: #!/bin/sh"""
_DOS = """\
sbatch: error: Batch script contains DOS line breaks (\\r\\n)
sbatch: error: instead of expected UNIX line breaks (\\n)."""
_YEAR = 365 * 86_400.0
_LOGIN = ("HOME", "LOGNAME", "USER", "SHELL", "PATH")
# Why a job is refused → what `sbatch` says before the last line, and that line.
_WORDS = {
    "partition": ("sbatch: error: invalid partition specified: {}\n", "Invalid partition name specified"),
    "partition down": ("", "Required partition not available (inactive or drain)"),
    "index": ("", "Invalid job array specification"),
    "width": ("", "Invalid job array specification"),
    "time": ("", "Requested time limit is invalid (missing or exceeds some limit)"),
    "nodes": (
        "sbatch: error: CPU count per node can not be satisfied\n",
        "Requested node configuration is not available",
    ),
    "memory": (
        "sbatch: error: Memory specification can not be satisfied\n",
        "Requested node configuration is not available",
    ),
    "gpus": ("", "Requested node configuration is not available"),
    "features": ("", "Invalid feature specification"),
    "account": ("", "Invalid account or account/partition combination specified"),
    "qos": ("", "Invalid qos specification"),
    "reservation": ("", "Requested reservation is invalid"),
    "dependency": ("", "Job dependency problem"),
    "ids": ("", "Slurm temporarily unable to accept job, sleeping and retrying"),
    "queued": (
        "sbatch: error: QOSMaxSubmitJobPerUserLimit\n",
        "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
    ),
}


@complains
def sbatch(cluster: VirtualCluster, call: Call) -> Answer:
    """Take a job script, or refuse it in Slurm's words."""
    typed = PARSER.read(call.argv[1:])
    if "version" in typed:
        return Answer(0, f"{VERSION}\n", "")
    if "help" in typed or "usage" in typed:
        return Answer(0, "Usage: sbatch [OPTIONS...] script [args...]\n", "")
    path, text, arguments = _script(call, dict(typed.given), typed.rest)
    given = {**dict(read_directives(text).given), **dict(read_variables(call.variables).given), **dict(typed.given)}
    order = _order(cluster, call, given, path, text, arguments)
    if "test-only" in given:
        return _test(cluster, call, order)
    if cluster.faults.is_silent(CONTROLLER):
        raise Wrong(FAILED + SILENT)
    try:
        job = cluster.submit(order)
    except Refused as refused:
        before, last = _WORDS[refused.why]
        return Answer(1, "", f"{before.format(refused.value)}{FAILED}{last}\n")
    if cluster.faults.takes_reply():
        return Answer(1, "", f"{FAILED}Socket timed out on send/recv operation\n")
    return Answer(0, _reply(job.id, given), "")


def _reply(job: str, given: Mapping[str, str]) -> str:
    if "quiet" in given:
        return ""
    if "parsable" in given:
        return f"{job};{given['clusters']}\n" if "clusters" in given else f"{job}\n"
    place = f" on cluster {given['clusters']}" if "clusters" in given else ""
    return f"Submitted batch job {job}{place}\n"


def _script(call: Call, given: Mapping[str, str], rest: tuple[str, ...]) -> tuple[Path, str, tuple[str, ...]]:
    """The path of the job script, what it holds, and its arguments."""
    if "wrap" in given:
        if rest:
            raise Wrong("sbatch: error: Script arguments not permitted with --wrap option")
        return call.directory / "wrap", _WRAPPED.format(given["wrap"]), ()
    if rest:
        path = Path(call.directory, rest[0])
        try:
            text = path.read_bytes().decode(errors="surrogateescape")
        except OSError as error:
            raise Wrong(f"sbatch: error: Unable to open file {rest[0]}") from error
    else:
        path, text = call.directory / "sbatch", call.stdin
    if not text:
        raise Wrong("sbatch: error: Batch script is empty!")
    if not text.startswith("#!"):
        raise Wrong(_NO_SCRIPT)
    if "\r\n" in text:
        raise Wrong(_DOS)
    if len(text.encode(errors="surrogateescape")) > LONGEST_SCRIPT:
        raise Wrong(TOO_LONG)
    return path, text, rest[1:]


def _order(
    cluster: VirtualCluster, call: Call, given: dict[str, str], path: Path, text: str, arguments: tuple[str, ...]
) -> Order:
    partition = cluster.rules.partition(given.get("partition", ""))
    nodes = tuple(node for node in cluster.nodes.values() if partition is None or node.is_of(partition))
    request = read_request(given, path.name, Place(nodes, cluster.clock(), zone(call)))
    if partition is not None:
        request = replace(request, partition=partition.name)
    try:
        dependency = read_dependency(given.get("dependency", ""))
    except Wrong as wrong:
        raise Wrong(f"{FAILED}{wrong}") from wrong
    return Order(
        request,
        path,
        call.directory,
        dependency,
        text,
        _variables(call.variables, given.get("export", "ALL")),
        shlex.join(call.argv),
        details={**given, "wrap": "wrap" in given},
        arguments=arguments,
        user=call.user,
        number=call.number,
    )


def _variables(own: Mapping[str, str], export: str) -> Mapping[str, str]:
    """What a job takes along of the environment of who submits it: all, or what is named."""
    words = export.split(",")
    pairs = (one.partition("=") for one in words[words[0] == "ALL" :])
    named = {name: value if equals else own.get(name, "") for name, equals, value in pairs}
    if export == "ALL":
        return own
    named.pop("NONE", None)
    taken = own if words[0] == "ALL" else {one: own[one] for one in _LOGIN if one in own}
    return {**taken, **named, "SLURM_EXPORT_ENV": export, "SLURM_GET_USER_ENV": "1"}


def _test(cluster: VirtualCluster, call: Call, order: Order) -> Answer:
    """Say whether a job would be taken; when it would start is not more than a guess in Slurm, too."""
    request = order.request
    if cluster.faults.is_silent(CONTROLLER):
        return Answer(1, "", f"allocation failure: {SILENT}\n")
    try:
        check(cluster.rules, cluster.nodes.values(), request, cluster.users.by_name[order.user].queued)
    except Refused as refused:
        before, last = _WORDS[refused.why]
        return Answer(1, "", f"{before.format(refused.value)}allocation failure: {last}\n")
    turn = _turn(cluster, order)
    if turn is None:
        return Answer(1, "", "allocation failure: Requested node configuration is not available\n")
    start = write_moment(max(request.begin, turn.time), call, "")
    words = f"to start at {start} using {request.cores} processors on nodes {turn.node.name}"
    words += f" in partition {request.partition}"
    number = max((int(one) for one in cluster.jobs), default=cluster.rules.first_id - 1) + 1
    return Answer(0, "", f"sbatch: Job {number} {words}\n")


def _turn(cluster: VirtualCluster, order: Order) -> Turn | None:
    """When and where Slurm guesses that a job would start: it does not know how it fills gaps itself.

    That is when those that run leave room for it, and after that the time which all that wait before it would take if
    each had whole nodes; an array job counts once. What has no limit is taken for a year.
    """
    now = cluster.clock()
    job = Job("", 0, order, now, order.request, order.dependency)
    turn = Backfill(cluster, now).earliest(job)
    if turn is None:
        return None
    partition = cluster.partition_of(job)
    nodes = sum(node.is_of(partition) for node in cluster.nodes.values())
    before = [one for one in cluster.jobs.values() if one.waiting and cluster.partition_of(one) is partition]
    minutes = sum(min(cluster.seconds_of(one), _YEAR) // 60 for one in before if not one.request.is_held)
    return replace(turn, time=min(turn.time, now + _YEAR) + 60 * (minutes // nodes))
