"""`sacct`: what accounting has written down."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sciflow.model.statement import ACCOUNTING
from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.slurm.account_columns import FIELDS, Field, Glance
from sciflow.schedulers.fake.slurm.account_rows import Entry, entries_of
from sciflow.schedulers.fake.slurm.arguments import Arguments, Option, Parser, Wrong, complains
from sciflow.schedulers.fake.slurm.times import DAY, read_moment, zone
from sciflow.schedulers.fake.slurm.words import VERSION, raw_id, read_states
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

NOTHING = "nothing"
PORT = 6819
NO_DATABASE = (
    "{0}: error: slurm_persist_conn_open_without_init: failed to open persistent connection to "
    f"host:127.0.0.1:{PORT}: Connection refused\n"
    "{0}: error: Sending PersistInit msg: Connection refused\n"
)
_PARSER = Parser(
    "sacct",
    [
        Option("accounts", "A"), Option("allocations", "X", NOTHING), Option("allusers", "a", NOTHING),
        Option("brief", "b", NOTHING), Option("delimiter"), Option("duplicates", "D", NOTHING),
        Option("endtime", "E"), Option("format", "o"), Option("helpformat", "e", NOTHING), Option("jobs", "j"),
        Option("name"), Option("noconvert", "", NOTHING), Option("noheader", "n", NOTHING),
        Option("parsable", "p", NOTHING), Option("parsable2", "P", NOTHING), Option("partition", "r"),
        Option("qos", "q"), Option("starttime", "S"), Option("state", "s"), Option("units"), Option("uid"),
        Option("user", "u"), Option("version", "V", NOTHING),
    ],
    help=False,
)  # fmt: skip
_DEFAULT = "JobID,JobName,Partition,Account,AllocCPUS,State,ExitCode"
_BRIEF = "JobID,State,ExitCode"


@complains
def sacct(cluster: VirtualCluster, call: Call) -> Answer:
    """List the rows of jobs, as far as they can be read now."""
    arguments = _PARSER.read(call.argv[1:])
    if "version" in arguments:
        return Answer(0, f"{VERSION}\n", "")
    if "helpformat" in arguments:
        return Answer(0, _help(), "")
    columns = _columns(arguments)
    if cluster.faults.is_silent(ACCOUNTING):
        last = "sacct: error: Problem talking to the database: Connection refused"
        raise Wrong(NO_DATABASE.format("sacct") + last)
    entries = _entries(cluster, call, arguments)
    glance = Glance(cluster, call)
    cells = [[field.text(glance, entry) for field, _ in columns] for entry in entries]
    titles = [] if "noheader" in arguments else [[field.name for field, _ in columns]]
    if "parsable" in arguments or "parsable2" in arguments:
        between = arguments.get("delimiter", "|")
        end = between if "parsable2" not in arguments else ""
        return Answer(0, "".join(between.join(one) + end + "\n" for one in [*titles, *cells]), "")
    if titles:
        lines = [[name[: abs(width)] for name, (_, width) in zip(titles[0], columns, strict=True)]]
        cells = [*lines, ["-" * abs(width) for _, width in columns], *cells]
    written = ["".join(f"{_cut(text, width)} " for text, (_, width) in zip(one, columns, strict=True)) for one in cells]
    return Answer(0, "".join(f"{line}\n" for line in written), "")


def _cut(text: str, width: int) -> str:
    """A cell of that width; what does not fit ends with a plus."""
    text = text if len(text) <= abs(width) else f"{text[: abs(width) - 1]}+"
    return text.ljust(-width) if width < 0 else text.rjust(width)


def _help() -> str:
    names = sorted((field.name for field in FIELDS.values()), key=str.lower)
    lines = [names[begin : begin + 4] for begin in range(0, len(names), 4)]
    return "".join(" ".join(name.ljust(19) for name in line) + "\n" for line in lines)


def _columns(arguments: Arguments) -> list[tuple[Field, int]]:
    """The fields that are asked for, each with its width: below zero where it is aligned to the left."""
    text = arguments.get("format") or (_BRIEF if "brief" in arguments else _DEFAULT)
    columns = []
    for one in filter(None, text.split(",")):
        name, percent, width = one.partition("%")
        field = FIELDS.get(name.lower())
        if field is None:
            raise Wrong(f'sacct: error: Invalid field requested: "{name}"')
        columns.append((field, int(width) if percent and re.fullmatch(r"-?\d+", width) else field.width))
    return columns


def _entries(cluster: VirtualCluster, call: Call, arguments: Arguments) -> list[Entry]:
    asked = _ids(arguments.get("jobs")) if arguments.get("jobs") else None
    window = _window(cluster, call, arguments)
    states = _states(arguments)
    users = arguments.names("user") or arguments.names("uid")
    wanted = {name: arguments.names(name) for name in ("name", "partition", "accounts", "qos")}
    found: list[Entry] = []
    for job in cluster.accounting.known(cluster.clock()):
        facts = (job.name, cluster.partition_of(job).name, job.request.account, job.request.qos or "normal")
        is_mine = users is None or bool({job.ordered.user, str(job.ordered.number)} & users)
        if not is_mine or any(names and fact not in names for names, fact in zip(wanted.values(), facts, strict=True)):
            continue
        for entry in entries_of(cluster, job, "duplicates" in arguments):
            if asked is not None and not any(_is_asked(entry, one) for one in asked):
                continue
            if window is not None and not entry.is_in(*window, by_state=states is not None):
                continue
            if states is not None and ("endtime" not in arguments or entry.row.word not in states):
                continue
            found.append(entry)
            if "allocations" not in arguments and entry.row.start is not None and entry.has_run:
                found.append(entry.batch())
    if asked is not None:
        steps = {one.partition(".")[0] for one in asked if "." in one}
        found = [one for one in found if one.is_step or not any(_is_asked(one, step) for step in steps)]
    return found


def _ids(text: str) -> list[str]:
    for one in (asked := text.split(",")):
        if re.match(r"\d+_\[", one) or one.endswith("]"):
            raise Wrong(f"sacct: fatal: Bad job array element specified: {one.partition('_')[0]}")
        if not re.fullmatch(r"\d+(_\d+)?(\.\w+)?", one.strip()):
            raise Wrong(f"sacct: fatal: Bad job/step specified: {one}")
    return [one.strip() for one in asked]


def _is_asked(entry: Entry, asked: str) -> bool:
    name = asked.partition(".")[0]
    if name == entry.job.id:
        return True
    return any(name in (f"{entry.job.id}_{number}", raw_id(entry.job, number)) for number in entry.numbers)


def _states(arguments: Arguments) -> set[str] | None:
    if "state" not in arguments:
        return None
    for one in arguments.get("state").split(","):
        if read_states(one) is None:
            raise Wrong(f"sacct: fatal: unrecognized job state value '{one}'")
    return read_states(arguments.get("state"))


def _window(cluster: VirtualCluster, call: Call, arguments: Arguments) -> tuple[float, float] | None:
    """From when to when, since midnight where nothing is said; None for all of time, as for jobs by their ids."""
    now, where = cluster.clock(), zone(call)
    if arguments.get("jobs") and "starttime" not in arguments and "endtime" not in arguments:
        return None
    since = read_moment("today 00:00", now, where)
    begin, end = arguments.get("starttime"), arguments.get("endtime")
    if begin:
        since = read_moment(begin, now, where)
        # A time of day that is to come is that of yesterday here: what is asked for lies in the past.
        since -= DAY if since > now and re.fullmatch(r"[\d:]+", begin) else 0.0
    return since, read_moment(end, now, where) if end else now
