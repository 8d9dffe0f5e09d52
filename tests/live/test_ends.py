"""What is left of an index whose time is up, or all of which is killed, on a real Slurm."""

import pickle

from live.experiment import Experiment
from live.slurm_cluster import SlurmCluster
from sciflow_shim.record_reader import RecordGroup, read_record, verify_seal

STEPS = """
import time


def count(context):
    begin = step = context.restore(0)
    while not (begin and step >= begin + 3) and not context.should_stop():
        step += 1
        time.sleep(0.05)
        context.checkpoint(step)
    return {"begin": begin, "steps": step}
"""
WORKFLOW = """
name: long
tasks: [{name: work, python: "steps:count", resources: {max_runtime: 30 min}}]
"""


def record(experiment: Experiment, attempt: int) -> RecordGroup:
    """Return the record of an attempt of index 0."""
    return read_record(experiment.run / "records" / "work.0" / "0000" / f"0.{attempt}.h5")


def test_who_was_warned_goes_on_from_the_checkpoint(cluster: SlurmCluster) -> None:
    """A limit that is suddenly near is announced by Slurm; the next attempt repeats nothing, and its record says so."""
    experiment = Experiment(cluster, {"workflow.yaml": WORKFLOW, "steps.py": STEPS})
    experiment.submit()
    assert "#SBATCH --signal=B:USR1@60\n" in (experiment.run / "scripts" / "work.0.sh").read_text()
    cluster.wait_for(lambda: list(experiment.run.glob("work/work/*/checkpoint/state.pickle")) != [], "a checkpoint")
    job = experiment.events("submitted")[0]["job"]
    experiment.account.run("scontrol", "update", f"JobId={job}_0", "EndTime=now+80")
    experiment.sciflow("status", "--watch", code=3)
    assert experiment.status()["arrays"] == {"work.0": {"TIMEOUT": "0"}}
    assert "`should_stop()` said so" in str(record(experiment, 1).attributes["error"])
    left = record(experiment, 1)["checkpoint"].attributes
    assert (left["found"], left["left_files"]) == (False, 1)
    (state,) = experiment.run.glob("work/work/*/checkpoint/state.pickle")
    reached = pickle.loads(state.read_bytes())  # how soon Slurm warns is its own affair
    assert reached > 0
    experiment.account.run("sbatch", "--array=0", "scripts/work.0.sh", cwd=experiment.run)
    experiment.wait_until(lambda status: status["tasks"]["work"].get("COMPLETED") == 1, "the second attempt's end")
    second = record(experiment, 2)
    found = second["checkpoint"].attributes
    assert (found["found"], found["attempt"], found["time"]) == (True, 1, left["left_time"])
    assert second.attributes["note_restored"]
    metrics = second["metrics"].attributes
    assert (metrics["begin"], metrics["steps"]) == (reached, reached + 3)


def test_all_of_a_job_is_killed(cluster: SlurmCluster) -> None:
    """The last whole record stays, with its samples and the checkpoint so far; Slurm says how it ended."""
    experiment = Experiment(cluster, {"workflow.yaml": WORKFLOW, "steps.py": STEPS})
    experiment.submit()
    path = experiment.run / "records" / "work.0" / "0000" / "0.1.h5"
    cluster.wait_for(path.exists, "a record at the start")
    assert record(experiment, 1)["resources"].attributes["samples"] < 10
    cluster.wait_for(lambda: record(experiment, 1)["resources"].attributes["samples"] > 10, "an interim record")
    experiment.account.run("pkill", "-KILL", "-f", experiment.run.name)  # the shim first, and with it its program
    experiment.sciflow("status", "--watch", code=3)
    assert experiment.status()["arrays"] == {"work.0": {"FAILED": "0"}}
    assert "0:9" in experiment.ask("status", code=3)["failures"][0]["error"]
    assert verify_seal(path) == "unsealed"
    left = record(experiment, 1)
    assert (left.attributes["state"], left["checkpoint"].attributes["left_files"]) == ("RUNNING", 1)
    assert len(left["resources/rss_bytes"].value) > 10
    answer = experiment.ask("collect", code=3)
    assert answer["combinations"] == {"completed": 0, "total": 1}
