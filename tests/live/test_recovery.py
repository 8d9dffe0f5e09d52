"""Failures that `retry` meets on a real Slurm: each by its cause, and nothing else again."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from live.experiment import Experiment
from live.slurm_cluster import SlurmCluster
from sciflow_shim.files import parse_ranges
from sciflow_shim.record_reader import read_record
from sciflow_shim.record_shelf import MEMBERS

MakeCluster = Callable[..., SlurmCluster]
PARTITIONS = "partitions: {main: {memory_gb: 1, default: true}}\n"

# Every index fails in another way, the first time or always, where the folder of the workflow has a file `faults`.
FAULTS = """
import time


def simulate(context, x):
    here = context.working_directory.parents[5]
    tries = context.working_directory / "tries"
    number = len(tries.read_text()) if tries.exists() else 0
    tries.write_text("x" * (number + 1))
    if (here / "faults").exists():
        if x == 1 and number == 0:
            raise ValueError(f"no luck with {x}")
        if x == 2:
            raise KeyError("always")
        if x == 3:
            held = bytearray(240 << 20)
            held[::4096] = bytes(len(held[::4096]))
            time.sleep(1)
        if x == 4 and number == 0:
            time.sleep(60)
    return {"y": 2 * x}


def evaluate(context, x, simulate):
    here = context.working_directory.parents[5]
    while x < 6 and (here / "faults").exists() and not (here / "go").exists():
        time.sleep(0.1)
    return {"z": simulate["y"] + 1}


def total(evaluate):
    return {"sum": sum(one["z"] for one in evaluate), "count": len(evaluate)}
"""
FAULTY = """
name: faulty
parameters: {x: [0, 1, 2, 3, 4, 5, 6]}
tasks:
  - {name: simulate, python: "faults:simulate", resources: {memory: 200M, max_runtime: 5 s}}
  - {name: evaluate, python: "faults:evaluate", depends_on: [simulate], resources: {memory: 200M}}
  - {name: total, python: "faults:total", depends_on: [evaluate], over: all, missing: skip, resources: {memory: 200M}}
