"""The results of a run, as a user asks them: tables, statistics, figures, reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sciflow.analysis.table import RunTable
from sciflow.answers.selection import Answers
from sciflow.errors import ResultError
from sciflow.store.results import COMBINATIONS

if TYPE_CHECKING:
    import pandas as pd
    import xarray

    from sciflow.analysis.advice.advise import RunAdvice
    from sciflow.analysis.arrays import ResultArrays
    from sciflow.analysis.dataset import Layout
    from sciflow.analysis.efficiency import RunEfficiency
    from sciflow.analysis.forms import Form
    from sciflow.analysis.observations import Observations
    from sciflow.figures.dashboard import Dashboard
    from sciflow.figures.gallery import Gallery
    from sciflow.model.parameters import ParameterSpace
    from sciflow.report.methods import Methods
    from sciflow.report.write import Written
    from sciflow.store.layout import RunDirectory
    from sciflow.store.results import Tables


class Results(RunTable, Answers):
    """The collected results of a run.

    Parameters
    ----------
    run
        The run directory.
    tables
        Its tables, when they have been read already.
    """

    def __init__(self, run: RunDirectory, tables: Tables | None = None) -> None:
        super().__init__(run, tables)
        self._observations: Observations | None = None

    @property
    def observations(self) -> Observations:
        """What was measured at which combination: what all statistics and figures start from."""
        if self._observations is None:
            from sciflow.analysis.observed import observations_of

            self._observations = observations_of(self)
        return self._observations

    @property
    def _table(self) -> RunTable:
        return self

    @property
    def space(self) -> ParameterSpace:
        """The parameter space of the run, by its rules.

        Raises
        ------
        ResultError
            Where functions are among them, which results do not know.
        """
        from sciflow.errors import ResultError, WorkflowError
        from sciflow.model.parameters import ParameterSpace
        from sciflow.store.layout import read_document

        document = read_document(self.run.manifest)["space"]
        try:
            return ParameterSpace.from_document(**document.get("from", document))
        except WorkflowError as error:
            raise ResultError(
                f"the rules of the parameter space are not known: {error.message}",
                hint="give the workflow's: `space=workflow.space`, or `--workflow experiment.py`",
            ) from error

    def find_optimal_parameters(self, metric: str, maximize: bool = True) -> dict[str, Any]:
        """The completed combination with the best value of a metric; of equal ones the first.

        It has no value for the parameters that only repeat. Where the metric was measured with repeats, it is the best
        by the mean over them, and `get_metric` gives that mean: see `best`.

        Raises
        ------
        ResultError
            For an unknown metric, and where no completed combination has a number for it.
        """
        if self._is_repeated(metric):
            return Answers.find_optimal_parameters(self, metric, maximize)
        known = self.observations.parameters
        found = super().find_optimal_parameters(metric, maximize)
        return {name: value for name, value in found.items() if not known[name].is_repeat}

    def ranking(self, metric: str, maximize: bool = True, count: int = 1) -> list[tuple[dict[str, Any], float]]:
        """The best values of a metric, each with the parameters on which it depends, the best first.

        A metric that several combinations share, as that of a task which gathers, counts once. Of repeats the mean
        counts, and the parameters that only repeat are left out.

        Raises
        ------
        ResultError
            As for `find_optimal_parameters`.
        """
        if self._is_repeated(metric):
            return Answers.ranking(self, metric, maximize, count)
        return super().ranking(metric, maximize, count)

    def get_metric(self, parameters: Mapping[str, Any], metric: str) -> Any:
        """The value of a metric for one combination, or the mean over the repeats of a setting.

        Parameters
        ----------
        parameters
            A value for each parameter, or for each of those on which the metric depends; NumPy's values too. Whole
            numbers may be floats, as they are in a row of a data frame. Without those that only repeat it is the mean
            over the repeats that have a finite value; of what is no number the value that all of them have.
        metric
            The metric's name.

        Raises
        ------
        ResultError
            For an unknown metric, a combination that is not one of the run's, or one that is not completed; and where
            repeats have different values that are no numbers.
        """
        given, known = set(parameters), self.observations.parameters
        lacking = [name for name in known if name not in given]
        if any(known[name].is_repeat for name in lacking) and given != set(self.parameters_of(metric)):
            return Answers.get_metric(self, parameters, metric)
        return super().get_metric(parameters, metric)

    def _near(self, given: Mapping[str, Any], metric: str) -> Any:
        return Answers.get_metric(self, given, metric)  # rounding is no difference, and what is wrong has a name

    def _is_repeated(self, metric: str) -> bool:
        return any(self.observations.parameters[name].is_repeat for name in self.parameters_of(metric))

    def figures(self) -> Gallery:
        """The figures that the workflow declares; one that cannot be made stands in `missing`, with the reason."""
        from sciflow.figures.gallery import declared, gallery_of
        from sciflow.figures.numbers import Source

        return gallery_of(Source(self.observations, self), *declared(self))

    def to_dataframe(self, table: str = COMBINATIONS, *, form: Form = "wide") -> pd.DataFrame:
        """A table as pandas has it: by default one row per combination, with parameters, metrics and state.

        Metrics of combinations that are not completed are missing (NaN or None), never numbers.

        Parameters
        ----------
        table
            ``combinations``, ``instances``, ``attempts``, ``environments``, ``arrays``, or ``metrics/TASK``.
        form
            Of combinations: ``wide``, or ``long`` with a row for each metric of each: parameters, ``metric``, its
            ``task`` and ``unit``, its ``value``, and the state.

        Raises
        ------
        ResultError
            For a table or a form that there is not, or another form of another table.
        """
        if form == "wide":
            return super().to_dataframe(table)
        if table != COMBINATIONS:
            raise ResultError(f"there is no {form} form of `{table}`", hint=f"only of `{COMBINATIONS}`")
        return Answers.to_dataframe(self, form=form)

    def to_xarray(
        self, layout: Layout = "auto", *, arrays: Sequence[str] = (), minimum_coverage: float = 0.0
    ) -> xarray.Dataset:
        """A dataset of xarray, as that of any part, and with result arrays.

        Parameters
        ----------
        layout, minimum_coverage
            As those of `Answers.to_xarray`.
        arrays
            ``task.name`` of result arrays that are to be read into it, of which all must have the same shape.

        Raises
        ------
        ResultError
            As `Answers.to_xarray`, and for arrays that there are not, or whose shapes differ.
        """
        from sciflow.analysis.dataset import dataset_of, with_arrays

        self.observations.coverage.check(minimum_coverage, "combinations")
        dataset, axes = dataset_of(self.observations, layout)
        for one in arrays:
            task, _, name = one.partition(".")
            dataset = with_arrays(dataset, axes, self.observations, self.arrays(task, name))
        return dataset

    def arrays(self, task: str, name: str) -> ResultArrays:
        """The result arrays of a task that have a name: number of the instance → array, read when it is asked for.

        Parameters
        ----------
        task
            Whose arrays they are.
        name
            Their name; a column of a data frame is ``frame/column``.

        Raises
        ------
        ResultError
            For a task or a name that there is not.
        """
        from sciflow.analysis.arrays import ResultArrays

        return ResultArrays(self, task, name)

    def efficiency(self) -> RunEfficiency:
        """How much of what was asked for was used: of each task, and of all; failed attempts included."""
        from sciflow.analysis.efficiency import efficiency

        return efficiency(self)

    def advise(self, chance: float = 0.95) -> RunAdvice:
        """What the tasks should ask for the next time.

        Parameters
        ----------
        chance
            With which chance an instance is to be done within what it asks for.

        Raises
        ------
        ResultError
            For a chance that is not between 0 and 1.
        """
        from sciflow.analysis.advice.advise import advise

        return advise(self, chance)

    def dashboard(self, maximize: Sequence[str] = (), minimize: Sequence[str] = ()) -> Dashboard:
        """One page of paper about the run: counts, the best, the most telling figures, states, resources.

        Parameters
        ----------
        maximize, minimize
            The metrics of which the largest and the smallest value is the best.

        Raises
        ------
        ResultError
            For a metric that there is not.
        """
        from sciflow.figures.dashboard import dashboard

        return dashboard(self, self.observations, maximize, minimize)

    def report(
        self,
        path: str | Path,
        maximize: Sequence[str] = (),
        minimize: Sequence[str] = (),
        as_of: float | None = None,
        figures: int = 10,
    ) -> Written:
        """Write what the run has shown into one file that needs no other: HTML with everything, or one page.

        Parameters
        ----------
        path
            The file, which says by its ending what it is: ``.html``, ``.pdf``, ``.png`` or ``.svg``. One that is there
            is replaced once the new one is whole.
        maximize, minimize
            The metrics of which the largest and the smallest value is the best.
        as_of
            When the results were collected, in seconds since the epoch; by default as their file says.
        figures
            How many figures there are at most: those that the workflow declares, then those that show most.

        Raises
        ------
        ResultError
            For an ending that is no format, a metric that there is not, or where the file cannot be written.
        TemplateError
            Where a template is missing, or cannot be rendered.
        """
        from sciflow.report.write import report

        return report(self, self.observations, path, maximize, minimize, as_of, figures)

    def methods(self) -> Methods:
        """A paragraph for the methods of a paper: how the run was made, by what is known of it, and what failed.

        Its `to_text`, `to_markdown` and `to_latex` give it as text.
        """
        from sciflow.report.methods import methods_of

        return methods_of(self, self.observations)
