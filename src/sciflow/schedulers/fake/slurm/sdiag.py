"""`sdiag`: what the controller has done."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sciflow.model.statement import CONTROLLER
from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.jobs import RUNS, WAITS
from sciflow.schedulers.fake.slurm.arguments import Option, Parser, complains
from sciflow.schedulers.fake.slurm.times import zone
from sciflow.schedulers.fake.slurm.words import SILENT, VERSION
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

NOTHING = "nothing"
_PARSER = Parser(
    "sdiag",
    [Option("all", "a", NOTHING), Option("reset", "r", NOTHING), Option("version", "V", NOTHING)],
)
DOWN = 255
# Command → the message that it sends to the controller, and its number.
_MESSAGES = {
    "sbatch": ("REQUEST_SUBMIT_BATCH_JOB", 4003),
    "scancel": ("REQUEST_KILL_JOB", 5032),
    "scontrol": ("REQUEST_JOB_INFO_SINGLE", 2021),
    "sdiag": ("REQUEST_STATS_INFO", 2035),
    "sinfo": ("REQUEST_NODE_INFO", 2007),
    "squeue": ("REQUEST_JOB_INFO", 2003),
}


@complains
def sdiag(cluster: VirtualCluster, call: Call) -> Answer:
    """Count jobs, and the calls of commands as the messages that they send."""
    arguments = _PARSER.read(call.argv[1:])
    if "version" in arguments:
        return Answer(0, f"{VERSION}\n", "")
    if cluster.faults.is_silent(CONTROLLER):
        return Answer(DOWN, "", f"slurm_get_statistics: {SILENT}\n")
    if "reset" in arguments:
        if call.number:
            return Answer(1, "", "slurm_reset_statistics: Access/permission denied\n")
        cluster.calls.clear()
        return Answer(0, "", "")
    return Answer(0, _text(cluster, call), "")


def _text(cluster: VirtualCluster, call: Call) -> str:
    now = cluster.clock()
    date = f"{datetime.fromtimestamp(now, zone(call)):%a %b %d %H:%M:%S %Y} ({int(now)})"
    words = [index.word for job in cluster.jobs.values() for index in job.indices.values()]
    stars = "*" * 55
    counted = {
        "submitted": len(words),
        "started": sum(word != WAITS for word in words),
        "completed": words.count("COMPLETED"),
        "canceled": words.count("CANCELLED"),
        "failed": words.count("FAILED"),
    }
    lines = [stars, f"sdiag output at {date}", f"Data since      {date}", stars, "Server thread count:  1", ""]
    lines += [f"Jobs {name}:".ljust(16) + str(count) for name, count in counted.items()]
    lines += ["", f"Jobs pending:   {words.count(WAITS)}", f"Jobs running:   {words.count(RUNS)}", ""]
    lines += ["Remote Procedure Call statistics by message type"]
    for name, count in cluster.calls.most_common():
        if name in _MESSAGES:
            message, number = _MESSAGES[name]
            lines.append(f"\t{message:<40}({number:>5}) count:{count:<6} ave_time:100    total_time:{100 * count}")
    lines += ["", "Remote Procedure Call statistics by user"]
    total = sum(cluster.calls[name] for name in _MESSAGES)
    lines.append(f"\t{call.user:<16}({call.number:>8}) count:{total:<6} ave_time:100    total_time:{100 * total}")
    return "".join(f"{line}\n" for line in [*lines, "", "Pending RPC statistics", "\tNo pending RPCs"])
