"""The Slurm that the tests start is a real one, with an ordinary user, and leaves nothing behind."""

import shutil
from collections.abc import Callable

import pytest

from live.account import Account
from live.daemons import DaemonError
from live.processes import processes_with, wait_until
from live.slurm_cluster import SlurmCluster
from live.slurm_conf import SlurmOptions

MakeCluster = Callable[..., SlurmCluster]


def submit(account: Account, script: str, *options: str) -> str:
    """Submit a bash script whose output goes to `<index>.out` in a new folder, and return the job's id."""
    folder = account.folder("job")
    path = account.write(folder / "script.sh", f"#!/bin/bash\n{script}\n")
    return account.run("sbatch", "--parsable", "--output=%a.out", *options, path, cwd=folder).stdout.strip()


def states(cluster: SlurmCluster, job: str) -> list[str]:
    """Return the states of a job's indices, as the accounting has them."""
    return [state for _, state in sorted(cluster.accounted(job).items())]


def state(cluster: SlurmCluster, job: str) -> str:
    """Return the state of a job that is no array, as the controller has it."""
    return cluster.command("squeue", "-h", "-t", "all", "-j", job, "-o", "%T").stdout.strip()


def test_an_array_of_an_ordinary_user_completes(cluster: SlurmCluster, account: Account) -> None:
    """Five indices run on both nodes, as a user without privileges, and are COMPLETED in the accounting."""
    folder = account.folder("array")
    options = ["--array=0-4", "-c", "4", "--output=%a.out"]
    wrap = '--wrap=echo "$(id -u) $SLURMD_NODENAME"'
    job = account.run("sbatch", "--parsable", *options, wrap, cwd=folder).stdout.strip()
    cluster.wait_for(lambda: states(cluster, job) == ["COMPLETED"] * 5, "five completed indices")
    said = [(folder / f"{index}.out").read_text().split() for index in range(5)]
    assert {int(uid) for uid, _ in said} == {account.uid}
    assert account.uid != 0
    assert {node for _, node in said} == set(cluster.nodes)


def test_the_user_has_sciflow(account: Account) -> None:
    """The command and the interpreter on the user's PATH are those with the project's code."""
    assert account.run("sciflow", "--version").stdout.startswith("sciflow ")
    where = account.run("python", "-c", "import os, sys, sciflow, h5py; print(os.getuid(), sys.executable)").stdout
    assert where.split() == [str(account.uid), str(account.python)]


