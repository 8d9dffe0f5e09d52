"""How busy Slurm's partitions are, and what others have waiting there."""

from __future__ import annotations

from collections import Counter

from sciflow.model.load import Load, PartitionLoad

NODES_COMMAND = ["sinfo", "-h", "-o", "%P|%C"]
OTHERS_COMMAND = ["squeue", "-h", "-t", "PENDING,RUNNING", "-o", "%u|%P|%T|%C|%r"]
# What waits for a start time, for other jobs or for a limit of its own would not start if there were more room.
_FOR_ROOM = ("Priority", "Resources", "None")


def read_load(nodes: str, others: str | None, user: str) -> Load:
    """The load, from the outputs of `NODES_COMMAND` and of `OTHERS_COMMAND`, where that was asked.

    Parameters
    ----------
    nodes, others
        What the commands printed.
    user
        Whose jobs are not those of others.
    """
    up: Counter[str] = Counter()
    busy: Counter[str] = Counter()
    default = ""
    for line in nodes.splitlines():
        label, bar, counts = line.rpartition("|")
        parts = counts.split("/")
        if not bar or len(parts) != 4:
            continue  # a greeting of the site's
        name = label.rstrip("*")
        default = name if label.endswith("*") else default
        allocated, idle = int(parts[0]), int(parts[1])
        up[name] += allocated + idle
        busy[name] += allocated
    waiting = _waiting(others, user, max(busy.values(), default=0)) if others is not None else None
    found = {name: PartitionLoad(cores, None if waiting is None else waiting[name]) for name, cores in up.items()}
    return Load(found, default)


def _waiting(text: str, user: str, busy: int) -> Counter[str] | None:
    """Partition → how many jobs of others wait for room there; None where a site hides these from each other."""
    found: Counter[str] = Counter()
    seen, mine = False, 0
    for line in text.splitlines():
        if line.count("|") < 4:
            continue
        owner, partitions, state, cores, reason = line.split("|", 4)
        if owner == user:
            mine += int(cores) if state == "RUNNING" else 0
            continue
        seen = True
        if state == "PENDING" and reason in _FOR_ROOM:
            found.update(partitions.split(","))
    # More is busy than what can be seen: the rest is that of others.
    return None if not seen and busy > mine else found
