import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sciflow.engine import Engine
from sciflow.errors import SciflowError
from sciflow.loading import load_profile, load_workflow
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.testing import Course, FakeCluster, MovableClock, Node, Partition
from sciflow.testing.failures import How
from unit.schedulers.fake.conftest import comes_to_an_end

ARRAY = "#!/bin/bash\n#SBATCH --array=1-3\n#SBATCH --time=00:10:00\necho index $SLURM_ARRAY_TASK_ID\n"
GATHER = "#!/bin/bash\n#SBATCH --output=gathered.txt\ncat slurm-*_*.out\n"


def bash(line: str, folder: Path) -> str:
    """Run a line of bash, as a lab's script; gives what it prints."""
    return subprocess.run(["bash", "-ec", line], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """Return a folder with two job scripts."""
    (tmp_path / "array.sh").write_text(ARRAY)
    (tmp_path / "gather.sh").write_text(GATHER)
    return tmp_path


def test_scripts_of_a_lab_run_with_no_sciflow_in_them(fake_slurm: FakeCluster, lab: Path) -> None:
    """What was submitted waits until time passes, runs in its order, and leaves its output where it said."""
    job = bash("job=$(sbatch --parsable array.sh); sbatch --dependency=afterok:$job gather.sh; echo $job", lab)
    assert job.splitlines() == ["Submitted batch job 102", "101"]
    assert fake_slurm.submitted == ["sbatch --parsable array.sh", "sbatch --dependency=afterok:101 gather.sh"]
    assert [one.state for one in fake_slurm.jobs] == ["PENDING", "PENDING"]
    fake_slurm.run_until_idle()
    assert fake_slurm.job("array*").states == {1: "COMPLETED", 2: "COMPLETED", 3: "COMPLETED"}
    assert (lab / "gathered.txt").read_text() == "index 1\nindex 2\nindex 3\n"
    assert fake_slurm.job("gather.sh").script == GATHER
    assert fake_slurm.job("gather.sh").directory == lab


def test_a_script_that_waits_for_its_jobs(fake_slurm: FakeCluster, lab: Path) -> None:
    """With a cluster that goes on by itself it comes to its end."""
    fake_slurm.setup(pace="fast")
    line = "sbatch array.sh; while [[ $(squeue -h -t all -o '%T' | sort -u) != COMPLETED ]]; do sleep 0.02; done"
    bash(line, lab)
    assert fake_slurm.job("array.sh").state == "COMPLETED"


@pytest.mark.parametrize(
    ("how", "state", "starts", "code", "signal"),
    [
        ("killed", "FAILED", 1, 0, 9),
        ("error", "FAILED", 1, 1, 0),
        ("out of memory", "OUT_OF_MEMORY", 1, 0, 125),
        ("time limit", "TIMEOUT", 1, 0, 0),
        ("node", "COMPLETED", 2, 0, 0),
        ("preempted", "COMPLETED", 2, 0, 0),
    ],
)
def test_what_is_said_to_fail_does(
    fake_slurm: FakeCluster, lab: Path, how: How, state: str, starts: int, code: int, signal: int
) -> None:
    """Each in its way, and only what was meant."""
    (lab / "array.sh").write_text(f"{ARRAY}sleep 0.1\n")
    fake_slurm.fail("array*", 2, how=how)
    bash("sbatch array.sh", lab)
    fake_slurm.run_until_idle()
    job = fake_slurm.job("array.sh")
    assert job.states[2] == state
    assert (job.starts[2], job.codes[2], job.signals[2]) == (starts, code, signal)
    if how != "node":
        assert [job.states[index] for index in (1, 3)] == ["COMPLETED", "COMPLETED"]
        assert [job.starts[index] for index in (1, 3)] == [1, 1]


def test_as_many_starts_fail_as_was_said(fake_slurm: FakeCluster, lab: Path) -> None:
    """Two of three, whichever they are."""
    fake_slurm.fail("*", how="error", times=2)
    bash("sbatch array.sh", lab)
    fake_slurm.run_until_idle()
    assert sorted(fake_slurm.job("array.sh").states.values()) == ["COMPLETED", "FAILED", "FAILED"]
    with pytest.raises(SciflowError, match="`how` is 'oom'"):
        fake_slurm.fail("*", how="oom")  # type: ignore[arg-type]


def test_a_cluster_is_as_it_was_said_to_be(fake_slurm: FakeCluster, lab: Path) -> None:
    """Nodes, partitions and limits; its profile says the same. All that is said before anything is submitted."""
    nodes = [Node("a1", 8, 16 << 30), Node("g1", 4, 32 << 30, gpus=2)]
    partitions = [Partition("main", ("a1",), 7200.0), Partition("gpu", ("g1",), 3600.0, is_default=False)]
    fake_slurm.setup(nodes=nodes, partitions=partitions, submitted_indices=50, highest_index=99)
    profile = load_profile(fake_slurm.profile, lab)
    assert profile.model_dump(mode="json", exclude_defaults=True) == {
        "name": "fake-slurm",
        "scheduler": "slurm",
        "partitions": {
            "main": {"cpu_cores": 8, "memory_gb": 16, "gpus": 0, "nodes": 1, "max_runtime": "7200 s", "default": True},
            "gpu": {"cpu_cores": 4, "memory_gb": 32.0, "gpus": 2, "nodes": 1, "max_runtime": "3600 s"},
        },
        "limits": {"highest_index": 99, "submitted_indices": 50},
    }
    with pytest.raises(subprocess.CalledProcessError) as refused:
        bash("sbatch --array=0-100 array.sh", lab)
    assert "Invalid job array specification" in refused.value.stderr
    with pytest.raises(SciflowError, match="`pace` is 'slow'"):
        fake_slurm.setup(pace="slow")  # type: ignore[arg-type]
    bash("sbatch --partition=gpu array.sh", lab)
    with pytest.raises(SciflowError, match="before anything is submitted"):
        fake_slurm.setup(nodes=3)
    fake_slurm.run_until_idle()
    assert fake_slurm.job("array.sh").state == "COMPLETED"


def test_a_job_that_is_not_there(fake_slurm: FakeCluster, lab: Path) -> None:
    """Is an error, which names those that are."""
    with pytest.raises(SciflowError, match="no job `solve` was submitted"):
        fake_slurm.job("solve")
    bash("sbatch array.sh", lab)
    with pytest.raises(SciflowError) as error:
        fake_slurm.job("solve")
    assert error.value.hint == "there are `array.sh`"


def test_a_run_of_sciflow_survives_what_goes_wrong(
    fake_slurm: FakeCluster, virtual_clock: MovableClock, squares: ExperimentalWorkflow, tmp_path: Path
) -> None:
    """Really run, with a node that dies and a controller that is silent, in virtual time."""
    began = virtual_clock()
    fake_slurm.fail("square*", 1, how="node")
    run = Engine(fake_slurm.profile, runs=tmp_path / "runs").submit(squares)
    fake_slurm.faults.silence("controller", 600.0)
    status = run.wait()
    assert status.is_complete
    assert {one.state for indices in status.indices.values() for one in indices.values()} == {State.COMPLETED}
    assert fake_slurm.job("square*").starts[1] == 2
    assert run.collect().to_dataframe()["sum"].tolist() == [30] * 4
    assert virtual_clock() - began > 120.0


def test_a_mistake_of_the_cluster_fails_the_test(tmp_path: Path) -> None:
    """It is not taken for a failure of what is tested; and nothing is left all the same."""
    before = set(threading.enumerate())
    cluster = FakeCluster("slurm", tmp_path)

    def mistake(*_: object) -> None:
        raise RuntimeError("mistake")

    cluster.cluster.accounting.known = mistake  # type: ignore[method-assign]
    path = {**os.environ, "PATH": f"{cluster.commands}:{os.environ['PATH']}"}
    assert subprocess.run(["sacct", "-o", "JobID"], env=path, capture_output=True).returncode == 70
    with pytest.raises(SciflowError, match="has failed to answer") as failed:
        cluster.close()
    assert isinstance(failed.value.__cause__, RuntimeError)
    assert set(threading.enumerate()) == before
    assert shutil.which("sacct", path=str(cluster.commands)) is None


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda one: one.setup(nodes=0), "`nodes` is 0"),
        (lambda one: one.setup(nodes="many"), "`nodes` is 'many'"),
        (lambda one: one.setup(nodes=[]), "`nodes` is []"),
        (lambda one: one.setup(cores=0), "`cores` is 0"),
        (lambda one: one.setup(memory_gb=-1), "`memory_gb` is -1"),
        (lambda one: one.setup(memory_gb=float("nan")), "`memory_gb` is nan"),
        (lambda one: one.setup(gpus=1.5), "`gpus` is 1.5"),
        (lambda one: one.setup(submitted_indices=-1), "`submitted_indices` is -1"),
        (lambda one: one.setup(submited_indices=1), "there is no `submited_indices`"),
        (lambda one: one.setup(partitions=["main"]), "`partitions` holds 'main'"),
        (lambda one: one.setup(partitions=[Partition("main", nodes=("moon",))]), "`nodes of main` is 'moon'"),
        (lambda one: one.faults.silence("moon", 3), "`witness` is 'moon'"),
        (lambda one: one.faults.refuse("moon"), "`why` is 'moon'"),
        (lambda one: one.fail("x", index="a", how="node"), "`index` is 'a'"),
        (lambda one: one.fail("x", times=0), "`times` is 0"),
        (lambda one: one.let_loose(1, node_dies=-1), "`node_dies` is -1"),
        (lambda one: one.let_loose(1, node_die=1), "there is no `node_die`"),
        (lambda one: one.let_loose(1, lost_reply=2), "`lost_reply` is 2"),
        (lambda one: one.let_loose("a", node_dies=1), "`seed` is 'a'"),
        (lambda one: one.advance(hours=-1), "`hours` is -1"),
        (lambda one: one.clock.advance(hours=-1), "`hours` is -1"),
        (lambda one: one.pretend(3), "3 is no function"),
        (lambda one: one.kill_node("zz"), "`name` is 'zz'"),
        (lambda one: one.revive_node("zz"), "`name` is 'zz'"),
    ],
)
def test_what_makes_no_sense_is_refused(
    fake_slurm: FakeCluster, mistake: Callable[[FakeCluster], None], message: str
) -> None:
    """It names the value and the way out, as else a test would pass for nothing."""
    with pytest.raises(SciflowError) as raised:
        mistake(fake_slurm)
    assert raised.value.message == message
    assert raised.value.hint


