"""What a record of a real Slurm holds, field by field."""

import json
from collections.abc import Callable
from typing import Any

import h5py

from live.experiment import Experiment
from live.slurm_cluster import SlurmCluster
from record_fields import differences, found, listed

FILES = {
    "workflow.yaml": """
name: everything
parameters: {x: [1, 2]}
tasks:
  - name: simulate
    command: "echo M={{ x }}; bash {{ workflow_dir }}/run.sh > log.txt"
    inputs: [data.txt]
    outputs: [log.txt]
    extract: {m: {stdout: 'M=(\\d+)', type: int}}
    resources: {memory_gb: 0.5, gpus: 1}
    metadata:
      variables: [SLURM_JOB_NAME]
      commands: {slurm: "sinfo --version"}
      files: [log.txt]
  - {name: gather, python: "programs:gather", depends_on: [simulate], over: all}
""",
    "programs.py": "def gather(simulate):\n    return {'sum': sum(one['m'] for one in simulate), 'all': [1.5, 2.5]}\n",
    "run.sh": "echo some output\n",
    "data.txt": "some data\n",
}
ON_SLURM = ["on Slurm", "that is set"]


def test_every_field_is_there_and_no_other(cluster: SlurmCluster) -> None:
    """Records of a command with a GPU and of a function that gathers, and their environments, are as the page says."""
    experiment = Experiment(cluster, FILES)
    experiment.submit("--wait")
    fields, environment = listed("Record"), listed("Environment")
    asked = ["memory was asked of Slurm", "GPUs were asked of Slurm", "the task has `metadata`"]
    here = {"simulate.0": [*ON_SLURM, *asked, "the task asks for variables", "the task asks for files"]}
    paths = sorted(experiment.run.glob("records/*/*/*.h5"))
    assert len(paths) == 3
    for path in paths:
        holds = here.get(path.parts[-3], ["on Slurm"])
        assert differences(fields, found(path), holds) == [], path
    captured = sorted(experiment.run.glob("environments/*.h5"))
    assert len(captured) == 2
    for path in captured:
        assert differences(environment, found(path), ["code outside of a repository"]) == [], path


def test_the_values_are_those_of_the_job(cluster: SlurmCluster) -> None:
    """Numbers of the scheduler, GPUs, inputs, earlier records, and what commands and variables say."""
    experiment = Experiment(cluster, FILES)
    experiment.submit("--wait")
    jobs = {one["array"]: one["job"] for one in experiment.events("submitted")}
    with h5py.File(experiment.run / "records/simulate.0/0000/1.1.h5") as opened:
        file: Any = opened
        facts = dict(file.attrs)
        assert (facts["SLURM_ARRAY_JOB_ID"], facts["SLURM_ARRAY_TASK_ID"]) == (jobs["simulate.0"], "1")
        assert facts["SLURM_JOB_ID"].isdecimal()
        assert facts["SLURM_MEM_PER_NODE"] == "512"
        assert facts["CUDA_VISIBLE_DEVICES"] in ("0", "1")
        assert facts["state"] == "COMPLETED"
        assert 0 < facts["end"] - facts["start"] < 300
        name = file["metadata/variables"].attrs["SLURM_JOB_NAME"]
        assert experiment.run.name in str(name)
        assert dict(file["inputs/0"].attrs)["path"] == "data.txt"
        assert file["inputs/0"].attrs["is_unchanged"]
        assert dict(file["inputs"].attrs)["count"] == 2
        assert file["environment/commands/slurm"].attrs["output"].startswith("slurm")
        assert file["resources"].attrs["user_cpu_seconds"] + file["resources"].attrs["system_cpu_seconds"] > 0
    with h5py.File(experiment.run / "records/gather.0/0000/0.1.h5") as opened:
        file = opened
        upstream = json.loads(str(file["inputs"].attrs["upstream"]))
        assert upstream == {"simulate": [["simulate.0", "0-1", 1]]}
        assert file["metrics"].attrs["sum"] == 3


def test_the_cgroup_of_a_job_tells_its_memory(make_cluster: Callable[..., SlurmCluster]) -> None:
    """Peak and limit of the job's own cgroup are in the record; a program that took 100 MB is within."""
    cluster = make_cluster(nodes=1, cgroup=True)
    take = "python3 -c 'x = bytearray(100_000_000)' # {{ x }}"
    workflow = f"""
name: cgroup
parameters: {{x: [1]}}
tasks:
  - {{name: take, command: {json.dumps(take)}, resources: {{memory_gb: 0.5}}}}
"""
    experiment = Experiment(cluster, {"workflow.yaml": workflow})
    experiment.submit("--wait")
    path = experiment.run / "records/take.0/0000/0.1.h5"
    holds = ["the job has a cgroup", "the job has a memory limit", "memory was asked of Slurm"]
    assert differences(listed("Record"), found(path), holds) == []
    with h5py.File(path) as opened:
        file: Any = opened
        used = dict(file["resources"].attrs)
        assert 100_000_000 < used["cgroup_peak_bytes"] <= used["memory_limit_bytes"]
        assert used["memory_limit_bytes"] == 512 << 20
