"""What PBS says in our words: states, exit statuses, why jobs wait, and the way out of a refusal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sciflow.model.state import State
from sciflow.schedulers.pbs_reasons import reason_of
from sciflow.transport.base import Answer

NO_SERVER = (162, 160, 255)  # exit codes of commands that have found no server
_WAITS, _RUNS, _OVER = ("H", "W", "Q", "T"), ("R", "E", "B", "S", "U"), ("X", "F", "C")
_OF_THE_SITE = (*range(-23, 0), -30)  # it could not be started, a hook refused it, or its node was lost
_TIME, _MEMORY = (-29, -28), (-27, -26)  # over its walltime or CPU time; over its memory
_DELETED, _DELETED_STATUS, _SIGNALS = 91, 271, 256
_TOO_LATE = (153, 35, 55, 156)  # exit codes: what is to be deleted is unknown, over, or was never there
_WORDS_TOO_LATE = re.compile(
    r"Unknown (Job|Array) I[Dd]|Job has finished|Invalid request"
    r"|Request invalid for (finished array subjob|state of job)"
)


def is_waiting(facts: Mapping[str, Any]) -> bool:
    """Whether a job waits."""
    return facts["job_state"] in _WAITS


def is_running(facts: Mapping[str, Any]) -> bool:
    """Whether a job runs, or is about to end; it may have an exit status then."""
    return facts["job_state"] in _RUNS


def is_over(facts: Mapping[str, Any]) -> bool:
    """Whether a job has ended, one way or another."""
    return facts["job_state"] in _OVER


def has_run(facts: Mapping[str, Any]) -> bool:
    """Whether a job has run, and says itself how it ended.

    Others show what stands in the record of their array job, or of nobody.
    """
    return "exec_host" in facts and "Exit_status" in facts


def was_given_up(facts: Mapping[str, Any]) -> bool:
    """Whether PBS itself has deleted a job, for want of one that it waits for; other jobs may wait for it, too."""
    waited = "after" in str(facts.get("depend", "")) and "Exit_status" not in facts
    return waited and is_over(facts) and int(facts.get("substate", 0)) != _DELETED


def end_of(facts: Mapping[str, Any]) -> tuple[State, str, str]:
    """State, by whom or why, and exit code of a job that has run: ``3:0``, or ``0:9`` for a signal."""
    status = int(facts["Exit_status"])
    if int(facts.get("substate", 0)) == _DELETED or status == _DELETED_STATUS:
        return State.CANCELLED, _by_whom(str(facts.get("comment", ""))), "0:15"
    if status in _TIME:
        return State.TIMEOUT, "", str(status)
    if status in _MEMORY:
        return State.OUT_OF_MEMORY, "", str(status)
    if status in _OF_THE_SITE:
        return State.NODE_FAIL, "", str(status)
    if status >= _SIGNALS:
        return State.FAILED, "", f"0:{status - _SIGNALS}"
    return (State.COMPLETED if status == 0 else State.FAILED), "", f"{status}:0" if status >= 0 else str(status)


def why_it_waits(facts: Mapping[str, Any]) -> str:
    """Say in plain words why a job waits."""
    state, holds, comment = facts["job_state"], str(facts.get("Hold_Types", "n")), str(facts.get("comment", ""))
    if state == "W":
        return "waits for its start time"
    if state == "H" and "too many failed attempts" in comment:
        return "it could not be started twenty times, and PBS holds it: cancel it, and try it again"
    if state == "H" and facts.get("depend"):
        return "waits for the array job before it"
    if state == "H":
        return "held by an administrator" if "s" in holds or "o" in holds else "held by its owner: `qrls` lets it go"
    return reason_of(comment).text


def _by_whom(comment: str) -> str:
    match = re.search(r"terminated by (\S+?)@", comment)
    return f"by {match[1]}" if match else ""


_ASK_LESS = "ask for less, or name another queue as `partition`, in the profile or for the task"
# What a refusal holds → the way out.
_WAYS_OUT = {
    "unknown queue": "`qstat -Q` lists the queues; name one as `partition`, in the profile or for the task",
    "queue is not enabled": "the queue takes no jobs; try later, or name another one as `partition`",
    "queue and/or server resource limits": _ASK_LESS,
    "would exceed": "as much is queued as you may have; say `limits: {submitted_indices: …}` in the profile",
    "maximum number of jobs": "as much is queued as you may have; say `limits: {submitted_indices: …}` in the profile",
    "array job exceeds": "the site allows no array job as wide; say `limits: {indices_per_array: …}` in the profile",
    "unknown resource": "the site has no such resource: its GPUs may have another name; see `directives`",
    "illegal attribute or resource value": "PBS does not understand an amount; `sciflow plan -o` shows the script",
    "could not connect to mom": "its node is down: PBS ends the job when that is back, or with `qdel -W force`",
    "illegal -n value": "this PBS takes shorter names of jobs; give the task one of few letters",
    "too long": "this PBS takes shorter names of jobs; give the task one of few letters",
    "unauthorized request": "the queue is not open to you; name another one as `partition`",
    "bad uid": "PBS takes no jobs of this user",
    "cannot connect": "nothing is lost: the same command goes on from here when the server is back",
}


def is_too_late(answer: Answer) -> bool:
    """Whether nothing of what `qdel` did not delete is left; it tells the code of one refusal, and the words of all."""
    lines = [line for line in answer.err.splitlines() if line.strip()]
    return all(map(_WORDS_TOO_LATE.search, lines)) if lines else answer.code in _TOO_LATE


def way_out(complaint: str) -> str:
    """What to do about a refusal."""
    text = complaint.lower()
    known = next((way for part, way in _WAYS_OUT.items() if part in text), "")
    return known or "the same command tries again what was not submitted"
