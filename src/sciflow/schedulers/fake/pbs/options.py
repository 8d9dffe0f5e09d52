"""The options of `qsub`, on the command line and in `#PBS` lines, as what a job asks for."""

from __future__ import annotations

import getopt
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from sciflow.schedulers.fake.pbs import usage
from sciflow.schedulers.fake.pbs.amounts import Wrong, read_memory, read_moment, read_select, read_walltime
from sciflow.schedulers.fake.pbs.depend import read_dependency
from sciflow.schedulers.fake.pbs.names import SERVER
from sciflow.schedulers.fake.pbs.variables import read_variables
from sciflow.schedulers.fake.request import Dependency, Request

LETTERS = "a:A:c:C:e:fhIj:J:k:l:m:M:N:o:p:P:q:r:R:S:u:v:VW:Xz"
_ATTRIBUTES = (
    *("depend", "umask", "max_run_subjobs", "block", "group_list", "sandbox", "stagein", "stageout", "run_count"),
    *("release_nodes_on_stageout", "tolerate_node_failures", "pwd", "array_indices_submitted", "alt_id"),
)
_NAME = re.compile(r"[A-Za-z0-9._+-]+")
_INDICES = re.compile(r"(\d+)-(\d+)(?::(\d+))?(?:%(.*))?")
_PLACES = re.compile(r"(free|pack|scatter|vscatter)?:?(excl|exclhost|shared)?(:?group=\w+)?")
_VALUES = {"j": ("oe", "eo", "n"), "k": None, "r": ("y", "n"), "R": ("o", "e", "oe", "eo")}
_KEEP = re.compile(r"n|d?o?e?|d?e?o?|o?e?d?|e?o?d?|o?d?e?|e?d?o?")
_OF_A_JOB = ("software", "arch", "cput", "pmem", "pvmem", "vmem")
_HIGHEST = 2_147_483_647


@dataclass
class Options:
    """Options as they were given: letters, resources (`-l`) and attributes (`-W`)."""

    letters: dict[str, str] = field(default_factory=dict)
    resources: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)

    def over(self, others: Options) -> Options:
        """These, and those of the others that are not among these."""
        return Options(
            others.letters | self.letters, others.resources | self.resources, others.attributes | self.attributes
        )


@dataclass(frozen=True)
class Read:
    """What a call of `qsub` means; `details` is what only this face understands."""

    request: Request
    dependency: Dependency
    details: dict[str, Any]


def split_call(arguments: Sequence[str], tool: str = "qsub") -> tuple[Options, list[str]]:
    """The options of a call, and what stands behind them.

    Raises
    ------
    Wrong
        For options that there are not.
    """
    try:
        pairs, rest = getopt.getopt(list(arguments), LETTERS)
    except getopt.GetoptError as error:
        text = usage.QSUB if tool == "qsub" else usage.QALTER
        said = "invalid option" if "not recognized" in error.msg else "option requires an argument"
        raise Wrong(f"{tool}: {said} -- '{error.opt}'\n{text}", 2) from error
    options = Options()
    for flag, value in pairs:
        letter = flag[1:]
        if letter == "l":
            options.resources |= _assignments(value, "l", tool)
        elif letter == "W":
            options.attributes |= _assignments(value, "W", tool)
        else:
            options.letters[letter] = value
    return options, rest


def read_directives(text: str, prefix: str = "#PBS") -> Options:
    """The options in a job script; PBS reads no further than the first command.

    Raises
    ------
    Wrong
        For lines that hold more than options.
    """
    options = Options()
    for line in text.splitlines():
        bare = line.lstrip()
        if bare.startswith(prefix) and bare[len(prefix) : len(prefix) + 1] in (" ", "\t", ""):
            words = bare[len(prefix) :].strip()
            more, rest = split_call(shlex.split(words))
            if rest:
                raise Wrong(f"qsub: directive error: {words} ", 1)
            options = more.over(options)
        elif bare and not bare.startswith("#") and not bare.startswith(":"):
            break
    return options


