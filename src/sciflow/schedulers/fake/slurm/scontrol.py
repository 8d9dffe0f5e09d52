"""`scontrol`: shows how the site is set up, and changes what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sciflow.model.statement import CONTROLLER
from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.jobs import RUNS, WAITS
from sciflow.schedulers.fake.slurm.arguments import Option, Parser, Wrong, complains
from sciflow.schedulers.fake.slurm.hosts import read_hosts, write_hosts
from sciflow.schedulers.fake.slurm.show import show_config, show_jobs, show_limits, show_nodes, show_partitions
from sciflow.schedulers.fake.slurm.targets import find_target
from sciflow.schedulers.fake.slurm.update import update
from sciflow.schedulers.fake.slurm.words import HOST, SILENT, UNKNOWN_JOB, VERSION
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

NOTHING = "nothing"
_PARSER = Parser(
    "scontrol",
    [
        Option("all", "a", NOTHING), Option("details", "d", NOTHING), Option("oneliner", "o", NOTHING),
        Option("quiet", "Q", NOTHING), Option("verbose", "v", NOTHING), Option("version", "V", NOTHING),
    ],
)  # fmt: skip
_SHOWN = ("assoc_mgr", "config", "hostlist", "hostnames", "job", "node", "partition")


@complains
def scontrol(cluster: VirtualCluster, call: Call) -> Answer:
    """Do what its first argument says."""
    arguments = _PARSER.read(call.argv[1:])
    words = list(arguments.rest)
    if "version" in arguments or words == ["version"]:
        return Answer(0, f"{VERSION}\n", "")
    if not words:
        raise Wrong("scontrol: error: the virtual cluster has no dialogue: name what is to be done")
    return _do(cluster, call, words, "oneliner" in arguments)


def _do(cluster: VirtualCluster, call: Call, words: list[str], is_one_line: bool) -> Answer:
    what, *rest = words
    is_silent = cluster.faults.is_silent(CONTROLLER)
    if what == "ping":
        return Answer(int(is_silent), f"Slurmctld(primary) at {HOST} is {'DOWN' if is_silent else 'UP'}\n", "")
    if what not in ("show", "update", "hold", "uhold", "release", "requeue", "requeuehold"):
        raise Wrong(f"invalid keyword: {what}")
    if not rest:
        raise Wrong(f"too few arguments for keyword:{what}")
    if what == "show":
        return Answer(0, _show(cluster, call, rest, is_one_line, is_silent), "")
    if is_silent:
        raise Wrong(f"slurm_{'update' if what == 'update' else 'suspend'} error: {SILENT}")
    if what == "update":
        return update(cluster, call, rest)
    said = [_change(cluster, call, what, one) for names in rest for one in names.split(",")]
    complaints = "".join(one for one in said if one)
    return Answer(1 if complaints else 0, "", complaints)


def _show(cluster: VirtualCluster, call: Call, words: list[str], is_one_line: bool, is_silent: bool) -> str:
    entity, *names = words
    entity, equals, value = entity.partition("=")
    names = [value] if equals else names
    known = [one for one in _SHOWN if one.startswith(entity.lower().removesuffix("s").removesuffix("id"))]
    if entity.lower() in ("hostnames", "hostname"):
        return "".join(f"{one}\n" for one in read_hosts(",".join(names)))
    if entity.lower() == "hostlist":
        return write_hosts(",".join(names).split(",")) + "\n"
    if len(known) != 1:
        raise Wrong(f"invalid entity:{entity} for keyword:show \n")
    if is_silent:
        kinds = {
            "assoc_mgr": "assoc_mgr_info",
            "job": "jobs",
            "node": "node",
            "partition": "partitions",
            "config": "ctl_conf",
        }
        raise Wrong(f"slurm_load_{kinds[known[0]]} error: {SILENT}")
    if known[0] == "config":
        return show_config(cluster, call)
    if known[0] == "assoc_mgr":
        return show_limits(cluster, call, names)
    writers = {"job": show_jobs, "node": show_nodes, "partition": show_partitions}
    return writers[known[0]](cluster, call, names[0] if names else "", is_one_line)


def _change(cluster: VirtualCluster, call: Call, what: str, name: str) -> str:
    """Hold, release or put back one job; gives the complaint."""
    target = find_target(cluster, name)
    if target is None:
        return f"Invalid job id specified for job {name}\nslurm_suspend error: {UNKNOWN_JOB}\n"
    job = target.job
    if job.ordered.number != call.number and call.number:
        return f"Access/permission denied for job {name}\nslurm_suspend error: Access/permission denied\n"
    if what.startswith("requeue"):
        changed = [cluster.requeue(index) for index in target.indices]
        if not any(changed):
            is_waiting = any(index.word == WAITS for index in target.indices)
            why = "Job is pending execution" if is_waiting else "Job/step already completing or completed"
            return f"{name}: {why}\n"
        if what == "requeuehold":
            cluster.release(job, is_held=True)
        return ""
    if not any(index.word in (WAITS, RUNS) for index in target.indices):
        return f"Job has already finished for job {name}\nslurm_suspend error: Job has already finished\n"
    cluster.release(job, is_held=what != "release")
    return ""