def test_the_user_finds_nothing_of_the_tests_environment(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of the user sees a login's variables and those that are given, and no others."""
    monkeypatch.setenv("OURS", "1")
    shown = account.run("env", env={"GIVEN": "2"}).stdout
    assert "GIVEN=2" in shown
    assert "OURS" not in shown
    assert f"SLURM_CONF={account.environment['SLURM_CONF']}" in shown


def test_gpus_are_handed_out(cluster: SlurmCluster, account: Account) -> None:
    """Two jobs on one node get one GPU each, and see which."""
    folder = account.folder("gpu")
    wrap = f"--wrap=echo $CUDA_VISIBLE_DEVICES; until [ -e {folder}/go ]; do sleep 0.1; done"
    options = ["--array=0-1", "--gres=gpu:1", f"--nodelist={cluster.nodes[0]}", "--output=%a.out"]
    account.run("sbatch", *options, wrap, cwd=folder)
    said = [folder / f"{index}.out" for index in range(2)]
    cluster.wait_for(lambda: all(path.exists() and path.read_text() for path in said), "two jobs with a GPU")
    account.write(folder / "go", "")
    assert {path.read_text().strip() for path in said} == {"0", "1"}


def test_messages_to_the_controller_are_counted(cluster: SlurmCluster) -> None:
    """One `squeue --me` is one question for the user's jobs, counted from the last reset."""
    cluster.command("squeue", "--me")
    cluster.reset_rpcs()
    assert "REQUEST_JOB_USER_INFO" not in cluster.rpc_counts()
    cluster.command("squeue", "--me")
    assert cluster.rpc_counts()["REQUEST_JOB_USER_INFO"] == 1


def test_jobs_outlive_the_controller(cluster: SlurmCluster, account: Account) -> None:
    """A controller that was stopped and started again still knows a held job, and lets it run."""
    job = submit(account, "true", "--hold")
    cluster.stop_daemon("slurmctld")
    assert "is DOWN" in cluster.command("scontrol", "ping", check=False).stdout
    cluster.start_daemon("slurmctld")
    assert cluster.command("squeue", "-h", "-j", job, "-o", "%T %r").stdout == "PENDING JobHeldUser\n"
    cluster.command("scontrol", "release", job)
    cluster.wait_for(lambda: states(cluster, job) == ["COMPLETED"], "a completed job")


def test_the_accounting_can_be_away(cluster: SlurmCluster, account: Account) -> None:
    """Without slurmdbd jobs run and `sacct` fails; when it is back, `sacct` answers."""
    cluster.stop_daemon("slurmdbd")
    job = submit(account, "true")
    cluster.wait_for(lambda: state(cluster, job) == "COMPLETED", "a completed job")
    assert cluster.command("sacct", check=False).returncode == 1
    cluster.start_daemon("slurmdbd")
    assert cluster.command("sacct").returncode == 0


def test_a_node_dies_and_returns(cluster: SlurmCluster, account: Account) -> None:
    """The job on a killed node is NODE_FAIL, and when the node is back it takes jobs again."""
    node = cluster.nodes[1]
    job = submit(account, "sleep 600", "--no-requeue", f"--nodelist={node}")
    cluster.wait_for(lambda: state(cluster, job) == "RUNNING", "a running job")
    cluster.kill_node(node)
    assert not processes_with({**cluster.environment, "SLURMD_NODENAME": node})
    cluster.wait_for(lambda: state(cluster, job) == "NODE_FAIL", "a failed node")
    cluster.restart_node(node)
    job = submit(account, "true", f"--nodelist={node}")
    cluster.wait_for(lambda: state(cluster, job) == "COMPLETED", "a completed job")


def test_the_end_leaves_nothing(make_cluster: MakeCluster) -> None:
    """After the end no process of the cluster or of its jobs is left, even one that hid, and no directory."""
    cluster = make_cluster(nodes=1, accounting=False)
    folder = cluster.account.folder("hidden")
    submit(cluster.account, f"setsid --fork sleep 600\ntouch {folder}/up\nsleep 600")
    wait_until((folder / "up").exists, "a running job")
    assert len(processes_with(cluster.environment)) > len(cluster.daemons)
    cluster.stop()
    assert not processes_with(cluster.environment)
    assert not cluster.directory.exists()


def test_a_failed_start_says_why(anyone: Account) -> None:
    """The error has what the daemon said, and where the directory is; nothing runs any more."""
    cluster = SlurmCluster(anyone, SlurmOptions(nodes=1, accounting=False, extra=("Nonsense=1",)))
    with pytest.raises(DaemonError, match=r"(?s)slurmctld ended with 1 .*key: Nonsense") as failed:
        cluster.start()
    assert f"kept: {cluster.directory}" in str(failed.value)
    assert not processes_with(cluster.environment)
    shutil.rmtree(cluster.directory)


def test_projects_can_be_demanded(make_cluster: MakeCluster) -> None:
    """Where associations are enforced, the user needs one to submit, and its limits hold."""
    cluster = make_cluster(nodes=1, enforce="associations,limits")
    folder = cluster.account.folder("project")
    sbatch = ["sbatch", "--hold", "--wrap=true"]
    assert "Invalid account" in cluster.account.run(*sbatch, cwd=folder, check=False).stderr
    cluster.add_association("physics", "MaxSubmitJobs=1")
    wait_until(lambda: not cluster.account.run(*sbatch, cwd=folder, check=False).returncode, "an accepted job")
    assert "AssocMaxSubmitJobLimit" in cluster.account.run(*sbatch, cwd=folder, check=False).stderr


def test_memory_is_limited_by_control_groups(make_cluster: MakeCluster) -> None:
    """With control groups a job that takes more memory than it asked for is OUT_OF_MEMORY."""
    cluster = make_cluster(nodes=1, cgroup=True)
    take = f"{cluster.account.python} -c 'bytearray(300 * 2**20)'"
    job = submit(cluster.account, take, "--mem=50M", "--no-requeue")
    cluster.wait_for(lambda: states(cluster, job) == ["OUT_OF_MEMORY"], "a job that is out of memory")
