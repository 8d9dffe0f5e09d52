"""Runs that nobody looks after, on a real Slurm: `submit --autonomous`, and then nothing but the queue is looked at."""

import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from live.experiment import Experiment
from live.slurm_cluster import SlurmCluster
from live.test_submit import KILLED
from sciflow_shim.record_reader import read_record

MakeCluster = Callable[..., SlurmCluster]
PROFILE = "partitions: {main: {memory_gb: 2, default: true}}\ntend: {memory: 300M, max_runtime: 10 min}\n"
TRAIN = """
import time


def simulate(context, x):
    tries = context.working_directory / "tries"
    number = len(tries.read_text()) if tries.exists() else 0
    tries.write_text("x" * (number + 1))
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


def evaluate(simulate):
    return {"z": simulate["y"] + 1}


def total(evaluate):
    return {"sum": sum(one["z"] for one in evaluate), "count": len(evaluate)}
"""
FAULTY = """
name: alone
parameters: {x: [0, 1, 2, 3, 4, 5]}
tasks:
  - {name: simulate, python: "train:simulate", resources: {memory: 200M, max_runtime: 4 s}}
  - {name: evaluate, python: "train:evaluate", depends_on: [simulate], resources: {memory: 200M}}
  - {name: total, python: "train:total", depends_on: [evaluate], over: all, missing: skip, resources: {memory: 200M}}
"""
SUBMIT = ("sciflow", "submit", "workflow.yaml", "--profile", "site.yaml", "--autonomous")


def wait_for_an_empty_queue(cluster: SlurmCluster) -> int:
    """Look at the queue and at nothing else until it is empty; gives how many jobs that tend ran at once at most."""
    most = 0

    def is_empty() -> bool:
        nonlocal most
        rows = cluster.command("squeue", "-h", "--me", "-o", "%T %j", check=False)
        most = max(most, sum(row.startswith("RUNNING tend.") for row in rows.stdout.splitlines()))
        return not rows.returncode and not rows.stdout.strip()

    cluster.wait_for(is_empty, "an empty queue")
    return most


def completions(experiment: Experiment) -> Counter[str]:
    """Return array job and index → how many of its records say that it completed."""
    found: Counter[str] = Counter()
    for path in experiment.run.glob("records/*/*/*.h5"):
        if read_record(path).attributes["state"] == "COMPLETED":
            found[f"{path.parent.parent.name}[{path.name.split('.')[0]}]"] += 1
    return found


def test_nobody_is_there(cluster: SlurmCluster) -> None:
    """The submitter is killed in the middle and after it returned: all that can complete does, and is told of."""
    experiment = Experiment(cluster, {"workflow.yaml": FAULTY, "train.py": TRAIN}, PROFILE)
    program = KILLED.replace('"site.yaml"', '"site.yaml", "--autonomous"')
    experiment.account.write(experiment.folder / "killed.py", program)
    killed = experiment.account.run("python", "killed.py", "16", cwd=experiment.folder, check=False)
    assert killed.returncode == -9
    process = experiment.account.popen(*SUBMIT, "--json", cwd=experiment.folder)
    answer = json.loads(process.communicate(timeout=60)[0])
    assert answer["next"]
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # whatever it may have left behind
    assert wait_for_an_empty_queue(cluster) == 1
    assert (experiment.run / "results.h5").is_file()
    told = (experiment.run / "recovery.md").read_text()
    assert "`simulate.0[2]` application error, given up: it failed twice with the same error" in told
    assert "with more memory: 200 MB →" in told
    assert "with more time" in told
    assert "Now: 11 COMPLETED, 1 FAILED, 1 UPSTREAM_FAILED." in told
    found = completions(experiment)
    wanted = [f"{task}.0[{x}]" for task in ("simulate", "evaluate") for x in (0, 1, 3, 4, 5)]
    assert {place: found[place] for place in wanted} == dict.fromkeys(wanted, 1)
    assert experiment.status("--offline")["arrays"] == {
        "simulate.0": {"COMPLETED": "0-1,3-5", "FAILED": "2"},
        "evaluate.0": {"COMPLETED": "0-1,3-5", "UPSTREAM_FAILED": "2"},
        "total.0": {"COMPLETED": "0"},
    }
    last = max(experiment.run.glob("records/total.0/0000/*.h5"), key=lambda path: int(path.name.split(".")[1]))
    assert read_record(last)["metrics"].attributes["count"] == 5


