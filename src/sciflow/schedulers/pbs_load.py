"""How busy the nodes of PBS are, and what others have waiting for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sciflow.model.load import Load, PartitionLoad

OTHERS_COMMAND = ["qstat"]
_ABSENT = ("down", "offline", "unknown", "stale", "provisioning")
_WIDTH = 16  # of the columns in which `qstat` names users and queues


def read_load(nodes: Iterable[Mapping[str, Any]], others: str | None, user: str) -> Load:
    """The load; nodes that are no queue's own stand under no name, and so does what waits for them.

    Parameters
    ----------
    nodes
        The attributes of nodes.
    others
        What `OTHERS_COMMAND` printed, where that was asked.
    user
        Whose jobs are not those of others.
    """
    up: Counter[str] = Counter({"": 0})
    running: set[str] = set()
    for one in nodes:
        jobs = one.get("jobs") or ()
        running.update(_number(job) for job in ([jobs] if isinstance(jobs, str) else jobs))
        if not any(word in str(one.get("state", "")) for word in _ABSENT):
            up[str(one.get("queue", ""))] += int(one.get("resources_available", {}).get("ncpus", 0))
    waiting = None if others is None else _waiting(others, user, set(up), running)
    return Load({name: PartitionLoad(cores, None if waiting is None else waiting[name]) for name, cores in up.items()})


def _waiting(text: str, user: str, own: set[str], running: set[str]) -> Counter[str] | None:
    """Queue → how many jobs of others wait there for room; None where a site hides these from each other."""
    found: Counter[str] = Counter()
    seen: set[str] = set()
    names = {name[:_WIDTH]: name for name in own}
    for line in text.splitlines():
        words = line.split()
        if len(words) < 6 or not words[0][:1].isdigit():
            continue  # the title
        seen.add(_number(words[0]))
        owner, state, queue = words[-4], words[-2], words[-1]
        if owner[:_WIDTH] != user[:_WIDTH] and state == "Q":
            found[names.get(queue, "")] += 1
    return None if running - seen else found


def _number(job: str) -> str:
    return job.partition(".")[0].partition("[")[0].partition("/")[0]
