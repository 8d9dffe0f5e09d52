"""Why things wait, on a real Slurm."""

import shlex
from collections.abc import Callable

import pytest

from live.experiment import Experiment
from live.slurm_cluster import SlurmCluster
from sciflow.schedulers.slurm_reasons import reason_of

WORKFLOW = """
name: waits
parameters: {x: {range: [0, 6]}}
tasks:
  - {name: work, command: "echo {{ x }}", resources: {cpu_cores: 8, memory_gb: 1, max_runtime: 2h}}
  - {name: after, over: all, depends_on: [work], command: "true", resources: {max_runtime: 1h}}
"""
PARTITIONS = """
partitions:
  main: {cpu_cores: 8, nodes: 2, default: true}
  short: {cpu_cores: 8, nodes: 2, max_runtime: 12h}
"""


def test_a_full_cluster(cluster: SlurmCluster) -> None:
    """The reason, what is free, and a variant that starts sooner, by Slurm's own estimate; nothing is submitted."""
    experiment = Experiment(cluster, {"workflow.yaml": WORKFLOW}, PARTITIONS)
    for minutes, cores in ((300, 6), (200, 7)):
        cluster.command("sbatch", f"--time={minutes}", f"-c{cores}", "--mem=1G", "--wrap=exec sleep 600")
    cluster.wait_for(lambda: _states(cluster) == ["RUNNING"] * 2, "a full cluster")
    experiment.submit()
    row = ["squeue", "-h", "-o", "%r %S"]
    cluster.wait_for(lambda: "Resources 20" in cluster.command(*row).stdout, "what is planned to start")
    queue = cluster.command("squeue", "-h", "-o", "%i %T").stdout
    answer = experiment.ask("why")
    assert cluster.command("squeue", "-h", "-o", "%i %T").stdout == queue
    work, after = answer["waiting"]
    assert (work["code"], work["count"], after["code"]) == ("Resources", 6, "Dependency")
    assert work["facts"] == ["partition `main`: 3 of 16 cores are free, 0 of 2 nodes have room for one index now"]
    found = {one["label"]: one for one in work["variants"]}
    assert set(found) >= {"as it is", "half the walltime", "half the cores", "partition `short`"}
    assert not any(one["refusal"] for one in work["variants"])
    present = found["as it is"]["start"] - answer["time"]
    assert 199 * 60 < present < 12 * 3600
    assert found["partition `short`"]["start"] - answer["time"] < present - 3600  # nobody waits there
    assert answer["notes"] == []
    gap = found["fits into the gap that is free now"]
    assert (gap["source"], gap["request"]["cpu_cores"]) == ("gap", 2)
    told = experiment.sciflow("why", "--only", "work").stdout
    assert "  next: cancel it, ask for 2 cores, 1 GB" in told
    # What is told to be typed where less time is enough: it leaves those that run alone.
    cluster.command("scontrol", "update", f"JobId={work['job']}_[0-5]", "TimeLimit=01:30:00")
    assert "1:30:00" in cluster.command("squeue", "-h", "-o", "%l", "-j", work["job"]).stdout
    job = cluster.command("sbatch", "--parsable", "--array=0-3%1", "--begin=now+1hour", "--wrap=true").stdout.strip()
    words = {"job": job, "waiting": f"{job}_[0-3]", "count": "4"}
    for code in ("BeginTime", "JobArrayTaskLimit"):  # what is told to be typed where these are the reasons
        advice = reason_of(code).advise(**words).advice
        cluster.command(*shlex.split(advice.split("`")[1]))
    shown = cluster.command("scontrol", "show", "job", job).stdout
    assert "ArrayTaskThrottle=4" in shown
    cluster.wait_for(
        lambda: "BeginTime" not in cluster.command("squeue", "-h", "-o", "%r", "-j", job).stdout, "no wait"
    )


def _states(cluster: SlurmCluster) -> list[str]:
    return sorted(cluster.command("squeue", "-h", "-o", "%T").stdout.split())


@pytest.mark.slow
def test_a_limit_with_its_value(make_cluster: Callable[..., SlurmCluster]) -> None:
    """As an ordinary user is told it, with what is used."""
    made = make_cluster(nodes=1, enforce="associations,limits,qos")
    made.add_association("project", "MaxJobs=2")
    experiment = Experiment(made, {"workflow.yaml": WORKFLOW.replace("cpu_cores: 8", "cpu_cores: 1")})
    text = experiment.folder / "workflow.yaml"
    experiment.account.write(text, text.read_text().replace("echo {{ x }}", "sleep 60{{ x }}"))
    experiment.submit()
    made.wait_for(lambda: "AssocMaxJobsLimit" in made.command("squeue", "-h", "-o", "%r").stdout, "a limit that binds")
    work = experiment.ask("why", "--only", "work")["waiting"][0]
    assert (work["code"], work["count"]) == ("AssocMaxJobsLimit", 4)
    assert work["facts"] == ["account `project`, jobs of yours: limit 2, 2 in use"]
