"""Slurm's reasons to wait in plain words: a table of single ones, and the pattern of those that are limits."""

from __future__ import annotations

import re

from sciflow.schedulers.reasons import Holder, Limit, Of, Reason

NONE = ("None", "N/A", "")  # what stands there where Slurm gives no reason
NEVER = "DependencyNeverSatisfied"
_LESS = "ask for less, or for another partition or QOS"
_MINE = "`sacctmgr show assoc user=$USER format=account,qos` lists what you may use"
_HELD = "held by its owner: `scontrol release` lets it go"
_RELEASE = "`scontrol release <job>` lets it go"
_OF_SITE = "nothing can be done about it from here; ask the site where it lasts"


def _forever(text: str, advice: str = _LESS, limit: Limit | None = None) -> Reason:
    return Reason(f"{text}: it will wait for ever", advice, limit, is_hopeless=True)


_NOT_THERE = Reason(
    "nodes that it could use are down, drained or reserved",
    "`sinfo -R` tells why nodes are out; less walltime may fit in before a reservation begins",
)
_OF_RESERVATION = _forever("its reservation is gone or not valid", "`scontrol show reservation` lists them")
# Reasons by their whole word, or by their beginning where that ends with a space or a comma in what Slurm says.
_REASONS = {
    "Priority": Reason(
        "others with a higher priority come first", "what asks for less, or for less time, may start in a gap before"
    ),
    "Resources": Reason("waits for free cores, memory or GPUs", "what asks for less fits sooner"),
    "Dependency": Reason("waits for the array job before it"),
    NEVER: Reason("what it waits for has failed, so it can never start", "`sciflow retry <run>`", is_hopeless=True),
    "BeginTime": Reason(
        "waits for its start time", "`scontrol update JobId=<waiting> StartTime=now` lets it start sooner"
    ),
    "JobArrayTaskLimit": Reason(
        "as many of its indices run as may run at once",
        "`scontrol update JobId=<job> ArrayTaskThrottle=<count>` lets so many run at once; the limit is in the profile",
    ),
    "JobHeldUser": Reason(_HELD, _RELEASE, is_hopeless=True),
    "JobHeldAdmin": Reason("held by an administrator", "ask the site why", is_hopeless=True),
    "JobHoldMaxRequeue": Reason(
        "was put back more often than the site allows, and is held",
        f"`sciflow logs <run> <index>`; then {_RELEASE}",
        is_hopeless=True,
    ),
    "job requeued in held state": Reason(
        "put back and held: `scontrol release` lets it go", _RELEASE, is_hopeless=True
    ),
    "launch failed requeued held": Reason(
        "its node could not start it; it is held: `scontrol release` tries again", _RELEASE, is_hopeless=True
    ),
    "PartitionTimeLimit": _forever("asks for more time than its partition allows"),
    "PartitionNodeLimit": _forever("asks for more nodes than its partition has"),
    "PartitionConfig": _forever("its partition can never give what it asks for"),
    "PartitionDown": Reason("its partition is down", "another partition may take it"),
    "PartitionInactive": Reason("its partition takes no jobs at present", "another partition may take it"),
    "BadConstraints": _forever("no node has what it asks for"),
    "Constraints": _forever("no node has what it asks for"),
    "MaxMemPerLimit": _forever("asks for more memory than the site allows per CPU or node"),
    "ReqNodeNotAvail": _NOT_THERE,
    "Nodes required for job are DOWN": _NOT_THERE,
    "NodeDown": Reason("a node that it needs is down", "`sinfo -R` tells why nodes are out"),
    "FrontEndDown": Reason("the front end that would start it is down", _OF_SITE),
    "PowerNotAvail": Reason("there is not enough electric power for it at present", _OF_SITE),
    "PowerReserved": Reason("the electric power that it needs is reserved", _OF_SITE),
    "Reservation": Reason("waits for its reservation", "`scontrol show reservation` tells when that begins"),
    "ReservationDeleted": _OF_RESERVATION,
    "ReservationInvalid": _OF_RESERVATION,
    "Licenses": Reason("waits for licences", "`scontrol show licenses` lists them"),
    "InvalidAccount": _forever("its account is not valid", _MINE),
    "AccountNotAllowed": _forever("its account may not use its partition", _MINE),
    "InvalidQOS": _forever("its QOS is not valid", _MINE),
    "QOSNotAllowed": _forever("its QOS may not be used with its account or partition", _MINE),
    "QOSUsageThreshold": _forever("the usage of its account is too high for its QOS", "wait, or name another QOS"),
    "AccountingPolicy": Reason("a limit of its account or QOS is reached", _MINE),
    "AssociationJobLimit": Reason("as many jobs run as its account allows"),
    "AssociationResourceLimit": Reason("a limit of its account is reached", _LESS),
    "AssociationTimeLimit": Reason("the time that its account may use is used up", "name another account"),
    "QOSJobLimit": Reason("as many jobs run as its QOS allows"),
    "QOSResourceLimit": Reason("a limit of its QOS is reached", _LESS),
    "QOSTimeLimit": Reason("the time that its QOS may use is used up", "name another QOS"),
    "BurstBufferResources": Reason("waits for space in the burst buffer"),
    "BurstBufferStageIn": Reason("its files are being copied into the burst buffer"),
    "BurstBufferOperation": Reason("the burst buffer has failed it", _OF_SITE, is_hopeless=True),
    "SchedDefer": Reason("the scheduler looks at new jobs later"),
    "Prolog": Reason("its node is being made ready for it"),
    "Cleaning": Reason("is being put back into the queue"),
    "FedJobLock": Reason("the clusters of the federation settle which of them runs it"),
    "DeadLine": _forever("cannot end before its deadline", "cancel it, and ask for less time"),
    "SystemFailure": Reason("Slurm itself has failed it", _OF_SITE),
}
# Slurm's word → ours for many of it, for one, and the word by which a limit's value is looked up.
_RESOURCES = {
    "CPU": ("CPUs", "CPU", "cpu"),
    "Memory": ("memory", "memory", "mem"),
    "Mem": ("memory", "memory", "mem"),
    "Node": ("nodes", "node", "node"),
    "GRES": ("GPUs or other generic resources", "GPU", "gres"),
    "License": ("licences", "licence", "license"),
    "Energy": ("energy", "energy", "energy"),
    "Billing": ("billing units", "billing-unit", "billing"),
    "BB": ("burst-buffer space", "burst-buffer", "bb"),
    "Unknown": ("of some resource", "resource", ""),
    "SubmitJob": ("jobs in the queue", "job", "submit"),
    "Job": ("jobs", "job", "jobs"),
    "WallDuration": ("walltime", "walltime", "wall"),
    "Wall": ("walltime", "walltime", "wall"),
}
_UNCOUNTED = ("mem", "energy", "bb", "wall", "")
_LIMIT = re.compile(
    r"(?P<holder>Assoc|QOS|)(?P<kind>Grp|Max|Min)"
    rf"(?P<what>{'|'.join(_RESOURCES)})s?(?P<run>Run)?(?P<minutes>Min(?:ute)?s)?"
    r"(?:Per(?P<of>Job|Node|User|Account))?(?:Limit|NotSatisfied)?",
    re.IGNORECASE,
)
_KNOWN = {word.lower(): resource for word, resource in _RESOURCES.items()}


