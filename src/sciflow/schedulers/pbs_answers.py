"""What `qstat` answers: jobs and their attributes, and what they say of array indices."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from sciflow.model.state import State
from sciflow.model.statement import REST, Statement
from sciflow.schedulers import pbs_words

Facts = dict[str, Any]
Jobs = dict[str, dict[int, Statement]]
_SUB_JOB = re.compile(r"(\d+)\[(\d+)\](.*)")
_SEPARATOR = "\x1f"  # what no attribute holds


def query_command(ids: Sequence[str], form: str = "json", has_past: bool = True, is_whole: bool = False) -> list[str]:
    """The `qstat` call about jobs, with all sub-jobs of arrays; `-E`, without which some versions tell of one only."""
    sub_jobs = [] if is_whole else ["-t"]
    past = ["-x"] if has_past else []
    more = ["-D", _SEPARATOR] if form == "dsv" else []
    return ["qstat", "-E", *sub_jobs, *past, "-f", "-F", form, *more, *ids]


def read_json(text: str) -> dict[str, Facts]:
    """Job id → attributes.

    Raises
    ------
    ValueError
        For text that is no JSON, which odd values of variables can make it.
    """
    # Some versions let control characters stand as they are.
    return json.loads(text, strict=False).get("Jobs", {})


def read_dsv(text: str) -> dict[str, Facts]:
    """Job id → attributes, of an answer with one job a line.

    Raises
    ------
    ValueError
        For text that breaks off: those that are not told of any more would be taken for gone.
    """
    if text and not text.endswith("\n"):
        raise ValueError("it breaks off")
    found = {}
    for line in text.splitlines():
        head, *rest = line.split(_SEPARATOR)
        if head.startswith("Job Id: "):
            pairs = (part.partition("=") for part in rest)
            found[head.removeprefix("Job Id: ")] = {name: value for name, _, value in pairs}
    return found


def read_statements(
    known: Mapping[str, Facts],
    jobs: Mapping[str, str],
    maps: Mapping[str, Sequence[int]],
    keeps_history: bool = True,
) -> Jobs:
    """What PBS says of array indices.

    A sub-job that never ran shows what stands in the record of its array job, and one that ended before the array was
    deleted loses its own; of these only the array job tells, for all of which nothing else is known. Where the server
    keeps no history, each that has ended has lost its own, and nothing is said of it.

    Parameters
    ----------
    known
        Job id → attributes.
    jobs
        Job id → its unique name; an empty name is not compared.
    maps
        Job id → the element at each place, of jobs whose indices are places.
    keeps_history
        Whether the server knows what is over.
    """
    found: Jobs = {job: {} for job in jobs}
    for job, name in jobs.items():
        facts = known.get(job)
        if facts is None or (name and str(facts.get("Job_Name")) != name):
            continue  # unknown, or another job that was given the same id
        places = maps.get(job)
        if "[" not in job:
            statement = _statement(facts, facts)
            if statement is not None:
                found[job][places[0] if places else 0] = statement
            continue
        is_any_without = False
        for place, own in _sub_jobs(job, known):
            statement = _statement(own, facts)
            is_any_without = is_any_without or statement is None
            if statement is not None and (places is None or place < len(places)):
                found[job][places[place] if places else place] = statement
        if keeps_history and (is_any_without or pbs_words.is_over(facts)):
            found[job][REST] = _never_ran(facts)
    return found


def _sub_jobs(job: str, known: Mapping[str, Facts]) -> list[tuple[int, Facts]]:
    number, _, server = job.partition("[]")
    return [
        (int(match[2]), facts)
        for name, facts in known.items()
        if (match := _SUB_JOB.fullmatch(name)) and match[1] == number and match[3] == server
    ]


def _statement(own: Facts, whole: Facts) -> Statement | None:
    """What is said of one job, or of one sub-job of the array job `whole`; None where it is not told."""
    is_part, word = own is not whole, str(own["job_state"])
    node = str(own.get("exec_host", "")).partition("/")[0]
    start = moment(own.get("stime"))
    if pbs_words.is_waiting(own):
        # A sub-job shows `Q`, whatever its array job waits for.
        reason = pbs_words.why_it_waits(whole if is_part and whole["job_state"] in ("H", "W") else own)
        return Statement(State.PENDING, word, reason, moment(whole.get("Execution_Time")))
    if pbs_words.is_running(own):
        return Statement(State.RUNNING, word, "", start, None, node)
    if not pbs_words.is_over(own):
        return None  # it is in the hands of another server, which is not asked
    if pbs_words.has_run(own) and (not is_part or "array_index" in own):
        state, why, code = pbs_words.end_of(own)
        return Statement(state, word, why, start, moment(own.get("obittime") or own.get("mtime")), node, code)
    return None if is_part and "array_index" not in own else _never_ran(own)


def _never_ran(facts: Facts) -> Statement:
    """What is said of one that is over and does not say how: somebody has deleted it, or PBS itself has."""
    end = moment(facts.get("obittime") or facts.get("mtime"))
    if pbs_words.was_given_up(facts):
        return Statement(State.NODE_FAIL, "F", "PBS has deleted it, since what it waits for is gone", None, end)
    return Statement(State.CANCELLED, "F", "", None, end)


def moment(text: Any) -> float | None:
    """A time such as ``Mon Nov 23 00:29:32 2026``, in UTC, as it is asked for, or in seconds; None for none."""
    if str(text).isdecimal():
        return float(text)
    try:
        return datetime.strptime(str(text), "%a %b %d %H:%M:%S %Y").replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        return None
