"""What a Torque server allows: its queues, their limits and nodes, as a cluster profile. Read in Torque's sources."""

from __future__ import annotations

import getpass
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from sciflow.errors import ProfileError, SchedulerError, SciflowError
from sciflow.model.profile import ClusterProfile, Limits
from sciflow.schedulers.pbs_server import PbsServer
from sciflow.schedulers.pbs_site import Facts, limits_of, read_partitions
from sciflow.schedulers.torque import TorqueServer
from sciflow.transport.base import Transport

SERVER_COMMAND = ["qstat", "-B", "-f", "-1"]
QUEUES_COMMAND = ["qstat", "-Q", "-f", "-1"]
NODES_COMMAND = ["pbsnodes", "-x"]
_ABSENT = ("down", "offline", "unknown")
_NODE = re.compile(r"<Node>.*?</Node>", re.DOTALL)


def detect_site(transport: Transport, name: str) -> tuple[ClusterProfile, list[str]]:
    """Ask the commands of Torque and make a profile of their answers; see `schedulers.sites`.

    Raises
    ------
    ProfileError
        Where the server does not answer.
    """
    notes = ["Torque forgets jobs that are over within minutes: how they ended is known by their records alone"]
    server = TorqueServer(transport)
    try:
        label, facts = _server(server)
        queues = read_blocks(server.heard(server.run(QUEUES_COMMAND)).out, "Queue")
    except SciflowError as error:
        raise ProfileError(f"Torque does not answer: {error.message}", hint=error.hint) from None
    user = getpass.getuser()
    default = queues.get(str(facts.get("default_queue", "")), {})
    made = {
        "name": name,
        "description": f"the Torque server {label}",
        "scheduler": "torque",
        "partitions": read_partitions(facts, queues, _nodes(server, notes), user, notes),
        "limits": limits_of(facts, default, user, widest=None),
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
    queues = read_blocks(server.heard(server.run(QUEUES_COMMAND)).out, "Queue")
    return limits_of(facts, queues.get(str(facts.get("default_queue", "")), {}), getpass.getuser(), widest=None)


def read_blocks(text: str, what: str) -> dict[str, Facts]:
    """Name → attributes, as OpenPBS calls them, of blocks that begin with ``Queue: batch``."""
    found: dict[str, Facts] = {}
    facts: Facts = {}
    for line in text.splitlines():
        if line.startswith(f"{what}: "):
            facts = found.setdefault(line.partition(": ")[2].strip(), {})
        elif " = " in line:
            word, _, value = line.strip().partition(" = ")
            group, dot, resource = word.partition(".")
            if dot and group.startswith("resources_"):
                facts.setdefault(group, {})["nodect" if resource == "nodes" else resource] = value
            else:
                facts[word] = value
    return {name: _as_of_pbs(one) for name, one in found.items()}


def _as_of_pbs(facts: Facts) -> Facts:
    most = facts.get("max_user_queuable")
    return {
        **facts,
        **({"max_array_size": facts["max_job_array_size"]} if "max_job_array_size" in facts else {}),
        **({"max_queued": f"[u:PBS_GENERIC={most}]"} if most else {}),
    }


def _server(server: PbsServer) -> tuple[str, Facts]:
    found = read_blocks(server.heard(server.run(SERVER_COMMAND)).out, "Server")
    if len(found) != 1:
        raise ProfileError(
            f"`{' '.join(SERVER_COMMAND)}` tells of no server",
            hint="`sciflow profile show generic-torque` is a profile to begin with",
        )
    [(name, facts)] = found.items()
    return " ".join([name, *(f"({facts[word]})" for word in ("pbs_version",) if word in facts)]), facts


def all_nodes(server: PbsServer) -> list[Facts]:
    """The attributes of all nodes that are there.

    Raises
    ------
    SchedulerError, TransportError
        Where the server does not answer.
    """
    text = server.heard(server.run(NODES_COMMAND)).out
    try:
        # One element has no entities of its own.
        nodes = [ElementTree.fromstring(part) for part in _NODE.findall(text)]  # noqa: S314
    except ElementTree.ParseError as error:
        raise SchedulerError(
            f"`pbsnodes -x` answered what is no XML: {error}", hint="the same command asks again"
        ) from None
    told = [{one.tag: one.text or "" for one in node} for node in nodes]
    return [_node(one) for one in told if not any(word in one.get("state", "") for word in _ABSENT)]


def _nodes(server: PbsServer, notes: list[str]) -> list[Facts]:
    try:
        return all_nodes(server)
    except SciflowError as error:
        notes.append(f"nodes are not known: {error}")
        return []


def _node(told: Mapping[str, str]) -> Facts:
    status = {word: value for word, _, value in (part.partition("=") for part in told.get("status", "").split(","))}
    available: dict[str, Any] = {"ncpus": told.get("np", "0"), "ngpus": told.get("gpus", "0")}
    return {"resources_available": {**available, "mem": status.get("physmem", "0")}}
