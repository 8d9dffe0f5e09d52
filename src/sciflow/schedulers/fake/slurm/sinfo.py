"""`sinfo`: partitions and nodes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sciflow.model.statement import CONTROLLER
from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.nodes import Node
from sciflow.schedulers.fake.partitions import Partition
from sciflow.schedulers.fake.slurm.arguments import Arguments, Option, Parser, Wrong, complains
from sciflow.schedulers.fake.slurm.asked import MIB
from sciflow.schedulers.fake.slurm.hosts import read_hosts, write_hosts
from sciflow.schedulers.fake.slurm.node_states import SHORT, state_of
from sciflow.schedulers.fake.slurm.times import write_limit, zone
from sciflow.schedulers.fake.slurm.words import SILENT, VERSION
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

NOTHING = "nothing"
_PARSER = Parser(
    "sinfo",
    [
        Option("all", "a", NOTHING), Option("exact", "e", NOTHING), Option("format", "o"), Option("Format", "O"),
        Option("list-reasons", "R", NOTHING), Option("long", "l", NOTHING), Option("Node", "N", NOTHING),
        Option("nodes", "n"), Option("noheader", "h", NOTHING), Option("partition", "p"), Option("states", "t"),
        Option("summarize", "s", NOTHING), Option("version", "V", NOTHING),
    ],
)  # fmt: skip
_DEFAULT = "%9P %.5a %.10l %.6D %.6t %N"
_SUMMARY = "%9P %.5a %.10l %.16F %N"
_LONG = "%9P %.5a %.10l %.10s %.4r %.8h %.10g %.6D %.11T %N"
_NODES = "%9N %.6D %.9P %6t"
_LONG_NODES = "%9N %.6D %.9P %.11T %4c %.8z %.6m %.8d %.6w %.8f %20E"
_REASONS = "%20E %9u %19H %N"
_ORDER = ("down*", "drained", "draining", "mixed", "allocated", "idle")


@dataclass(frozen=True)
class Group:
    """Nodes of a partition that are alike in all that is shown."""

    partition: Partition
    nodes: tuple[Node, ...]

    @property
    def first(self) -> Node:
        """Any of them."""
        return self.nodes[0]


@complains
def sinfo(cluster: VirtualCluster, call: Call) -> Answer:
    """List the nodes of each partition, those together that look alike."""
    arguments = _PARSER.read(call.argv[1:])
    if "version" in arguments:
        return Answer(0, f"{VERSION}\n", "")
    if "Format" in arguments:
        raise Wrong("sinfo: error: the virtual cluster has no `--Format`; `--format` has the same columns")
    states = _states(arguments)
    if cluster.faults.is_silent(CONTROLLER):
        return Answer(1, "", f"slurm_load_partitions: {SILENT}\n")
    form = _form(arguments)
    groups = _groups(cluster, arguments, states, form)
    is_dated = "long" in arguments and "noheader" not in arguments and "format" not in arguments
    now = datetime.fromtimestamp(cluster.clock(), zone(call)).strftime("%a %b %d %H:%M:%S %Y\n")
    lines = [] if "noheader" in arguments else [_write(form, lambda letter: _COLUMNS[letter][0])]
    lines += [_write(form, lambda letter, group=group: _COLUMNS[letter][1](group)) for group in groups]
    return Answer(0, now * is_dated + "".join(f"{line}\n" for line in lines), "")


def _form(arguments: Arguments) -> str:
    is_long = "long" in arguments
    if "format" in arguments:
        return arguments.get("format")
    if "list-reasons" in arguments:
        return _REASONS
    if "Node" in arguments:
        return _LONG_NODES if is_long else _NODES
    return _SUMMARY if "summarize" in arguments else _LONG if is_long else _DEFAULT


def _states(arguments: Arguments) -> set[str] | None:
    words = {short: word for word, short in SHORT.items()} | {word: word for word in SHORT} | {"down": "down*"}
    asked = arguments.names("states")
    for one in asked or ():
        if one.lower() not in words:
            valid = ",".join(dict.fromkeys(word.rstrip("*") for word in SHORT))
            raise Wrong(f'sinfo: error: Bad state string: "{one}"\nsinfo: error: valid states: {valid}')
    return None if asked is None else {words[one.lower()] for one in asked}


def _groups(cluster: VirtualCluster, arguments: Arguments, states: set[str] | None, form: str) -> list[Group]:
    partitions, hosts = arguments.names("partition"), arguments.get("nodes")
    named = read_hosts(hosts) if hosts else None
    singly = "Node" in arguments
    # What tells nodes apart: what is shown of them, and nothing that is counted.
    apart = [letter for letter in re.findall(r"%\.?\d*([A-Za-z])", form) if letter in "cmGtTfbEeOn"]
    found = []
    for partition in cluster.rules.partitions:
        if partitions is not None and partition.name not in partitions:
            continue
        nodes = [node for node in cluster.nodes.values() if node.is_of(partition)]
        nodes = [node for node in nodes if named is None or node.name in named]
        nodes = [node for node in nodes if states is None or state_of(node) in states]
        if "list-reasons" in arguments:
            nodes = [node for node in nodes if node.drained]
        groups: dict[tuple[str, ...], list[Node]] = {}
        for node in nodes:
            alone = Group(partition, (node,))
            key = tuple(_COLUMNS[letter][1](alone) for letter in apart)
            groups.setdefault((*key, node.name) if singly else key, []).append(node)
        # The busiest come first, as in Slurm.
        found += sorted(
            (Group(partition, tuple(one)) for one in groups.values()),
            key=lambda group: (group.first.name if singly else "", _ORDER.index(state_of(group.first))),
        )
    if singly:
        found.sort(key=lambda group: group.first.name)
    return found


def _count(nodes: Sequence[Node], words: Sequence[str]) -> int:
    return sum(state_of(node) in words for node in nodes)


def _nodes(group: Group) -> str:
    busy, idle = _count(group.nodes, ("allocated", "mixed")), _count(group.nodes, ("idle",))
    return f"{busy}/{idle}/{len(group.nodes) - busy - idle}/{len(group.nodes)}"


def _cpus(group: Group) -> str:
    there = [node for node in group.nodes if node.takes_jobs]
    busy = sum(node.cores - node.free_cores for node in group.nodes if node.is_up)
    idle, total = sum(node.free_cores for node in there), sum(node.cores for node in group.nodes)
    return f"{busy}/{idle}/{total - busy - idle}/{total}"


def _longest(group: Group) -> str:
    longest = group.partition.longest
    return write_limit(longest if math.isfinite(longest) else 0.0, "infinite")


def _least(number: Callable[[Node], int]) -> Callable[[Group], str]:
    def write(group: Group) -> str:
        numbers = {number(node) for node in group.nodes}
        return f"{min(numbers)}+" if len(numbers) > 1 else str(min(numbers))

    return write


def _name(group: Group) -> str:
    return f"{group.partition.name}{'*' if group.partition.is_default else ''}"


def _up(group: Group) -> str:
    ways = {(True, True): "up", (False, True): "down", (True, False): "drain", (False, False): "inact"}
    return ways[group.partition.is_up, group.partition.is_open]


def _features(group: Group) -> str:
    return ",".join(group.first.features) or "(null)"


# Letter → what its column is called, and what stands in it.
_COLUMNS: Mapping[str, tuple[str, Callable[[Group], str]]] = {
    "A": ("NODES(A/I)", lambda group: "/".join(_nodes(group).split("/")[:2])),
    "a": ("AVAIL", _up),
    "B": ("MAX_CPUS_PER_NODE", lambda _: "UNLIMITED"),
    "b": ("ACTIVE_FEATURES", _features),
    "C": ("CPUS(A/I/O/T)", _cpus),
    "c": ("CPUS", _least(lambda node: node.cores)),
    "D": ("NODES", lambda group: str(len(group.nodes))),
    "d": ("TMP_DISK", lambda _: "0"),
    "E": ("REASON", lambda group: group.first.drained or "none"),
    "e": ("FREE_MEM", _least(lambda node: node.free_memory // MIB)),
    "F": ("NODES(A/I/O/T)", _nodes),
    "f": ("AVAIL_FEATURES", _features),
    "G": ("GRES", lambda group: f"gpu:{group.first.gpus}" if group.first.gpus else "(null)"),
    "g": ("GROUPS", lambda _: "all"),
    "H": ("TIMESTAMP", lambda _: "Unknown"),
    "h": ("OVERSUBSCRIBE", lambda _: "NO"),
    "L": ("DEFAULTTIME", lambda _: "n/a"),
    "l": ("TIMELIMIT", _longest),
    "m": ("MEMORY", _least(lambda node: node.memory // MIB)),
    "N": ("NODELIST", lambda group: write_hosts(node.name for node in group.nodes)),
    "n": ("HOSTNAMES", lambda group: write_hosts(node.name for node in group.nodes)),
    "O": ("CPU_LOAD", lambda group: f"{group.first.cores - group.first.free_cores:.2f}"),
    "P": ("PARTITION", _name),
    "p": ("PRIO_TIER", lambda group: str(group.partition.tier)),
    "R": ("PARTITION", lambda group: group.partition.name),
    "r": ("ROOT", lambda _: "no"),
    "s": ("JOB_SIZE", lambda _: "1"),
    "T": ("STATE", lambda group: state_of(group.first)),
    "t": ("STATE", lambda group: SHORT[state_of(group.first)]),
    "u": ("USER", lambda _: "Unknown"),
    "v": ("VERSION", lambda _: "22.05.8"),
    "w": ("WEIGHT", lambda _: "1"),
    "X": ("SOCKETS", _least(lambda node: node.cores)),
    "Y": ("CORES", lambda _: "1"),
    "Z": ("THREADS", lambda _: "1"),
    "z": ("S:C:T", lambda group: f"{group.first.cores}:1:1"),
}


def _write(form: str, cell: Callable[[str], str]) -> str:
    def fill(match: re.Match[str]) -> str:
        right, width, letter, suffix = match.groups()
        if letter not in _COLUMNS:
            return suffix
        text, most = cell(letter), int(width or 0)
        if most:
            text = text[:most].rjust(most) if right else text[:most].ljust(most)
        return text + suffix

    return re.sub(r"%(\.?)(\d*)([A-Za-z])([^%]*)", fill, form)