"""


def decided(answer: Any) -> dict[str, tuple[str, str]]:
    """Indices → cause and action, of the decisions that `retry` tells."""
    return {one["indices"]: (one["cause"], one["action"]) for one in answer["decisions"]}


def submitted(experiment: Experiment, since: int = 0) -> list[tuple[str, str, str]]:
    """Array job, indices and variant of each submission, but the first so many."""
    intents = experiment.events("intent")[since:]
    return [(one["array"], one["indices"], one.get("variant", "")) for one in intents]


def asked_of_slurm(cluster: SlurmCluster, job: str) -> str:
    """Return the call by which a job was submitted, as the accounting has it."""
    found: list[str] = []

    def is_there() -> bool:
        found[:] = cluster.command("sacct", "-X", "-n", "-P", "-j", job, "-o", "SubmitLine").stdout.split("\n")
        found[:] = filter(None, found)
        return bool(found)

    cluster.wait_for(is_there, f"job {job} in the accounting")
    return found[0]


def shown(cluster: SlurmCluster, job: str, field: str) -> str:
    """Return what the controller says of a job."""
    text = cluster.command("scontrol", "show", "job", job).stdout
    match = re.search(rf"\b{field}=(\S*)", text)
    return match[1] if match else ""


def attempts(experiment: Experiment, array: str) -> dict[int, int]:
    """Return index → how many records it has left."""
    found: dict[int, int] = {}
    for path in experiment.run.glob(f"records/{array}/*/*.h5"):
        index = int(path.name.split(".")[0])
        found[index] = found.get(index, 0) + 1
    return found


def test_each_by_its_cause_while_the_others_go_on(cluster: SlurmCluster) -> None:
    """Only what failed and what needs it is submitted, the last task waits for it, and the table is the same."""
    files = {"workflow.yaml": FAULTY, "faults.py": FAULTS}
    calm = Experiment(cluster, files, PARTITIONS, "calm")
    calm.submit("--wait")
    calm.sciflow("collect", "--export", "table.csv")
    experiment = Experiment(cluster, {**files, "faults": ""}, PARTITIONS, "faulty")
    experiment.submit()
    experiment.wait_until(
        lambda status: status["arrays"]["evaluate.0"].get("UPSTREAM_FAILED") == "1-4", "four that cannot start"
    )
    told = {(one["task"], one["cause"], one["count"]) for one in experiment.status()["failures"]}
    assert {
        ("simulate", "application_error", 1),
        ("simulate", "out_of_memory", 1),
        ("simulate", "timeout", 1),
        ("evaluate", "upstream_failed", 4),
    } <= told
    before = (experiment.run / "journal.jsonl").read_bytes(), experiment.jobs()
    planned = experiment.ask("retry", "-n")
    assert decided(planned) == {
        "simulate.0[1]": ("application_error", "again"),
        "simulate.0[2]": ("application_error", "again"),
        "simulate.0[3]": ("out_of_memory", "with more memory"),
        "simulate.0[4]": ("timeout", "with more time"),
        "evaluate.0[1-4]": ("upstream_failed", "with its upstream"),
    }
    assert before == ((experiment.run / "journal.jsonl").read_bytes(), experiment.jobs())
    done = experiment.ask("retry")
    assert decided(done) == decided(planned)
    again = submitted(experiment, 3)
    assert again[:3] == [("simulate.0", "1-2", ""), ("simulate.0", "3", "r1"), ("simulate.0", "4", "r2")]
    assert [one[1] for one in again[3:]] == ["1-2", "3", "4"]
    assert {one[0] for one in again[3:]} == {"evaluate.0"}
    jobs = {one["name"]: one["job"] for one in experiment.events("submitted")}
    names = [one["name"] for one in experiment.events("intent")]
    for name, (_, indices, _) in zip(names[3:], again, strict=True):
        assert f"--array={indices} " in asked_of_slurm(cluster, jobs[name])
    for first, second in zip(names[3:6], names[6:], strict=True):
        assert f"--dependency=aftercorr:{jobs[first]} " in asked_of_slurm(cluster, jobs[second])
    waited = shown(cluster, jobs[names[2]], "Dependency")  # of the last task, which waits since the beginning
    for name in names[6:]:
        assert f"afterany:{jobs[name]}" in waited, waited
    experiment.account.write(experiment.folder / "go", "")
    experiment.sciflow("status", "--watch", code=3)
    assert experiment.status()["arrays"] == {
        "simulate.0": {"COMPLETED": "0-1,3-6", "FAILED": "2"},
        "evaluate.0": {"COMPLETED": "0-1,3-6", "UPSTREAM_FAILED": "2"},
        "total.0": {"COMPLETED": "0"},
    }
    assert attempts(experiment, "simulate.0") == {0: 1, 1: 2, 2: 2, 3: 2, 4: 2, 5: 1, 6: 1}
    assert attempts(experiment, "total.0") == {0: 1}
    experiment.sciflow("collect", "--export", "table.csv", code=3)
    rows, calm_rows = ((one.folder / "table.csv").read_text().splitlines() for one in (experiment, calm))
    same = [number for number in range(8) if number != 3]  # the third combination never came to an end
    numbers = [[[float(n) for n in one[i].split(",")[:3]] for i in same if i] for one in (rows, calm_rows)]
    assert numbers[0] == numbers[1]
    [given_up] = [one for one in experiment.ask("retry", "-n", code=None)["decisions"] if one["task"] == "simulate"]
    assert (given_up["action"], given_up["why"]) == ("given up", "it failed twice with the same error")
    assert experiment.ask("retry", code=3)["jobs"] == {}


CHOICES = """
name: choices
parameters: {x: [0, 1, 2]}
recovery: {retries: 0}
tasks:
  - name: work
    command: |
      case {{ x }} in
      0) test -e {{ workflow_dir }}/licence || { echo no licence >&2; exit 3; };;
      1) test -e {{ workflow_dir }}/licence || sleep 100;;
      2) python3 -c 'import time; held = bytearray(300 << 20); held[::4096] = bytes(76800); time.sleep(1)';;
      esac
    resources: {memory: 200M, max_runtime: 5 min}