def read_options(options: Options, script: str, now: float, zone: tzinfo | None, own: Mapping[str, str]) -> Read:
    """What options ask for.

    Parameters
    ----------
    options
        All of them.
    script
        The name of the script, after which the job is called where nothing else is said.
    now, zone
        The time, and the zone of who calls.
    own
        The environment of who calls.

    Raises
    ------
    Wrong
        In the words of `qsub`.
    """
    given, attributes = options.letters, options.attributes
    check_letters(given)
    name = given.get("N", script)
    _check_name(name)
    indices, throttle = _indices(given.get("J"))
    if indices is not None and given.get("r") == "n":
        raise Wrong(f"qsub:  cannot submit non-rerunable Array Job\n{usage.QSUB}", 2)
    if "max_run_subjobs" in attributes:
        if throttle is not None:
            raise illegal("W")
        throttle = int(attributes["max_run_subjobs"])
    begin = read_moment(given["a"], now, zone) if "a" in given else 0.0
    if begin is None:
        raise illegal("a")
    unknown = next((one for one in attributes if one not in _ATTRIBUTES), None)
    if unknown:
        raise Wrong("qsub: Error (15002) submitting job", 154)
    shown, request = read_resources(options.resources)
    chosen = Request(
        name=name,
        indices=indices,
        throttle=throttle or 0,
        is_requeued=given.get("r") != "n",
        begin=begin if begin > now else 0.0,
        partition=_queue(given.get("q", "")),
        account=given.get("A", ""),
        is_held="h" in given or throttle == 0,
        is_appended="d" in given.get("k", ""),
        is_removed_when_hopeless=True,
        **request,
    )
    details = {
        "letters": given,
        "attributes": attributes,
        "resources": shown,
        "never": throttle == 0,  # `%0`: none of them ever starts
        "variables": read_variables(given.get("v", ""), own, "V" in given),
    }
    return Read(chosen, read_dependency(attributes.get("depend", "")), details)


def check_letters(given: Mapping[str, str], tool: str = "qsub") -> None:
    """Refuse values that options cannot have.

    Raises
    ------
    Wrong
        In the words of the command.
    """
    for letter, known in _VALUES.items():
        value = given.get(letter)
        if value is None:
            continue
        if letter == "k":
            is_right = bool(value) and _KEEP.fullmatch(value) is not None and value not in ("d", "dd")
        else:
            is_right = known is not None and value in known
        if not is_right:
            raise illegal(letter, tool)
    for letter in ("o", "e", "S", "c"):
        if given.get(letter) == "":
            raise illegal(letter, tool)
    if "p" in given and not re.fullmatch(r"[+-]?\d{1,4}", given["p"]):
        raise illegal("p", tool)
    if "m" in given and not re.fullmatch(r"n|[abej]+", given["m"]):
        raise illegal("m", tool)
    if "/" in given.get("P", ""):
        raise illegal("P", tool)


def illegal(letter: str, tool: str = "qsub") -> Wrong:
    """Return the complaint about a value that an option cannot have."""
    return Wrong(f"{tool}: illegal -{letter} value\n{usage.QSUB if tool == 'qsub' else usage.QALTER}", 2)


