"""Every way in which an index can end on a real Slurm, and what is said of it."""

import json
from collections.abc import Callable

import pytest

from live.experiment import Experiment
from live.slurm_cluster import SlurmCluster
from sciflow_shim.record_reader import read_record

MakeCluster = Callable[..., SlurmCluster]


def one_task(command: str, resources: str = "{}", name: str = "ends") -> dict[str, str]:
    """Make a workflow of one task over three values of x."""
    return {
        "workflow.yaml": f"""
name: {name}
parameters: {{x: [0, 1, 2]}}
tasks:
  - name: work
    command: {json.dumps(command + " # {{ x }}")}
    resources: {resources}
"""
    }


def place(experiment: Experiment, index: int) -> str:
    """Return an index of the newest run's first job, as Slurm writes it."""
    return f"{experiment.events('submitted')[0]['job']}_{index}"


def reasons(experiment: Experiment) -> str:
    """Return all that `status` says in words."""
    return experiment.sciflow("status", code=None).stdout


CHAIN = """
name: chain
parameters: {i: {range: [0, 6]}}
tasks:
  - name: a
    command: "case {{ i }} in 2) exit 3;; 3) kill -9 $$;; esac; echo v={{ i }}"
    extract: {v: {stdout: 'v=(\\d+)', type: int}}
  - {name: b, python: "steps:b", depends_on: [a]}
  - {name: c, python: "steps:c", depends_on: [b]}
  - {name: all_of_them, python: "steps:gather", depends_on: [c], over: all}
  - {name: those_there, python: "steps:gather", depends_on: [c], over: all, missing: skip}
"""
STEPS = """
def b(a):
    return {"w": 2 * a["v"]}


def c(b):
    return {"x": b["w"] + 1}


def gather(c):
    return {"n": len(c)}
"""


def test_a_failed_index_holds_back_only_what_needs_it(cluster: SlurmCluster) -> None:
    """Of a chain of three, the indices whose first task failed are UPSTREAM_FAILED; without any client alive."""
    experiment = Experiment(cluster, {"workflow.yaml": CHAIN, "steps.py": STEPS})
    experiment.submit()
    # Nobody asks until Slurm has nothing left to do.
    cluster.wait_for(lambda: not experiment.account.run("squeue", "-h", "--me").stdout, "an empty queue")
    status = experiment.status()
    done = {"COMPLETED": "0-1,4-5"}
    assert status["arrays"] == {
        "a.0": {**done, "FAILED": "2-3"},
        "b.0": {**done, "UPSTREAM_FAILED": "2-3"},
        "c.0": {**done, "UPSTREAM_FAILED": "2-3"},
        "all_of_them.0": {"UPSTREAM_FAILED": "0"},
        "those_there.0": {"COMPLETED": "0"},
    }
    assert "b[2] is UPSTREAM_FAILED" in experiment.sciflow("logs", "b[2]", code=1).stderr.replace(".0[", "[")
    results = experiment.ask("collect", code=3)
    assert results["combinations"] == {"completed": 4, "total": 6}
    assert experiment.sciflow("status", "--watch", code=3).returncode == 3  # it knows that nothing more will come


def test_what_is_known_of_an_index_that_slurm_ends(cluster: SlurmCluster) -> None:
    """A walltime that Slurm enforces is TIMEOUT, a cancelled one CANCELLED, although both are told to stop alike."""
    experiment = Experiment(cluster, one_task("touch runs; sleep 100", "{max_runtime: 10 min}"))
    experiment.submit()
    cluster.wait_for(lambda: len(list(experiment.run.glob("work/work/*/runs"))) == 3, "three running programs")
    assert experiment.states("work") == {"RUNNING": 3}
    soon = ["scontrol", "update", f"JobId={place(experiment, 0)}", "EndTime=now+2"]
    experiment.account.run(*soon)
    experiment.account.run("scancel", place(experiment, 1))
    experiment.sciflow("cancel", "--only", "work[2]")
    experiment.sciflow("status", "--watch", code=3)
    arrays = experiment.status()["arrays"]
    assert arrays == {"work.0": {"TIMEOUT": "0", "CANCELLED": "1-2"}}, experiment.sciflow("status", code=None).stdout
    assert sorted(path.name for path in experiment.run.glob("records/work.0/0000/*")) == ["0.1.h5", "1.1.h5", "2.1.h5"]


