"""Slurm's words in ours: states, and why jobs wait."""

from __future__ import annotations

from sciflow.model.state import State
from sciflow.schedulers.slurm_reasons import NEVER, NONE, reason_of

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

REJECTED = "BadConstraints"  # of a job that Slurm has refused, and shows as failed for a while all the same


def state_and_reason(word: str, reason: str) -> tuple[State, str, str]:
    """State, Slurm's word and plain reason of an index that the controller knows.

    What waits for something that has failed is lost, whether Slurm keeps it waiting for ever or removes it.
    """
    state = STATES.get(word, State.UNKNOWN)
    if state in (State.PENDING, State.CANCELLED) and reason.startswith(NEVER):
        return State.UPSTREAM_FAILED, word, explain_reason(reason)
    if state is State.PENDING:
        return state, word, explain_reason(reason)
    return state, word, "" if reason in NONE else reason


def explain_reason(reason: str) -> str:
    """Say in plain words why a job waits; Slurm's own word where there is none."""
    return reason_of(reason).text


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