def test_a_course_that_makes_no_sense_is_refused(fake_slurm: FakeCluster, lab: Path) -> None:
    """It is no job that ends well."""
    fake_slurm.pretend(lambda _: Course(seconds=-5))
    bash("sbatch gather.sh", lab)
    with pytest.raises(SciflowError, match="`seconds of a `Course`` is -5"):
        fake_slurm.run_until_idle()


def test_what_a_job_leaves_in_a_session_of_its_own_ends_with_the_job(fake_slurm: FakeCluster, lab: Path) -> None:
    """As on a cluster that knows all processes of a job."""
    (lab / "leave.sh").write_text(
        "#!/bin/bash\nsetsid nohup bash -c 'echo $$ > pid; exec sleep 600' >/dev/null 2>&1 &\n"
        "until [[ -s pid ]]; do sleep 0.01; done\n"
    )
    bash("sbatch leave.sh", lab)
    fake_slurm.run_until_idle()
    assert fake_slurm.job("leave.sh").state == "COMPLETED"
    assert comes_to_an_end((lab / "pid").read_text().strip())


def test_no_other_cluster_shines_through(fake_pbs: FakeCluster, lab: Path) -> None:
    """Commands of a scheduler that it does not have are none, also where this machine has them."""
    for command in ("srun hostname", "scontrol show config", "pbsdsh hostname"):
        assert bash(f"{command} 2>/dev/null || echo $?", lab) == "127"


def test_a_workflow_is_loaded_from_a_path(tmp_path: Path) -> None:
    """As from the text of one."""
    path = tmp_path / "k.yaml"
    path.write_text("name: k\nparameters: {x: [1]}\ntasks:\n  - name: a\n    command: echo {{ x }}\n")
    assert load_workflow(path).name == load_workflow(str(path)).name == "k"
