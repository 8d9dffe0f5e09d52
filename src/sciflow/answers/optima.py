"""What is the best of observations: questions about optima, as methods of whatever has observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sciflow.answers.asked import Asked
from sciflow.errors import ResultError

if TYPE_CHECKING:
    from sciflow.analysis.optima.best import Best
    from sciflow.analysis.optima.comparison import Test
    from sciflow.analysis.optima.flatness import Flatness
    from sciflow.analysis.optima.pareto import Front
    from sciflow.analysis.optima.single import MetricValues
    from sciflow.analysis.optima.suggest import Suggestions
    from sciflow.model.parameters import ParameterSpace


class Searches(Asked):
    """Questions about the best."""

    @property
    def space(self) -> ParameterSpace:
        """The parameter space, by its rules.

        Raises
        ------
        ResultError
            Where it is not known: of selections, of several runs, and where functions are among its rules.
        """
        raise ResultError(
            "the rules of the parameter space are not known here", hint="give them: `space=workflow.space`"
        )

    def find_optimal_parameters(self, metric: str, maximize: bool = True) -> dict[str, Any]:
        """The completed combination with the best value of a metric; of equal ones the first.

        It has no value for the parameters that only repeat. Where the metric was measured with repeats, it is the best
        by the mean over them, and `get_metric` gives that mean: see `best`.

        Raises
        ------
        ResultError
            For an unknown metric, and where no completed combination has a number for it.
        """
        from sciflow.analysis.optima.single import optimal_parameters

        return optimal_parameters(self.observations, metric, maximize)

    def ranking(self, metric: str, maximize: bool = True, count: int = 1) -> list[tuple[dict[str, Any], float]]:
        """The best values of a metric, each with the parameters on which it depends, the best first.

        Of repeats the mean counts, and the parameters that only repeat are left out.

        Raises
        ------
        ResultError
            As for `find_optimal_parameters`.
        """
        return [(row["parameters"], row["value"]) for row in self.best(metric, maximize).rows(count)]

    def get_metric(self, parameters: Mapping[str, Any], metric: str) -> Any:
        """The value of a metric for one combination, or the mean over the repeats of a setting.

        Parameters
        ----------
        parameters
            A value for each parameter on which the metric depends, and for others if you like; NumPy's values too.
            Without those that only repeat it is the mean over the repeats that have a finite value; of what is no
            number the value that all of them have.
        metric
            The metric's name.

        Raises
        ------
        ResultError
            For an unknown metric, a combination that there is not, or one that has no value; and where repeats have
            different values that are no numbers.
        """
        from sciflow.analysis.optima.single import MetricValues

        if metric not in self._metric_values:
            self._metric_values[metric] = MetricValues(self.observations, metric)
        return self._metric_values[metric].at(parameters)

    @cached_property
    def _metric_values(self) -> dict[str, MetricValues]:
        return {}

    def best(
        self,
        metric: str,
        maximize: bool = True,
        *,
        where: str | None = None,
        minimum_coverage: float = 0.0,
        confidence: float = 0.95,
        test: Test = "auto",
    ) -> Best:
        """The best combinations by a metric, in order, and which others cannot be told from the best.

        With repeats, the best is the best mean over them, never the luckiest single value.

        Parameters
        ----------
        metric, maximize
            By what, and whether the largest is the best.
        where
            A condition over parameters and metrics, such as ``memory < 4 and size >= 32``.
        minimum_coverage
            The share of the combinations that has to be measured.
        confidence
            Of intervals, and of the comparison with the best.
        test
            ``dunnett`` or ``welch``; ``auto`` takes Welch's where the spreads of repeats differ.

        Raises
        ------
        ResultError
            For names that are not there, a metric that is no number, and where nothing has a value.
        """
        from sciflow.analysis.optima.best import best_of

        return best_of(
            self.observations,
            metric,
            maximize,
            where=where,
            minimum_coverage=minimum_coverage,
            confidence=confidence,
            test=test,
        )

    def flatness(self, metric: str, maximize: bool = True, **options: Any) -> Flatness:
        """How much a metric changes at the neighbouring levels around the best, and whether that is at an edge.

        Parameters
        ----------
        metric, maximize, **options
            As for `best`.

        Raises
        ------
        ResultError
            As for `best`.
        """
        from sciflow.analysis.optima.flatness import flatness_of

        return flatness_of(self.observations, self.best(metric, maximize, **options))

    def pareto(
        self,
        maximize: Sequence[str] = (),
        minimize: Sequence[str] = (),
        *,
        where: str | None = None,
        minimum_coverage: float = 0.0,
        confidence: float = 0.95,
    ) -> Front:
        """The combinations that cannot become better in one metric without becoming worse in another.

        Parameters
        ----------
        maximize, minimize
            The metrics that are to be large, and those that are to be small; two at least. Of repeats the mean counts.
        where
            A condition over parameters and metrics, such as ``memory < 4 and size >= 32``.
        minimum_coverage
            The share of the combinations that has to have all metrics.
        confidence
            For the intervals by which members are told from others.

        Raises
        ------
        ResultError
            For names that are not there, metrics that are no numbers, and where no combination has all of them.
        """
        from sciflow.analysis.optima.pareto import pareto

        return pareto(
            self.observations,
            maximize,
            minimize,
            where=where,
            minimum_coverage=minimum_coverage,
            confidence=confidence,
        )

    def suggest(
        self,
        metric: str,
        maximize: bool = True,
        *,
        count: int = 8,
        seed: int = 0,
        space: ParameterSpace | None = None,
        anyway: bool = False,
    ) -> Suggestions:
        """The next combinations to try: where a Gaussian process fitted to the results expects most.

        Parameters
        ----------
        metric, maximize
            What is to be improved, and whether it should be large.
        count
            How many combinations, without what only repeats.
        seed
            The same seed suggests the same.
        space
            The parameter space; by default that of the run.
        anyway
            Also suggest where the surrogate is no better than the mean.

        Raises
        ------
        ResultError
            For names that are not there, too little that was measured, a surrogate that knows nothing, a space that is
            not known, and where scikit-learn is missing.
        """
        from sciflow.analysis.optima.suggest import suggest

        known = self.space if space is None else space
        return suggest(self.observations, known, metric, maximize, count=count, seed=seed, anyway=anyway)
