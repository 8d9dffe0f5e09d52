"""`qalter`, `qhold`, `qrls` and `qrerun`: change what waits, hold it, let it go, and start it again."""

from __future__ import annotations

from dataclasses import replace
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.jobs import Job
from sciflow.schedulers.fake.pbs import usage
from sciflow.schedulers.fake.pbs.amounts import Wrong, read_moment, zone_of
from sciflow.schedulers.fake.pbs.depend import read_dependency, tell_them, tied
from sciflow.schedulers.fake.pbs.names import Target
from sciflow.schedulers.fake.pbs.options import Options, check_letters, illegal, read_resources, split_call
from sciflow.schedulers.fake.pbs.replies import INVALID, for_each, no_server, split_options
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

_READ_ONLY = ("comment", "array_indices_submitted", "run_count")


def qalter(cluster: VirtualCluster, call: Call) -> Answer:
    """Change jobs, as far as that still can be done."""
    try:
        options, ids = split_call(call.argv[1:], "qalter")
        check_letters(options.letters, "qalter")
        zone = zone_of(call.variables)
        if "a" in options.letters and read_moment(options.letters["a"], cluster.clock(), zone) is None:
            raise illegal("a", "qalter")
        if "depend" in options.attributes:
            if not options.attributes["depend"]:
                raise illegal("W", "qalter")
            read_dependency(options.attributes["depend"], "qalter")
    except Wrong as wrong:
        return Answer(wrong.code, "", str(wrong))
    if not ids:
        return Answer(2, "", usage.QALTER)
    silent = no_server(cluster, "qalter")
    if silent is not None:
        return silent
    return for_each(cluster, "qalter", ids, lambda target, job: _alter(cluster, target, job, options, zone))


def _alter(cluster: VirtualCluster, target: Target, job: Job, options: Options, zone: tzinfo | None) -> None:
    if target.numbers is not None:
        raise Wrong(f"Invalid request {target.full}", INVALID)
    for name in options.attributes:
        if name in _READ_ONLY:
            raise Wrong(f"Cannot set attribute, read only or insufficient permission  {name} {target.full}", 155)
    changes: dict[str, Any] = {}
    runs = bool(job.running)
    if "N" in options.letters:
        changes["name"] = options.letters["N"]
    if "A" in options.letters:
        changes["account"] = options.letters["A"]
    if "a" in options.letters and not runs:
        moment = read_moment(options.letters["a"], cluster.clock(), zone) or 0.0
        changes["begin"] = moment if moment > cluster.clock() else 0.0
    if options.resources:
        changes |= _resources(job, target, options.resources, runs)
    if "max_run_subjobs" in options.attributes:
        changes["throttle"] = int(options.attributes["max_run_subjobs"])
        if job.notes.pop("never", False):
            changes["is_held"] = False
    if changes:
        job.name = changes.get("name", job.name)
        cluster.alter(job, replace(job.request, **changes))
    if "depend" in options.attributes and job.waiting:
        dependency = tied(read_dependency(options.attributes["depend"], "qalter"), cluster)
        cluster.depend(job, dependency)
        tell_them(job, dependency)


def _resources(job: Job, target: Target, given: dict[str, str], runs: bool) -> dict[str, Any]:
    for name in given:
        if runs and name != "walltime":
            raise Wrong(f"Cannot modify attribute while job running  Resource_List.{name} {target.full}", 167)
    shown, asked = read_resources(given)
    if "walltime" not in given:
        asked.pop("seconds")
    if set(given) == {"walltime"}:
        return {"seconds": asked["seconds"]}
    job.ordered.details["resources"].update({name: value for name, value in shown.items() if name != "walltime"})
    return asked


def qhold(cluster: VirtualCluster, call: Call) -> Answer:
    """Hold jobs; those that run go on, and are held where they are started again."""
    return _hold(cluster, call, "qhold", True)


def qrls(cluster: VirtualCluster, call: Call) -> Answer:
    """Let jobs go that their owner holds; what the server holds, it keeps."""
    return _hold(cluster, call, "qrls", False)


def _hold(cluster: VirtualCluster, call: Call, tool: str, is_held: bool) -> Answer:
    text = usage.QHOLD.format(tool, tool)
    try:
        options, ids = split_options(call.argv[1:], "h:", tool, text)
    except Wrong as wrong:
        return Answer(wrong.code, "", str(wrong))
    if not ids:
        return Answer(2, "", text)
    silent = no_server(cluster, tool)
    if silent is not None:
        return silent

    def act(target: Target, job: Job) -> None:
        if target.numbers is not None:
            raise Wrong(f"Invalid request {target.full}", INVALID)
        if options.get("h", "u") != "u":
            raise Wrong(f"Unauthorized Request  {target.full}", 159)
        if is_held or not job.notes.get("cannot start") or call.user == "root":
            cluster.release(job, is_held)

    return for_each(cluster, tool, ids, act)


def qrerun(cluster: VirtualCluster, call: Call) -> Answer:
    """Refuse to start a job again: that is for operators."""
    try:
        _, ids = split_options(call.argv[1:], "W:", "qrerun", usage.QRERUN)
    except Wrong as wrong:
        return Answer(wrong.code, "", str(wrong))
    if not ids:
        return Answer(2, "", usage.QRERUN)
    silent = no_server(cluster, "qrerun")
    if silent is not None:
        return silent

    def act(target: Target, job: Job) -> None:
        if call.user != "root":
            raise Wrong(f"Unauthorized Request  {target.full}", 159)
        if not job.request.is_requeued:
            raise Wrong(f"job is not rerunnable {target.full}", 190)
        for number in target.chosen(job):
            cluster.preempt(job.indices[number])

    return for_each(cluster, "qrerun", ids, act)