"""


def test_what_is_asked_for_and_how(cluster: SlurmCluster) -> None:
    """Some causes, some indices, more of something, in spite of bounds, and what somebody cancelled: only if asked."""
    experiment = Experiment(cluster, {"workflow.yaml": CHOICES}, PARTITIONS)
    experiment.submit()
    experiment.wait_until(lambda status: len(status["arrays"]["work.0"]) == 3, "three kinds of ends")
    job = experiment.events("submitted")[0]["job"]
    experiment.account.run("scancel", f"{job}_1")
    experiment.sciflow("status", "--watch", code=3)
    told = {one["cause"]: one for one in experiment.status()["failures"]}
    assert told.keys() == {"application_error", "cancelled", "out_of_memory"}
    assert told["cancelled"]["by"].endswith(f"(uid {experiment.account.uid})")
    left = {"work.0[0]": ("application_error", "given up"), "work.0[1]": ("cancelled", "left alone")}
    assert decided(experiment.ask("retry", "-n")) == {**left, "work.0[2]": ("out_of_memory", "with more memory")}
    answer = experiment.ask("retry", "-n", "--only", "timeout", code=None)
    assert {action for _, action in decided(answer).values()} == {"left alone"}
    answer = experiment.ask("retry", "--only", "out_of_memory", "--scale", "memory=3", "--wait", code=3)
    assert submitted(experiment, 1) == [("work.0", "2", "r1")]
    assert "#SBATCH --mem=600M\n" in (experiment.run / "scripts" / "work.0@r1.sh").read_text()
    assert experiment.status()["arrays"] == {"work.0": {"FAILED": "0", "CANCELLED": "1", "COMPLETED": "2"}}
    experiment.account.write(experiment.folder / "licence", "")
    experiment.ask("retry", "--indices", "work[0]", "--force", "--wait", code=3)
    experiment.ask("retry", "--only", "cancelled", "--wait")
    assert submitted(experiment, 2) == [("work.0", "0", ""), ("work.0", "1", "")]
    assert "nothing has failed" in experiment.sciflow("retry").stdout


LAUNCH = """
name: launch
parameters: {x: [0, 1]}
tasks:
  - {name: plain, command: "echo {{ x }}"}
  - {name: licensed, command: "echo {{ x }}"}
  - {name: logless, command: "echo {{ x }}", resources: {directives: [--hold]}}
  - {name: after, command: "echo {{ x }}", depends_on: [plain]}
"""
# `licensed` fails for want of a licence; what comes as far as that wants an interpreter.
SETUP = """
python: {home}/python-of-mine
setup:
  - case $SLURM_JOB_NAME in licensed.*) test -e {home}/licence || {{ echo no licence server >&2; exit 7; }};; esac
"""


def test_what_never_reached_its_program(cluster: SlurmCluster) -> None:
    """A setup that fails, no log folder, no interpreter: each is told, and completes where that is mended."""
    home = cluster.account.folder("home")
    experiment = Experiment(cluster, {"workflow.yaml": LAUNCH}, SETUP.format(home=home))
    experiment.submit()
    jobs = {one["array"]: one["job"] for one in experiment.events("submitted")}
    (experiment.run / "logs" / "logless.0").rmdir()
    cluster.command("scontrol", "release", jobs["logless.0"])
    experiment.sciflow("status", "--watch", code=3)
    failures = {one["task"]: one for one in experiment.status()["failures"]}
    assert failures.pop("after")["cause"] == "upstream_failed"
    assert {one["cause"] for one in failures.values()} == {"launch_failure"}
    told = {"plain": "python-of-mine", "licensed": "no licence server", "logless": "log folder"}
    for task, words in told.items():
        assert words in failures[task]["error"]
    experiment.account.write(home / "licence", "")
    experiment.account.run("ln", "-s", experiment.account.python, home / "python-of-mine")
    cluster.command("scontrol", "release", *experiment.ask("retry")["jobs"])
    experiment.sciflow("status", "--watch")
    assert set(map(str, experiment.status()["arrays"].values())) == {"{'COMPLETED': '0-1'}"}


def test_of_what_is_packed_only_those_that_failed(cluster: SlurmCluster) -> None:
    """Three of twenty in two of four array indices run again, with a walltime for so many, and what waits for them."""
    workflow = """
