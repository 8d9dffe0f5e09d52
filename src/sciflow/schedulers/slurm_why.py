"""Why jobs wait in Slurm's queue, which limit binds, and when another request would start; submits nothing."""

from __future__ import annotations

import getpass
import os
import re
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sciflow.errors import SchedulerError, SciflowError
from sciflow.model.plan import ArrayJob
from sciflow.model.resources import Resources
from sciflow.schedulers.slurm import read_indices
from sciflow.schedulers.slurm_limits import limits_command, read_limit
from sciflow.schedulers.slurm_reasons import reason_of
from sciflow.schedulers.slurm_words import way_out
from sciflow.schedulers.waiting import Gap, Outlook, Standing, Trial, Variant
from sciflow.transport.base import Answer, Transport
from sciflow_shim import files

_VARIABLES = {"SLURM_BITSTR_LEN": "0", "SLURM_TIME_FORMAT": "%s"}
QUEUE_COMMAND = ["squeue", "-h", "-t", "PD", "-o", "%F|%K|%P|%a|%q|%Q|%C|%S|%r"]
NODES_COMMAND = ["scontrol", "-o", "show", "nodes"]
_TEST_ONLY = "--test-only"
_MIB = 1024**2
_MOST_LIMITS = 2  # questions about limits: one record each
_COMPETES = ("Priority", "Resources", "None", "ReqNodeNotAvail")
_OUT = re.compile(r"DOWN|DRAIN|FAIL|MAINT|REBOOT|POWER|NOT_RESPONDING|UNKNOWN|RESERVED|\*")


@dataclass(frozen=True)
class Row:
    """One row of the queue, of anybody's job; `indices` is empty for one that is no array job, `cores` is of each."""

    job: str
    indices: tuple[int, ...]
    partitions: tuple[str, ...]
    account: str
    qos: str
    priority: int
    cores: int
    start: float | None
    code: str

    @property
    def count(self) -> int:
        """How many indices it is of."""
        return max(1, len(self.indices))

    @property
    def word(self) -> str:
        """The reason without what is added to it, such as names of nodes."""
        return self.code.split(",")[0]


@dataclass(frozen=True)
class NodeRow:
    """One node: what it has, and what of that is free; bytes of memory."""

    name: str
    partitions: tuple[str, ...]
    is_out: bool
    cores: int
    free_cores: int
    memory: int
    free_memory: int


