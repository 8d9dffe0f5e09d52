"""Why jobs wait in PBS's queue, and whether a node has room for another request; PBS cannot be asked for more."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sciflow.errors import SciflowError
from sciflow.model.plan import ArrayJob
from sciflow.model.resources import GIB, Resources
from sciflow.schedulers import pbs_words
from sciflow.schedulers.pbs_answers import Facts, moment
from sciflow.schedulers.pbs_reasons import reason_of
from sciflow.schedulers.pbs_server import PbsServer
from sciflow.schedulers.pbs_site import NODES_COMMAND, QUEUES_COMMAND, SERVER_COMMAND, gigabytes, seconds_of
from sciflow.schedulers.reasons import Reason
from sciflow.schedulers.waiting import Outlook, Standing, Trial, Variant

_OUT = ("down", "offline", "unknown", "stale", "resv-exclusive", "provisioning")
_LIMITS = ("max_run", "max_run_res", "max_user_run", "max_running", "max_group_run", "resources_max")


class PbsExplainer:
    """Asks PBS why jobs wait; see `Explainer`.

    Parameters
    ----------
    server
        Who is asked.
    now
        Seconds since the epoch.
    """

    estimates = (
        "PBS cannot be asked about another request: `now` says that a node has room for it at this moment, whoever "
        "comes first"
    )

    def __init__(self, server: PbsServer, now: float) -> None:
        self._server = server
        self._now = now
        self._nodes: list[Facts] = []
        self._queues: Mapping[str, Facts] = {}
        self._default = ""

    def look(self, jobs: Collection[str], needed: Resources) -> Outlook:
        """Ask for the jobs, the queues and the nodes once each, and for the server where its limit binds."""
        outlook = Outlook()
        known = self._server.known(list(jobs), is_whole=True)
        outlook.standings = [_standing(job, facts) for job, facts in known.items() if not pbs_words.is_over(facts)]
        outlook.standings.sort(key=lambda one: not one.indices)  # a sub-job knows better than its array job
        self._default = next((one.partition for one in outlook.standings if one.partition), "")
        if not self.estimates:
            return outlook
        self._queues = self._ask(QUEUES_COMMAND, "Queue", outlook)
        nodes = self._ask(NODES_COMMAND, "nodes", outlook)
        self._nodes = [one for one in nodes.values() if not any(word in str(one.get("state")) for word in _OUT)]
        limits = [one.reason.limit for one in outlook.standings if one.reason.limit is not None]
        is_of_server = any(one.holder == "server" for one in limits)
        server = next(iter(self._ask(SERVER_COMMAND, "Server", outlook).values()), {}) if is_of_server else {}
        for standing in outlook.standings:
            queue, limit = self._queues.get(standing.partition, {}), standing.reason.limit
            lines = outlook.facts.setdefault((standing.job, standing.code), [])
            lines += _of_queue(standing, queue)
            if limit is not None:
                is_here = limit.holder == "queue"
                lines += _limits(f"queue `{standing.partition}`" if is_here else "server", queue if is_here else server)
            if nodes and standing.code not in ("H", "W"):
                lines.append(self._room(needed, standing.partition, len(nodes)))
        return outlook

    def try_out(self, array: ArrayJob, element: int, variant: Variant) -> Trial:  # noqa: ARG002
        """Whether a node has room now for another request, and the queue takes it."""
        asked, name = variant.resources, variant.partition or self._default
        most = self._queues.get(name, {}).get("resources_max", {})
        for word, wanted in (("walltime", asked.runtime_seconds), ("ncpus", asked.all_cores)):
            if isinstance(most, dict) and word in most and wanted > _amount(word, most[word]):
                return Trial(refusal=f"queue `{name}` allows {most[word]} of {word}")
        return Trial(self._now if self._fitting(asked, name) else None)

    def _room(self, needed: Resources, queue: str, count: int) -> str:
        here = self._of(queue)
        free = sum(_free(node, "ncpus") for node in here)
        total = sum(_amount("ncpus", _resources(node, "available").get("ncpus", 0)) for node in here)
        out = f"; {count - len(self._nodes)} nodes are down or offline" if count > len(self._nodes) else ""
        room = f"{self._fitting(needed, queue)} of {len(here)} nodes have room for one index now"
        return f"{free:g} of {total:g} cores are free, {room}{out}"

    def _fitting(self, needed: Resources, queue: str) -> int:
        each = -(-needed.all_cores // max(1, needed.nodes))
        return sum(
            _free(node, "ncpus") >= each
            and _free(node, "mem") >= needed.memory_per_node / GIB
            and _free(node, "ngpus") >= needed.gpus_per_node
            for node in self._of(queue)
        )

    def _of(self, queue: str) -> list[Facts]:
        """The nodes that run a queue's jobs: those that are its own, or those that are nobody's."""
        own = [one for one in self._nodes if queue and one.get("queue") == queue]
        return own or [one for one in self._nodes if not one.get("queue")]

    def _ask(self, command: Sequence[str], what: str, outlook: Outlook) -> Mapping[str, Facts]:
        """What a command answers; nothing, and a note, where it does not."""
        try:
            answer = self._server.heard(self._server.run(command))
            return json.loads(answer.out, strict=False)[what]
        except SciflowError as error:
            outlook.notes.append(f"`{' '.join(command)}` did not answer: {error.message}")
        except (ValueError, KeyError):
            outlook.notes.append(f"`{' '.join(command)}` answered no JSON with `{what}` in it")
        return {}


class TorqueExplainer(PbsExplainer):
    """Asks Torque why jobs wait: for their comments alone, since its other answers are of another form."""

    estimates = ""


def _standing(name: str, facts: Facts) -> Standing:
    match = re.fullmatch(r"(\d+)\[(\d+)\](.*)", name)  # Torque tells of each sub-job
    job, indices = (f"{match[1]}[]{match[3]}", (int(match[2]),)) if match else (name, ())
    comment, state = str(facts.get("comment", "")), str(facts.get("job_state", ""))
    if state in ("H", "W"):
        code, reason = state, Reason(pbs_words.why_it_waits(facts), _way_out(facts))
    else:
        code, reason = comment, reason_of(comment)
    estimated = facts.get("estimated", {})
    start = moment(estimated.get("start_time")) if isinstance(estimated, dict) else None
    start = start or (moment(facts.get("Execution_Time")) if state == "W" else None)
    return Standing(
        job, indices, code, reason, str(facts.get("queue", "")), str(facts.get("Account_Name", "")), start=start
    )


def _way_out(facts: Facts) -> str:
    """What can be done about a job that is held by its owner, or waits for its start time."""
    if str(facts.get("job_state")) == "W":
        return "`qalter -a 200001010000 <job>` lets it start now: a time that has passed"
    is_own = str(facts.get("Hold_Types", "n")) == "u" and not facts.get("depend")
    return "`qrls <job>` lets it go" if is_own else ""


def _of_queue(standing: Standing, queue: Facts) -> list[str]:
    """What a queue is doing."""
    if not queue:
        return []
    counts = dict(part.split(":") for part in str(queue.get("state_count", "")).split() if ":" in part)
    lines = [f"queue `{standing.partition}`: {counts.get('Queued', '?')} wait, {counts.get('Running', '?')} run"]
    if str(queue.get("started")) != "True":
        lines.append(f"queue `{standing.partition}` is stopped")
    return lines


def _limits(whose: str, facts: Facts) -> list[str]:
    """The limits of a queue or of the server, as they are written there."""
    found = {name: value for name, value in facts.items() if name in _LIMITS or name.startswith("max_run_res")}
    return [f"{whose}: {name} = {_written(value)}" for name, value in found.items()]


def _written(value: Any) -> str:
    return ", ".join(f"{name}: {one}" for name, one in value.items()) if isinstance(value, dict) else str(value)


def _free(node: Facts, name: str) -> float:
    has, used = (_resources(node, kind).get(name, 0) for kind in ("available", "assigned"))
    return _amount(name, has) - _amount(name, used)


def _amount(name: str, value: Any) -> float:
    if name == "mem":
        return gigabytes(value)
    return float(seconds_of(value)) if name == "walltime" else float(value)


def _resources(facts: Facts, kind: str) -> Mapping[str, Any]:
    found = facts.get(f"resources_{kind}", {})
    return found if isinstance(found, dict) else {}