name: packed
parameters: {x: {range: [0, 20]}}
tasks:
  - name: first
    command: "case {{ x }} in 6|7|18) test -e ran || { touch ran; exit 3; };; esac; echo a={{ x }}"
    resources: {combinations_per_index: 5, max_runtime: 1m}
    extract: {a: {stdout: 'a=(\\d+)', type: int}}
  - name: second
    command: "echo b=$(( {{ inputs.first.a }} + 1 ))"
    depends_on: [first]
    resources: {combinations_per_index: 5, max_runtime: 1m}
    extract: {b: {stdout: 'b=(\\d+)', type: int}}
"""
    experiment = Experiment(cluster, {"workflow.yaml": workflow})
    experiment.submit("--wait", code=3)
    answer = experiment.ask("retry", "--wait")
    assert answer["combinations"] == {"completed": 20, "total": 20}
    assert [one[:2] for one in submitted(experiment, 2)] == [("first.0", "1,3"), ("second.0", "1,3")]
    variant = json.loads((experiment.run / "arrays" / "first.0@r1.json").read_text())
    assert variant["only"] == "6-7,18"
    assert "#SBATCH --time=00:02:00\n" in (experiment.run / "scripts" / "first.0@r1.sh").read_text()
    experiment.sciflow("collect", "--export", "table.csv")
    table = [line.split(",")[:3] for line in (experiment.folder / "table.csv").read_text().splitlines()[1:]]
    assert [(float(x), float(a), float(b)) for x, a, b in table] == [(x, x, x + 1) for x in range(20)]
    ended = experiment.ask("status")["tasks"]
    assert ended == {"first": {"COMPLETED": 20}, "second": {"COMPLETED": 20}}
    second = (read_record(path)[MEMBERS].members for path in sorted(experiment.run.glob("records/first.0/0000/*.2.h5")))
    assert [sorted(int(index) for index in members) for members in second] == [[6, 7], [18]]


def test_memory_that_the_kernel_takes_away(make_cluster: MakeCluster) -> None:
    """Killed by the control group of the job, it is given more, so much that it completes."""
    cluster = make_cluster(nodes=1, cgroup=True)
    program = "import time; held = bytearray(250 << 20); held[::4096] = bytes(64000); time.sleep(1)"
    workflow = f"""
name: kernel
parameters: {{x: [0, 1]}}
tasks:
  - name: work
    command: "test {{{{ x }}}} = 0 || python3 -c '{program}'"
    resources: {{memory: 200M, max_runtime: 5 min}}
"""
    experiment = Experiment(cluster, {"workflow.yaml": workflow})
    experiment.submit("--wait", code=3)
    assert experiment.status()["failures"][0]["cause"] == "out_of_memory"
    asked: list[int] = []
    for _ in range(4):
        answer = experiment.ask("retry", "--wait", code=None)
        asked.append(experiment.events("retry")[-1]["memory"])
        if answer["combinations"]["completed"] == 2:
            break
    assert asked == sorted(set(asked))
    assert experiment.states("work") == {"COMPLETED": 2}


def node_states(cluster: SlurmCluster) -> dict[str, str]:
    """Return node → state."""
    rows = cluster.command("sinfo", "-h", "-N", "-o", "%N %T").stdout.split("\n")
    return dict(row.split()[:2] for row in rows if row)


def test_a_bad_node_and_a_dead_one(make_cluster: MakeCluster) -> None:
    """One on which more fails than chance explains is avoided until somebody trusts it; NODE_FAIL runs elsewhere."""
    cluster = make_cluster(nodes=4, cpus=4)
    bad = cluster.nodes[1]
    workflow = f"""
name: nodes
parameters: {{x: {{range: [0, 16]}}}}
tasks:
  - name: work
    command: "sleep 0.5; test $SLURMD_NODENAME != {bad} || exit {{{{ 10 + x }}}}"
