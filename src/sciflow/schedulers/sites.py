"""Finds out what the cluster allows that is here, whichever scheduler it has."""

from __future__ import annotations

from collections.abc import Callable

from sciflow.errors import ProfileError, TransportError
from sciflow.model.profile import ClusterProfile
from sciflow.schedulers import pbs_site, slurm_site
from sciflow.transport.base import Transport

Detect = Callable[[Transport, str], "tuple[ClusterProfile, list[str]]"]
# A command that answers without its server, where the scheduler is installed → who asks the others. Slurm comes first:
# some of its installations bring a `qstat` for those who are used to it.
_SITES: dict[tuple[str, ...], Detect] = {
    ("scontrol", "--version"): slurm_site.detect_site,
    ("qstat", "--version"): pbs_site.detect_site,
}


def detect_site(transport: Transport, name: str) -> tuple[ClusterProfile, list[str]]:
    """Ask the commands of the scheduler that is here and make a profile of their answers.

    Returns
    -------
    tuple
        The profile, and what could not be found out.

    Raises
    ------
    ProfileError
        Where there is no scheduler here, or it does not answer.
    """
    missing = []
    for command, detect in _SITES.items():
        try:
            transport.run(command)
        except TransportError as error:
            missing.append(error.message)
        else:
            return detect(transport, name)
    raise ProfileError(
        f"no scheduler is found here: {', '.join(missing)}",
        hint="run sciflow where the scheduler's commands are, such as a login node, or use the profile `local`",
    )