ONCE = """
name: once
parameters: {x: {range: [0, 12]}}
tasks:
  - {name: first, command: "test $(( {{ x }} % 3 )) -ne 0 || test -e ran || { touch ran; exit 3; }; echo {{ x }}"}
  - {name: second, command: "echo {{ x }}", depends_on: [first]}
"""


def test_fed_by_itself_while_persons_do_the_same(make_cluster: MakeCluster) -> None:
    """With room for six indices, and everybody retrying, tending and collecting: each completes once."""
    cluster = make_cluster(nodes=1)
    experiment = Experiment(cluster, {"workflow.yaml": ONCE})
    text = "name: site\nscheduler: slurm\nlimits: {highest_index: 1000, submitted_indices: 8, seconds_to_kill: 5}\n"
    experiment.account.write(experiment.folder / "site.yaml", text + "tend: {memory: 300M}\n")
    experiment.account.run(*SUBMIT, cwd=experiment.folder)
    loop = "while squeue -h --me | grep -q .; do sciflow {verb} latest > {verb}.log 2>&1; echo $? >> {verb}.codes; done"
    persons = [
        experiment.account.popen("bash", "-c", loop.format(verb=verb), cwd=experiment.folder)
        for verb in ("retry", "tend", "collect")
    ]
    most = wait_for_an_empty_queue(cluster)
    for person in persons:
        person.communicate(timeout=60)
    codes = {int(code) for path in experiment.folder.glob("*.codes") for code in path.read_text().split()}
    logs = "\n".join(path.read_text() for path in experiment.folder.glob("*.log"))
    assert "Traceback" not in logs, logs
    assert codes <= {0, 1, 3, 4}
    assert most <= 2
    found = completions(experiment)  # in two array jobs of each task, of as many indices as fit
    assert set(found.values()) == {1}
    assert len(found) == 24
    assert (experiment.run / "results.h5").is_file()
    assert "Now: 24 COMPLETED." in (experiment.run / "recovery.md").read_text()


SLOW = """
name: slow
parameters: {x: {range: [0, 6]}}
tasks:
  - name: work
    command: "sleep $(( {{ x }} % 3 )); test {{ x }} -lt 4 || test -e ran || { touch ran; exit 3; }; echo {{ x }}"
  - {name: after, command: "echo {{ x }}", depends_on: [work]}
"""


def test_daemons_that_go_and_come(make_cluster: MakeCluster) -> None:
    """Without accounting, and with a controller that is started anew meanwhile, it comes to its end."""
    cluster = make_cluster(nodes=1)
    experiment = Experiment(cluster, {"workflow.yaml": SLOW}, PROFILE)
    experiment.account.run(*SUBMIT, cwd=experiment.folder)
    cluster.stop_daemon("slurmdbd")
    cluster.wait_for(lambda: len(list(experiment.run.glob("records/work.0/0000/*"))) > 2, "a few that run")
    cluster.stop_daemon("slurmctld")
    cluster.start_daemon("slurmctld")
    wait_for_an_empty_queue(cluster)
    cluster.start_daemon("slurmdbd")
    assert completions(experiment) == {f"{task}.0[{x}]": 1 for task in ("work", "after") for x in range(6)}
    assert "Now: 12 COMPLETED." in (experiment.run / "recovery.md").read_text()


def test_cancelled_it_is_tended_no_more(cluster: SlurmCluster) -> None:
    """What waits and who would look after it go away together, and none comes back."""
    text = SLOW + "schedule: {policy: not_before, not_before: 2099-01-01 00:00}\n"
    experiment = Experiment(cluster, {"workflow.yaml": text}, PROFILE)
    experiment.account.run(*SUBMIT, cwd=experiment.folder)
    assert len([name for name in experiment.jobs() if name.startswith("tend.")]) == 1
    experiment.sciflow("cancel")
    wait_for_an_empty_queue(cluster)
    experiment.sciflow("retry", code=None)
    assert not cluster.command("squeue", "-h", "--me").stdout
    assert [one["is_on"] for one in experiment.events("autonomous")] == [True, False]