class SlurmExplainer:
    """Asks Slurm why jobs wait; see `Explainer`.

    Parameters
    ----------
    transport, directory
        Runs the commands, and the run directory.
    clock
        Seconds since the epoch.
    """

    estimates = (
        "`sbatch --test-only` guesses for one index submitted now: when running jobs leave room for it, plus the time "
        "that all who come first would take on whole nodes, without backfilling"
    )

    def __init__(self, transport: Transport, directory: Path, clock: Callable[[], float] = time.time) -> None:
        self._transport = transport
        self._directory = directory
        self._clock = clock

    def look(self, jobs: Collection[str], needed: Resources) -> Outlook:
        """Ask for the queue once, for the nodes once, and for a limit or two where one binds; see `Explainer`."""
        outlook = Outlook()
        rows = read_queue(self._ask(QUEUE_COMMAND, outlook))
        mine = [row for row in rows if row.job in jobs]
        outlook.standings = [_standing(row) for row in mine]
        competing = [row for row in mine if row.word in _COMPETES]
        nodes = read_nodes(self._ask(NODES_COMMAND, outlook)) if competing else []
        for row in mine:
            told = outlook.facts.setdefault((row.job, row.code), [])
            told += [*_of_nodes(row, nodes, needed), *_ahead(row, rows)] if row in competing else []
        self._gaps(rows, competing, nodes, outlook)
        self._limits(mine, outlook)
        return outlook

    def try_out(self, array: ArrayJob, element: int, variant: Variant) -> Trial:
        """Ask `sbatch --test-only` about one index with another request; see `Explainer`."""
        command = trial_command(array, element, variant, self._directory, self._clock())
        if _TEST_ONLY not in command or command[0] != "sbatch":
            raise AssertionError(f"{command} would submit something")  # whatever else is changed here, never that
        answer = self._transport.run(command, self._directory, variables=_VARIABLES)
        return read_trial(answer)

    def _ask(self, command: Sequence[str], outlook: Outlook) -> str:
        """What a command answers; nothing, and a note, where it does not."""
        try:
            answer = self._transport.run(command, variables=_VARIABLES)
        except SciflowError as error:
            outlook.notes.append(f"`{' '.join(command[:3])} …` did not answer: {error.message}")
            return ""
        if answer.code:
            outlook.notes.append(f"`{' '.join(command[:3])} …` did not answer: {answer.complaint}")
            return ""
        return answer.out

    def _gaps(self, rows: Sequence[Row], mine: Sequence[Row], nodes: Sequence[NodeRow], outlook: Outlook) -> None:
        for name in {one for row in mine for one in row.partitions}:
            starts = [row.start for row in rows if name in row.partitions and _competes(row) and row.start]
            starts = [start for start in starts if start > self._clock()]
            room = [node for node in nodes if name in node.partitions and not node.is_out and node.free_cores]
            if starts and room:
                largest = max(room, key=lambda node: (node.free_cores, node.free_memory))
                outlook.gaps[name] = Gap(min(starts), largest.free_cores, largest.free_memory)

    def _limits(self, rows: Sequence[Row], outlook: Outlook) -> None:
        asked: dict[tuple[str, ...], str] = {}
        for row in rows:
            limit = reason_of(row.code).limit
            if limit is None or not (row.account or limit.holder == "QOS"):
                continue
            command = tuple(limits_command(limit, row.account, row.qos))
            if command not in asked:
                if len(asked) == _MOST_LIMITS:
                    continue
                asked[command] = self._ask(command, outlook)
            name = row.qos if limit.holder == "QOS" else row.account
            value = read_limit(asked[command], limit, name, getpass.getuser(), os.getuid())
            of = {"all": "of all together", "user": "of yours", "account": "of your account"}.get(limit.of, "")
            said = value or "its value is not told: it may be that of an account or partition above it"
            outlook.facts[row.job, row.code].append(
                f"{limit.holder} `{name}`, {limit.what} {of}".rstrip() + f": {said}"
            )


def read_queue(text: str) -> list[Row]:
    """The rows that `QUEUE_COMMAND` printed."""
    rows = []
    for line in text.splitlines():
        parts = line.split("|", 8)
        if len(parts) != 9 or not parts[0].isdecimal():
            continue  # a greeting of the site's
        job, listed, partitions, account, qos, priority, cores, start, code = parts
        indices = tuple(read_indices(listed))
        rows.append(
            Row(
                job, indices, tuple(partitions.split(",")),
                account.replace("(null)", ""), qos.replace("(null)", ""), _whole(priority), max(1, _whole(cores)),
                float(start) if start.isdecimal() else None, code,
            )
        )  # fmt: skip
    return rows


def read_nodes(text: str) -> list[NodeRow]:
    """The nodes that `NODES_COMMAND` printed."""
    found = []
    for line in text.splitlines():
        facts = dict(re.findall(r"(\w+)=(\S*)", line))
        if "NodeName" not in facts:
            continue
        cores, memory = _whole(facts.get("CPUTot", "")), _whole(facts.get("RealMemory", "")) * _MIB
        found.append(
            NodeRow(
                facts["NodeName"],
                tuple(facts.get("Partitions", "").split(",")),
                bool(_OUT.search(facts.get("State", ""))),
                cores,
                cores - _whole(facts.get("CPUAlloc", "")),
                memory,
                memory - _whole(facts.get("AllocMem", "")) * _MIB,
            )
        )
    return found


