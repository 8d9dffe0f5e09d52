"""Fused tasks on a real Slurm: one job for two of them, and jobs of their own for what failed."""

from live.experiment import Experiment
from live.slurm_cluster import SlurmCluster

WORKFLOW = """
name: fused
parameters: {x: [0, 1, 2]}
tasks:
  - name: prepare
    command: "echo {{ x }} > table; test {{ x }} -ne 1 || test -e {{ workflow_dir }}/mended"
    outputs: [table]
    resources: {memory: 100M, max_runtime: 1m}
  - name: train
    depends_on: [prepare]
    fuse: true
    command: "sed s/^/loss=/ {{ inputs.prepare.table }}; test {{ x }} -ne 2 || test -e {{ workflow_dir }}/mended"
    extract: {loss: {stdout: 'loss=(\\d+)', type: int}}
    resources: {memory: 200M, max_runtime: 2m}
"""


def test_a_fused_chain(cluster: SlurmCluster) -> None:
    """Three indices of one job; one fails in its first task, one in its second, and each is tried again by itself."""
    experiment = Experiment(cluster, {"workflow.yaml": WORKFLOW})
    assert experiment.submit("--wait", code=3)["tasks"] == {
        "prepare": {"COMPLETED": 2, "FAILED": 1},
        "train": {"COMPLETED": 1, "FAILED": 1, "UPSTREAM_FAILED": 1},
    }
    (job,) = [event["job"] for event in experiment.events("submitted")]
    expected = [f"{job}_{index}|{end}" for index, end in enumerate(("COMPLETED|0:0", "FAILED|1:0", "FAILED|1:0"))]
    fields = ("sacct", "-n", "-X", "-P", "-j", job, "-o", "JobID,State,ExitCode")
    cluster.wait_for(
        lambda: sorted(experiment.account.run(*fields).stdout.split()) == expected,
        "three indices of one job and no more",
    )
    assert experiment.sciflow("logs", "train[0]").stdout.strip() == "loss=0"
    experiment.account.write(experiment.folder / "mended", "")
    answer = experiment.ask("retry", "--wait")
    assert answer["tasks"] == {"prepare": {"COMPLETED": 3}, "train": {"COMPLETED": 3}}
    assert [(one["array"], one["indices"]) for one in experiment.events("intent")[1:]] == [
        ("prepare.0", "1"),
        ("train.0", "1"),
        ("train.0", "2"),
    ]
    attempts = sorted(one.name for one in (experiment.run / "records").glob("prepare.0/*/*.h5"))
    assert attempts == ["0.1.h5", "1.1.h5", "1.2.h5", "2.1.h5"]
