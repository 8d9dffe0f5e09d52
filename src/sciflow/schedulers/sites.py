"""Finds out what the cluster allows that is here, whichever scheduler it has."""

from __future__ import annotations

import re
from collections.abc import Callable

from sciflow.errors import ProfileError, TransportError
from sciflow.model.profile import ClusterProfile
from sciflow.schedulers import pbs_site, slurm_site, torque_site
from sciflow.transport.base import Transport

NOT_FOUND = 127  # what stands in place of a command ends with this where it finds none

Detect = Callable[[Transport, str], "tuple[ClusterProfile, list[str]]"]


# A command that answers without a server, where a scheduler is → what stands in its answer → who asks the others. Slurm
# comes first: some of its installations bring a `qstat` for those who are used to it.
_SITES: dict[tuple[str, ...], dict[str, Detect]] = {
    ("scontrol", "--version"): {"": slurm_site.detect_site},
    ("qstat", "--version"): {r"(?m)^Version: .*\n^Commit: ": torque_site.detect_site, "": pbs_site.detect_site},
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
    missing: list[str] = []
    silent: list[ProfileError] = []
    for command, kinds in _SITES.items():
        try:
            answer = transport.run(command)
        except TransportError as error:
            missing.append(error.message)
            continue
        if answer.code == NOT_FOUND:
            missing.append(answer.err.strip())
            continue
        detect = next(detect for text, detect in kinds.items() if re.search(text, answer.out + answer.err))
        try:
            profile, notes = detect(transport, name)
        except ProfileError as error:  # its commands may be here for another cluster
            silent.append(error)
        else:
            return profile, [*(error.message for error in silent), *notes]
    if silent:
        raise silent[0]
    raise ProfileError(
        f"no scheduler is found here: {', '.join(missing)}",
        hint="run sciflow where the scheduler's commands are, such as a login node, or use the profile `local`",
    )