def test_a_job_script_that_fails_before_the_program(cluster: SlurmCluster) -> None:
    """There is no record then; the scheduler's word counts, and `logs` shows what the script said."""
    profile = 'setup: ["echo no such licence server >&2; exit 7"]\n'
    experiment = Experiment(cluster, one_task("true"), profile)
    answer = experiment.submit("--wait", code=3)
    assert answer["tasks"]["work"] == {"FAILED": 3}
    [failure] = answer["failures"]
    assert failure["error"] == "it has left no record (exit code 7:0): no such licence server"
    assert failure["cause"] == "launch_failure"
    shown = experiment.sciflow("logs", "work[1]")
    assert "no such licence server" in shown.stdout + shown.stderr


def test_a_program_and_its_shim_that_are_killed(cluster: SlurmCluster) -> None:
    """When the whole tree is gone at once, the scheduler says so."""
    experiment = Experiment(cluster, one_task("kill -9 $PPID $$"))
    answer = experiment.submit("--wait", code=3)
    assert answer["tasks"]["work"] == {"FAILED": 3}
    assert "0:9" in answer["failures"][0]["error"]


def test_pending_indices_that_are_cancelled_leave_no_trace(cluster: SlurmCluster) -> None:
    """Cancelled by sciflow they are CANCELLED at once; by `scancel`, Slurm may forget them: nothing is made up then."""
    files = one_task("true")
    files["workflow.yaml"] += "schedule: {policy: not_before, not_before: 2099-01-01 00:00}\n"
    experiment = Experiment(cluster, files)
    experiment.submit()
    experiment.sciflow("cancel", "--only", "work[0]")
    experiment.account.run("scancel", place(experiment, 1))
    status = experiment.wait_until(lambda s: "UNKNOWN" in s["tasks"]["work"], "an index that nobody knows of")
    assert "know what became of it" in reasons(experiment)
    assert status["arrays"] == {"work.0": {"CANCELLED": "0", "UNKNOWN": "1", "PENDING": "2"}}
    experiment.sciflow("cancel", "--only", "work[2]")
    experiment.sciflow("status", "--watch", code=3)
    # Slurm writes a last bare row, which tells that all of it was cancelled, or one of index 2 alone, as it comes.
    job = place(experiment, 1).partition("_")[0]

    def agrees_with_slurm() -> bool:
        rows = experiment.account.run("sacct", "-X", "-n", "-P", "-j", job, "-o", "JobID,State").stdout.splitlines()
        is_told = any(row.split("|")[0] in (job, f"{job}_1") and "|CANCELLED" in row for row in rows)
        known = {"CANCELLED": "0-2"} if is_told else {"CANCELLED": "0,2", "UNKNOWN": "1"}
        return experiment.status()["arrays"] == {"work.0": known}

    cluster.wait_for(agrees_with_slurm, "what Slurm's accounting tells, and no more")


def test_reasons_to_wait_are_told_in_plain_words(cluster: SlurmCluster) -> None:
    """Held, waiting for others, asking for what its partition never gives."""
    files = {
        "workflow.yaml": """
name: waits
parameters: {x: [1, 2]}
tasks:
  - {name: held, command: "echo {{ x }}", resources: {directives: [--hold]}}
  - {name: after, command: "echo {{ x }}", depends_on: [held]}
  - {name: wide, command: "echo {{ x }}", resources: {cpu_cores: 999}}
  - {name: long, command: "echo {{ x }}", resources: {partition: short, max_runtime: 2d}}
"""
    }
    experiment = Experiment(cluster, files)
    experiment.submit()
    words = {
        "held by its owner: `scontrol release` lets it go",
        "waits for the array job before it",
        "asks for more time than its partition allows: it will wait for ever",
        "its partition can never give what it asks for: it will wait for ever",
    }
    experiment.wait_until(lambda s: words <= {one["reason"] for one in s["waiting"]}, f"the reasons {words}")
    assert all(word in reasons(experiment) for word in words)
    experiment.sciflow("cancel")


