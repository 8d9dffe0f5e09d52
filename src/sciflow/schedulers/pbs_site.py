"""What a PBS server allows: its queues, their limits and nodes, as a cluster profile."""

from __future__ import annotations

import getpass
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sciflow.errors import ProfileError, SciflowError
from sciflow.model.profile import ClusterProfile, Limits, Partition
from sciflow.schedulers.pbs_server import PbsServer
from sciflow.transport.base import Transport

Facts = dict[str, Any]
SERVER_COMMAND = ["qstat", "-B", "-f", "-F", "json"]
QUEUES_COMMAND = ["qstat", "-Q", "-f", "-F", "json"]
NODES_COMMAND = ["pbsnodes", "-a", "-F", "json"]
WIDEST = 10_000  # indices of one array job, where a server says nothing else
_SIZE = re.compile(r"(\d+)([kmgtp]?)([bw]?)")
_LIMIT = re.compile(r"\[\s*([ugo]):([^=\s]+)\s*=\s*(\d+)\s*\]")


def gigabytes(text: Any) -> float:
    """``64gb``, ``263761284kb`` or a number of bytes."""
    match = _SIZE.fullmatch(str(text).strip().lower())
    if match is None:
        return 0.0
    size = int(match[1]) * 1024 ** " kmgtp".index(match[2] or " ") * (8 if match[3] == "w" else 1)
    return round(size / 1024**3, 3)


_OF_A_NODE: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "cpu_cores": ("ncpus", int),
    "memory_gb": ("mem", gigabytes),
    "gpus": ("ngpus", int),
}


def detect_site(transport: Transport, name: str) -> tuple[ClusterProfile, list[str]]:
    """Ask the commands of PBS and make a profile of their answers; see `schedulers.sites`.

    Raises
    ------
    ProfileError
        Where the server does not answer.
    """
    notes: list[str] = []
    server = PbsServer(transport)
    try:
        label, facts = _server(server)
        queues = _queues(server)
    except SciflowError as error:
        raise ProfileError(f"PBS does not answer: {error.message}", hint=error.hint) from None
    nodes = _nodes(server, notes)
    user = getpass.getuser()
    if str(facts.get("job_history_enable")) != "True":
        notes.append("the server forgets jobs that are over: how they ended is known by their records alone")
    default = str(facts.get("default_queue", ""))
    made = {
        "name": name,
        "description": f"the PBS server {label}",
        "scheduler": "pbs",
        "partitions": read_partitions(facts, queues, nodes, user, notes),
        "limits": limits_of(facts, queues.get(default, {}), user),
    }
    return ClusterProfile(**made), notes


def read_limits(server: PbsServer) -> Limits:
    """What the server and its default queue take of this user.

    Raises
    ------
    SchedulerError, TransportError
        Where it does not answer.
    """
    _, facts = _server(server)
    default = _queues(server).get(str(facts.get("default_queue", "")), {})
    return limits_of(facts, default, getpass.getuser())


def limits_of(server: Mapping[str, Any], queue: Mapping[str, Any], user: str, widest: int | None = WIDEST) -> Limits:
    """The limits that attributes of a server and of its default queue say; `widest` is what holds unsaid."""
    arrays = [int(one["max_array_size"]) for one in (server, queue) if "max_array_size" in one]
    queued = [most for one in (server, queue) if (most := most_queued(one, user)) is not None]
    kill = queue.get("kill_delay")
    return Limits(
        indices_per_array=min(arrays, default=widest),
        submitted_indices=min(queued, default=None),
        seconds_to_kill=float(kill) if kill and float(kill) > 0 else None,
    )


def most_queued(facts: Mapping[str, Any], user: str) -> int | None:
    """How many indices of a user a server or a queue takes, by ``[u:PBS_GENERIC=3], [o:PBS_ALL=100]``."""
    found = {(kind, who): int(count) for kind, who, count in _LIMIT.findall(str(facts.get("max_queued", "")))}
    own = found.get(("u", user), found.get(("u", "PBS_GENERIC")))
    most = [count for count in (own, found.get(("o", "PBS_ALL"))) if count]
    return min(most, default=None)