def read_resources(given: Mapping[str, str]) -> tuple[dict[str, str | int], dict[str, Any]]:
    """The resources as they are shown of a job, and what they are as a request.

    Raises
    ------
    Wrong
        For resources that there are not, or that do not go together.
    """
    known = dict(given)
    shown: dict[str, str | int] = {}
    seconds = read_walltime(known.pop("walltime", "0") or "0")
    if seconds is None:
        raise Wrong("qsub: Illegal attribute or resource value Resource_List.walltime", 166)
    place = known.pop("place", "")
    if place and not _PLACES.fullmatch(place):
        raise Wrong("qsub: Illegal attribute or resource value Resource_List.place", 166)
    select, default = known.pop("select", ""), "free"
    software = {name: known.pop(name) for name in _OF_A_JOB if name in known}
    if select and known:
        first = next(iter(known))
        raise Wrong(f'qsub: "-lresource=" cannot be used with "select" or "place", resource is: {first}', 5)
    if "nodes" in known:
        shown["nodes"], select, default = _old_nodes(known)
    elif not select:
        select, default = _old_resources(known), "pack"
    chunks = read_select(select)
    shown |= {**chunks.texts, "nodect": chunks.count, "place": place or default, "select": select, **software}
    if seconds:
        hours = int(seconds)
        shown["walltime"] = f"{hours // 3600:02d}:{hours % 3600 // 60:02d}:{hours % 60:02d}"
    totals = chunks.totals
    asked = {"cores": totals["ncpus"], "memory": totals["mem"], "gpus": totals["ngpus"], "seconds": seconds}
    shown["first"] = chunks.first.get("ncpus", "1")
    return shown, asked


def _old_nodes(known: Mapping[str, str]) -> tuple[str, str, str]:
    """``nodes=2:ppn=4`` as a selection, and where it goes."""
    head, *parts = known["nodes"].split(":")
    if not head.isdecimal():
        raise Wrong("qsub: node(s) specification error", 241)
    asked = {part.partition("=")[0]: part.partition("=")[2] for part in parts}
    ppn = asked.pop("ppn", "")
    if asked and set(asked) - {"ncpus", "mpp"}:
        raise Wrong("qsub: node(s) specification error", 241)
    memory = f":mem={known['mem']}" if "mem" in known else ""
    chunk = f":ncpus={ppn}:mpiprocs={ppn}" if ppn else ":ncpus=1"
    return known["nodes"], f"{head}{chunk}{memory}", "scatter"


def _old_resources(known: Mapping[str, str]) -> str:
    parts = [f"ncpus={known.get('ncpus', '1')}"]
    for name, value in known.items():
        if name not in ("ncpus", "mem", "ngpus", "mpiprocs"):
            raise Wrong(f"qsub: Unknown resource Resource_List.{name}", 187)
        if name == "mem" and read_memory(value) is None:
            raise Wrong("qsub: Illegal attribute or resource value Resource_List.mem", 166)
        if name != "ncpus":
            parts.append(f"{name}={value}")
    return "1:" + ":".join(parts)


def _assignments(text: str, letter: str, tool: str) -> dict[str, str]:
    """``a=b,c=d``; a value may hold commas where what follows is no assignment."""
    found: dict[str, str] = {}
    last = ""
    for part in re.split(r",(?![^{]*\})", text):
        name, equals, value = part.partition("=")
        if equals and re.fullmatch(r"\s*[\w.]+\s*", name):
            last = name.strip()
            found[last] = value.strip()
        elif last:
            found[last] += f",{part}"
        else:
            raise illegal(letter, tool)
    return found


def _check_name(name: str) -> None:
    if len(name) > 230:
        raise Wrong("qsub: Job name is too long", 2)
    if not _NAME.fullmatch(name):
        raise illegal("N")


def _indices(text: str | None) -> tuple[tuple[int, ...] | None, int | None]:
    """The indices that stand behind `-J`, and how many of them may run at once."""
    if text is None:
        return None, None
    match = _INDICES.fullmatch(text)
    if match is None or int(match[1]) >= int(match[2]) or match[3] == "0":
        raise illegal("J")
    if match[4] is not None and not match[4].isdecimal():
        raise Wrong("qsub: Error (15014) submitting job", 166)
    if int(match[2]) > _HIGHEST:
        raise Wrong("qsub: Illegal attribute or resource value ", 166)
    indices = range(int(match[1]), int(match[2]) + 1, int(match[3] or 1))
    return tuple(indices), int(match[4]) if match[4] is not None else None


def _queue(text: str) -> str:
    """The queue of ``queue@server``."""
    queue, _, server = text.partition("@")
    if server not in ("", SERVER):
        raise Wrong(f"Unknown Host.\nqsub: cannot connect to server {server} (errno=15008)", 160)
    return queue
