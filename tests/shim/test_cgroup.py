"""The memory controller, on recorded cgroups of both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciflow_shim.cgroup import cgroup_limits, job_memory, oom_kills


def put_cgroup(folder: Path, files: dict[str, str]) -> None:
    """Write the files of a cgroup."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def put_mounts(tmp_path: Path, cgroup: str, mounts: str) -> str:
    """Write what /proc tells about cgroups of process 5, and give its path."""
    proc = tmp_path / "proc"
    put_cgroup(proc / "5", {"cgroup": cgroup})
    put_cgroup(proc / "self", {"mountinfo": f"22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n{mounts}"})
    return str(proc)


def test_cgroup_v2_takes_the_tightest_limit_above(tmp_path: Path) -> None:
    """Slurm limits the step or the job and leaves the task without: that limit counts."""
    top = tmp_path / "fs cgroup"
    proc = put_mounts(
        tmp_path,
        "0::/slurm/job_7/step_0/task_0\n",
        f"30 22 0:26 / {str(top).replace(' ', chr(92) + '040')} rw,nosuid shared:4 - cgroup2 cgroup2 rw\n",
    )
    events = "low 0\nhigh 0\nmax 12\noom 2\noom_kill 3\noom_group_kill 0\n"
    task = {"memory.max": "max\n", "memory.peak": "123456\n", "memory.events": events}
    put_cgroup(top / "slurm/job_7/step_0/task_0", task)
    put_cgroup(top / "slurm/job_7/step_0", {"memory.max": "4000000\n"})
    put_cgroup(top / "slurm/job_7", {"memory.max": "5000000\n"})
    assert cgroup_limits(5, proc) == {"memory_peak_bytes": 123456, "memory_limit_bytes": 4000000, "oom_kills": 3}
    assert oom_kills(5, proc) == 3


def test_cgroup_v1_beside_an_empty_v2(tmp_path: Path) -> None:
    """On a hybrid machine the memory controller is found where it is, below the folder that was mounted."""
    proc = put_mounts(
        tmp_path,
        "9:name=systemd:/x\n4:cpu,memory:/docker/abc/pbs/7\n0::/docker/abc\n",
        f"31 22 0:27 / {tmp_path}/unified rw - cgroup2 cgroup2 rw\n"
        f"32 22 0:28 /docker/abc {tmp_path}/memory rw - cgroup cgroup rw,cpu,memory\n"
        f"33 22 0:29 /docker/abc {tmp_path}/systemd rw - cgroup cgroup rw,name=systemd\n",
    )
    files = {
        "memory.max_usage_in_bytes": "99\n",
        "memory.limit_in_bytes": "1000\n",
        "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
    }
    put_cgroup(tmp_path / "memory/pbs/7", files)
    put_cgroup(tmp_path / "memory", {"memory.limit_in_bytes": "9223372036854771712\n"})
    assert cgroup_limits(5, proc) == {"memory_peak_bytes": 99, "memory_limit_bytes": 1000, "oom_kills": 1}


def test_cgroup_without_a_limit_has_none(tmp_path: Path) -> None:
    """What the kernel calls unlimited is absent, and so is what an older kernel does not tell."""
    proc = put_mounts(tmp_path, "0::/\n", f"31 22 0:27 / {tmp_path}/v2 rw - cgroup2 cgroup2 rw\n")
    put_cgroup(tmp_path / "v2", {"memory.max": "max\n", "memory.events": "oom_kill 0\n"})
    assert cgroup_limits(5, proc) == {"oom_kills": 0}


@pytest.mark.parametrize("path", ["/elsewhere", "/..", "/docker/abcdef"])
def test_cgroup_out_of_sight_tells_nothing(tmp_path: Path, path: str) -> None:
    """A cgroup that is not below what this container has mounted is not mixed up with the mounted one."""
    proc = put_mounts(tmp_path, f"0::{path}\n", f"31 22 0:27 /docker/abc {tmp_path}/v2 rw - cgroup2 cgroup2 rw\n")
    put_cgroup(tmp_path / "v2", {"memory.max": "5\n", "memory.peak": "6\n"})
    assert cgroup_limits(5, proc) == {}


def test_cgroups_may_be_unreadable(tmp_path: Path) -> None:
    """Without /proc, or for a process that is gone, nothing is known."""
    assert cgroup_limits(5, str(tmp_path)) == {}
    assert job_memory(5, {"SLURM_JOB_ID": "7"}, str(tmp_path)) == {}
    assert oom_kills(5, str(tmp_path)) == 0