@pytest.mark.parametrize("requeue", [True, False])
def test_a_node_that_dies(make_cluster: Callable[..., SlurmCluster], requeue: bool) -> None:
    """What ran there is NODE_FAIL, or runs again where the profile lets it, as a second attempt."""
    cluster = make_cluster(nodes=1)
    command = "test -e ran || { touch ran; sleep 1000; }; echo done"
    experiment = Experiment(cluster, one_task(command), f"requeue: {str(requeue).lower()}\n")
    experiment.submit()
    cluster.wait_for(lambda: len(list(experiment.run.glob("work/work/*/ran"))) == 3, "three running programs")
    [node] = cluster.nodes
    cluster.kill_node(node)
    if not requeue:
        experiment.sciflow("status", "--watch", code=3)
        assert experiment.states("work") == {"NODE_FAIL": 3}
        left = read_record(experiment.run / "records" / "work.0" / "0000" / "1.1.h5")  # of its start
        assert (left.attributes["state"], left.attributes["attempt"]) == ("RUNNING", 1)
        return
    cluster.restart_node(node)
    cluster.command("scontrol", "update", f"nodename={node}", "state=resume", as_root=True, check=False)
    # What is left of the first runs is ended when the node is back, by their ids, which are those of the next ones too.
    cluster.wait_for(lambda: cluster.command("sinfo", "-h", "-o", "%T").stdout.split() == ["idle"], "an idle node")
    job = place(experiment, 0).partition("_")[0]
    cluster.wait_for(lambda: experiment.account.run("squeue", "-h", "-j", job, "-t", "PD").stdout != "", "a requeue")
    experiment.account.run("scontrol", "update", f"jobid={job}", "starttime=now")
    experiment.sciflow("status", "--watch")
    assert experiment.states("work") == {"COMPLETED": 3}


@pytest.mark.parametrize("then", ["", "; echo never"])
def test_memory_that_is_used_up(make_cluster: Callable[..., SlurmCluster], then: str) -> None:
    """Whether Slurm's control group or the shim notices first: OUT_OF_MEMORY, also where a shell waits for it."""
    cluster = make_cluster(nodes=1, cgroup=True)
    program = "import sys; held = bytearray(600 << 20); print(len(held), sys.argv)"
    experiment = Experiment(cluster, one_task(f"python3 -c '{program}' {{{{ x }}}}{then}", "{memory: 200M}"))
    answer = experiment.submit("--wait", code=3)
    assert answer["tasks"]["work"] == {"OUT_OF_MEMORY": 3}
    told = [read_record(experiment.run / f"records/work.0/0000/{index}.1.h5").attributes for index in range(3)]
    # Slurm may kill all of a job at once: then the shim had no time, and only accounting tells.
    cut_off = [index for index, one in enumerate(told) if one["state"] == "RUNNING"]
    (job,) = [event["job"] for event in experiment.events("submitted")]
    for index in cut_off:
        fields = ("sacct", "-n", "-X", "-P", "-j", f"{job}_{index}", "-o", "State")
        assert experiment.account.run(*fields).stdout.split() == ["OUT_OF_MEMORY"]
    whole = [one for index, one in enumerate(told) if index not in cut_off]
    assert {one["state"] for one in whole} <= {"OUT_OF_MEMORY"}
    assert all("of the 0.20 GB" in one["error"] or "the memory was used up" in one["error"] for one in whole), told


def test_an_index_put_back_after_its_end(cluster: SlurmCluster) -> None:
    """A failed index that somebody requeues is PENDING again, and its second attempt counts; a completed one stays."""
    command = "test {{ x }} = 0 || test -e ran || { touch ran; exit 3; }"
    experiment = Experiment(cluster, one_task(command))
    experiment.submit("--wait", code=3)
    assert experiment.status()["arrays"] == {"work.0": {"COMPLETED": "0", "FAILED": "1-2"}}
    experiment.account.run("scontrol", "requeue", place(experiment, 1))
    again = experiment.account.run("scontrol", "update", f"jobid={place(experiment, 1)}", "starttime=now", check=False)
    assert again.returncode == 0, again.stderr
    cluster.wait_for(lambda: (experiment.run / "records/work.0/0000/1.2.h5").exists(), "a second record")
    experiment.wait_until(
        lambda s: s["arrays"] == {"work.0": {"COMPLETED": "0-1", "FAILED": "2"}}, "a completed second attempt"
    )