def trial_command(array: ArrayJob, element: int, variant: Variant, directory: Path, now: float) -> list[str]:
    """The `sbatch --test-only` call about one index of an array job with another request."""
    asked, own = variant.resources, array.resources
    command = ["sbatch", _TEST_ONLY, f"--array={element}"]
    begin = array.begin_of(element)
    if begin is not None and begin.timestamp() > now:
        command.append(f"--begin=uts{int(begin.timestamp())}")
    if asked.cpu_cores != own.cpu_cores:
        command.append(f"--cpus-per-task={asked.cpu_cores}")
    if asked.memory_bytes != own.memory_bytes:
        command.append(f"--mem={-(-asked.memory_per_node // _MIB)}M")
    if asked.runtime_seconds != own.runtime_seconds:
        minutes, seconds = divmod(asked.runtime_seconds, 60)
        command.append(f"--time={minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}")
    if variant.partition:
        command.append(f"--partition={variant.partition}")
    script = directory / files.script(array.name_on_node)
    return [*command, str(script.relative_to(directory))]


def read_trial(answer: Answer) -> Trial:
    """When `sbatch --test-only` says that a job would start, or why it would not be taken.

    Raises
    ------
    SchedulerError
        Where it says neither.
    """
    said = f"{answer.out}\n{answer.err}"
    if taken := re.search(r"^(?:Submitted batch job )?(\d+)\b", answer.out, re.MULTILINE):
        raise SchedulerError(
            f"`sbatch --test-only` seems to have submitted job {taken[1]}", hint=f"`scancel {taken[1]}` takes it back"
        )
    match = re.search(r"to start at (\S+)", said)
    if match and not answer.code:
        start = _moment(match[1])
        if start is not None:
            return Trial(start)
    if answer.code:
        refusal = re.sub(r"\b(sbatch: error|allocation failure): ", "", answer.complaint)
        if re.search(r"Unable to contact|timed out", refusal):
            raise SchedulerError(f"`sbatch --test-only` did not answer: {refusal}", hint=way_out(refusal))
        return Trial(refusal=refusal)
    raise SchedulerError(f"`sbatch --test-only` answered {answer.complaint!r}", hint="the same command asks again")


def _standing(row: Row) -> Standing:
    return Standing(
        row.job, row.indices, row.code, reason_of(row.code), ",".join(row.partitions), row.account, row.qos, row.start
    )


def _of_nodes(row: Row, nodes: Iterable[NodeRow], needed: Resources) -> list[str]:
    """What is free in the partitions of a row."""
    lines = []
    for name in row.partitions:
        there = [node for node in nodes if name in node.partitions]
        if not there:
            continue
        usable = [node for node in there if not node.is_out]
        free = sum(node.free_cores for node in usable)
        out = f", {len(there) - len(usable)} nodes are down, drained or reserved" if len(usable) < len(there) else ""
        fits = sum(_holds(node, needed) for node in usable)
        room = f"{fits} of {len(usable)} nodes have room for one index now" if usable else "no node is up"
        total = sum(node.cores for node in usable)
        lines.append(f"partition `{name}`: {free} of {total} cores are free, {room}{out}")
    return lines


def _holds(node: NodeRow, needed: Resources) -> bool:
    each = -(-needed.all_cores // max(1, needed.nodes))
    return node.free_cores >= each and node.free_memory >= needed.memory_per_node


def _ahead(row: Row, rows: Iterable[Row]) -> list[str]:
    """Who comes first."""
    if row.word not in ("Priority", "Resources", "None"):
        return []
    first = [
        one
        for one in rows
        if one.job != row.job
        and one.priority > row.priority
        and _competes(one)
        and set(one.partitions) & set(row.partitions)
    ]
    if not first:
        return []
    count, cores = sum(one.count for one in first), sum(one.count * one.cores for one in first)
    return [f"{len({one.job for one in first})} jobs with {count} indices and {cores} cores in all come first"]


def _competes(row: Row) -> bool:
    return row.word in _COMPETES and row.priority > 0


def _whole(text: str) -> int:
    match = re.match(r"\d+", text)
    return int(match[0]) if match else 0


def _moment(text: str) -> float | None:
    if text.isdecimal():
        return float(text)
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
