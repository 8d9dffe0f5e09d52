"""The results of a run: one row per combination, one per task instance, and questions to them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sciflow.analysis.optimum import optimum, ranked
from sciflow.errors import ResultError
from sciflow.model.nearest import nearest
from sciflow.model.state import State
from sciflow.model.values import combination_id
from sciflow.store.layout import RunDirectory
from sciflow.store.results import Tables, read_tables, rows

if TYPE_CHECKING:
    import pandas as pd


class Results:
    """The collected results of a run.

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

    def __repr__(self) -> str:
        return f"<Results of run {self.run.run_id}: {self.completed} of {len(self)} combinations completed>"

    def __len__(self) -> int:
        return len(self.tables.combinations["state"])

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
        """How many combinations are completed."""
        return sum(state == State.COMPLETED.value for state in self.tables.combinations["state"])

    def to_dataframe(self) -> pd.DataFrame:
        """One row per combination: parameters, metrics, state.

        Metrics of combinations that are not completed are missing (NaN or None), never numbers.
        """
        import pandas as pd

        table = {name: list(values) for name, values in self.tables.combinations.items()}
        for name in self.metrics:
            table[name] = [
                value if state == State.COMPLETED.value else None
                for value, state in zip(table[name], table["state"], strict=True)
            ]
        return pd.DataFrame(table)

    def instances(self) -> pd.DataFrame:
        """One row per task instance: state, attempt, times, resources, error."""
        import pandas as pd

        frame = pd.DataFrame(self.tables.instances)
        for name in ("start", "end"):
            if name in frame:
                frame[name] = pd.to_datetime(frame[name].astype(float), unit="s", utc=True)
        return frame

    def failures(self) -> pd.DataFrame:
        """The rows of `instances` that ended without success."""
        frame = self.instances()
        return frame.loc[[State(state).is_failure for state in frame["state"]]].reset_index(drop=True)

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
        return {name: self.tables.combinations[name][position] for name in self.parameters}

    def ranking(self, metric: str, maximize: bool = True, count: int = 1) -> list[tuple[dict[str, Any], float]]:
        """The best completed combinations with their values, the best first.

        Raises
        ------
        ResultError
            As for `find_optimal_parameters`.
        """
        values = self._values(metric)
        self.find_optimal_parameters(metric, maximize)
        return [
            ({name: self.tables.combinations[name][position] for name in self.parameters}, values[position])
            for position in ranked(values, maximize)[:count]
        ]

    def get_metric(self, parameters: Mapping[str, Any], metric: str) -> Any:
        """The value of a metric for one combination.

        Raises
        ------
        ResultError
            For an unknown metric, a combination that is not one of the run's, or one that is not completed.
        """
        values = self._values(metric)
        position = self._positions.get(combination_id(parameters))
        if position is None:
            unknown = [name for name in parameters if name not in self.parameters]
            missing = [name for name in self.parameters if name not in parameters]
            told = f"; unknown: {unknown}" if unknown else f"; missing: {missing}" if missing else ""
            raise ResultError(f"{dict(parameters)} is no combination of this run{told}")
        state = self.tables.combinations["state"][position]
        if state != State.COMPLETED.value:
            raise ResultError(f"{dict(parameters)} is {state}: it has no `{metric}`")
        return values[position]

    @cached_property
    def _positions(self) -> dict[str, int]:
        table = {name: self.tables.combinations[name] for name in self.parameters}
        if not table:
            return {combination_id({}): 0}
        return {combination_id(row): position for position, row in enumerate(rows(table))}

    def _values(self, metric: str) -> list[Any]:
        """A metric's values; None where a combination is not completed."""
        if metric not in self.tables.metrics:
            twins = [name for name in self.tables.metrics if name.endswith(f".{metric}")]
            hint = "several tasks have it: " + " or ".join(f"`{name}`" for name in twins) if twins else ""
            bare = metric.rpartition(".")[2]
            if not twins and bare in self.tables.metrics and self._task_of(bare) == metric.rpartition(".")[0]:
                return self._values(bare)
            raise ResultError(f"there is no metric `{metric}`", hint=hint or nearest(metric, self.tables.metrics))
        states = self.tables.combinations["state"]
        values = self.tables.combinations[metric]
        return [value if state == State.COMPLETED.value else None for value, state in zip(values, states, strict=True)]

    def _task_of(self, metric: str) -> str:
        return self.tables.facts.get("metric_tasks", {}).get(metric, "")