def reason_of(code: str) -> Reason:
    """Say why a job waits, by what `squeue` gives as its reason; Slurm's own word where nobody knows it."""
    if code in NONE:
        return Reason("has not been looked at by the scheduler yet")
    head = re.split(r"[,(]", code, maxsplit=1)[0].strip()
    known = _REASONS.get(head) or next((one for word, one in _REASONS.items() if " " in word and word in code), None)
    if known is not None:
        return known
    match = _LIMIT.fullmatch(head)
    if match is None:
        return Reason(f"Slurm says: {code}")
    return _of_limit(_limit(match))


def _limit(match: re.Match[str]) -> Limit:
    many, one, resource = _KNOWN[match["what"].lower()]
    holder: Holder = "account" if match["holder"] == "Assoc" else "QOS"
    counted: dict[str, Of] = {"Job": "job", "Node": "node", "User": "user", "Account": "account"}
    # `AssocMaxJobs…` is of the association of a user; a QOS has what it says, or all that use it.
    otherwise: Of = "all" if match["kind"] == "Grp" else "user" if resource in ("jobs", "submit") else "job"
    of = counted[match["of"]] if match["of"] else otherwise
    minutes = "" if not match["minutes"] else "reserved" if match["run"] else "spent"
    what = f"{one}-minutes" if minutes else many
    return Limit(holder, of, what, resource, minutes, match["kind"] == "Min")


def _of_limit(limit: Limit) -> Reason:
    """A limit in words: of one job it binds for ever, of several until others end or, of time, until it is given."""
    whose, what = f"its {limit.holder}", limit.what
    is_counted = bool(limit.minutes) or limit.resource not in _UNCOUNTED
    many, less = ("many", "fewer") if is_counted else ("much", "less")
    other = f"name another {limit.holder}, in the profile or for the task"
    if limit.is_least:
        text = f"asks for {less} {what} than {whose} wants at least"
        return _forever(text, f"ask for more, or {other}", limit)
    if limit.of in ("job", "node"):
        where = "a job" if limit.of == "job" else "one node"
        return _forever(f"asks for more {what} than {whose} allows for {where}", f"ask for less, or {other}", limit)
    if limit.resource in ("jobs", "submit"):
        verb = "are queued" if limit.resource == "submit" else "run"
        return Reason(f"as many jobs {verb} as {whose} allows{_for(limit)}", f"wait, or {other}", limit)
    users = {"all": f"all jobs of {whose} together", "user": "your jobs"}.get(limit.of, "the jobs of your account")
    if limit.minutes == "spent" or limit.resource == "wall":
        text = f"{users} have used up the {what} that {whose} allows"
        return Reason(text, f"{other}; whoever manages it can give more", limit)
    if limit.minutes == "reserved":
        text = f"{users} that run may still use as many {what} as {whose} allows"
        return Reason(text, f"what asks for less walltime fits sooner; or {other}", limit)
    text = f"{users} use as {many} {what} as {whose} allows{_for(limit)}"
    return Reason(text, f"what asks for less fits sooner; or {other}", limit)


def _for(limit: Limit) -> str:
    return {"user": " for a user", "account": " for an account"}.get(limit.of, "") if limit.holder == "QOS" else ""
