from pathlib import Path

import pytest

from sciflow.schedulers.fake.slurm.environment import folder, log_path, variables
from unit.schedulers.fake.slurm.conftest import Terminal


def found(terminal: Terminal, *options: str, index: int = 0) -> dict[str, str]:
    """Submit a job, start it, and return its variables."""
    job = terminal.cluster.jobs[terminal.submit(*options)]
    terminal.run(1.0)
    return variables(terminal.cluster, job.indices[index])


def test_an_index_of_an_array_job(terminal: Terminal) -> None:
    """Knows all indices, by their number, least, greatest and step; the last one has the id of the job."""
    options = ("--array=3-7:2%2", "-c", "2", "--mem=120", "-A", "proj")
    seen = found(terminal, *options, index=5)
    job = seen["SLURM_ARRAY_JOB_ID"]
    array = {"TASK_ID": "5", "TASK_COUNT": "3", "TASK_MIN": "3", "TASK_MAX": "7", "TASK_STEP": "2"}
    assert {name: seen[f"SLURM_ARRAY_{name}"] for name in array} == array
    assert seen["SLURM_JOB_ID"] == seen["SLURM_JOBID"] == f"{job}000005"
    for name in ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE", "SLURM_JOB_CPUS_PER_NODE"):
        assert seen[name] == "2"
    assert (seen["SLURM_MEM_PER_NODE"], seen["SLURM_JOB_ACCOUNT"]) == ("120", "proj")
    assert (seen["SLURM_JOB_USER"], seen["SLURM_JOB_UID"]) == ("chen", "1001")
    assert not {"SLURM_RESTART_COUNT", "SLURM_NTASKS", "SLURM_MEM_PER_CPU"} & set(seen)
    assert variables(terminal.cluster, terminal.cluster.jobs[job].indices[7])["SLURM_JOB_ID"] == job


@pytest.mark.parametrize(
    ("options", "there"),
    [
        ("-n 2", {"SLURM_NTASKS": "2", "SLURM_NPROCS": "2", "SLURM_TASKS_PER_NODE": "2"}),
        ("--ntasks-per-node=2", {"SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "2"}),
        ("-c 2 --mem-per-cpu=50", {"SLURM_MEM_PER_CPU": "50", "SLURM_CPUS_PER_TASK": "2"}),
        ("--exclusive", {"SLURM_CPUS_ON_NODE": "8", "SLURM_TASKS_PER_NODE": "8"}),
        ("-d singleton", {"SLURM_JOB_DEPENDENCY": "singleton"}),
        ("--gpus=1", {"SLURM_GPUS": "1", "SLURM_GPUS_ON_NODE": "1", "CUDA_VISIBLE_DEVICES": "0"}),
    ],
)
def test_what_was_asked_for_is_there(terminal: Terminal, options: str, there: dict[str, str]) -> None:
    """And not where it was not."""
    seen, plain = found(terminal, *options.split()), found(terminal)
    assert {name: seen[name] for name in there} == there
    assert not set(there) & (set(plain) - {"SLURM_CPUS_ON_NODE", "SLURM_TASKS_PER_NODE"})


def test_nobody_shares_a_gpu(terminal: Terminal) -> None:
    """Jobs on one node have different ones."""
    one, other = (found(terminal, "--gres=gpu:1", "-w", "n1")["CUDA_VISIBLE_DEVICES"] for _ in range(2))
    assert {one, other} == {"0", "1"}


def test_who_starts_again_knows_it(terminal: Terminal) -> None:
    """From the second start on."""
    job = terminal.submit()
    terminal.run(1.0)
    terminal.says("scontrol", "requeue", job)
    terminal.run(200.0)
    assert variables(terminal.cluster, terminal.cluster.jobs[job].indices[0])["SLURM_RESTART_COUNT"] == "1"


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("%x-%A-%a.out", "job-1-4.out"), ("%j", "1000004"), ("%u@%N", "chen@n1"), ("%%a %3a", "%a 004"), ("%q", "%q"),
        ("/logs/%a", "/logs/4"),
    ],
)  # fmt: skip
def test_patterns_in_the_names_of_logs(terminal: Terminal, pattern: str, name: str) -> None:
    """Job, index, user and node; numbers with zeros before them; what means nothing stays."""
    job = terminal.cluster.jobs[terminal.submit("--array=4,5")]
    terminal.run(1.0)
    assert log_path(job.indices[4], pattern) == terminal.folder / name


def test_where_it_starts(terminal: Terminal) -> None:
    """From where it was submitted or where it wants to; in `/tmp` where there is no such folder."""
    Path(terminal.folder, "sub").mkdir()
    places = {(): terminal.folder, ("-D", "sub"): terminal.folder / "sub", ("-D", "/not/there"): Path("/tmp")}
    for options, place in places.items():
        assert folder(terminal.cluster.jobs[terminal.submit(*options)].indices[0]) == place
