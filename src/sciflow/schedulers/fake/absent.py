"""The commands of schedulers that a virtual cluster does not have, and that must not be found elsewhere meanwhile.

On a login node, a test whose script calls `srun` would reach the real cluster.
"""

from __future__ import annotations

NOT_FOUND = 127  # what a shell ends with that finds no such command

COMMANDS: tuple[str, ...] = (
    *("sacct", "sacctmgr", "salloc", "sattach", "sbatch", "sbcast", "scancel", "scontrol", "scrontab", "sdiag"),
    *("sgather", "sinfo", "sprio", "squeue", "sreport", "srun", "sshare", "sstat", "strigger", "sview"),
    *("pbsdsh", "pbsnodes", "pbs_attach", "pbs_release_nodes", "pbs_rstat", "pbs_rsub", "pbs_rdel", "pbs_tmrsh"),
    *("qalter", "qdel", "qdisable", "qenable", "qhold", "qmgr", "qmove", "qmsg", "qorder", "qrerun", "qrls", "qrsh"),
    *("qrun", "qselect", "qsig", "qstart", "qstat", "qstop", "qsub", "qterm", "tracejob"),
)


def script(name: str, scheduler: str) -> str:
    """The program that stands in the place of such a command."""
    return (
        f"#!/bin/sh\necho '{name}: command not found: the fake cluster ({scheduler}) has none, "
        f"and that of this machine is not called' >&2\nexit {NOT_FOUND}\n"
    )
