"""What schedulers of PBS and Torque write as a job's `comment` while it waits, in plain words.

OpenPBS begins it with `Not Running:` or `Can Never Run:`; the words after that are those of its scheduler's table of
reasons, and of Torque's own scheduler. Others, such as Maui and Moab, write what they want.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sciflow.schedulers.reasons import Holder, Limit, Of, Reason

_NEVER = "Can Never Run"
_RESOURCES = {
    "ncpus": "cores",
    "mem": "memory",
    "vmem": "memory",
    "ngpus": "GPUs",
    "nodect": "nodes",
    "walltime": "walltime",
    "mpiprocs": "processes",
}
_OTHER_QUEUE = "name another queue as `partition`, in the profile or for the task"
_OF_SITE = "nothing can be done about it from here; ask the site where it lasts"
_LESS_TIME = "what asks for less walltime may fit in before"


def _room(match: re.Match[str]) -> Reason:
    """``Insufficient amount of resource: ncpus (R: 8 A: 4 T: 64)``: asked for, available, and all that there is."""
    name, rest = match["resource"], match["rest"].strip()
    what = _RESOURCES.get(name, f"`{name}`")
    amounts = re.search(r"R: (\S+) A: (\S+) T: ([^\s)]+)", rest)
    detail = f"{what}: {amounts[1]} asked for, {amounts[2]} of {amounts[3]} free" if amounts else rest.strip("()")
    text = "waits for free cores, memory or GPUs" if name in ("ncpus", "mem", "ngpus") else f"waits for free {what}"
    return Reason(text, "what asks for less fits sooner", detail=detail)


def _limit_of_resource(match: re.Match[str]) -> Reason:
    """``would exceed user ann's limit on resource ncpus in complex``, and its older forms."""
    groups = match.groupdict()
    what = _RESOURCES.get(groups["resource"], f"`{groups['resource']}`")
    holder: Holder = "queue" if groups.get("queue") else "server"
    of = _of(groups.get("whose") or "overall")
    limit = Limit(holder, of, what, groups["resource"])
    whose = f" for a {of}" if of != "all" else " for all together"
    use = "memory is" if what == "memory" else "walltime is" if what == "walltime" else f"{what} are"
    many = "much" if use.endswith("is") else "many"
    text = f"as {many} {use} in use as its {holder} allows{whose}"
    return Reason(text, f"what asks for less fits sooner; or {_OTHER_QUEUE}", limit, detail=match[0])


def _limit_of_jobs(match: re.Match[str]) -> Reason:
    groups = match.groupdict()
    holder: Holder = "queue" if groups.get("queue") else "server"
    of = _of(groups.get("whose") or groups.get("of") or "overall")
    whose = f" for a {of}" if of != "all" else ""
    limit = Limit(holder, of, "jobs", "jobs")
    return Reason(f"as many jobs run as its {holder} allows{whose}", f"wait, or {_OTHER_QUEUE}", limit, detail=match[0])


def _of(word: str) -> Of:
    found: dict[str, Of] = {"user": "user", "group": "group", "project": "project"}
    return found.get(word.lower(), "all")


def _said(text: str, advice: str = "", is_hopeless: bool = False) -> Callable[[re.Match[str]], Reason]:
    return lambda match: Reason(text, advice, is_hopeless=is_hopeless, detail=match[0])


