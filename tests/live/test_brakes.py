"""What is held back because nearly all before it has failed, on a real Slurm."""

from live.experiment import Experiment
from live.slurm_cluster import SlurmCluster
from sciflow_shim.files import parse_ranges

# Each fails as long as the file `licence` is not there.
ALIKE = """
name: alike
parameters: {x: {range: [0, 60]}}
tasks:
  - name: work
    command: "sleep 0.1; test -e {{ workflow_dir }}/licence || { echo no licence for {{ x }} >&2; exit 3; }"
  - {name: after, command: "echo {{ x }}", depends_on: [work]}
"""


def test_all_fail_at_once(cluster: SlurmCluster) -> None:
    """Some run, the others are held back with the reason and the way out; once released, all complete."""
    experiment = Experiment(cluster, {"workflow.yaml": ALIKE})
    experiment.submit("--wait", code=3)
    arrays = experiment.status()["arrays"]
    failed = sum(1 for _ in parse_ranges(arrays["work.0"]["FAILED"]))
    held = sum(1 for _ in parse_ranges(arrays["work.0"]["CANCELLED"]))
    assert 10 <= failed <= 10 + 16  # as many as may run at once have begun before it was on
    assert failed + held == 60
    records = len(list(experiment.run.glob("records/work.0/*/*.h5")))
    assert records == failed
    [group] = [one for one in experiment.status()["failures"] if one["cause"] == "held"]
    assert group["count"] == held
    assert group["error"].startswith("held back: ")
    told = experiment.sciflow("status", code=3).stdout
    assert f"sciflow retry {experiment.run.name}" in told
    assert "--release" in told
    told = experiment.sciflow("retry", code=3).stdout
    assert "`--release` lets its array job go on" in told
    assert len(experiment.events("intent")) == 2

    experiment.account.write(experiment.folder / "licence", "")
    answer = experiment.ask("retry", "--release", "--wait")
    assert answer["released"] == ["work.0"]
    assert answer["combinations"] == {"completed": 60, "total": 60}
    [brake] = experiment.run.glob("brakes/*")
    assert brake.name == "work.0.1.released.json"
    assert not [one for one in experiment.events("retry") if one["cause"] == "held" and one["counts"]]


def test_canaries_run_first(cluster: SlurmCluster) -> None:
    """Four of the sixty run, and only when these have ended the others begin; where all four fail they do not."""
    experiment = Experiment(cluster, {"workflow.yaml": ALIKE + "recovery: {canaries: 4, brake: 4}\n"})
    answer = experiment.submit("--wait", code=3)
    first, *others = [one for one in experiment.events("intent") if one["array"] == "work.0"]
    canaries = set(parse_ranges(first["indices"]))
    assert first["is_ahead"]
    assert len(canaries) == 4
    assert {0, 59} < canaries
    assert sum(one["indices"] for one in answer["jobs"].values() if one["array"] == "work.0") == 60
    assert len(others) == 1
    assert experiment.status()["arrays"]["work.0"]["FAILED"] == first["indices"]

    experiment.account.write(experiment.folder / "licence", "")
    assert experiment.ask("retry", "--release", "--wait")["combinations"] == {"completed": 60, "total": 60}