"""
    experiment = Experiment(cluster, {"workflow.yaml": workflow}, "requeue: false\n")
    experiment.submit("--wait", code=3)
    failed = sum(1 for _ in parse_ranges(experiment.status()["arrays"]["work.0"]["FAILED"]))
    assert failed >= 4
    answer = experiment.ask("retry")
    assert [one["node"] for one in answer["avoided"]] == [bad], answer
    assert f"{failed} of {failed} failed on it" in answer["avoided"][0]["why"]
    job = experiment.events("submitted")[-1]["job"]
    assert shown(cluster, job, "ExcNodeList") == bad
    experiment.sciflow("status", "--watch")
    assert experiment.states("work") == {"COMPLETED": 16}

    assert "is not avoided" in experiment.sciflow("retry", "--include", cluster.nodes[0], code=1).stderr
    experiment.sciflow("retry", "--include", bad)
    assert [one["node"] for one in experiment.events("include")] == [bad]

    text = "name: dies\nparameters: {x: [0, 1, 2]}\n"
    text += 'tasks: [{name: work, command: "test -e ran || { touch ran; sleep 1000; }; echo {{ x }}"}]\n'
    experiment = Experiment(cluster, {"workflow.yaml": text}, "requeue: false\n", "dies")
    experiment.submit()
    cluster.wait_for(lambda: len(list(experiment.run.glob("work/work/*/ran"))) == 3, "three running programs")
    [node] = [node for node, state in node_states(cluster).items() if state in ("mixed", "allocated")]
    cluster.kill_node(node)
    experiment.sciflow("status", "--watch", code=3)
    assert {one["cause"] for one in experiment.status()["failures"]} == {"node_failure"}
    answer = experiment.ask("retry", "--wait")
    assert answer["combinations"] == {"completed": 3, "total": 3}
    assert attempts(experiment, "work.0") == {0: 2, 1: 2, 2: 2}


@pytest.mark.parametrize("requeue", [True, False])
def test_preempted_is_no_failure(make_cluster: MakeCluster, requeue: bool) -> None:
    """Put back by Slurm or submitted again by `retry`: another attempt, which uses up none of the tries."""
    cluster = make_cluster(
        nodes=1,
        cpus=2,
        partitions={
            "main": "Default=YES PriorityTier=1 PreemptMode=REQUEUE",
            "high": "PriorityTier=100 PreemptMode=OFF",
        },
        extra=("PreemptType=preempt/partition_prio", "PreemptMode=REQUEUE"),
    )
    workflow = """
name: low
parameters: {x: [0, 1]}
recovery: {retries: 0, max_attempts: 1, max_retries: 0}
tasks: [{name: work, command: "test -e ran || { touch ran; sleep 1000; }; echo {{ x }}"}]
"""
    experiment = Experiment(cluster, {"workflow.yaml": workflow}, f"requeue: {str(requeue).lower()}\n")
    experiment.submit()
    cluster.wait_for(lambda: len(list(experiment.run.glob("work/work/*/ran"))) == 2, "two running programs")
    job = experiment.events("submitted")[0]["job"]
    cluster.command("sbatch", "-p", "high", "-n", "2", "--output=/dev/null", "--wrap", "sleep 1")
    if requeue:
        pending = ["squeue", "-h", "-j", job, "-t", "PD"]
        cluster.wait_for(lambda: cluster.command(*pending).stdout != "", "a requeue")
        cluster.wait_for(lambda: not cluster.command("squeue", "-h", "-p", "high").stdout, "the end of the other job")
        cluster.command("scontrol", "update", f"jobid={job}", "starttime=now")
        experiment.sciflow("status", "--watch")
        assert experiment.events("retry") == []
    else:
        experiment.sciflow("status", "--watch", code=3)
        assert {one["cause"] for one in experiment.status()["failures"]} == {"preempted"}
        assert decided(experiment.ask("retry", "--wait")) == {"work.0[0-1]": ("preempted", "again")}
        assert [one["counts"] for one in experiment.events("retry")] == [False]
    assert experiment.states("work") == {"COMPLETED": 2}
    assert attempts(experiment, "work.0") == {0: 2, 1: 2}
