"""The options of `sbatch`: which there are, and those that mean nothing on this cluster."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from sciflow.schedulers.fake.slurm.arguments import Arguments, Option, Parser

NOTHING, PERHAPS = "nothing", "perhaps a value"
_MEANT = (
    Option("account", "A"), Option("array", "a"), Option("begin", "b"), Option("chdir", "D"), Option("comment"),
    Option("constraint", "C"), Option("cpus-per-gpu"), Option("cpus-per-task", "c"), Option("dependency", "d"),
    Option("error", "e"), Option("exclude", "x"), Option("exclusive", "", PERHAPS), Option("export"),
    Option("gpus", "G"), Option("gpus-per-node"), Option("gpus-per-task"), Option("gres"), Option("help", "h", NOTHING),
    Option("hold", "H", NOTHING), Option("job-name", "J"), Option("kill-on-invalid-dep"), Option("mem"),
    Option("mem-per-cpu"), Option("mem-per-gpu"), Option("mincpus"), Option("nice", "", PERHAPS),
    Option("no-requeue", "", NOTHING), Option("nodelist", "w"), Option("nodes", "N"), Option("ntasks", "n"),
    Option("ntasks-per-node"), Option("open-mode"), Option("output", "o"), Option("parsable", "", NOTHING),
    Option("partition", "p"), Option("qos", "q"), Option("quiet", "Q", NOTHING), Option("requeue", "", NOTHING),
    Option("reservation"), Option("test-only", "", NOTHING), Option("time", "t"), Option("usage", "", NOTHING),
    Option("version", "V", NOTHING), Option("wrap"),
)  # fmt: skip

_BOUND = "processes are not bound to parts of a node here"
_HARDWARE = "nodes are counted in cores here, not in sockets and threads"
_ONE_NODE = "a job of several nodes is not there"
_NONE = "there is no such thing on this cluster"
_SPEED = "made-up and real programs run as fast as they do"
_NO_MAIL = "nobody gets mail from this cluster"
# What Slurm takes and what changes nothing here, each with the reason.
WITHOUT_MEANING: Mapping[Option, str] = {
    Option("bb"): _NONE,
    Option("bbf"): _NONE,
    Option("clusters", "M"): "there is one cluster",
    Option("cluster-constraint"): "there is one cluster",
    Option("container"): _NONE,
    Option("contiguous", "", NOTHING): _ONE_NODE,
    Option("core-spec", "S"): _HARDWARE,
    Option("cores-per-socket"): _HARDWARE,
    Option("cpu-freq"): _SPEED,
    Option("deadline"): "a job that cannot make it stays in the queue",
    Option("delay-boot"): "nodes do not boot",
    Option("distribution", "m"): _BOUND,
    Option("export-file"): "variables come from the call",
    Option("extra-node-info", "B"): _HARDWARE,
    Option("get-user-env", "", PERHAPS): "the environment of the call is that of its user",
    Option("gid"): "files belong to who runs this process",
    Option("gpu-bind"): _BOUND,
    Option("gpu-freq"): _SPEED,
    Option("gpus-per-socket"): _HARDWARE,
    Option("gres-flags"): _BOUND,
    Option("ignore-pbs", "", NOTHING): "lines with `#PBS` are never read",
    Option("input", "i"): "a job reads nothing",
    Option("licenses", "L"): _NONE,
    Option("mail-type"): _NO_MAIL,
    Option("mail-user"): _NO_MAIL,
    Option("mcs-label"): _NONE,
    Option("mem-bind"): _BOUND,
    Option("network"): _NONE,
    Option("no-kill", "k", PERHAPS): _ONE_NODE,
    Option("nodefile", "F"): _ONE_NODE,
    Option("ntasks-per-core"): _HARDWARE,
    Option("ntasks-per-gpu"): _BOUND,
    Option("ntasks-per-socket"): _HARDWARE,
    Option("overcommit", "O", NOTHING): _BOUND,
    Option("oversubscribe", "s", PERHAPS): "cores are never shared",
    Option("power"): _NONE,
    Option("priority"): "it is worked out from age, size and share",
    Option("profile"): "nothing is measured",
    Option("propagate", "", PERHAPS): "limits are those of this process",
    Option("reboot", "", NOTHING): "nodes do not boot",
    Option("signal"): "a job is told to end when its time is up, and not before",
    Option("sockets-per-node"): _HARDWARE,
    Option("spread-job", "", NOTHING): _ONE_NODE,
    Option("switches"): _ONE_NODE,
    Option("thread-spec"): _HARDWARE,
    Option("threads-per-core"): _HARDWARE,
    Option("time-min"): "a time limit is never lowered to fit into a gap",
    Option("tmp"): "nodes have no disks of their own",
    Option("uid"): "files belong to who runs this process",
    Option("use-min-nodes", "", NOTHING): _ONE_NODE,
    Option("verbose", "v", NOTHING): "there is no more to tell",
    Option("wait", "W", NOTHING): "time passes only after a command has answered",
    Option("wckey"): _NONE,
}
PARSER = Parser("sbatch", [*_MEANT, *WITHOUT_MEANING], code=255, stops=True)

# Environment variable → option; the others have the name of their option.
_VARIABLES = {
    "SBATCH_ARRAY_INX": "array",
    "SBATCH_JOB_NAME": "job-name",
    "SBATCH_TIMELIMIT": "time",
    "SBATCH_MEM_PER_NODE": "mem",
    "SLURM_KILL_BAD_DEP": "kill-on-invalid-dep",
    **{
        f"SBATCH_{name.upper().replace('-', '_')}": name
        for name in (
            *("account", "constraint", "exclusive", "export", "gpus", "gpus-per-node", "gpus-per-task", "gres"),
            *("mem-per-cpu", "mem-per-gpu", "no-requeue", "open-mode", "partition", "qos", "requeue", "reservation"),
        )
    },
}


def read_variables(variables: Mapping[str, str]) -> Arguments:
    """The options that stand in the environment."""
    found = [(name, variables[one]) for one, name in _VARIABLES.items() if one in variables]
    return Arguments(tuple(found), ())


def read_directives(text: str) -> Arguments:
    """The options in a job script; Slurm reads no further than the first command.

    Raises
    ------
    Wrong
        In the words of `sbatch`.
    """
    words: list[str] = []
    for line in text.splitlines():
        match = re.match(r"#SBATCH\s+(.*)", line)
        if match:
            words += shlex.split(match[1], comments=True)
        elif line.strip() and not line.startswith("#"):
            break
    return PARSER.read(words)
