"""`sacct`: what accounting has written down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sciflow.model.statement import ACCOUNTING
from sciflow.schedulers.fake.accounting import ALL_THE_REST, Row
from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.jobs import Job
from sciflow.schedulers.fake.slurm.words import exit_in_accounting, state_in_accounting
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

NO_DATABASE = "sacct: error: Problem talking to the database: Connection refused\n"


def sacct(cluster: VirtualCluster, call: Call) -> Answer:
    """List the rows of jobs, as far as they can be read now."""
    if cluster.faults.is_silent(ACCOUNTING):
        return Answer(1, "", NO_DATABASE)
    arguments = list(call.argv[1:])
    names = set(arguments[arguments.index("--name") + 1].split(",")) if "--name" in arguments else None
    ids = set(arguments[arguments.index("-j") + 1].split(",")) if "-j" in arguments else None
    shown = arguments[arguments.index("-o") + 1].split(",")
    lines = []
    for job in cluster.accounting.known(cluster.clock()):
        if (names is None or job.name in names) and (ids is None or job.id in ids):
            for number, row in cluster.accounting.said(job, cluster.clock()).items():
                lines.append("|".join(_cell(name, job, number, row) for name in shown))
    return Answer(0, "".join(f"{line}\n" for line in lines), "")


def _cell(name: str, job: Job, number: int, row: Row) -> str:
    if name == "JobID":
        return job.id if number == ALL_THE_REST or not job.is_array else f"{job.id}_{number}"
    if name == "NodeList":
        return row.node or "None assigned"
    cells = {
        "JobName": job.name,
        "State": state_in_accounting(row),
        "ExitCode": exit_in_accounting(row),
        "Start": str(int(row.start)) if row.start is not None else "Unknown",
        "End": str(int(row.end)) if row.end is not None else "Unknown",
    }
    return cells[name]
