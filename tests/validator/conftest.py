"""The packages that the validator sees, and what it says of them: made and validated once for all tests."""

import json
import os
import shutil
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest

from sciflow.engine import Engine
from sciflow.loading import load_workflow
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.package.build import create_package
from sciflow.package.crate.verdict import VerdictFacts, add_verdict
from sciflow.store.layout import RunDirectory

HERE = Path(__file__).parent
VALIDATOR = HERE.parent.parent / ".venv-validator" / "bin"
DECK = {
    "name": "decks",
    "parameters": {"temperature": [1.5, 2.5], "kind": ["plain", "with blanks & ünïcode", "broken"]},
    "tasks": [
        {"name": "compile", "command": "cp {{ workflow_dir }}/seeds.txt tool.txt", "outputs": ["tool.txt"]},
        {
            "name": "simulate",
            "depends_on": ["compile"],
            "inputs": ["seeds.txt"],
            "files": {"run.in": "decks/run.in.j2"},
            "environment": {"OMP_NUM_THREADS": "1"},
            "command": "grep -q plain run.in || grep -q blanks run.in && cat run.in",
            "extract": {"energy": {"stdout": r"E=(\S+)", "type": "float", "unit": "J"}},
        },
        {
            "name": "check",
            "depends_on": ["simulate"],
            "command": "echo double=$(( 2 * 21 ))",
            "extract": {"double": {"stdout": r"double=(\d+)", "type": "int"}},
        },
    ],
    "metadata": {"authors": [{"name": "Ada Lovelace", "affiliation": "Analytical Engines"}], "license": "MIT"},
}


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return name → bag: a complete run, one of commands that is partial, a sweep with many failures, one not begun."""
    folder = tmp_path_factory.mktemp("packages")
    runs = {"complete": _training, "partial": _decks, "sweep": _sweep, "not-begun": _not_begun}
    found = {}
    for name, make in runs.items():
        (folder / name).mkdir()
        package = create_package(make(folder / name), name, with_figures=False)
        found[name] = package.export(folder / "packages" / name)
    (found["complete"] / "data" / "verdicts").mkdir()
    (found["complete"] / "data" / "verdicts" / "first.json").write_text("{}\n")
    when = datetime(2026, 3, 1, 12, 30, tzinfo=timezone.utc)
    facts = VerdictFacts("reproduced", "All 4 combinations gave the same.", when, when, "0.1.0", "grace")
    add_verdict(found["complete"] / "data", "verdicts/first.json", facts)
    return found


@pytest.fixture(scope="session")
def mutant(packages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the crate of the complete run with an action of which nobody says with what it was done."""
    folder = tmp_path_factory.mktemp("mutant") / "data"
    shutil.copytree(packages["complete"] / "data", folder)
    metadata = folder / "ro-crate-metadata.json"
    document = json.loads(metadata.read_text())
    next(one for one in document["@graph"] if one["@id"].startswith("#action/")).pop("instrument")
    metadata.write_text(json.dumps(document))
    return folder


@pytest.fixture(scope="session")
def validator() -> Path:
    """Return where the validator's programs are; skip where it is not there, and fail if it was said to be."""
    if not (VALIDATOR / "rocrate-validator").is_file():
        reason = "no validator of RO-Crates; `bash .ci/install-validator` installs it"
        if os.environ.get("SCIFLOW_REQUIRE_VALIDATOR") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return VALIDATOR


@pytest.fixture(scope="session")
def found(
    validator: Path, packages: dict[str, Path], mutant: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[dict[str, str]]]:
    """Return name → what the validator found in that crate."""
    crates = {**{name: bag / "data" for name, bag in packages.items()}, "mutant": mutant}
    cache = tmp_path_factory.mktemp("cache") / "http"
    answer = subprocess.run(
        [validator / "python", HERE / "validate.py", HERE / "contexts", cache, *crates.values()],
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(answer.stdout.splitlines()[-1])
    return {name: said[str(crate)] for name, crate in crates.items()}


def _training(folder: Path) -> RunDirectory:
    def prepare():
        return {"offset": 0.5}

    def train(prepare, rate, layers):
        return {"loss": prepare["offset"] + rate * layers, "name": f"net-{layers}", "is_small": layers < 2}

    def evaluate(train, rate):
        return {"accuracy": 1 - train["loss"] * rate}

    workflow = ExperimentalWorkflow("training", folder)
    workflow.add_task("prepare", prepare)
    workflow.add_task("train", train, depends_on=["prepare"])
    workflow.add_task("evaluate", evaluate, depends_on=["train"])
    workflow.add_parameter_space({"rate": [0.01, 0.1], "layers": [1, 2]})
    return Engine(runs=folder / "runs").execute_parameter_sweep(workflow).run


def _decks(folder: Path) -> RunDirectory:
    (folder / "decks").mkdir()
    (folder / "decks" / "run.in.j2").write_text("kind = {{ kind }}\nE={{ temperature }}\n")
    (folder / "seeds.txt").write_text("1 2 3\n")
    (folder / "workflow.yaml").write_text(json.dumps(DECK))
    return Engine(runs=folder / "runs").execute_parameter_sweep(load_workflow(folder / "workflow.yaml")).run


def _sweep(folder: Path) -> RunDirectory:
    def halve(x):
        if x % 2:
            raise ValueError(f"{x} is odd")
        return {"half": x // 2}

    workflow = ExperimentalWorkflow("halves", folder)
    workflow.add_task("halve", halve, retries=0)
    workflow.add_parameter_space({"x": list(range(110))})
    return Engine(runs=folder / "runs").execute_parameter_sweep(workflow).run


def _not_begun(folder: Path) -> RunDirectory:
    workflow = ExperimentalWorkflow("later", folder)
    workflow.add_task("square", lambda x: {"y": x * x})
    workflow.add_parameter_space({"x": [1, 2]})
    engine = Engine(runs=folder / "runs")
    return RunDirectory(engine.write_plan(engine.compile(workflow), folder / "runs" / "later" / "20260101-000000-aa"))
