"""A run that never was, whose task has logged series: what convergence is tried on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sciflow.analysis.observations import STATE, Observations
from sciflow.analysis.table import RunTable
from sciflow.figures.numbers import Source
from sciflow.store.columns import Table
from sciflow.store.layout import RunDirectory
from sciflow.store.results import Tables

Logged = Callable[..., Any]


class LoggedRun(RunTable):
    """A run with one instance for each of the observations, whose arrays are at hand.

    Parameters
    ----------
    observations
        Parameters and states.
    arrays
        (Task, name) → number of the instance → array.
    """

    def __init__(self, observations: Observations, arrays: Mapping[tuple[str, str], Mapping[int, Any]]) -> None:
        frame, names = observations.frame, list(observations.parameters)
        columns = {name: [_plain(one) for one in frame[name]] for name in names}
        states = frame[STATE].tolist()
        instances = {
            "task": ["solve"] * len(frame),
            "number": list(range(len(frame))),
            **{f"parameters.{name}": values for name, values in columns.items()},
            "state": states,
        }
        tables = {
            "combinations": Table.of({**columns, "state": states}),
            "instances": Table.of(instances),
            "arrays": Table.of({"task": [task for task, _ in arrays], "name": [name for _, name in arrays]}),
            "attempts": Table.of({}),
        }
        facts = {"parameters": names, "metrics": [], "task_parameters": {"solve": names}, "units": {"energy": "J"}}
        super().__init__(RunDirectory(Path("solving")), Tables(tables, facts))
        self._arrays = arrays

    def each_array(self, task: str, name: str) -> Iterator[tuple[int, Any]]:
        """The arrays of completed instances."""
        states = self.tables.instances["state"]
        for number, array in self._arrays[task, name].items():
            if states[number] == "COMPLETED":
                yield number, array


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def logged(observations: Observations, make: Logged, name: str = "energy.series") -> Source:
    """A source of observations, with a series for each row that a function makes of its parameters.

    Parameters
    ----------
    observations
        The rows.
    make
        Makes rows of a step and a value, or a row of values.
    name
        Of the array.
    """
    rows = observations.frame.reindex(columns=list(observations.parameters)).to_dict("records")
    arrays = {
        number: np.array(make(**{str(k): v for k, v in row.items()}), dtype=float) for number, row in enumerate(rows)
    }
    return Source(observations, LoggedRun(observations, {("solve", name): arrays}))


def steps(*values: float, first: float = 0) -> Sequence[tuple[float, float]]:
    """Rows of a step and a value."""
    return [(first + number, value) for number, value in enumerate(values)]
