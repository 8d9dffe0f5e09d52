"""Slurm's words in ours: states, and why jobs wait."""

from __future__ import annotations

from sciflow.model.state import State

STATES = {
    **{state.value: state for state in State if state not in (State.UPSTREAM_FAILED, State.CRITERIA_NOT_MET)},
    **dict.fromkeys(
        ("COMPLETING", "CONFIGURING", "SUSPENDED", "STOPPED", "RESIZING", "SIGNALING", "STAGE_OUT"), State.RUNNING
    ),
    **dict.fromkeys(("REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD"), State.PENDING),
    "BOOT_FAIL": State.NODE_FAIL,
    "LAUNCH_FAILED": State.NODE_FAIL,
    "DEADLINE": State.CANCELLED,
    "REVOKED": State.CANCELLED,
}

NEVER = "DependencyNeverSatisfied"
_NO_REASON = ("None", "N/A", "")

REJECTED = "BadConstraints"  # of a job that Slurm has refused, and shows as failed for a while all the same

# The beginning of a reason → what it means; the first that fits.
_REASONS = {
    NEVER: "what it waits for has failed, so it can never start",
    "Dependency": "waits for the array job before it",
    "BeginTime": "waits for its start time",
    "Priority": "others with a higher priority come first",
    "Resources": "waits for free cores, memory or GPUs",
    "JobArrayTaskLimit": "as many of its indices run as may run at once",
    "JobHeldUser": "held by its owner: `scontrol release` lets it go",
    "JobHeldAdmin": "held by an administrator",
    "job requeued in held state": "put back and held: `scontrol release` lets it go",
    "launch failed requeued held": "its node could not start it; it is held: `scontrol release` tries again",
    "PartitionTimeLimit": "asks for more time than its partition allows: it will wait for ever",
    "PartitionNodeLimit": "asks for more nodes than its partition has: it will wait for ever",
    "PartitionConfig": "its partition can never give what it asks for: it will wait for ever",
    "PartitionDown": "its partition is down",
    "PartitionInactive": "its partition takes no jobs at present",
    "QOSMaxJobsPerUserLimit": "as many jobs run as this QOS allows for a user",
    "QOS": "a limit of its QOS is reached",
    "AssocMaxJobsLimit": "as many jobs run as this account allows",
    "Assoc": "a limit of its account is reached",
    "MaxJobs": "as many jobs run as are allowed",
    "Reservation": "waits for its reservation",
    "Licenses": "waits for licences",
    "ReqNodeNotAvail": "nodes that it could use are down, drained or reserved",
    "Nodes required for job are DOWN": "nodes that it could use are down, drained or reserved",
    "BadConstraints": "no node has what it asks for: it will wait for ever",
    "InvalidAccount": "its account is not valid",
    "InvalidQOS": "its QOS is not valid",
    "Cleaning": "is being put back into the queue",
}


def state_and_reason(word: str, reason: str) -> tuple[State, str, str]:
    """State, Slurm's word and plain reason of an index that the controller knows.

    What waits for something that has failed is lost, whether Slurm keeps it waiting for ever or removes it.
    """
    state = STATES.get(word, State.UNKNOWN)
    if state in (State.PENDING, State.CANCELLED) and reason.startswith(NEVER):
        return State.UPSTREAM_FAILED, word, explain_reason(reason)
    if state is State.PENDING:
        return state, word, explain_reason(reason)
    return state, word, "" if reason in _NO_REASON else reason


def explain_reason(reason: str) -> str:
    """Say in plain words why a job waits; Slurm's own word where there is none."""
    if reason in _NO_REASON:
        return "has not been looked at by the scheduler yet"
    return next((text for word, text in _REASONS.items() if reason.startswith(word)), f"Slurm says: {reason}")


_DETECT = "`sciflow profile detect` writes down what there is"
_MINE = "`sacctmgr show assoc user=$USER format=account,qos` lists what you may use"
# What a refusal holds → the way out.
_WAYS_OUT = {
    "invalid partition": "`sinfo -s` lists the partitions; name one as `partition`, in the profile or for the task",
    "invalid qos": f"{_MINE}; name one as `qos`, in the profile or for the task",
    "invalid account": f"{_MINE}; name one as `account`, in the profile or for the task",
    "invalid feature": "`sinfo -o %f` lists what can stand in `constraint`",
    "generic resource": "`sinfo -o %G` lists the GPUs that there are; see `gpus` and `gpu_type`",
    "node configuration is not available": f"ask for less, or for another partition; {_DETECT}",
    "submitjob": f"as much is queued as you may have; {_DETECT}, and then it is fed little by little",
    "time limit": f"ask for less time, or for another partition; {_DETECT}",
    "accounting/qos policy": "ask for less, or for another account or QOS",
    "array specification": f"the site allows no such index; {_DETECT}",
    "license": "`scontrol show licenses` lists them",
    "reservation": "`scontrol show reservation` lists them",
    "required partition not available": "the partition is down or takes no jobs; try later, or name another one",
    "unable to contact": "nothing is lost: the same command goes on from here when the controller is back",
    "no space left": "nothing is lost: the same command goes on from here when there is room",
}


def way_out(complaint: str) -> str:
    """What to do about a refusal."""
    text = complaint.lower()
    known = next((way for part, way in _WAYS_OUT.items() if part in text), "")
    return known or "the same command tries again what was not submitted"
