"""A run whose programs have never run, with what they would have used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sciflow.engine import Engine
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.results import Results
from sciflow.run.instances import lines_of
from sciflow.run.track import read_plan
from sciflow.store.columns import Table
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.results import Tables

MIB = 1024**2
GIB = 1024**3
HABIT = {"cpu_cores": 4, "memory_gb": 8, "max_runtime_hours": 2}
Use = Mapping[str, Any]


@dataclass
class MeasuredRun:
    """A run of tasks, of which each follows on the one before, over some parameters, to which attempts are added.

    Parameters
    ----------
    folder
        Where its directory is.
    parameters
        Parameter → its values; all combinations of them.
    resources
        What each asks for; and what some ask for otherwise, by `other_resources`.
    tasks
        Their names.
    is_fused
        Whether they share their array indices.
    """

    folder: Path
    parameters: Mapping[str, Sequence[Any]]
    resources: Mapping[str, Any] = field(default_factory=lambda: HABIT)
    tasks: Sequence[str] = ("solve",)
    is_fused: bool = False
    other_resources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = " ".join(f"{{{{ {name} }}}}" for name in self.parameters)
        workflow = ExperimentalWorkflow("solving", self.folder)
        for task, before in zip(self.tasks, [(), *((one,) for one in self.tasks)], strict=False):
            fuse: dict[str, Any] = {"fuse": True} if self.is_fused and before else {}
            asked = dict(self.other_resources.get(task, self.resources))
            workflow.add_task(task, command=f"{task} {names}", depends_on=before, resources=asked, **fuse)
        workflow.add_parameter_space({name: list(values) for name, values in self.parameters.items()})
        self.folder.mkdir(exist_ok=True)
        site = self.folder / "site.yaml"
        site.write_text("name: site\nscheduler: slurm\n")
        engine = Engine(str(site), runs=self.folder / "runs")
        compiled = engine.compile(workflow)
        path = engine.write_plan(compiled, self.folder / "runs" / "solving" / "20250101-000000-aa")
        self.run = RunDirectory(path)
        self.plan = read_plan(self.run)
        self.places: dict[str, dict[int, tuple[str, int]]] = {}
        parameters: dict[int, dict[str, Any]] = {}
        for array in self.plan.arrays:
            for index, line in lines_of(self.run, array):
                self.places.setdefault(array.task, {})[line["instance"]] = (array.name, index)
                parameters[line["instance"]] = line["parameters"]
        self.combinations = [parameters[number] for number in sorted(parameters)]
        self.attempts: list[dict[str, Any]] = []
        self.states: dict[tuple[str, int], tuple[str, int]] = {}

    def add(
        self, number: int, state: str = "COMPLETED", attempt: int = 1, start: float = 1e9, task: str = "", **used: Any
    ) -> None:
        """Add an attempt of an instance: ``memory`` in MiB, ``seconds``, ``cpu`` seconds, other columns by name."""
        array, index = self.places[task or self.tasks[0]][number]
        seconds, cpu = used.pop("seconds", None), used.pop("cpu", None)
        memory = used.pop("memory", None)
        said = "RUNNING" if state in ("OUT_OF_MEMORY", "TIMEOUT", "NODE_FAIL") else state
        row = {
            "array": array,
            "index": index,
            "attempt": attempt,
            "state": said,
            "start": start,
            "seconds": seconds if said == "COMPLETED" else None,
            "wall_seconds": seconds,
            "peak_rss_bytes": None if memory is None else int(memory * MIB),
            "user_cpu_seconds": cpu,
            "system_cpu_seconds": None if cpu is None else 0.0,
            **used,
        }
        self.attempts.append(row)
        self.states[array, index] = (state, attempt)

    def measure(self, use: Callable[[dict[str, Any]], Use], task: str = "") -> MeasuredRun:
        """Let all instances of a task complete, with what a function of the parameters says that they used."""
        for number, combination in enumerate(self.combinations):
            self.add(number, task=task, **use(combination))
        return self

    def note(self, **event: Any) -> None:
        """Write an event into the journal."""
        Journal(self.run.journal).append([event])

    def results(self) -> Results:
        """What the collector would make of it."""
        rows = [
            {
                "task": task,
                "array": self.places[task][number][0],
                "index": self.places[task][number][1],
                **{f"parameters.{name}": value for name, value in one.items()},
                "state": self.states.get(self.places[task][number], ("PENDING", 0))[0],
                "attempt": self.states.get(self.places[task][number], ("PENDING", 0))[1],
            }
            for task in self.tasks
            for number, one in enumerate(self.combinations)
        ]
        names = dict.fromkeys(name for row in self.attempts for name in row)
        tables = {
            "instances": Table.of({name: [row[name] for row in rows] for name in rows[0]}),
            "attempts": Table.of({name: [row.get(name) for row in self.attempts] for name in names}),
        }
        facts = {
            "task_parameters": {"solve": list(self.parameters)},
            "parameters": list(self.parameters),
            "metrics": [],
        }
        return Results(self.run, Tables(tables, facts))
