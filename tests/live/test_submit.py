"""Submitting to a real Slurm: once and only once, whatever happens to the submitter."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from live.experiment import Experiment
from live.slurm_cluster import SlurmCluster

MakeCluster = Callable[..., SlurmCluster]

# Three array jobs that wait for a day that never comes, so that all of them are still there to be counted.
THREE = """
name: three
parameters: {x: [1, 2, 3]}
tasks:
  - {name: a, command: "echo {{ x }}"}
  - {name: b, command: "echo {{ x }}", depends_on: [a]}
  - {name: c, command: "echo done", depends_on: [b], over: all}
schedule: {policy: not_before, not_before: 2099-01-01 00:00}
"""
# Submits, and is killed with SIGKILL at its n-th step: before or after anything is written to the journal for good,
# before a command is started, while it runs, and after it has answered.
KILLED = """
import os, signal, subprocess, sys
from sciflow.store.journal import Journal
from sciflow.transport.local import LocalTransport

left = int(sys.argv[1])

def step():
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1

def counted(function):
    def call(*arguments, **more):
        step()
        answer = function(*arguments, **more)
        step()
        return answer
    return call

def communicate(process, *arguments, plain=subprocess.Popen.communicate, **more):
    if process.args[0] == "sbatch":
        step()
    return plain(process, *arguments, **more)

Journal.commit = counted(Journal.commit)
LocalTransport.run = counted(LocalTransport.run)
subprocess.Popen.communicate = communicate
from sciflow.cli.main import main
main(["submit", "workflow.yaml", "--profile", "site.yaml"])
"""


def test_killed_at_every_step_each_array_is_there_once(cluster: SlurmCluster) -> None:
    """A submitter that is killed at any of its steps, and started again, leaves every array job exactly once."""
    steps = 0
    while True:
        experiment = Experiment(cluster, {"workflow.yaml": THREE, "killed.py": KILLED})
        run = experiment.account.type(experiment.folder / "killed.py", str(steps), cwd=experiment.folder)
        if run.returncode == 0:
            break
        assert run.returncode == -9, run.stderr
        answer = experiment.submit()
        jobs = experiment.jobs()
        assert sorted(name.split(".")[0] for name in jobs) == ["a", "b", "c"], (steps, jobs)
        assert set(jobs.values()) == {1}, (steps, jobs)
        assert len(answer["jobs"]) + len(answer["found"]) <= 3
        assert experiment.submit()["jobs"] == {}
        experiment.sciflow("cancel")
        steps += 1
    assert steps >= 3 * 7  # an intent, a command and an id, with a step before and after each, and one in between
    experiment.sciflow("cancel")


def test_two_submitters_at_once(cluster: SlurmCluster) -> None:
    """Started together on one run, one of them submits, or both in turn; each array job is there once."""
    experiment = Experiment(cluster, {"workflow.yaml": THREE, "killed.py": KILLED})
    experiment.account.run("python", "killed.py", "0", cwd=experiment.folder, check=False)  # a run without a job
    words = ["sciflow", "submit", "workflow.yaml", "--profile", "site.yaml"]
    both = [experiment.account.popen(*words, cwd=experiment.folder) for _ in range(2)]
    answers = [process.communicate(timeout=120) for process in both]
    assert any(process.returncode == 0 for process in both), answers
    for process, (_, complaint) in zip(both, answers, strict=True):
        assert process.returncode == 0 or "is being driven by process" in complaint
    assert set(experiment.jobs().values()) == {1}
    assert len(experiment.jobs()) == 3
    experiment.sciflow("cancel")


def test_two_first_submitters_at_once(cluster: SlurmCluster) -> None:
    """Started together where there is no run yet, they make one run, and each array job is there once."""
    experiment = Experiment(cluster, {"workflow.yaml": THREE})
    words = ["sciflow", "submit", "workflow.yaml", "--profile", "site.yaml"]
    both = [experiment.account.popen(*words, cwd=experiment.folder) for _ in range(3)]
    answers = [process.communicate(timeout=120) for process in both]
    assert any(process.returncode == 0 for process in both), answers
    assert len(list(experiment.folder.glob("sciflow-runs/three/*/manifest.json"))) == 1
    assert set(experiment.jobs().values()) == {1}
    assert len(experiment.jobs()) == 3
    done = experiment.sciflow("exec", "latest", "a", "0", code=1)
    assert "would be run twice" in done.stderr
    assert "names no index" in experiment.sciflow("cancel", "--only", "a[2-0]", code=1).stderr
    experiment.sciflow("cancel")


def test_what_does_not_fit_is_fed_little_by_little(cluster: SlurmCluster) -> None:
    """With room for six indices, twenty run in the end, and never more than six are in the queue."""
    workflow = """
name: many
parameters: {x: {range: [0, 20]}}
tasks:
  - {name: first, command: "echo {{ x }}"}
  - {name: second, command: "squeue -h --me -r | wc -l; echo {{ x }}", depends_on: [first]}
