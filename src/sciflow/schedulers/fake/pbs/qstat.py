"""`qstat`: what the server knows of jobs, and of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import TYPE_CHECKING

from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.jobs import Job
from sciflow.schedulers.fake.pbs import usage
from sciflow.schedulers.fake.pbs.amounts import Wrong, zone_of
from sciflow.schedulers.fake.pbs.attributes import Facts, all_of, of_job, of_sub_job
from sciflow.schedulers.fake.pbs.forms import write_dsv, write_json, write_table, write_text
from sciflow.schedulers.fake.pbs.names import Target, name_of, read_target
from sciflow.schedulers.fake.pbs.replies import FINISHED, UNKNOWN, no_server, split_options
from sciflow.schedulers.fake.pbs.site import of_queues, of_server
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

_LETTERS = "fJptxEF:wD:aiTHru:nsGM1QqB"
_LISTS = "airTHunsGM1"  # what does not go together with -F
NO_HISTORY = "PBS is not configured to maintain job history"
_USE_X = "Job has finished, use -x or -H to obtain historical job information"


class Asked:
    """One question about jobs, and what is found of it.

    Parameters
    ----------
    cluster, options
        Who is asked, and the letters of the call.
    zone
        The zone of who calls, who writes the times.
    """

    def __init__(self, cluster: VirtualCluster, options: dict[str, str], zone: tzinfo | None) -> None:
        self._cluster, self._zone = cluster, zone
        self._parts = "t" in options
        self._past = "x" in options
        self.found: dict[str, Facts] = {}
        self.code, self.complaints = 0, []

    def ask_each(self, ids: Sequence[str]) -> None:
        """Ask about one job after the other."""
        for text in ids:
            self._ask(text)

    def ask_together(self, ids: Sequence[str]) -> None:
        """Ask about all jobs at once (`-E`): of those that are not known nothing is said, unless none is."""
        self.ask_each(list(dict.fromkeys(ids)))
        known = sorted(self.found)
        self.found = {name: self.found[name] for name in sorted(known, key=_place)}
        if self.found:
            self.code, self.complaints = 0, []
        self.complaints = self.complaints[-1:]

    def ask_all(self) -> None:
        """Ask about all jobs."""
        for job in self._cluster.known():
            if job.open or self._past:
                self.found |= self._of(job)

    def _ask(self, text: str) -> None:
        target = read_target(text)
        if target is None:
            is_queue = not text[:1].isdigit()
            self._complain(f"Unknown queue destination {text}" if is_queue else _formed(text), 170 if is_queue else 1)
            return
        if self._past and not self._cluster.rules.remembered:
            self.complaints.append(f"{NO_HISTORY} {target.full}")
            return
        job = target.job(self._cluster)
        chosen = target.chosen(job) if job is not None else []
        if job is None or not chosen:
            self._complain(f"Unknown Job Id {target.full}", UNKNOWN)
        elif not job.open and not self._past:
            self._complain(f"{target.full} {_USE_X}", FINISHED)
        elif target.numbers is None:
            self.found |= self._of(job)
        else:
            whole = of_job(self._cluster, job, self._zone)
            parts = (job.indices[number] for number in chosen)
            self.found |= {name_of(job, one.number): of_sub_job(self._cluster, one, self._zone, whole) for one in parts}

    def _of(self, job: Job) -> dict[str, Facts]:
        if self._parts:
            return dict(all_of(self._cluster, job, self._zone))
        return {name_of(job): of_job(self._cluster, job, self._zone)}

    def _complain(self, words: str, code: int) -> None:
        self.code = code
        self.complaints.append(words)


def qstat(cluster: VirtualCluster, call: Call) -> Answer:
    """List jobs, queues or the server."""
    try:
        options, ids = split_options(call.argv[1:], _LETTERS, "qstat", usage.QSTAT)
        _check(options)
    except Wrong as wrong:
        return Answer(wrong.code, "", f"{wrong}")
    form = options.get("F", "")
    silent = no_server(cluster, "qstat")
    if silent is not None:
        return replace(silent, out=write_json(cluster, {}) if form == "json" else "")
    if "B" in options:
        return Answer(0, _write(cluster, options, {"Server": of_server(cluster)}), "")
    if "Q" in options or "q" in options:
        return Answer(0, _write(cluster, options, {"Queue": of_queues(cluster)}), "")
    asked = Asked(cluster, options, zone_of(call.variables))
    if not ids:
        _ask_all(cluster, asked, options)
    elif "E" in options:
        asked.ask_together(ids)
    else:
        asked.ask_each(ids)
        if form == "json" and getattr(cluster.face, "tells_first_only", False):
            asked.found = _first(asked.found)
    errors = "".join(f"qstat: {one}\n" for one in asked.complaints)
    return Answer(asked.code, _write(cluster, options, {"Jobs": asked.found}), errors)


def _ask_all(cluster: VirtualCluster, asked: Asked, options: dict[str, str]) -> None:
    if ("x" in options or "H" in options) and not cluster.rules.remembered:
        asked.complaints.append(f"{NO_HISTORY} ")
        return
    asked.ask_all()
    if "u" in options:
        users = options["u"].split(",")
        asked.found = {
            name: one for name, one in asked.found.items() if str(one["Job_Owner"]).partition("@")[0] in users
        }
    if "J" in options:
        asked.found = {name: one for name, one in asked.found.items() if "array" in one}


def _check(options: dict[str, str]) -> None:
    is_full = "f" in options
    if ("F" in options and not is_full) or (is_full and any(one in options for one in _LISTS)):
        raise Wrong(f"qstat: conflicting options.\n{usage.QSTAT}", 2)
    if options.get("F", "json") not in ("json", "dsv"):
        raise Wrong(f"qstat: conflicting options.\n{usage.QSTAT}", 2)


def _write(cluster: VirtualCluster, options: dict[str, str], found: dict[str, dict[str, Facts]]) -> str:
    [(kind, entries)] = found.items()
    if options.get("F") == "json":
        return write_json(cluster, found if entries else {})
    if options.get("F") == "dsv":
        return write_dsv(kind, entries, options.get("D", "|"))
    if "f" in options:
        return write_text(kind, entries, "w" in options)
    return write_table(kind, entries)


def _first(found: dict[str, Facts]) -> dict[str, Facts]:
    """The first job of an answer and what belongs to it: so much is told by versions that end the list too early."""
    number = next((name.partition(".")[0].partition("[")[0] for name in found), "")
    return {name: one for name, one in found.items() if name.partition(".")[0].partition("[")[0] == number}


def _place(name: str) -> tuple[int, int]:
    """The place of a job in the list, and of a sub-job behind its array job."""
    target: Target | None = read_target(name)
    assert target is not None
    return int(target.number), -1 if target.numbers is None else target.numbers[0]


def _formed(text: str) -> str:
    return f"illegally formed job identifier: {text}"
