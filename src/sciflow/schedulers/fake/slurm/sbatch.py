"""`sbatch`: takes a job script."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from sciflow.model.statement import CONTROLLER
from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.request import Order, Refused
from sciflow.schedulers.fake.slurm.options import Wrong, read_directives, read_options, split_call
from sciflow.schedulers.fake.slurm.squeue import SILENT
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

_FAILED = "sbatch: error: Batch job submission failed: "
_WORDS = {
    "partition": "sbatch: error: invalid partition specified: {}\n" + _FAILED + "Invalid partition name specified",
    "partition down": _FAILED + "Required partition not available (inactive or drain)",
    "index": _FAILED + "Invalid job array specification",
    "width": _FAILED + "Invalid job array specification",
    "time": _FAILED + "Requested time limit is invalid (missing or exceeds some limit)",
    "nodes": "sbatch: error: CPU count per node can not be satisfied\n"
    + _FAILED
    + "Requested node configuration is not available",
    "features": _FAILED + "Invalid feature specification",
    "account": _FAILED + "Invalid account or account/partition combination specified",
    "qos": _FAILED + "Invalid qos specification",
    "reservation": _FAILED + "Requested reservation is invalid",
    "dependency": _FAILED + "Job dependency problem",
    "queued": "sbatch: error: QOSMaxSubmitJobPerUserLimit\n"
    + _FAILED
    + "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
}
_WORDS |= dict.fromkeys(("memory", "gpus"), _WORDS["nodes"])


def sbatch(cluster: VirtualCluster, call: Call) -> Answer:
    """Take a job script, or refuse it in Slurm's words."""
    if cluster.faults.is_silent(CONTROLLER):
        return Answer(1, "", f"{_FAILED}{SILENT}\n")
    try:
        job = cluster.submit(_read(call))
    except Wrong as wrong:
        return Answer(wrong.code, "", f"{wrong}\n")
    except Refused as refused:
        return Answer(1, "", _WORDS[refused.why].format(refused.value) + "\n")
    is_bare = any(one == "--parsable" for one in call.argv)
    if cluster.faults.takes_reply():
        return Answer(1, "", f"{_FAILED}Socket timed out on send/recv operation\n")
    return Answer(0, f"{job.id}\n" if is_bare else f"Submitted batch job {job.id}\n", "")


def _read(call: Call) -> Order:
    given, rest = split_call(call.argv[1:])
    if rest:
        path = Path(call.directory, rest[0])
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise Wrong(f"sbatch: error: Unable to open file {rest[0]}", 1) from error
    else:
        path, text = call.directory / "sbatch", call.stdin
    if not text.startswith("#!"):
        raise Wrong("sbatch: error: This does not look like a batch script.", 1)
    read = read_options(read_directives(text) | given, path.name)
    typed = shlex.join(call.argv)
    return Order(
        read.request, path, call.directory, read.dependency, text, call.variables, typed, arguments=tuple(rest[1:])
    )
