"""What is known while one of Slurm's daemons is silent, has forgotten, or was never there."""

from collections.abc import Callable
from pathlib import Path

from live.experiment import Experiment
from live.slurm_cluster import SlurmCluster

MakeCluster = Callable[..., SlurmCluster]

# Three ways to end, and one that waits until it is told.
MIXED = """
name: mixed
parameters: {x: [0, 1, 2, 3]}
tasks:
  - name: work
    command: |
      case {{ x }} in
        1) exit 3;;
        2) kill -9 $PPID $$;;
        3) until test -e {{ workflow_dir }}/go; do sleep 0.1; done;;
      esac
"""
ENDED = {"work.0": {"COMPLETED": "0,3", "FAILED": "1-2"}}


def test_without_the_accounting_daemon(cluster: SlurmCluster) -> None:
    """Submission and tracking go on; the status says that the accounting is silent, and since when."""
    cluster.stop_daemon("slurmdbd")
    try:
        experiment = Experiment(cluster, {"workflow.yaml": MIXED})
        (experiment.folder / "go").touch()
        experiment.submit()
        experiment.wait_until(lambda s: s["arrays"] == ENDED, "all ends")
        note = " ".join(experiment.status()["notes"])
        assert "the accounting has not answered since" in note
        assert "Connection refused" in note
    finally:
        cluster.start_daemon("slurmdbd")
    experiment.sciflow("status", "--watch", code=3)
    assert experiment.status()["arrays"] == ENDED
    assert experiment.status()["notes"] == []


def test_without_the_controller_nothing_changes(cluster: SlurmCluster) -> None:
    """What was known stays known, records are still read, and the status says since when it is blind."""
    experiment = Experiment(cluster, {"workflow.yaml": MIXED})
    experiment.submit()
    blind = {"work.0": {"RUNNING": "3", "COMPLETED": "0", "FAILED": "1-2"}}
    experiment.wait_until(lambda s: s["arrays"] == blind, "three ends and one that runs")
    cluster.stop_daemon("slurmctld")
    experiment.account = cluster.hasty()
    try:
        for _ in range(2):
            status = experiment.status()
            assert status["arrays"] == blind
            assert "the controller has not answered since" in " ".join(status["notes"])
        (experiment.folder / "go").touch()
        cluster.wait_for(lambda: (experiment.run / "records/work.0/0000/3.1.h5").exists(), "the last record")
        experiment.wait_until(lambda s: s["arrays"] == ENDED, "the last end")
    finally:
        cluster.start_daemon("slurmctld")
    experiment.account = cluster.account
    experiment.sciflow("status", "--watch", code=3)
    assert experiment.status()["notes"] == []


def test_after_the_controller_has_forgotten(make_cluster: MakeCluster) -> None:
    """Accounting and records tell the same, long after the controller has purged the job."""
    cluster = make_cluster(nodes=1, min_job_age=2)
    experiment = Experiment(cluster, {"workflow.yaml": MIXED})
    (experiment.folder / "go").touch()
    [job] = experiment.submit()["jobs"]
    known = ["squeue", "-h", "-t", "all", "-o", "%F"]
    cluster.wait_for(lambda: job not in cluster.command(*known).stdout.split(), "a purge")
    (experiment.run / "observed.json").unlink(missing_ok=True)
    experiment.sciflow("status", "--watch", code=3)
    assert experiment.status()["arrays"] == ENDED
    assert "exit code 0:9" in experiment.status()["failures"][1]["error"]


def test_where_there_is_no_accounting(make_cluster: MakeCluster) -> None:
    """Controller and records are enough, and nobody complains of what was never there."""
    cluster = make_cluster(nodes=1, accounting=False)
    experiment = Experiment(cluster, {"workflow.yaml": MIXED})
    (experiment.folder / "go").touch()
    answer = experiment.submit("--wait", code=3)
    assert answer["arrays"] == ENDED
    assert answer["notes"] == []


def test_a_copy_on_a_machine_without_slurm(cluster: SlurmCluster, tmp_path: Path) -> None:
    """The run directory alone gives the same status and the same table, wherever it lies."""
    experiment = Experiment(cluster, {"workflow.yaml": MIXED})
    (experiment.folder / "go").touch()
    experiment.submit("--wait", code=3)
    experiment.sciflow("collect", "--export", "here.csv", code=3)
    copy = experiment.account.folder("laptop") / "a copy"
    experiment.account.run("cp", "-r", experiment.run, copy)
    (copy / "results.h5").unlink()
    nowhere = {"PATH": f"{experiment.account.python.parent}:/bin"}  # /usr/bin, where Slurm's commands are, is not there
    for words in (["status", "--offline"], ["collect", "--export", copy.parent / "there.csv"]):
        done = experiment.account.run(
            "sciflow", *words[:1], copy, *words[1:], cwd=copy.parent, env=nowhere, check=False
        )
        assert done.returncode == 3, done.stderr
    assert (copy.parent / "there.csv").read_text() == (experiment.folder / "here.csv").read_text()
    there = experiment.account.run("sciflow", "status", copy, "--offline", "--json", check=False, env=nowhere)
    here = experiment.sciflow("status", "--offline", "--json", code=3)
    same = [text.replace(str(copy), "X").replace(str(experiment.run), "X") for text in (there.stdout, here.stdout)]
    assert same[0].replace("a copy", experiment.run.name) == same[1]


def test_queries_do_not_grow_with_indices(cluster: SlurmCluster) -> None:
    """A status of 500 waiting indices costs the controller one question, as that of three does; `sdiag` counts."""
    counts = []
    for size in (3, 500):
        workflow = f"""
name: waiting
parameters: {{x: {{range: [0, {size}]}}}}
tasks:
  - {{name: work, command: "echo {{{{ x }}}}"}}
schedule: {{policy: not_before, not_before: 2099-01-01 00:00}}
"""
        experiment = Experiment(cluster, {"workflow.yaml": workflow})
        experiment.submit()
        cluster.reset_rpcs()
        experiment.status()
        counts.append({name: n for name, n in cluster.rpc_counts().items() if "JOB" in name})
    assert counts == [{"REQUEST_JOB_USER_INFO": 1}] * 2
