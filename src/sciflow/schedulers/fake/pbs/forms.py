"""The forms in which `qstat` and `pbsnodes` print attributes: JSON, lines for machines, and text for people."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sciflow.schedulers.fake.pbs.names import SERVER

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

VERSION = "23.06.06"
_STAY_TEXT = ("Job_Name", "Account_Name", "project")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_HEADS = {"Jobs": "Job Id", "Queue": "Queue", "Server": "Server", "nodes": "Name"}
_WIDTH = 79  # columns of a line of text


def write_json(cluster: VirtualCluster, found: Mapping[str, Any]) -> str:
    """An answer as JSON, in which whatever looks like something else than text becomes that."""
    head = {"timestamp": int(cluster.clock()), "pbs_version": VERSION, "pbs_server": SERVER}
    is_old = getattr(cluster.face, "retypes_names", False)
    return json.dumps(head | _retyped(found, is_old), indent="\t", separators=(",", ":\t"), ensure_ascii=False) + "\n"


def _retyped(value: Any, is_old: bool, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {key: _retyped(one, is_old, key) for key, one in value.items()}
    if not isinstance(value, str) or (name in _STAY_TEXT and not is_old):
        return value
    if _NUMBER.fullmatch(value):
        number = float(value) if re.search(r"[.eE]", value) else int(value)
        if isinstance(number, float) and math.isinf(number):
            return None
        return int(number) if number == int(number) and not is_old else number
    if is_old or value[:1] not in ("n", "t", "f", "[", "{", '"'):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def write_dsv(kind: str, found: Mapping[str, Mapping[str, Any]], delimiter: str) -> str:
    """An answer with one job a line."""
    lines = []
    for name, facts in found.items():
        pairs = (f"{key}={value}" for key, value in _flat(facts))
        lines.append(delimiter.join([f"{_HEADS[kind]}: {name}", *pairs]).replace("\n", "\\n"))
    return "".join(f"{line}\n" for line in lines)


def write_text(kind: str, found: Mapping[str, Mapping[str, Any]], is_wide: bool) -> str:
    """An answer with one attribute a line, which is broken where it is long."""
    lines = []
    for name, facts in found.items():
        lines.append(f"{_HEADS[kind]}: {name}")
        for key, value in _flat(facts):
            line = f"    {key} = {value}"
            lines.append(line if is_wide else _broken(line))
        lines.append("")
    return "".join(f"{line}\n" for line in lines)


def _broken(line: str) -> str:
    parts = [line[:_WIDTH]]
    rest = line[_WIDTH:]
    while rest:
        parts.append(rest[: _WIDTH - 8])
        rest = rest[_WIDTH - 8 :]
    return "\n\t".join(parts)


def write_table(kind: str, found: Mapping[str, Mapping[str, Any]]) -> str:
    """A short answer for people; nothing where there is nothing to tell."""
    if not found:
        return ""
    if kind != "Jobs":
        return "".join(f"{name}  {facts.get('state_count', '')}\n" for name, facts in found.items())
    lines = [
        "Job id            Name             User              Time Use S Queue",
        "----------------  ---------------- ----------------  -------- - -----",
    ]
    for name, facts in found.items():
        title, user = str(facts["Job_Name"]), str(facts["Job_Owner"]).partition("@")[0]
        shown = title if len(title) <= 15 else f"{title[:14]}*"
        used = facts.get("resources_used", {}).get("cput", "0")
        lines.append(f"{name:<17} {shown:<16} {user:<13} {used:>8} {facts['job_state']} {facts['queue']:<16}")
    return "".join(f"{line}\n" for line in lines)


def _flat(facts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Attributes and resources; variables stand together in one."""
    for name, value in facts.items():
        if name == "Variable_List":
            yield name, ",".join(f"{key}={_escaped(str(one))}" for key, one in value.items())
        elif isinstance(value, Mapping):
            yield from ((f"{name}.{key}", one) for key, one in value.items())
        elif isinstance(value, list):
            yield name, ", ".join(map(str, value))
        else:
            yield name, value


def _escaped(text: str) -> str:
    return text.replace(",", "\\,")
