"""How a PBS site is set up: its rules, and what it says of its server, queues and nodes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sciflow.schedulers.fake.dependencies import Customs, Wait
from sciflow.schedulers.fake.nodes import Node
from sciflow.schedulers.fake.pbs.amounts import write_walltime
from sciflow.schedulers.fake.pbs.names import SERVER, name_of
from sciflow.schedulers.fake.pbs.words import state_of
from sciflow.schedulers.fake.rules import Rules

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

Facts = dict[str, Any]
# Who waits for an unknown job is deleted, an array job ends as its sub-job does that ended last, …
CUSTOMS = Customs(unknown=Wait.NEVER, is_by_last=True, passes_on=True, is_stuck=True)
TWO_WEEKS = 14 * 86_400.0
_WORDS = {"Q": "Queued", "H": "Held", "W": "Waiting", "R": "Running", "B": "Begun"}
_COUNTED = ("Transit", "Queued", "Held", "Waiting", "Running", "Exiting", "Begun")


def pbs_rules(has_history: bool = True, **changes: Any) -> Rules:
    """Rules of a site as PBS has them where nobody has changed them, but for its history.

    Parameters
    ----------
    has_history
        Whether the server knows for two weeks what is over (`job_history_enable`); not by PBS's own default.
    changes
        What is set up in another way; see `Rules`.
    """
    rules: dict[str, Any] = {
        "highest_index": 2_147_483_647,
        "indices_per_array": 10_000,
        "lag": 0.0,
        "remembered": TWO_WEEKS if has_history else 0.0,
        "put_back": 0.0,
        "noticed": 310.0,
        "late": 10.0,
        "kill_wait": 10.0,
        "customs": CUSTOMS,
        "takes_impossible": True,
    }
    return Rules(**(rules | changes))


def of_server(cluster: VirtualCluster) -> dict[str, Facts]:
    """The server and its attributes."""
    rules = cluster.rules
    default = rules.partition("")
    facts: Facts = {
        "server_state": "Active",
        "server_host": SERVER,
        "scheduling": "True",
        "total_jobs": len(cluster.known()),
        "state_count": _counts(cluster, None) + " ",
        "default_queue": default.name if default is not None else None,
        "log_events": 511,
        "mailer": "/usr/sbin/sendmail",
        "mail_from": "adm",
        "query_other_jobs": "True",
        "resources_default": {"ncpus": 1},
        "scheduler_iteration": 600,
        "resv_enable": "True",
        "node_fail_requeue": int(rules.noticed),
        "max_array_size": rules.indices_per_array,
        "pbs_version": "23.06.06",
        "job_history_enable": "True" if rules.remembered else None,
        "job_history_duration": write_walltime(rules.remembered) if rules.remembered else None,
        "max_queued": f"[u:PBS_GENERIC={rules.submitted_indices}]" if rules.submitted_indices else None,
    }
    return {SERVER: {name: value for name, value in facts.items() if value is not None}}


def of_queues(cluster: VirtualCluster) -> dict[str, Facts]:
    """The queues and their attributes."""
    found: dict[str, Facts] = {}
    for one in cluster.rules.partitions:
        jobs = [job for job in cluster.known() if job.open and job.ordered.details["queue"] == one.name]
        running = [index for node in cluster.nodes.values() for index in node.running.values() if index.job in jobs]
        found[one.name] = {
            "queue_type": "Execution",
            "total_jobs": len(jobs),
            "state_count": _counts(cluster, one.name) + " ",
            "resources_max": {"walltime": write_walltime(one.longest)},
            "resources_assigned": {
                "mem": f"{sum(index.job.request.memory for index in running) >> 20}mb",
                "ncpus": sum(index.job.request.cores for index in running),
                "nodect": len(running),
            },
            "kill_delay": int(cluster.rules.kill_wait),
            "enabled": "True" if one.is_open else "False",
            "started": "True" if one.is_up else "False",
        }
    return found


def of_node(cluster: VirtualCluster, node: Node) -> Facts:
    """The attributes of a node."""
    running = list(node.running.values())
    state = "down" if not node.is_up else "job-busy" if running and not node.free_cores else "free"
    used = {"mem": f"{(node.memory - node.free_memory) >> 10}kb", "ncpus": node.cores - node.free_cores}
    facts: Facts = {
        "Mom": node.name,
        "ntype": "PBS",
        "state": state,
        "pcpus": node.cores,
        "jobs": [name_of(one.job, one.number if one.job.is_array else None) for one in running] or None,
        "resources_available": {
            "arch": "linux",
            "host": node.name,
            "mem": f"{node.memory >> 10}kb",
            "ncpus": node.cores,
            **({"ngpus": node.gpus} if node.gpus else {}),
            "vnode": node.name,
        },
        "resources_assigned": used if running else {},
        "comment": None if node.is_up else "node down: communication closed",
        "queue": _queue_of(cluster, node),
        "resv_enable": "True",
        "sharing": "default_shared",
        "license": "l",
        "last_state_change_time": int(cluster.clock()),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _queue_of(cluster: VirtualCluster, node: Node) -> str | None:
    """The queue whose own a node is."""
    return next((one.name for one in cluster.rules.partitions if node.name in one.nodes), None)


def _counts(cluster: VirtualCluster, queue: str | None) -> str:
    jobs = [one for one in cluster.known() if one.open and queue in (None, one.ordered.details["queue"])]
    counts = Counter(_WORDS[state_of(cluster, job)[0]] for job in jobs)
    return " ".join(f"{name}:{counts[name]}" for name in _COUNTED)
