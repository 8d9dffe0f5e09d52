"""Several combinations in one array index, on a real Slurm."""

from live.experiment import Experiment
from live.slurm_cluster import SlurmCluster

WORKFLOW = """
name: packed
parameters: {x: {range: [0, 20]}}
tasks:
  - name: first
    command: "echo a={{ x }}; test {{ x }} -ne 7"
    resources: {combinations_per_index: 5, max_runtime: 1m}
    extract: {a: {stdout: 'a=(\\d+)', type: int}}
  - name: second
    command: "echo b=$(( {{ inputs.first.a }} + 1 ))"
    depends_on: [first]
    resources: {combinations_per_index: 5, max_runtime: 1m}
    extract: {b: {stdout: 'b=(\\d+)', type: int}}
  - {name: third, command: "echo {{ inputs.second.b }}", depends_on: [second]}
"""


def test_a_packed_sweep(cluster: SlurmCluster) -> None:
    """Twenty combinations are four indices of Slurm; one that fails holds back only what needs it."""
    experiment = Experiment(cluster, {"workflow.yaml": WORKFLOW})
    answer = experiment.submit("--wait", code=3)
    assert answer["tasks"] == {
        "first": {"COMPLETED": 19, "FAILED": 1},
        "second": {"COMPLETED": 19, "UPSTREAM_FAILED": 1},
        "third": {"COMPLETED": 19, "UPSTREAM_FAILED": 1},
    }
    assert experiment.status()["arrays"]["first.0"] == {"COMPLETED": "0-6,8-19", "FAILED": "7"}
    intents = {one["array"]: one["indices"] for one in experiment.events("intent")}
    assert intents == {"first.0": "0-3", "second.0": "0-3", "third.0": "0-19"}
    records = experiment.run / "records"
    assert sorted(one.name for one in (records / "first.0" / "0000").iterdir()) == [f"{i}.1.h5" for i in range(4)]
    assert experiment.sciflow("logs", "first[11]").stdout.strip().endswith("a=11")
    experiment.sciflow("collect", "--export", "table.csv", code=3)
    table = (experiment.folder / "table.csv").read_text().splitlines()
    assert table[0] == "x,a,b,state"
    assert table[8:10] == ["7,,,FAILED", "8,8,9,COMPLETED"]


def test_a_packed_index_that_runs_out_of_time(cluster: SlurmCluster) -> None:
    """What has ended is known, what ran was ended by its limit, what did not begin is told by Slurm."""
    experiment = Experiment(
        cluster,
        {
            "workflow.yaml": """
name: late
parameters: {x: [0, 1, 2]}
tasks: [{name: work, command: "test {{ x }} -eq 0 || sleep 300", resources: {combinations_per_index: 3}}]
"""
        },
    )
    experiment.submit()
    experiment.wait_until(lambda status: status["tasks"]["work"].get("RUNNING"), "a running index")
    live = experiment.run / "logs" / "work.0"
    cluster.wait_for(lambda: bool(list(live.glob("0.1.1.part"))), "the second one to run")
    job = experiment.events("submitted")[0]["job"]
    experiment.account.run("scancel", job)
    experiment.sciflow("status", "--watch", code=3)
    assert experiment.status()["arrays"]["work.0"] == {"COMPLETED": "0", "CANCELLED": "1-2"}
