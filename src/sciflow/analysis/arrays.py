"""Result arrays of a task: where they are is known, and each is read when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sciflow.analysis.choice import is_same
from sciflow.analysis.stored import read_dataset
from sciflow.analysis.table import RunTable
from sciflow.errors import ResultError
from sciflow.model.nearest import nearest
from sciflow.model.state import State
from sciflow.store.results import ARRAYS


class ResultArrays(Mapping[int, "NDArray[Any]"]):
    """The arrays of one name: number of the instance → array, read each time that it is asked for.

    Parameters
    ----------
    results
        The tables of the run.
    task
        Whose arrays these are.
    name
        The arrays' name; a column of a data frame is ``frame/column``.

    Attributes
    ----------
    depends : list of str
        The parameters that tell the instances apart.
    parameters : dict
        Number of the instance → its parameters, of all that have an array.
    unit : str, optional
        What they are measured in.

    Raises
    ------
    ResultError
        For a task or a name that there is not.
    """

    def __init__(self, results: RunTable, task: str, name: str) -> None:
        facts = results.tables.facts
        tasks: Mapping[str, list[str]] = facts.get("task_parameters", {})
        if task not in tasks:
            raise ResultError(f"there is no task `{task}` in this run", hint=nearest(task, tasks))
        self.task, self.name = task, name
        self.depends = [one for one in results.parameters if one in tasks[task]]
        self.unit: str | None = facts.get("units", {}).get(name)
        self._run = results.run
        self._places: dict[int, tuple[str, str]] = {}
        self._shapes: dict[int, str] = {}
        self.parameters: dict[int, dict[str, Any]] = {}
        self._find(results)

    def _find(self, results: RunTable) -> None:
        """Where they are: in which record, under which name."""
        instances, arrays = results.tables.instances, results.tables.table(ARRAYS)
        names = ("record", "index", "task", "name", "dataset", "shape")
        rows = [row for row in zip(*(arrays.get(one, []) for one in names), strict=True) if row[2] == self.task]
        paths = results.tables.attempts["record"] if rows else []
        own = {(paths[row[0]], row[1]): row[4:] for row in rows if row[3] == self.name}
        if not own:
            known = sorted({row[3] for row in rows})
            hint = nearest(self.name, known) or "its numbers are metrics, its files lie in the working directories"
            raise ResultError(f"`{self.task}` has no array `{self.name}` in this run", hint=hint)
        columns = [instances[f"parameters.{one}"] for one in self.depends]
        places = (instances[one] for one in ("task", "number", "state", "record", "index"))
        for row, (task, number, state, record, index) in enumerate(zip(*places, strict=True)):
            if task == self.task and state == State.COMPLETED.value and (record, index) in own:
                dataset, self._shapes[number] = own[record, index]
                self._places[number] = (record, dataset)
                self.parameters[number] = {n: column[row] for n, column in zip(self.depends, columns, strict=True)}

    def __getitem__(self, number: int) -> NDArray[Any]:
        if number not in self._places:
            raise ResultError(
                f"instance {number} of `{self.task}` has no array `{self.name}`",
                hint=f"{len(self)} instances have one; `parameters` says which",
            )
        return read_dataset(self._run, *self._places[number])

    def __contains__(self, number: object) -> bool:
        return number in self._places

    def __iter__(self) -> Iterator[int]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        shapes = sorted(set(self._shapes.values()))
        shown = (shapes[0] or "single values") if len(shapes) == 1 else f"of {len(shapes)} shapes"
        return f"<ResultArrays {self.name} of {self.task}: {len(self)}, {shown}>"

    def at(self, **values: Any) -> NDArray[Any]:
        """The array of the one instance that has these values of parameters.

        Raises
        ------
        ResultError
            For a name that is no parameter of the task, and where no instance or several have these values.
        """
        for name in values:
            if name not in self.depends:
                raise ResultError(f"`{self.task}` does not depend on `{name}`", hint=nearest(name, self.depends))
        found = [
            number
            for number, known in self.parameters.items()
            if all(is_same(value, known[name]) for name, value in values.items())
        ]
        if len(found) != 1:
            told = ", ".join(f"{name}={value!r}" for name, value in values.items()) or "no value"
            raise ResultError(
                f"{len(found) or 'no'} instances of `{self.task}` with {told} have an array `{self.name}`",
                hint="give a value for each of " + ", ".join(f"`{name}`" for name in self.depends),
            )
        return self[found[0]]

    def stack(self) -> NDArray[Any]:
        """All of them, read, as one array: a row for each instance, in the order of `parameters`.

        Raises
        ------
        ResultError
            Where their shapes differ.
        """
        shapes = sorted(set(self._shapes.values()))
        if not shapes:
            raise ResultError(f"no completed instance of `{self.task}` has an array `{self.name}`")
        if len(shapes) > 1:
            told = " and ".join(shape or "a single value" for shape in shapes[:2])
            raise ResultError(
                f"the arrays `{self.name}` of `{self.task}` have different shapes: {told}", hint="read them one by one"
            )
        return np.stack([self[number] for number in self])
