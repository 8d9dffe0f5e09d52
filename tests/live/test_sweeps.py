"""Whole sweeps on a real Slurm: the example, a thousand indices, off-peak start times."""

import csv
import json
from datetime import datetime, timedelta
from pathlib import Path

from live.experiment import Experiment
from live.slurm_cluster import SlurmCluster

TRAINING = """
import sciflow


def preprocess_data():
    return {"numbers": [3, 1, 2]}


def train_model(preprocess_data, learning_rate, hidden_layers, neurons_per_layer, dropout_rate):
    return {"weight": sum(preprocess_data["numbers"]) * learning_rate + hidden_layers, "size": neurons_per_layer}


def evaluate_model(train_model, dropout_rate):
    return {"validation_accuracy": train_model["weight"] / 4 - dropout_rate / 10 + train_model["size"] / 10000}


workflow = sciflow.ExperimentalWorkflow("neural_network_training")
workflow.add_task("preprocess_data", preprocess_data)
workflow.add_task("train_model", train_model, depends_on=["preprocess_data"])
workflow.add_task("evaluate_model", evaluate_model, depends_on=["train_model"])
workflow.add_parameter_space({
    "learning_rate": [0.001, 0.01, 0.1],
    "hidden_layers": [1, 2, 3],
    "neurons_per_layer": [64, 128, 256],
    "dropout_rate": [0.1, 0.3, 0.5],
})
workflow.set_resource_requirements({
    "train_model": {"cpu_cores": 4, "memory_gb": 4, "gpu": True, "max_runtime_hours": 12}
})
"""
DRIVER = """
from experiment import workflow
import sciflow

if __name__ == "__main__":
    results = sciflow.Engine(profile="site.yaml").execute_parameter_sweep(workflow)
    best = results.find_optimal_parameters("validation_accuracy", maximize=True)
    print(best, round(results.get_metric(best, "validation_accuracy"), 6), len(results), results.completed)
"""


def test_the_example_of_81_combinations(cluster: SlurmCluster) -> None:
    """Three array jobs are three calls of `sbatch`; GPUs are handed out, and the best is found."""
    experiment = Experiment(cluster, {"experiment.py": TRAINING, "drive.py": DRIVER})
    done = experiment.account.run("python", "drive.py", cwd=experiment.folder, timeout=300)
    best = {"learning_rate": 0.1, "hidden_layers": 3, "neurons_per_layer": 256, "dropout_rate": 0.1}
    assert done.stdout == f"{best} {round(3.6 / 4 - 0.01 + 0.0256, 6)} 81 81\n"
    assert [one["array"] for one in experiment.events("submitted")] == [
        "preprocess_data.0",
        "train_model.0",
        "evaluate_model.0",
    ]
    assert experiment.jobs().total() == 3


def test_a_thousand_indices_are_one_submission(cluster: SlurmCluster) -> None:
    """One `sbatch`, a thousand sealed records, a table of a thousand rows, and no file left empty."""
    workflow = """
name: thousand
parameters: {x: {range: [0, 1000]}}
tasks:
  - {name: square, python: "squares:square"}
"""
    programs = {"squares.py": "def square(x):\n    return {'y': x * x}\n", "workflow.yaml": workflow}
    experiment = Experiment(cluster, programs)
    answer = experiment.submit("--wait")
    assert answer["combinations"] == {"completed": 1000, "total": 1000}
    assert len(answer["jobs"]) == len(experiment.events("submitted")) == 1
    experiment.sciflow("collect", "--export", "table.csv")
    with (experiment.folder / "table.csv").open() as file:
        assert [(row["x"], row["y"]) for row in csv.DictReader(file)] == [(str(x), str(x * x)) for x in range(1000)]
    files = [path for path in experiment.run.rglob("*") if path.is_file()]
    assert [path for path in files if not path.stat().st_size and path.name != "driver.lock"] == []
    assert sum(path.suffix == ".h5" and "records" in path.parts for path in files) == 1000
    assert len(files) < 1100


def test_every_array_begins_off_peak(cluster: SlurmCluster) -> None:
    """The start time that `plan` shows is the one that the controller has for each array job."""
    now = datetime.now().astimezone()
    opens = (now + timedelta(hours=3)).replace(minute=0, second=0, microsecond=0)
    window = f"{opens:%H:%M}-{opens + timedelta(hours=1):%H:%M}"
    workflow = f"""
name: nightly
parameters: {{x: [1, 2, 3]}}
tasks:
  - {{name: first, command: "echo {{{{ x }}}}"}}
  - {{name: second, command: "echo {{{{ x }}}}", depends_on: [first]}}
schedule: {{policy: off_peak, preferred_hours: "{window}"}}
"""
    experiment = Experiment(cluster, {"workflow.yaml": workflow})
    plan = experiment.ask("plan", "workflow.yaml", "--profile", "site.yaml")
    begins = {datetime.fromisoformat(array["begin"]) for array in plan["arrays"]}
    assert begins == {opens}
    answer = experiment.submit()
    for job in answer["jobs"]:
        shown = experiment.account.run("squeue", "-h", "-j", job, "-o", "%S", env={"SLURM_TIME_FORMAT": "%s"}).stdout
        assert {int(line) for line in shown.split()} <= {int(opens.timestamp())}
        detail = experiment.account.run("scontrol", "show", "job", job, env={"SLURM_TIME_FORMAT": "%s"}).stdout
        assert f"StartTime={int(opens.timestamp())}" in detail
    why = "waits for its start time"
    experiment.wait_until(lambda status: status["waiting"][0]["reason"] == why, "the reason why the first task waits")
    # Planned again a little later it is the same work: nothing is submitted twice.
    again = experiment.submit()
    assert (again["continued"], again["jobs"]) == (True, {})
    experiment.sciflow("cancel")
    assert experiment.states("first") == {"CANCELLED": 3}


