"""The tables of a run: one row per combination, one per task instance, and single values of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sciflow.analysis.optima.optimum import optimum, ranked
from sciflow.errors import ResultError, WorkflowError
from sciflow.model.nearest import nearest
from sciflow.model.state import State
from sciflow.model.values import checked_value, combination_id
from sciflow.store.columns import has_long_integers
from sciflow.store.layout import RunDirectory
from sciflow.store.results import (
    APART,
    ARRAYS,
    ATTEMPTS,
    COMBINATIONS,
    ENVIRONMENTS,
    INSTANCES,
    METRICS,
    Tables,
    read_tables,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


_PARAMETER = "parameters."


class RunTable:
    """What was collected of a run, as tables.

    Parameters
    ----------
    run
        The run directory.
    tables
        Its tables, when they have been read already.
    """

    def __init__(self, run: RunDirectory, tables: Tables | None = None) -> None:
        self.run = run
        self.tables = tables or read_tables(run.results)
        self._found: dict[tuple[tuple[str, ...], bool], dict[str, int]] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of run {self.run.run_id}: {self.described_count()}>"

    def __len__(self) -> int:
        known = self.tables.facts.get("combinations")
        return self.tables.combinations.count if known is None else known

    @property
    def path(self) -> Path:
        """The results file."""
        return self.run.results

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters."""
        return list(self.tables.parameters)

    @property
    def metrics(self) -> list[str]:
        """The names of the metrics; with their task, ``task.metric``, where several tasks have the same."""
        return list(self.tables.metrics)

    @property
    def completed(self) -> int:
        """How many combinations are completed, but for tasks that gather."""
        known = self.tables.facts.get("completed")
        return self._states.count(State.COMPLETED.value) if known is None else known

    @property
    def gathering(self) -> dict[str, dict[str, int]]:
        """Task that gathers → state → how many of its instances have it, of those tasks that are not completed.

        A combination is completed without them: they belong to many, and what they lack is no lack of each of these.
        """
        return dict(self.tables.facts.get("gathering", {}))

    def described_count(self) -> str:
        """How many combinations are completed, and what of the tasks that gather is not, in words."""
        text = f"{self.completed} of {len(self)} combinations completed"
        return f"{text}, but {self.described_gathering()}" if self.gathering else text

    def described_gathering(self) -> str:
        """What of the tasks that gather is not completed, in words."""
        return ", ".join(
            f"{count} of {sum(states.values())} instances of `{task}` {'is' if count == 1 else 'are'} {state}"
            for task, states in self.gathering.items()
            for state, count in states.items()
            if state != State.COMPLETED.value
        )

    def to_dataframe(self, table: str = COMBINATIONS) -> pd.DataFrame:
        """A table as pandas has it: by default one row per combination, with parameters, metrics and state.

        Metrics of combinations that are not completed are missing (NaN or None), never numbers.

        Parameters
        ----------
        table
            ``combinations``, ``instances``, ``attempts``, ``environments``, ``arrays``, or ``metrics/TASK``.

        Raises
        ------
        ResultError
            For a table that there is not.
        """
        import numpy as np
        import pandas as pd

        self._check_table(table)
        if table == INSTANCES:
            return self.instances()
        columns = self.tables.table(table).columns
        frame = pd.DataFrame({name: column.to_array() for name, column in columns.items()})
        if table == COMBINATIONS:
            is_missing = np.array([state != State.COMPLETED.value for state in self._states], dtype=bool)
            for name in self.metrics if is_missing.any() else ():
                if has_long_integers(np.asarray(frame[name])):
                    frame[name] = frame[name].astype(object)
                frame[name] = frame[name].mask(is_missing, None if frame[name].dtype == object else np.nan)
        return _with_dates(frame)

    def instances(self) -> pd.DataFrame:
        """One row per task instance: parameters, state, attempt, times, resources, error."""
        import pandas as pd

        table = self.tables.instances
        named = [name for name in table if name.startswith(_PARAMETER)]
        columns = {name: column.to_array() for name, column in table.columns.items() if name not in named}
        frame = pd.DataFrame(columns)
        if "instance" in table and "parameters" not in table:
            frame.insert(list(frame).index("instance") + 1, "parameters", self._instance_parameters(named))
        return _with_dates(frame)

    def _instance_parameters(self, named: list[str]) -> list[dict[str, Any]]:
        """The parameters of each instance: those on which its task depends."""
        table, own = self.tables.instances, self.tables.facts["task_parameters"]
        columns = {name.removeprefix(_PARAMETER): table[name] for name in named}
        return [
            {name: columns[name][row] for name in own[task] if name in columns}
            for row, task in enumerate(table["task"])
        ]

    def _check_table(self, table: str) -> None:
        tasks = [f"{METRICS}/{task}" for task in self.tables.facts.get("task_parameters", {})]
        known = [COMBINATIONS, INSTANCES, ATTEMPTS, ENVIRONMENTS, ARRAYS, APART, *tasks]
        if table not in known:
            raise ResultError(f"there is no table `{table}`", hint=nearest(table, known))

    def array(self, task: str, number: int, name: str) -> NDArray[Any]:
        """One result array of an instance of a task, from its record; a column of a data frame is ``frame/column``.

        Raises
        ------
        ResultError
            Where there is none.
        """
        from sciflow.analysis.stored import read_array

        return read_array(self.run, self.tables, task, number, name)

    def each_array(self, task: str, name: str) -> Iterator[tuple[int, NDArray[Any]]]:
        """The result arrays of a name, of all completed instances of a task that have one, read one after the other.

        Yields
        ------
        tuple
            The number of the instance, and its array.
        """
        from sciflow.analysis.stored import read_arrays

        return read_arrays(self.run, self.tables, task, name)

    def failures(self) -> pd.DataFrame:
        """The rows of `instances` that ended without success."""
        frame = self.instances()
        return frame.loc[[State(state).is_failure for state in frame["state"]]].reset_index(drop=True)

    def parameters_of(self, metric: str) -> list[str]:
        """The parameters on which a metric depends: those that tell the instances of its task apart.

        Raises
        ------
        ResultError
            For an unknown metric.
        """
        task = self.tables.facts.get("metric_tasks", {}).get(self._column(metric))
        names = self.tables.facts.get("task_parameters", {}).get(task, self.parameters)
        return [name for name in self.parameters if name in names]

    def find_optimal_parameters(self, metric: str, maximize: bool = True) -> dict[str, Any]:
        """The completed combination with the best value of a metric; of equal ones the first.

        Raises
        ------
        ResultError
            For an unknown metric, and where no completed combination has a number for it.
        """
        position = optimum(self._values(metric), maximize)
        if position is None:
            raise ResultError(
                f"no completed combination has a number for `{metric}` ({self.completed} of {len(self)} are completed)",
                hint=f"sciflow status {self.run.path}",
            )
        return self._row(position, self.parameters)

    def ranking(self, metric: str, maximize: bool = True, count: int = 1) -> list[tuple[dict[str, Any], float]]:
        """The best values of a metric among completed combinations, each with its parameters, the best first.

        A metric that several combinations share, as that of a task which gathers, counts once: the parameters are those
        on which it depends.

        Raises
        ------
        ResultError
            As for `find_optimal_parameters`.
        """
        values = self._values(metric)
        self.find_optimal_parameters(metric, maximize)
        names = self.parameters_of(metric)
        found: dict[str, tuple[dict[str, Any], float]] = {}
        for position in ranked(values, maximize):
            if len(found) == count:
                break
            row = self._row(position, names)
            found.setdefault(combination_id(row), (row, values[position]))
        return list(found.values())

    def get_metric(self, parameters: Mapping[str, Any], metric: str) -> Any:
        """The value of a metric for one combination.

        Parameters
        ----------
        parameters
            A value for each parameter, or for each of those on which the metric depends; NumPy's values too. Whole
            numbers may be floats, as they are in a row of a data frame.
        metric
            The metric's name.

        Raises
        ------
        ResultError
            For an unknown metric, a combination that is not one of the run's, or one that is not completed.
        """
        values = self._values(metric)
        given = self._plain(dict(parameters), self.parameters_of(metric))
        names = tuple(given)
        position = self._positions(names, False).get(combination_id(given))
        if position is None:
            position = self._positions(names, True).get(combination_id(_without_kinds(given)))
        if position is None:
            return self._near(given, metric)
        state = self._states[position]
        if state != State.COMPLETED.value:
            raise ResultError(f"{given} is {state}: it has no `{metric}`")
        return values[position]

    def _near(self, given: Mapping[str, Any], metric: str) -> Any:
        """The value at parameters that no combination has exactly, where it is known which one is meant."""
        raise ResultError(f"{given} is no combination of this run, and has no `{metric}`")

    def _plain(self, given: dict[Any, Any], own: list[str]) -> dict[str, Any]:
        """The values that were asked for as the table has them, in its order."""
        unknown = [name for name in given if name not in self.parameters]
        missing = [name for name in self.parameters if name not in given]
        if unknown or (missing and set(given) != set(own)):
            told = f"unknown: {unknown}" if unknown else f"missing: {missing}"
            raise ResultError(f"{given} is no combination of this run; {told}")
        plain = {}
        for name in self.parameters:
            if name in given:
                try:
                    plain[name] = checked_value(given[name], f"parameter `{name}`")
                except WorkflowError as error:
                    inactive = None in self.tables.combinations[name]
                    hint = "where it is inactive it is None, which pandas shows as NaN" if inactive else ""
                    raise ResultError(f"{error.message}: no combination of this run has that", hint=hint) from None
        return plain

    def _row(self, position: int, names: Sequence[str]) -> dict[str, Any]:
        return {name: self.tables.combinations[name][position] for name in names}

    def _positions(self, names: tuple[str, ...], without_kinds: bool) -> dict[str, int]:
        """Id of the values of some parameters → the first combination that has them, a completed one where there is."""
        known = self._found.get((names, without_kinds))
        if known is None:
            known = self._found[names, without_kinds] = {}
            order = sorted(range(len(self)), key=lambda position: self._states[position] != State.COMPLETED.value)
            for position in order:
                row = self._row(position, names)
                known.setdefault(combination_id(_without_kinds(row) if without_kinds else row), position)
        return known

    @property
    def _states(self) -> list[str]:
        return self.tables.combinations["state"]

    def _values(self, metric: str) -> list[Any]:
        """A metric's values; None where a combination is not completed."""
        values = self.tables.combinations[self._column(metric)]
        return [
            value if state == State.COMPLETED.value else None for value, state in zip(values, self._states, strict=True)
        ]

    def _column(self, metric: str) -> str:
        """The column of a metric, which may be given with its task where only that task has it."""
        if metric in self.tables.metrics:
            return metric
        task, _, bare = str(metric).rpartition(".")
        if bare in self.tables.metrics and self.tables.facts.get("metric_tasks", {}).get(bare) == task:
            return bare
        twins = [name for name in self.tables.metrics if name.endswith(f".{metric}")]
        hint = "several tasks have it: " + " or ".join(f"`{name}`" for name in twins) if twins else ""
        if not self.tables.metrics and not self.completed:
            hint = "no combination is completed, so there is no metric at all yet"
        raise ResultError(f"there is no metric `{metric}`", hint=hint or nearest(metric, self.tables.metrics))


def _with_dates(frame: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    for name in ("start", "end"):
        if name in frame:
            frame[name] = pd.to_datetime(frame[name].astype(float), unit="s", utc=True)
    return frame


def _without_kinds(values: Mapping[str, Any]) -> dict[str, Any]:
    """Whole numbers as integers: a row of a data frame has them as floats where another of its columns is one."""
    return {n: int(v) if isinstance(v, float) and v.is_integer() else v for n, v in values.items()}
