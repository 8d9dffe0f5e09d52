"""What Torque's `qstat -x` answers, in the words of PBS."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree

from sciflow.schedulers.pbs_answers import Facts

_JOB = re.compile(r"<Job>.*?</Job>", re.DOTALL)
_SUB_JOB = re.compile(r"\[\d+\]")
# Torque's name of an attribute → PBS's; all others are the same, or are of no interest here.
_NAMES = {
    "exit_status": "Exit_status",
    "start_time": "stime",
    "comp_time": "obittime",
    "job_array_id": "array_index",
}
_STATUSES = {-10: -27, -11: -29, -12: -28}  # over its memory, its walltime and its CPU time are numbered otherwise


def read_xml(text: str) -> dict[str, Facts]:
    """Job id → attributes; of an array job, of which nothing is said but its sub-jobs, only whether it goes on.

    There is a document for each of the jobs that were asked about.

    Raises
    ------
    ValueError
        For text that is no XML, or that breaks off: those that are not told of any more would be taken for gone.
    """
    if text.count("<Data>") != text.count("</Data>"):
        raise ValueError("it breaks off")
    found: dict[str, Facts] = {}
    for part in _JOB.findall(text):
        try:
            job = ElementTree.fromstring(part)  # noqa: S314 - one element has no entities of its own
        except ElementTree.ParseError as error:
            raise ValueError(str(error)) from None
        facts: Facts = {_NAMES.get(one.tag, one.tag): (one.text or "").strip() for one in job if not len(one)}
        name = str(facts.pop("Job_Id"))
        found[name] = _as_of_pbs(name, facts)
    return {**_arrays(found), **found}


def array_of(job: str) -> str:
    """The array job of a sub-job, ``7[].srv`` of ``7[3].srv``; any other job itself."""
    return _SUB_JOB.sub("[]", job)


def _as_of_pbs(job: str, facts: Facts) -> Facts:
    if "Exit_status" in facts:
        status = int(facts["Exit_status"])
        facts["Exit_status"] = _STATUSES.get(status, status)
    if array_of(job) == job:
        facts.pop("array_index", None)
    else:
        facts["Job_Name"] = str(facts.get("Job_Name", "")).removesuffix(f"-{facts.get('array_index')}")
    return facts


def _arrays(jobs: dict[str, Facts]) -> dict[str, Facts]:
    found: dict[str, list[Facts]] = {}
    for job, facts in jobs.items():
        if array_of(job) != job:
            found.setdefault(array_of(job), []).append(facts)
    return {job: {"Job_Name": parts[0]["Job_Name"], "job_state": _state_of(parts)} for job, parts in found.items()}


def _state_of(parts: Iterable[dict[str, Any]]) -> str:
    states = {str(one["job_state"]) for one in parts}
    if states == {"C"}:
        return "F"
    return next((word for word in "HW" if states <= {word, "C"}), "B")