def test_each_wave_begins_in_a_window_of_its_own(cluster: SlurmCluster) -> None:
    """The controller has each wave as a job, with the indices and the start time that `plan` shows."""
    now = datetime.now().astimezone()
    opens = (now + timedelta(hours=3)).replace(minute=0, second=0, microsecond=0)
    window = f"{opens:%H:%M}-{opens + timedelta(hours=1):%H:%M}"
    workflow = f"""
name: waves
parameters: {{x: [1, 2, 3, 4, 5]}}
tasks:
  - {{name: first, command: "echo {{{{ x }}}}", resources: {{max_runtime: 25 min}}}}
  - {{name: second, command: "echo {{{{ x }}}}", depends_on: [first], resources: {{max_runtime: 5 min}}}}
schedule: {{policy: off_peak, preferred_hours: "{window}"}}
"""
    site = "name: site\nscheduler: slurm\nlimits: {highest_index: 10000, running_indices: 1}\n"
    experiment = Experiment(cluster, {"workflow.yaml": workflow, "site.yaml": site})
    plan = experiment.ask("plan", "workflow.yaml", "--profile", "site.yaml")
    waves = [(array["name"], wave) for array in plan["arrays"] for wave in array["waves"]]
    days = [opens + timedelta(days=day) for day in range(3)]
    assert [datetime.fromisoformat(wave["begin"]) for _, wave in waves] == [*days, *days]
    assert [wave["count"] for _, wave in waves] == [2, 2, 1] * 2
    begins: dict[tuple[str, int], int] = {}
    for job in experiment.submit()["jobs"]:
        shown = experiment.account.run("scontrol", "show", "job", job, env={"SLURM_TIME_FORMAT": "%s"}).stdout
        for record in shown.strip().split("\n\n"):  # of what waits index by index there are several
            facts = {name: value for name, _, value in (word.partition("=") for word in record.split())}
            first, _, last = facts["ArrayTaskId"].partition("%")[0].partition("-")
            array = facts["JobName"].rsplit(".", 2)[0]
            begins |= {(array, index): int(facts["StartTime"]) for index in range(int(first), int(last or first) + 1)}
    assert begins == {
        (array, index): int(datetime.fromisoformat(wave["begin"]).timestamp())
        for array, wave in waves
        for index in range(wave["first"], wave["first"] + wave["count"])
    }
    experiment.sciflow("cancel")


def test_paths_and_values_with_everything_in_them(cluster: SlurmCluster) -> None:
    """Blanks, quotes, `$(…)`, `%` and unicode in the folder's name and in values are just that."""
    workflow = """
name: hostile
parameters: {word: ["it's $(touch hit) `x`", "a\\nb", "%a %A é漢", ""]}
tasks:
  - name: show
    command: "printf '%s' {{ word }} > said.txt"
    outputs: [said.txt]
"""
    experiment = Experiment(cluster, {"workflow.yaml": workflow}, folder="it's $(touch hit) 50%A é")
    experiment.submit("--wait")
    said = sorted(path.read_text() for path in experiment.run.glob("work/show/*/said.txt"))
    assert said == sorted(["it's $(touch hit) `x`", "a\nb", "%a %A é漢", ""])
    assert list(experiment.folder.rglob("hit")) == []


def test_a_notebook_that_was_closed_goes_on(cluster: SlurmCluster) -> None:
    """What one interpreter has submitted another one waits for, collects and asks."""
    program = """
import sys, sciflow
workflow = sciflow.ExperimentalWorkflow("notes")
workflow.add_task("f", lambda x: {"y": 10 * x})
workflow.add_parameter_space({"x": [1, 2, 3]})
run = sciflow.Engine(profile="site.yaml").submit(workflow)
print(run.path)
"""
    later = """
import json, sys, sciflow
run = sciflow.open_run(sys.argv[1])
status = run.wait(120)
print(json.dumps([status.is_complete, run.collect().to_dataframe().y.tolist(), run.cancel()]))
"""
    experiment = Experiment(cluster, {"notes.py": program, "later.py": later})
    path = experiment.account.run("python", "notes.py", cwd=experiment.folder).stdout.strip()
    done = experiment.account.run("python", experiment.folder / "later.py", path, cwd=Path("/"))
    assert json.loads(done.stdout) == [True, [10, 20, 30], {}]


def test_more_indices_than_one_array_may_have(cluster: SlurmCluster) -> None:
    """Chunks start at 0 again, wait for each other element by element, and are one table in the end."""
    workflow = """
name: chunks
parameters: {x: {range: [0, 10]}}
tasks:
  - {name: double, python: "sums:double"}
  - {name: add, python: "sums:add", depends_on: [double]}
"""
    sums = "def double(x):\n    return {'y': 2 * x}\n\n\ndef add(double):\n    return {'z': double['y'] + 1}\n"
    experiment = Experiment(cluster, {"workflow.yaml": workflow, "sums.py": sums})
    site = "name: site\nscheduler: slurm\nlimits: {highest_index: 3, running_indices: 2}\n"
    experiment.account.write(experiment.folder / "site.yaml", site)
    answer = experiment.submit("--wait")
    counts = [(one["array"], one["indices"]) for one in answer["jobs"].values()]
    names = [f"{task}.{chunk}" for task in ("double", "add") for chunk in range(3)]
    assert counts == list(zip(names, [4, 4, 2] * 2, strict=True))
    results = experiment.sciflow("collect", "--export", "table.json")
    assert "10 of 10" in results.stdout
    rows = json.loads((experiment.folder / "table.json").read_text())
    assert [(row["x"], row["z"]) for row in rows] == [(x, 2 * x + 1) for x in range(10)]