def read_partitions(
    server: Mapping[str, Any],
    queues: Mapping[str, Facts],
    nodes: Sequence[Facts],
    user: str,
    notes: list[str],
) -> dict[str, Partition]:
    """Queue → what the largest of its nodes has, how many nodes there are, and how long a job may run.

    Parameters
    ----------
    server, queues, nodes
        Their attributes.
    user
        Who is to submit; queues that do not take jobs of this user are left out.
    notes
        Takes up what is left out, and why.
    """
    found: dict[str, Partition] = {}
    for name, facts in queues.items():
        why_not = _why_not(facts, user)
        if why_not:
            notes.append(f"queue `{name}` is left out: {why_not}")
            continue
        most = most_queued(facts, user)
        if most is not None and name != server.get("default_queue"):
            notes.append(f"queue `{name}` takes {most} of your indices: say so as `submitted_indices` if you use it")
        bounds = {**_resources(server, "max"), **_resources(facts, "max")}
        found[name] = _partition(bounds, _nodes_of(name, nodes), name == server.get("default_queue"))
    return found


def _partition(bounds: Mapping[str, Any], nodes: Sequence[Facts], is_default: bool) -> Partition:
    known: dict[str, Any] = {"nodes": len(nodes)}
    for word, (resource, read) in _OF_A_NODE.items():
        known[word] = max((read(_resources(one, "available").get(resource, 0)) for one in nodes), default=0)
    for word, (resource, read) in {**_OF_A_NODE, "nodes": ("nodect", int)}.items():
        if resource in bounds:  # of a whole job, so of what it has on one node as well
            most = read(bounds[resource])
            known[word] = min(known[word], most) if nodes else most
    said = {word: value for word, value in known.items() if value or (word == "gpus" and nodes)}
    longest = _clock(seconds_of(bounds["walltime"])) if "walltime" in bounds else None
    return Partition(**said, max_runtime=longest, default=is_default)


def _why_not(facts: Mapping[str, Any], user: str) -> str:
    if str(facts.get("enabled")) != "True":
        return "it takes no jobs"
    if str(facts.get("started")) != "True":
        return "it is stopped"
    if str(facts.get("from_route_only")) == "True":
        return "it takes jobs from other queues only"
    users = [one.strip().partition("@")[0] for one in str(facts.get("acl_users", "")).split(",")]
    if str(facts.get("acl_user_enable")) == "True" and not {user, "+", f"+{user}"}.intersection(users):
        return "it is not open to you"
    return ""


def _nodes_of(queue: str, nodes: Iterable[Facts]) -> list[Facts]:
    """The nodes that run a queue's jobs: those that are its own, or those that are nobody's."""
    every = list(nodes)
    own = [one for one in every if one.get("queue") == queue]
    return own or [one for one in every if not one.get("queue")]


def _server(server: PbsServer) -> tuple[str, Facts]:
    [(name, facts)] = _asked(server, SERVER_COMMAND, "Server").items()
    version = str(facts.get("pbs_version", ""))
    return f"{name} ({version})" if version else name, facts


def _queues(server: PbsServer) -> dict[str, Facts]:
    return _asked(server, QUEUES_COMMAND, "Queue")


def all_nodes(server: PbsServer) -> list[Facts]:
    """The attributes of all nodes.

    Raises
    ------
    SciflowError
        Where the server does not answer.
    """
    return list(_asked(server, NODES_COMMAND, "nodes").values())


def _nodes(server: PbsServer, notes: list[str]) -> list[Facts]:
    try:
        return [one for one in all_nodes(server) if "offline" not in str(one["state"])]
    except SciflowError as error:
        notes.append(f"nodes are not known: {error.message}")
        return []


def _asked(server: PbsServer, command: Sequence[str], what: str) -> dict[str, Facts]:
    answer = server.heard(server.run(command))
    try:
        return json.loads(answer.out, strict=False)[what]
    except (ValueError, KeyError):
        raise ProfileError(
            f"`{' '.join(command)}` answers no JSON with `{what}` in it",
            hint="`sciflow profile show generic-pbs` is a profile to begin with",
        ) from None


def _resources(facts: Mapping[str, Any], kind: str) -> dict[str, Any]:
    found = facts.get(f"resources_{kind}", {})
    return found if isinstance(found, dict) else {}


def seconds_of(text: Any) -> int:
    """``100:00:00``, ``90:00`` or a number of seconds, as a walltime is written."""
    total = 0
    for part in str(text).split(":"):
        total = total * 60 + int(float(part))
    return total


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
