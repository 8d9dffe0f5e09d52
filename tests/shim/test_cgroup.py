"""The memory controller, on recorded cgroups of both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciflow_shim.cgroup import cgroup_limits, cgroup_peak


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
    assert cgroup_peak(5, proc) == 123456


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
    assert cgroup_peak(5, proc) is None


@pytest.mark.parametrize("path", ["/elsewhere", "/..", "/docker/abcdef"])
def test_cgroup_out_of_sight_tells_nothing(tmp_path: Path, path: str) -> None:
    """A cgroup that is not below what this container has mounted is not mixed up with the mounted one."""
    proc = put_mounts(tmp_path, f"0::{path}\n", f"31 22 0:27 /docker/abc {tmp_path}/v2 rw - cgroup2 cgroup2 rw\n")
    put_cgroup(tmp_path / "v2", {"memory.max": "5\n", "memory.peak": "6\n"})
    assert cgroup_limits(5, proc) == {}


def test_cgroups_may_be_unreadable(tmp_path: Path) -> None:
    """Without /proc, or for a process that is gone, nothing is known."""
    assert cgroup_limits(5, str(tmp_path)) == {}
    assert cgroup_peak(5, str(tmp_path)) is None