"""
    experiment = Experiment(cluster, {"workflow.yaml": workflow})
    text = "name: site\nscheduler: slurm\nlimits: {highest_index: 1000, submitted_indices: 6}\n"
    experiment.account.write(experiment.folder / "site.yaml", text)
    answer = experiment.submit()
    assert [one["indices"] for one in answer["jobs"].values()] == [6]
    assert answer["waiting"]
    assert "not been submitted" in json.dumps(experiment.status()["waiting"])
    answer = experiment.submit("--wait")
    assert answer["combinations"] == {"completed": 20, "total": 20}
    seen = [int(path.read_text().split()[0]) for path in experiment.run.glob("logs/second.*/*.out")]
    assert len(seen) == 20
    assert max(seen) <= 6


@pytest.mark.parametrize(
    ("resources", "told", "hint"),
    [
        ("partition: nope", "invalid partition specified: nope", "sinfo -s"),
        ("memory: 9T", "Memory specification can not be satisfied", "profile detect"),
        ("constraint: nope", "Invalid feature specification", "sinfo -o %f"),
        ("gpus: 1, gpu_type: nope", "Requested node configuration is not available", "profile detect"),
        ("reservation: nope", "reservation", "scontrol show reservation"),
        ("licenses: 'nope:1'", "license", "scontrol show licenses"),
        ("directives: ['--foo']", "unrecognized option '--foo'", "tries again"),
    ],
)
def test_a_refusal_is_in_slurms_words(cluster: SlurmCluster, resources: str, told: str, hint: str) -> None:
    """With the task's name and the way out; mended, the same command goes on."""
    workflow = f"name: refused\ntasks:\n  - {{name: relax, command: 'true', resources: {{{resources}}}}}\n"
    experiment = Experiment(cluster, {"workflow.yaml": workflow})
    done = experiment.sciflow("submit", "workflow.yaml", "--profile", "site.yaml", code=1)
    message, advice = done.stderr.split("hint: ")
    assert "`relax`" in message
    assert told.lower() in message.lower()
    assert hint in advice
    assert experiment.jobs() == {}
    assert "refused it" in experiment.status()["waiting"][0]["reason"]
    experiment.account.write(
        experiment.folder / "workflow.yaml", "name: refused\ntasks:\n  - {name: relax, command: 'true'}\n"
    )
    assert len(experiment.submit()["jobs"]) == 1


def test_what_the_site_allows_is_found_out_and_checked_before(cluster: SlurmCluster) -> None:
    """A profile that was detected refuses, at plan time, a walltime, memory, partition or account beyond it."""
    experiment = Experiment(cluster, {})
    experiment.sciflow("profile", "detect", "--name", "here", "-o", "cluster_profiles/here.yaml")
    shown = experiment.ask("profile", "show", "here")
    assert shown["limits"] == {"highest_index": 10000, "seconds_to_kill": 5.0}
    assert shown["partitions"]["short"] == {
        **{"cpu_cores": 8, "memory_gb": 15.625, "gpus": 2, "nodes": 2},
        "max_runtime": "0-12:00:00",
    }
    assert shown["partitions"]["main"]["default"] is True
    for resources, told in {
        "partition: short, max_runtime_hours: 48": "asks for 2 d, but partition `short` allows 12 h",
        "memory: 64G": "asks for 64 GB, but partition `main` allows 15.6 GB",
        "cpu_cores: 9": "asks for 9 cores, but partition `main` allows 8 cores",
        "partition: shorter": "names the partition `shorter`, which profile `here` does not have",
        "nodes: 3": "asks for 3 nodes, but partition `main` allows 2 nodes",
    }.items():
        text = f"name: beyond\ntasks:\n  - {{name: relax, command: 'true', resources: {{{resources}}}}}\n"
        experiment.account.write(experiment.folder / "workflow.yaml", text)
        done = experiment.sciflow("plan", "workflow.yaml", "--profile", "here", code=1)
        assert told in done.stderr
        assert "hint: " in done.stderr
    assert not (experiment.folder / "sciflow-runs").exists()


def test_a_lab_overrides_a_block_of_the_template(cluster: SlurmCluster) -> None:
    """An exported template in the project's folder is used, extends the bundled one, and its directives reach Slurm."""
    workflow = "name: lab\ntasks:\n  - {name: relax, command: 'echo \"$LAB\"'}\n"
    experiment = Experiment(cluster, {"workflow.yaml": workflow})
    experiment.sciflow("template", "export", "slurm")
    path = experiment.folder / "templates" / "slurm" / "array.sh.j2"
    block = "{% block directives %}\n{{ super() -}}\n#SBATCH --comment=ours\n{% endblock %}\n"
    block += "{% block setup %}\n{{ super() -}}\nexport LAB='not 1'\n{% endblock %}\n"
    experiment.account.write(path, path.read_text() + block)
    answer = experiment.submit("--wait")
    [job] = answer["jobs"]
    assert experiment.account.run("squeue", "-h", "-t", "all", "-j", job, "-o", "%k").stdout == "ours\n"
    assert experiment.sciflow("logs", "relax[0]").stdout == "not 1\n"
    done = experiment.sciflow("template", "export", "slurm", code=1)
    assert "is there already" in done.stderr


