import re

from sciflow.schedulers.fake.slurm.options import PARSER, WITHOUT_MEANING, read_directives, read_variables
from unit.schedulers.fake.slurm.conftest import Terminal

# Of `sbatch --help`, Slurm 22.05.
REAL = [
    "array",
    "account",
    "bb",
    "bbf",
    "begin",
    "comment",
    "cpu-freq",
    "cpus-per-task",
    "dependency",
    "deadline",
    "delay-boot",
    "chdir",
    "error",
    "export",
    "export-file",
    "get-user-env",
    "gid",
    "gres",
    "gres-flags",
    "hold",
    "ignore-pbs",
    "input",
    "job-name",
    "no-kill",
    "licenses",
    "clusters",
    "container",
    "distribution",
    "mail-type",
    "mail-user",
    "mcs-label",
    "ntasks",
    "nice",
    "no-requeue",
    "ntasks-per-node",
    "nodes",
    "output",
    "overcommit",
    "partition",
    "parsable",
    "power",
    "priority",
    "profile",
    "propagate",
    "qos",
    "quiet",
    "reboot",
    "requeue",
    "oversubscribe",
    "core-spec",
    "signal",
    "spread-job",
    "switches",
    "thread-spec",
    "time",
    "time-min",
    "uid",
    "use-min-nodes",
    "verbose",
    "wait",
    "wckey",
    "wrap",
    "cluster-constraint",
    "contiguous",
    "constraint",
    "nodefile",
    "mem",
    "mincpus",
    "reservation",
    "tmp",
    "nodelist",
    "exclude",
    "exclusive",
    "mem-per-cpu",
    "sockets-per-node",
    "cores-per-socket",
    "threads-per-core",
    "extra-node-info",
    "ntasks-per-core",
    "ntasks-per-socket",
    "cpus-per-gpu",
    "gpus",
    "gpu-bind",
    "gpu-freq",
    "gpus-per-node",
    "gpus-per-socket",
    "gpus-per-task",
    "mem-per-gpu",
    "help",
    "usage",
    "version",
]


def test_every_option_of_sbatch_is_known() -> None:
    """Those of its help; what means nothing here is in one table, each with a reason."""
    assert set(REAL) <= set(PARSER.long)
    assert all(re.fullmatch(r"[^.]{10,}", why) for why in WITHOUT_MEANING.values())


def test_what_means_nothing_here_is_taken(terminal: Terminal) -> None:
    """And changes nothing."""
    plain = terminal.cluster.jobs[terminal.submit()].request
    odd = ("--mail-user=x", "--switches=3", "--wckey=x", "-v", "--propagate", "--tmp=3", "--time-min=3", "-O", "-k")
    assert terminal.cluster.jobs[terminal.submit(*odd)].request == plain


def test_directives_stand_before_the_first_command() -> None:
    """With quotes and comments as in a shell; what comes later is read by nobody."""
    text = "#!/bin/sh\n#SBATCH -t 5 --comment='a b' # why\n\n# x\n#SBATCH --hold\n#PBS -t 3\ntrue\n#SBATCH --time=9\n"
    assert list(read_directives(text).given) == [("time", "5"), ("comment", "a b"), ("hold", "")]


def test_variables_are_options() -> None:
    """Under the names that Slurm gives them."""
    found = read_variables({"SBATCH_TIMELIMIT": "5", "SBATCH_MEM_PER_CPU": "3", "SBATCH_ARRAY_INX": "1-2", "HOME": "/"})
    assert dict(found.given) == {"time": "5", "mem-per-cpu": "3", "array": "1-2"}


def test_the_call_counts_more_than_the_environment_and_that_more_than_the_script(terminal: Terminal) -> None:
    """As in Slurm."""
    text = "#!/bin/sh\n#SBATCH --time=1 --comment=script --account=script\n"
    variables = {"SBATCH_TIMELIMIT": "2", "SBATCH_ACCOUNT": "variable"}
    [job] = terminal.says("sbatch", "--parsable", "--time=3", stdin=text, **variables)
    known = terminal.cluster.jobs[job]
    assert (known.request.seconds, known.request.account) == (180.0, "variable")
    assert known.ordered.details["comment"] == "script"
