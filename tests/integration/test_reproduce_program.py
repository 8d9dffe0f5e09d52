"""A workflow that uses all that a program can is run again from its package alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import PackageError
from sciflow.model.document import Document
from sciflow.package.again.recorded import RecordedRun
from sciflow.package.again.reproduce import reproduce
from sciflow.package.build import create_package
from sciflow.package.checks.verify import verify
from sciflow.store.layout import RunDirectory
from sciflow.store.results import read_tables

_PHYSICS = """
import random
import shapes.area


def measure(x, seed):
    return {"score": shapes.area.of(x) + random.Random(seed).random()}


def mean(measure, x, half):
    return {"mean": sum(one["score"] for one in measure) / len(measure) + half}

"""
_PROGRAM = """
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import physics
import sciflow

ELSEWHERE, RUNS = sys.argv[1:]
OFFSET = 3


class Shifter:
    def __init__(self, by):
        self.by = by

    def shifted(self, measure):
        return {"shifted": measure["score"] + self.by + OFFSET}


workflow = sciflow.ExperimentalWorkflow("all-kinds", directory=Path(__file__).parent)
workflow.add_task("measure", physics.measure, inputs=["note.txt"])
workflow.add_task("measure-2", physics.measure)
workflow.add_task(
    "square",
    lambda x, word: {"squared": physics.shapes.area.of(x) ** 2 + OFFSET + len(word)},
    resources={"cpu_cores": lambda x: int(x), "partition": "debug"},
)
workflow.add_task("shift", Shifter(10).shifted, depends_on=["measure"])
workflow.add_task(
    "render",
    command="{{ workflow_dir }}/all x.in {{ workflow_dir }}/note.txt %s/data/weights-{{ x }}.csv | wc -c" % ELSEWHERE,
    files={"x.in": f"{ELSEWHERE}/decks/deck.txt"},
    inputs=[f"{ELSEWHERE}/data/weights-{x}.csv" for x in (1, 2)],
    extract={"size": {"stdout": r"^\\s*(\\d+)$", "type": "int"}},
)
workflow.add_task("hidden", command="test -n --password=Tr0ub4dor && echo {{ x }} > used.txt", outputs=["used.txt"])
workflow.add_task("average", physics.mean, depends_on=["measure"], over=["seed"])
workflow.add_parameter_space(
    {"x": [1, 2, 3], "seed": {"repeat": 2, "seed": 5}, "word": ["1e-3"]},
    constraints=[lambda x: x < 3],
    derived={"half": "x / 2", "last": "seed % 10"},
)
begun = datetime.now(timezone.utc) - timedelta(days=1)
workflow.set_scheduling_policy("deadline", {"deadline": begun.isoformat()})
print(sciflow.Engine(runs=RUNS).execute_parameter_sweep(workflow).path)
"""
_FILES = {
    "exp/sub/program.py": _PROGRAM,
    "exp/sub/physics.py": _PHYSICS,
    "exp/sub/note.txt": "a note\n",
    "exp/sub/all": '#!/bin/sh\ncat "$@"\n',
    "lib/shapes/__init__.py": "",
    "lib/shapes/area.py": "def of(x):\n    return 3 * x * x\n",
    "decks/deck.txt": "x = {{ x }}\n",
    "data/weights-1.csv": "1,2\n",
    "data/weights-2.csv": "1,2,3\n",
}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the package of a program's run, when all that it was made of is gone; no test changes it."""
    folder = tmp_path_factory.mktemp("kinds")
    place = folder / "there"
    for name, text in _FILES.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    (place / "exp" / "sub" / "all").chmod(0o755)
    subprocess.run(["git", "init", "--quiet", "."], cwd=place / "exp", check=True)
    program = [sys.executable, "exp/sub/program.py", str(place), str(place / "runs")]
    environment = {**os.environ, "PYTHONPATH": str(place / "lib")}
    subprocess.run(program, cwd=place, env=environment, check=True, capture_output=True)
    package = create_package("latest", "kinds", runs=str(place / "runs"), with_figures=False).export(folder / "kinds")
    shutil.rmtree(place)
    return package


def _workflow(package: Path) -> dict[str, Any]:
    text = (package / "data" / "project" / "packaged-workflow.yaml").read_text(encoding="utf-8")
    return Document(text, "packaged-workflow.yaml", PackageError).value


def _instances(path: Path) -> dict[Any, Any]:
    """Task and id of each instance → its parameters, metrics and seed."""
    run = RunDirectory(path)
    recorded = RecordedRun(run, read_tables(run.results))
    found = {}
    for key in recorded:
        instance = recorded.instance(key)
        values = recorded.values(instance)
        found[key] = (instance.parameters, values.metrics, values.seed)
    return found


def test_a_program_is_run_again_from_its_package_alone_twice(package: Path, tmp_path: Path) -> None:
    """Functions of modules, stored ones, commands, decks and inputs from elsewhere: all are the same, twice."""
    verdict = reproduce(package, tmp_path / "again", environment="here")
    assert verdict.overall == "reproduced", verdict.describe()
    assert verdict.comparison.instances == {"reproduced": 3 * 4 + 4 * 2}
    assert verdict.run is not None
    before, now = (_instances(run) for run in (package / "data" / "run", verdict.run))
    assert before == now
    assert [one.what for one in verdict.differences] == [
        "the command of `hidden` held secrets, which were taken out of the package",
        "`program.py` held secrets, which were taken out of the package",
        "what an instance of `square` asks for: 1, 2 cores became 2",
    ]

    # A package of what was run again holds the same, and is run again as well.
    second = create_package(verdict.run, "second", with_figures=False).export(tmp_path / "second")
    shutil.rmtree(tmp_path / "again")
    again = reproduce(second, tmp_path / "again", environment="here", sample=1)
    assert again.overall == "reproduced", again.describe()
    assert all("held secrets" in one.what for one in again.differences)
    names = ("measure-2", "square", "render", "average")
    there, here = ({one["name"]: one for one in _workflow(path)["tasks"]} for path in (package, second))
    assert {name: there[name] for name in names} == {name: here[name] for name in names}


def test_what_belongs_to_a_place_or_a_time_is_left_out_and_told(package: Path) -> None:
    """A partition, a deadline that is over and a request that a function worked out are not in the workflow."""
    text = (package / "data" / "project" / "packaged-workflow.yaml").read_text(encoding="utf-8")
    [square] = [task for task in _workflow(package)["tasks"] if task["name"] == "square"]
    assert square["resources"] == {"cpu_cores": 2}
    assert "schedule" not in _workflow(package)
    comment = " ".join(line.removeprefix("# ") for line in text.splitlines() if line.startswith("#"))
    assert 'of task `square`, these words were for the cluster where it ran: {"partition": "debug"}' in comment
    assert "it started by the policy" in comment
    assert verify(package).is_valid
