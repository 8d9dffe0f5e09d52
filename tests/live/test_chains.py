"""Tasks that take longer than the site allows, on a real Slurm; seconds stand for hours."""

from collections import Counter

from live.experiment import Experiment
from live.processes import end_processes
from live.slurm_cluster import SlurmCluster
from sciflow_shim.record_reader import read_record

WALK = """
import time


def walk(context, x):
    step = context.restore(default=0)
    here = context.working_directory
    with (here / "steps").open("a") as done:
        while step < 60:
            if context.should_stop():
                return None
            time.sleep(0.2)
            step += 1
            print(step, file=done, flush=True)
            context.checkpoint(step)
            if x == 1 and step == 15 and not (here.parents[5] / "mended").exists():
                raise ValueError(f"no way on from {step}")
    return {"steps": step}


def after(walk):
    return {"z": walk["steps"]}
"""
LONG = """
name: long
parameters: {x: [0, 1, 2]}
tasks:
  - {name: walk, python: "walk:walk", checkpoints: true, resources: {memory: 200M, max_runtime: 20 s}}
  - {name: after, python: "walk:after", depends_on: [walk], resources: {memory: 200M, max_runtime: 2 s}}
"""
SHORT = "partitions: {main: {memory_gb: 1, default: true, max_runtime: 2 s}}\n"


def steps(experiment: Experiment, x: int) -> Counter[int]:
    """Return step → how often it was done, for one value of x."""
    [folder] = [
        path.parent
        for path in experiment.run.glob("work/walk/*/steps")
        if read_record(experiment.run / f"records/walk.0/0000/{x}.1.h5").attributes["instance"] == path.parent.name
    ]
    return Counter(int(line) for line in (folder / "steps").read_text().split())


def jobs_of(cluster: SlurmCluster, experiment: Experiment, index: int) -> list[str]:
    """Return the jobs of the newest run which have an index that waits or runs."""
    rows = cluster.command("squeue", "-h", "-r", "-t", "PD,R", "-o", "%F|%K|%j").stdout.splitlines()
    found = [row.split("|") for row in rows]
    return [job for job, place, name in found if place == str(index) and f"walk.0.{experiment.run.name}" in name]


def test_ten_time_limits(cluster: SlurmCluster) -> None:
    """Nobody does anything: each step is done once. After an error no link is left; who was killed goes on."""
    experiment = Experiment(cluster, {"workflow.yaml": LONG, "walk.py": WALK}, SHORT)
    plan = experiment.sciflow("plan", "workflow.yaml", "--profile", "site.yaml")
    assert "it goes on from its checkpoints, up to 10 times" in plan.stdout + plan.stderr
    answer = experiment.submit()
    assert [(one["array"], one["indices"]) for one in answer["jobs"].values()] == [("walk.0", 3)] * 10 + [
        ("after.0", 3)
    ]
    second = [job for job, one in answer["jobs"].items() if one["array"] == "walk.0"][1]
    cluster.wait_for(lambda: (experiment.run / "records/walk.0/0000/2.2.h5").exists(), "a second link")
    cluster.wait_for(lambda: max(steps(experiment, 2)) > 12, "the middle of it")
    names = {one["job"]: one["name"] for one in experiment.events("submitted")}
    end_processes({**cluster.environment, "SLURM_JOB_NAME": names[second], "SLURM_ARRAY_TASK_ID": "2"})
    cluster.wait_for(
        lambda: not jobs_of(cluster, experiment, 1) and not jobs_of(cluster, experiment, 2), "the end of two chains"
    )
    assert jobs_of(cluster, experiment, 0)
    cluster.wait_for(lambda: not cluster.command("squeue", "-h").stdout, "an empty queue")
    experiment.sciflow("status", "--watch", code=3)
    assert experiment.status()["arrays"] == {
        "walk.0": {"COMPLETED": "0", "FAILED": "1-2"},
        "after.0": {"COMPLETED": "0", "UPSTREAM_FAILED": "1-2"},
    }
    assert steps(experiment, 0) == Counter(range(1, 61))
    assert len(list(experiment.run.glob("records/walk.0/0000/0.*.h5"))) >= 6

    reached = max(steps(experiment, 2))
    experiment.account.write(experiment.folder / "mended", "")
    experiment.ask("retry", "--indices", "walk[1-2]", "--wait")
    assert experiment.status()["tasks"] == {"walk": {"COMPLETED": 3}, "after": {"COMPLETED": 3}}
    assert steps(experiment, 1) == Counter(range(1, 61))  # the checkpoint of the step that failed was kept
    assert {step for step, count in steps(experiment, 2).items() if count > 1} <= {reached}
    assert steps(experiment, 2).keys() == set(range(1, 61))


def test_a_chain_that_does_not_fit(cluster: SlurmCluster) -> None:
    """With room for six indices, the links follow little by little, and each step is done once."""
    workflow = LONG.replace("[0, 1, 2]", "[0, 2]").replace("20 s", "8 s")
    files = {"workflow.yaml": workflow, "walk.py": WALK.replace("step < 60", "step < 30")}
    experiment = Experiment(cluster, files)
    text = "name: site\nscheduler: slurm\nlimits: {highest_index: 1000, submitted_indices: 6}\n"
    experiment.account.write(experiment.folder / "site.yaml", text + SHORT)
    answer = experiment.submit()
    assert [(one["array"], one["indices"]) for one in answer["jobs"].values()] == [("walk.0", 2)] * 3
    assert answer["waiting"]
    answer = experiment.submit("--wait")
    assert answer["combinations"] == {"completed": 2, "total": 2}
    for x in range(2):
        assert steps(experiment, x) == Counter(range(1, 31))