STEP = "/system.slice/slurmstepd.scope/job_7/step_batch/user/task_0"


def version_2(tmp_path: Path, path: str = STEP) -> tuple[str, Path]:
    """Put a process into a cgroup of version 2; give /proc, and where cgroups are mounted."""
    proc = put_mounts(tmp_path, f"0::{path}\n", f"31 22 0:27 / {tmp_path}/v2 rw - cgroup2 cgroup2 rw\n")
    put_cgroup(tmp_path / "v2" / path.strip("/"), {})
    return proc, tmp_path / "v2"


def test_the_job_of_slurm_tells_its_peak_and_its_limit(tmp_path: Path) -> None:
    """The lowest cgroup of the job that has a peak counts: the step's where the task's has none."""
    proc, top = version_2(tmp_path)
    job = top / "system.slice/slurmstepd.scope/job_7"
    put_cgroup(job, {"memory.peak": "9000\n", "memory.max": "10000\n"})
    put_cgroup(job / "step_batch", {"memory.peak": "4000\n", "memory.max": "max\n"})
    environ = {"SLURM_JOB_ID": "7"}
    assert job_memory(5, environ, proc) == {"cgroup_peak_bytes": 4000, "memory_limit_bytes": 10000}
    put_cgroup(job / "step_batch/user/task_0", {"memory.peak": "3000\n"})
    assert job_memory(5, environ, proc)["cgroup_peak_bytes"] == 3000


def test_the_job_of_slurm_in_version_1(tmp_path: Path) -> None:
    """The memory controller has a tree of its own there; a job without a limit has none."""
    proc = put_mounts(
        tmp_path,
        "4:memory:/slurm/uid_7/job_7/step_batch/task_0\n0::/init.scope\n",
        f"31 22 0:27 / {tmp_path}/unified rw - cgroup2 cgroup2 rw\n"
        f"32 22 0:28 / {tmp_path}/memory rw - cgroup cgroup rw,memory\n",
    )
    files = {"memory.max_usage_in_bytes": "77\n", "memory.limit_in_bytes": "9223372036854771712\n"}
    put_cgroup(tmp_path / "memory/slurm/uid_7/job_7/step_batch/task_0", files)
    put_cgroup(tmp_path / "unified/init.scope", {"memory.peak": "5\n"})
    assert job_memory(5, {"SLURM_JOB_ID": "7"}, proc) == {"cgroup_peak_bytes": 77}


def test_the_job_of_pbs_tells_its_peak(tmp_path: Path) -> None:
    """Its cgroup is named by the job's number, with or without the server's name."""
    proc, top = version_2(tmp_path, "/pbs_jobs.service/jobid/12.server")
    put_cgroup(top / "pbs_jobs.service/jobid/12.server", {"memory.peak": "6\n"})
    assert job_memory(5, {"PBS_JOBID": "12.server"}, proc) == {"cgroup_peak_bytes": 6}


@pytest.mark.parametrize(
    ("path", "environ"),
    [
        (STEP, {}),
        (STEP, {"SLURM_JOB_ID": "70"}),
        ("/user.slice/user-7.slice/session-7.scope", {"SLURM_JOB_ID": "7"}),
        ("/slurm/uid_7", {"SLURM_JOB_ID": "7"}),
        ("/", {"SLURM_JOB_ID": "7"}),
    ],
)
def test_a_cgroup_that_is_not_the_jobs_own_tells_nothing(tmp_path: Path, path: str, environ: dict[str, str]) -> None:
    """A login session, a user's slice or another job's step holds what is none of this job's."""
    proc, top = version_2(tmp_path, path)
    for folder in [top / path.strip("/"), *(top / path.strip("/")).relative_to(top).parents]:
        put_cgroup(top / folder, {"memory.peak": "6\n", "memory.max": "7\n"})
    assert job_memory(5, environ, proc) == {}


def test_a_kernel_without_a_peak_tells_nothing(tmp_path: Path) -> None:
    """Version 2 has had one since Linux 5.19 only."""
    proc, top = version_2(tmp_path)
    put_cgroup(top / STEP.strip("/"), {"memory.max": "7\n"})
    assert job_memory(5, {"SLURM_JOB_ID": "7"}, proc) == {}
