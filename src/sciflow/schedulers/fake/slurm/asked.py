"""What the options of `sbatch` ask for."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo

from sciflow.schedulers.fake.nodes import Node
from sciflow.schedulers.fake.request import Request
from sciflow.schedulers.fake.slurm.arguments import Wrong
from sciflow.schedulers.fake.slurm.hosts import read_hosts
from sciflow.schedulers.fake.slurm.lists import read_list
from sciflow.schedulers.fake.slurm.times import read_limit, read_moment

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
FAILED = "sbatch: error: Batch job submission failed: "
LONGEST_ARRAY = 4_096  # characters
TOO_LONG = FAILED + "Pathname of a file, directory or other parameter too long"
_BAD_ARRAY = FAILED + "Invalid job array specification"
_BYTES = {"": MIB, "K": KIB, "M": MIB, "G": GIB, "T": 1 << 40}
_SIGNALS = r"(?:[RB]{1,2}:)?(?:\d+|(?:SIG)?(?:USR1|USR2|HUP|INT|QUIT|KILL|TERM|ALRM|CONT|STOP|TSTP|URG|CHLD))(?:@\d+)?"
_MAILS = r"NONE|BEGIN|END|FAIL|REQUEUE|ALL|INVALID_DEPEND|STAGE_OUT|TIME_LIMIT(?:_(?:90|80|50))?|ARRAY_TASKS"
# Option → what its value looks like, where that is all there is to it.
_FORMS = {
    "exclusive": r"|user|mcs",
    "kill-on-invalid-dep": r"(?i:yes|no)",
    "mail-type": rf"(?i:(?:{_MAILS})(?:,(?:{_MAILS}))*)",
    "open-mode": r"a|append|t|truncate",
    "signal": _SIGNALS,
}
_WHOLE = ("cpus-per-task", "ntasks", "ntasks-per-node", "mincpus", "cpus-per-gpu")


@dataclass(frozen=True)
class Place:
    """What must be known to read options: the nodes of the partition, the time, and the time zone of who calls."""

    nodes: tuple[Node, ...]
    now: float
    zone: tzinfo | None


def read_request(given: Mapping[str, str], name: str, place: Place) -> Request:
    """What options ask for; `name` is that of a job that has none.

    Raises
    ------
    Wrong
        In the words of `sbatch`.
    """
    _check_forms(given)
    indices, throttle = _read_array(given.get("array", ""))
    cores = _cores(given, place)
    gpus = _gpus(given)
    features, unfit = _features(given.get("constraint", ""), place.nodes)
    return Request(
        name=given.get("job-name", name),
        indices=indices,
        throttle=throttle,
        output=given.get("output", "slurm-%A_%a.out" if indices is not None else "slurm-%j.out"),
        error=given.get("error", ""),
        is_appended=given.get("open-mode", "").startswith("a"),
        is_requeued="no-requeue" not in given,
        cores=cores,
        memory=_memory(given, cores, gpus, place),
        gpus=gpus,
        seconds=_seconds(given),
        begin=_begin(given, place),
        partition=given.get("partition", ""),
        account=given.get("account", ""),
        qos=given.get("qos", ""),
        reservation=given.get("reservation", ""),
        features=features,
        excluded=tuple(dict.fromkeys([*_excluded(given, place.nodes), *unfit])),
        nice=_nice(given),
        is_held="hold" in given,
        is_removed_when_hopeless=given.get("kill-on-invalid-dep", "").lower() == "yes",
    )


def invalid(option: str, words: str = "") -> Wrong:
    """A complaint about the value of an option."""
    return Wrong(f"{words}sbatch: error: Invalid --{option} specification", 255)


def _check_forms(given: Mapping[str, str]) -> None:
    for option, form in _FORMS.items():
        if option in given and not re.fullmatch(form, given[option]):
            raise invalid(option)
    for option in _WHOLE:
        if option in given and not re.fullmatch(r"0*[1-9]\d*", given[option]):
            raise Wrong(f'sbatch: error: Invalid numeric value "{given[option]}" for --{option}.')
    if sum(one in given for one in ("mem", "mem-per-cpu", "mem-per-gpu")) > 1:
        raise Wrong("sbatch: fatal: --mem, --mem-per-cpu, and --mem-per-gpu are mutually exclusive.")
    for option in ("uid", "gid"):
        if option in given:
            raise Wrong(f"sbatch: error: --{option} only permitted by root user", 255)
    if "licenses" in given:
        raise Wrong(FAILED + "Invalid license specification")


def _read_array(text: str) -> tuple[tuple[int, ...] | None, int]:
    if len(text) > LONGEST_ARRAY:
        raise Wrong(TOO_LONG)
    if not text:
        return None, 0
    list_, _, most = text.replace(" ", "").partition("%")
    part = r"\d+(?:-\d+(?::0*[1-9]\d*)?)?"
    list_ = list_.removeprefix("[").removesuffix("]").removesuffix(",")
    if not re.fullmatch(rf"{part}(?:,{part})*", list_):
        raise Wrong(_BAD_ARRAY)
    bounds = [[int(one) for one in re.split(r"[-:]", piece)[:2]] for piece in list_.split(",")]
    if any(one[0] > one[-1] or one[-1] >= LARGEST for one in bounds):
        raise Wrong(_BAD_ARRAY)
    number = re.match(r"\d+", most)  # whatever else stands there is none
    return tuple(read_list(list_)), int(number[0]) if number else 0


LARGEST = 4_000_001  # no cluster of Slurm's takes an index that is as large


def _cores(given: Mapping[str, str], place: Place) -> int:
    _check_nodes(given.get("nodes", "1"))
    tasks = int(given.get("ntasks", given.get("ntasks-per-node", 1)))
    cores = max(tasks * int(given.get("cpus-per-task", 1)), int(given.get("mincpus", 1)))
    if "exclusive" in given:
        cores = max([cores, *(node.cores for node in place.nodes)])
    return cores


def _check_nodes(text: str) -> None:
    match = re.fullmatch(r"(-?\d+)(?:-(\d+))?", text)
    if match is None:
        raise Wrong(f'sbatch: error: "{text}" is not a valid node count', 255)
    least, most = int(match[1]), int(match[2] or match[1])
    if most < least:
        raise Wrong(f"sbatch: error: Maximum node count {most} is less than minimum node count {least}", 255)
    if least > 1:
        # Words of our own: no Slurm says that, and who plans with several nodes must not be misled.
        words = f"sbatch: error: the virtual cluster has no jobs of several nodes, and this one asks for {text}\n"
        raise Wrong(f"{words}{FAILED}Requested node configuration is not available")


def _gpus(given: Mapping[str, str]) -> int:
    per_task = _count_gpus(given["gpus-per-task"]) * int(given.get("ntasks", 1)) if "gpus-per-task" in given else 0
    direct = [_count_gpus(given[one]) for one in ("gpus", "gpus-per-node") if one in given]
    wanted = max([per_task, *direct])
    if "gres" in given and given["gres"] != "none":
        if not given["gres"]:
            raise Wrong(FAILED + "Invalid Trackable RESource (TRES) specification")
        for one in given["gres"].split(","):
            kind, _, rest = one.removeprefix("gres:").partition(":")
            if kind != "gpu":
                raise Wrong("sbatch: error: Invalid generic resource (gres) specification")
            wanted = max(wanted, _count_gpus(rest or "1"))
    return wanted


def _count_gpus(text: str) -> int:
    """The number in ``2`` and ``a100:2``; of one type without a number there is one."""
    number = text.rpartition(":")[2]
    return int(number) if number.isdecimal() else 1


def _bytes(option: str, text: str) -> int:
    match = re.fullmatch(r"(\d+)([KMGT]?)B?", text.upper())
    if match is None:
        raise invalid(option)
    return math.ceil(int(match[1]) * _BYTES[match[2]] / MIB) * MIB


def _memory(given: Mapping[str, str], cores: int, gpus: int, place: Place) -> int:
    """Bytes; a node's whole memory where `--mem=0` asks for it."""
    counts = {"mem": 1, "mem-per-cpu": cores, "mem-per-gpu": max(1, gpus)}
    for option, count in counts.items():
        if option in given:
            asked = _bytes(option, given[option]) * count
            return asked or max((node.memory for node in place.nodes), default=0)
    return 0


