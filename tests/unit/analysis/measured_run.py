"""A run whose programs have never run, with what they would have used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sciflow.analysis.table import Results
from sciflow.engine import Engine
from sciflow.model.workflow import ExperimentalWorkflow
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
    """A run of one task, `solve`, over some parameters, to which attempts are added.

    Parameters
    ----------
    folder
        Where its directory is.
    parameters
        Parameter → its values; all combinations of them.
    resources
        What each asks for.
    """

    folder: Path
    parameters: Mapping[str, Sequence[Any]]
    resources: Mapping[str, Any] = field(default_factory=lambda: HABIT)

    def __post_init__(self) -> None:
        names = " ".join(f"{{{{ {name} }}}}" for name in self.parameters)
        workflow = ExperimentalWorkflow("solving", self.folder)
        workflow.add_task("solve", command=f"solve {names}", resources=dict(self.resources))
        workflow.add_parameter_space({name: list(values) for name, values in self.parameters.items()})
        engine = Engine(runs=self.folder / "runs")
        compiled = engine.compile(workflow)
        path = engine.write_plan(compiled, self.folder / "runs" / "solving" / "20250101-000000-aa")
        self.run = RunDirectory(path)
        self.plan = read_plan(self.run)
        self.combinations = [line["parameters"] for _, line in lines_of(self.run, self.plan.arrays[0])]
        self.attempts: list[dict[str, Any]] = []
        self.states: dict[int, tuple[str, int]] = {}

    def add(self, index: int, state: str = "COMPLETED", attempt: int = 1, start: float = 1e9, **used: Any) -> None:
        """Add an attempt: ``memory`` in MiB, ``seconds``, ``cpu`` seconds, and other columns by their names."""
        seconds, cpu = used.pop("seconds", None), used.pop("cpu", None)
        memory = used.pop("memory", None)
        said = "RUNNING" if state in ("OUT_OF_MEMORY", "TIMEOUT", "NODE_FAIL") else state
        row = {
            "array": "solve.0",
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
        self.states[index] = (state, attempt)

    def measure(self, use: Callable[[dict[str, Any]], Use]) -> MeasuredRun:
        """Let all complete, with what a function of the parameters says that they used."""
        for index, combination in enumerate(self.combinations):
            self.add(index, **use(combination))
        return self

    def note(self, **event: Any) -> None:
        """Write an event into the journal."""
        Journal(self.run.journal).append([event])

    def results(self) -> Results:
        """What the collector would make of it."""
        rows = [
            {
                "task": "solve",
                "array": "solve.0",
                "index": index,
                **{f"parameters.{name}": value for name, value in one.items()},
                "state": self.states.get(index, ("PENDING", 0))[0],
                "attempt": self.states.get(index, ("PENDING", 0))[1],
            }
            for index, one in enumerate(self.combinations)
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