def test_without_slurm_nothing_is_lost(cluster: SlurmCluster) -> None:
    """Where the commands are missing, or the controller is down, the same command goes on later."""
    experiment = Experiment(cluster, {"workflow.yaml": THREE})
    here = experiment.account.run("which", "sbatch").stdout.strip()
    nowhere = {"PATH": str(experiment.account.python.parent)}
    words = ["sciflow", "submit", "workflow.yaml", "--profile", "site.yaml"]
    done = experiment.account.run(*words, cwd=experiment.folder, env=nowhere, check=False)
    assert done.returncode == 1
    assert "there is no command `sbatch` on this machine" in done.stderr, here
    cluster.stop_daemon("slurmctld")
    experiment.account = cluster.hasty()
    try:
        done = experiment.sciflow(*words[1:], code=1)
        assert "Unable to contact slurm controller" in done.stderr
        assert "nothing is lost" in done.stderr
    finally:
        cluster.start_daemon("slurmctld")
    experiment.account = cluster.account
    assert len(experiment.submit()["jobs"]) == 3
    assert set(experiment.jobs().values()) == {1}
    experiment.sciflow("cancel")


def test_a_run_of_a_newer_version_is_left_alone(cluster: SlurmCluster) -> None:
    """Its format is named; nothing is submitted of it."""
    experiment = Experiment(cluster, {"workflow.yaml": THREE, "killed.py": KILLED})
    experiment.account.run("python", "killed.py", "0", cwd=experiment.folder, check=False)
    manifest = experiment.run / "manifest.json"
    document = json.loads(manifest.read_text())
    experiment.account.write(manifest, json.dumps({**document, "format": 99}))
    for words in (["status"], ["cancel"], ["collect"]):
        assert "has format 99" in experiment.sciflow(*words, code=1).stderr
    assert experiment.jobs() == {}
    assert Path(experiment.run / "journal.jsonl").exists()


def test_accounts_and_limits_of_the_site(make_cluster: MakeCluster) -> None:
    """Where the site enforces them, a wrong account or QOS is refused, and what is too much for now is fed later."""
    cluster = make_cluster(nodes=1, enforce="associations,limits,qos")
    cluster.add_association("project", "MaxSubmitJobs=8")
    workflow = """
name: limited
parameters: {x: {range: [0, 20]}}
tasks:
  - {name: work, command: "echo {{ x }}"}
"""
    experiment = Experiment(cluster, {"workflow.yaml": workflow})
    experiment.account.write(experiment.folder / "other.yaml", "name: other\nscheduler: slurm\naccount: nope\n")
    experiment.account.write(experiment.folder / "third.yaml", "name: third\nscheduler: slurm\nqos: nope\n")
    for profile, told in {
        "other.yaml": "Invalid account",
        "third.yaml": "Invalid qos",
        "site.yaml": "SubmitJob",
    }.items():
        done = experiment.sciflow("submit", "workflow.yaml", "--profile", profile, code=1)
        assert told in done.stderr
        assert "sacctmgr" in done.stderr or "profile detect" in done.stderr
    experiment.sciflow("profile", "detect", "--name", "here", "-o", "here.yaml")
    shown = experiment.ask("profile", "show", str(experiment.folder / "here.yaml"))
    assert (shown["accounts"], shown["limits"]["submitted_indices"]) == (["project"], 8)
    answer = experiment.ask("submit", "workflow.yaml", "--profile", "here.yaml", "--wait")
    assert answer["combinations"] == {"completed": 20, "total": 20}
    assert [array.count("work") for array in answer["arrays"]] == [1, 1, 1]  # at most eight indices in each


def fill_up(journal: Path, filler: Path) -> None:
    """Leave no room on a disk: neither a free page, nor any in the last page of the journal."""
    size = journal.stat().st_size
    line = json.dumps({"event": "none", "pad": ""})
    with journal.open("a") as file:
        file.write(line.replace('""', f'"{"x" * (-(size + len(line) + 1) % 4096)}"') + "\n")
    assert journal.stat().st_size % 4096 == 0
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=4096"], capture_output=True, check=False)


def test_a_full_disk_when_submitting(cluster: SlurmCluster) -> None:
    """Without room for the intent nothing is submitted; with room again, the same command goes on."""
    experiment = Experiment(cluster, {"workflow.yaml": THREE, "killed.py": KILLED})
    runs = experiment.folder / "sciflow-runs"
    runs.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=777", "none", runs]
    if os.geteuid() or subprocess.run(mount, check=False).returncode:
        pytest.skip("needs root to mount a small disk")
    try:
        experiment.account.run("python", "killed.py", "0", cwd=experiment.folder, check=False)
        fill_up(experiment.run / "journal.jsonl", runs / "filler")
        done = experiment.sciflow("submit", "workflow.yaml", "--profile", "site.yaml", code=1)
        assert "No space left on device" in done.stderr
        assert experiment.jobs() == {}
        (runs / "filler").unlink()
        assert len(experiment.submit()["jobs"]) == 3
        assert set(experiment.jobs().values()) == {1}
        experiment.sciflow("cancel")
    finally:
        subprocess.run(["umount", "-l", runs], check=True)