_WHOSE = r"(?P<whose>user|group|project|overall)"
_GONE = "nodes that it could use are down, drained or reserved"
# What the comment holds → what that means; the first that fits.
_COMMENTS: dict[str, Callable[[re.Match[str]], Reason]] = {
    r"Insufficient amount of (?:queue |server )?resource: (?P<resource>[^\s(]+)(?P<rest>.*)": _room,
    r"concurrent running subjobs limit": _said(
        "as many of its indices run as may run at once",
        "`qalter -W max_run_subjobs=<count> <job>` lets so many run at once",
    ),
    rf"would exceed {_WHOSE}.*? limit on resource (?P<resource>\S+) in queue (?P<queue>\S+)": _limit_of_resource,
    rf"would exceed {_WHOSE}.*? limit on resource (?P<resource>\S+)": _limit_of_resource,
    r"Queue (?P<queue>\S+) per-(?P<whose>\w+) limit reached on resource (?P<resource>\S+)": _limit_of_resource,
    r"Server per-(?P<whose>\w+) limit reached on resource (?P<resource>\S+)": _limit_of_resource,
    r"(?P<whose>User|Group|Project) has reached queue (?P<queue>\S+?)(?:'s)? running (?:job )?limit": _limit_of_jobs,
    r"(?P<whose>User|Group|Project) has reached server running (?:job )?limit": _limit_of_jobs,
    r"Queue (?P<queue>\S+) job limit (?:has been )?reached(?: for (?P<of>user|group|project) \S+)?": _limit_of_jobs,
    r"Server job limit (?:has been )?reached(?: for (?P<of>user|group|project) \S+)?": _limit_of_jobs,
    r"Node has reached (?:job|user|group) run limit": _said("as many jobs run on its nodes as these allow"),
    r"Queue not started": _said("its queue is stopped", _OTHER_QUEUE),
    r"Queue not an execution queue": _said("its queue hands jobs on, and has not done so yet"),
    r"[Dd]edicated time": _said("its queue is reserved, or will be before it could end", _LESS_TIME),
    r"run in nonprimetime only": _said("waits for the hours, outside of prime time, in which its queue runs"),
    r"run in primetime only": _said("waits for the hours of prime time, in which its queue runs"),
    r"(?:will|would) cross into (?P<what>\S+)": _said("could not end before prime time begins or ends", _LESS_TIME),
    r"interfere with a (?:top job|confirmed reservation)|conflict with (?:existing job/)?reservation|break strict"
    r"|backfill": _said("others with a higher priority come first", "what asks for less walltime may fit into a gap"),
    r"zero shares for fairshare|under job_sort_formula threshold": _said(
        "the share of its owner is used up", "wait until it recovers, or ask the site"
    ),
    r"Not enough (?:of the right type of |free )?nodes|No available resources on nodes|placement set"
    r"|too few free resources|has too few free|requesting an exclusive node|No free node|won't fit on node": _said(
        "waits for free cores, memory or GPUs", "what asks for less fits sooner"
    ),
    r"Not enough total nodes": _said("its queue has fewer nodes than it asks for", _OTHER_QUEUE, True),
    r"ineligible (?:state|type)|Node is (?:down|offline)|No nodes? (?:are )?available|does not exist": _said(_GONE),
    r"[Ll]icens": _said("waits for licences"),
    r"[Pp]rovision": _said("its nodes cannot be set up as it wants", _OF_SITE),
    r"PBS Error|Internal Scheduling Error|Failed to run": _said("the scheduler could not start it", _OF_SITE),
    r".*limit.*": lambda match: Reason(f"as many jobs run as are allowed ({match[0].partition(': ')[2] or match[0]})"),
}


def reason_of(comment: str) -> Reason:
    """Say why a job waits that could start, by its comment; PBS's own words where nobody knows them."""
    if not comment:
        return Reason("has not been looked at by the scheduler yet")
    if "Job Array Began" in comment:  # what stands in the record of its array job says nothing of this one
        return Reason("waits for its turn")
    found = next((make(match) for text, make in _COMMENTS.items() if (match := re.search(text, comment))), None)
    if _NEVER in comment:
        text = f"no node has what it asks for: it will wait for ever ({comment.partition(': ')[2]})"
        limit = found.limit if found is not None else None
        return Reason(text, f"cancel it, and ask for less; or {_OTHER_QUEUE}", limit, is_hopeless=True)
    return found or Reason(f"PBS says: {comment}")
