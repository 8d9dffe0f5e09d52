"""`qselect`: the ids of jobs that are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.jobs import Job
from sciflow.schedulers.fake.pbs.amounts import Wrong
from sciflow.schedulers.fake.pbs.names import name_of
from sciflow.schedulers.fake.pbs.qstat import NO_HISTORY
from sciflow.schedulers.fake.pbs.replies import no_server, split_options
from sciflow.schedulers.fake.pbs.words import state_of
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

_USAGE = "usage: qselect [-A account_string] [-N name] [-q destination] [-s states] [-u user_list] [-x] [-J]\n"


def qselect(cluster: VirtualCluster, call: Call) -> Answer:
    """List ids; nothing, and no complaint, where there are none."""
    try:
        options, _ = split_options(call.argv[1:], "A:N:q:s:u:xHJ", "qselect", _USAGE)
    except Wrong as wrong:
        return Answer(wrong.code, "", str(wrong))
    silent = no_server(cluster, "qselect")
    if silent is not None:
        return silent
    if "x" in options and not cluster.rules.remembered:
        return Answer(0, "", f"qselect: {NO_HISTORY}\n")
    names = (name_of(job) for job in cluster.known() if _is_meant(cluster, job, options))
    return Answer(0, "".join(f"{name}\n" for name in names), "")


def _is_meant(cluster: VirtualCluster, job: Job, options: dict[str, str]) -> bool:
    state = state_of(cluster, job)[0]
    if state == "F" and "x" not in options:
        return False
    wanted = {
        "N": job.request.name,
        "A": job.request.account,
        "q": job.ordered.details["queue"],
    }
    users = options.get("u", "").split(",")
    return (
        all(options.get(letter, value) == value for letter, value in wanted.items())
        and ("u" not in options or job.user in users)
        and state in options.get("s", state)
        and ("J" not in options or job.is_array)
    )