def _seconds(given: Mapping[str, str]) -> float:
    try:
        return read_limit(given["time"]) if "time" in given else 0.0
    except ValueError as error:
        raise invalid("time") from error


def _begin(given: Mapping[str, str], place: Place) -> float:
    for option in ("begin", "deadline"):
        if option in given:
            try:
                moment = read_moment(given[option], place.now, place.zone) if given[option] else None
            except Wrong as wrong:
                raise invalid(option, f"{wrong}\n") from wrong
            if moment is None:
                raise invalid(option)
            if option == "begin":
                return moment if math.isfinite(moment) and moment > place.now else 0.0
    return 0.0


def _nice(given: Mapping[str, str]) -> int:
    if "nice" not in given:
        return 0
    text = given["nice"] or "100"
    value = int(text) if re.fullmatch(r"-?\d+", text) else 0
    if abs(value) > 2_147_483_645:
        raise Wrong("sbatch: error: Invalid --nice value, out of range (+/- 2147483645)", 255)
    if value < 0:
        raise Wrong(FAILED + "Invalid --nice value")
    return value


def _excluded(given: Mapping[str, str], nodes: Iterable[Node]) -> list[str]:
    """The nodes on which it must not run: those that are excluded, and all that are not named where some are."""
    known = [node.name for node in nodes]
    excluded, named = (read_hosts(given.get(one, "")) for one in ("exclude", "nodelist"))
    if not set(excluded) | set(named) <= set(known):
        raise Wrong(FAILED + "Invalid node name specified")
    return [*excluded, *(one for one in known if named and one not in named)]


def _features(text: str, nodes: tuple[Node, ...]) -> tuple[tuple[str, ...], list[str]]:
    """What each node must have, and the nodes that do not fit where one of several is enough."""
    words = [one for one in re.split(r"[&|,\[\]()]+", text) if one]
    known = {one for node in nodes for one in node.features}
    if not set(words) <= known:
        raise Wrong(FAILED + "Invalid feature specification")
    if "|" not in text:
        return tuple(words), []
    ways = [set(filter(None, re.split(r"[&,]", way))) for way in text.strip("[]()").split("|")]
    return (), [node.name for node in nodes if not any(way <= set(node.features) for way in ways)]
