"""What PBS's commands have alike: a server that may not be there, several jobs at once, one exit code."""

from __future__ import annotations

import getopt
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from sciflow.model.statement import CONTROLLER
from sciflow.schedulers.fake.jobs import Job
from sciflow.schedulers.fake.pbs.amounts import Wrong
from sciflow.schedulers.fake.pbs.forms import VERSION
from sciflow.schedulers.fake.pbs.names import SERVER, Target, read_target
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster
    from sciflow.schedulers.fake.face import Call, Command

FINISHED, UNKNOWN, INVALID = 35, 153, 156


def versioned(commands: Mapping[str, Command]) -> Mapping[str, Command]:
    """Commands that tell their version, without a server, where they are asked for nothing else."""

    def with_version(command: Command) -> Command:
        def answer(cluster: VirtualCluster, call: Call) -> Answer:
            if call.argv[1:] == ("--version",):
                return Answer(0, f"pbs_version = {VERSION}\n", "")
            return command(cluster, call)

        return answer

    return {name: with_version(command) for name, command in commands.items()}


def no_server(cluster: VirtualCluster, tool: str) -> Answer | None:
    """What a command says that finds no server; None where there is one."""
    if not cluster.faults.is_silent(CONTROLLER):
        return None
    if tool == "qdel":
        return Answer(162, "", f"Connection refused\nCouldn't connect to cluster: {SERVER}\n")
    if tool == "pbsnodes":
        return Answer(1, "", f"Connection refused\npbsnodes: cannot connect to server {SERVER}, error=15010\n")
    code = 255 if tool == "qstat" else 162
    return Answer(code, "", f"Connection refused\n{tool}: cannot connect to server {SERVER} (errno=15010)\n")


def split_options(arguments: Sequence[str], letters: str, tool: str, text: str) -> tuple[dict[str, str], list[str]]:
    """The options of a command, and what stands behind or between them.

    Raises
    ------
    Wrong
        For options that there are not.
    """
    try:
        pairs, rest = getopt.gnu_getopt(list(arguments), letters)
    except getopt.GetoptError as error:
        said = "invalid option" if "not recognized" in error.msg else "option requires an argument"
        raise Wrong(f"{tool}: {said} -- '{error.opt}'\n{text}", 2) from error
    return {flag[1:]: value for flag, value in pairs}, rest


def for_each(
    cluster: VirtualCluster, tool: str, ids: Sequence[str], act: Callable[[Target, Job], None], is_final: bool = False
) -> Answer:
    """Do something with each of some jobs; those with which it cannot be done are told.

    Parameters
    ----------
    cluster, tool, ids
        On what, by which command, with which jobs.
    act
        Does it, or raises `Wrong`.
    is_final
        Whether it can be done with a job that is over.
    """
    code, complaints = 0, []
    for text in ids:
        target = read_target(text)
        if target is None:
            code = 1
            complaints.append(f"{tool}: illegally formed job identifier: {text}")
            continue
        try:
            act(target, _known(cluster, target, is_final))
        except Wrong as wrong:
            code = wrong.code
            complaints.append(f"{tool}: {wrong}")
    return Answer(code, "", "".join(f"{one}\n" for one in complaints))


def _known(cluster: VirtualCluster, target: Target, is_final: bool) -> Job:
    job = target.job(cluster)
    if job is None:
        raise Wrong(f"Unknown Job Id {target.full}", UNKNOWN)
    if not job.open and not is_final:
        raise Wrong(f"Job has finished {target.full}", FINISHED)
    return job
