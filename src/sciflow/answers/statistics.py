"""Questions of statistics to observations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sciflow.answers.asked import Asked

if TYPE_CHECKING:
    from sciflow.analysis.statistics.anova import Anova
    from sciflow.analysis.statistics.correlation import Correlations
    from sciflow.analysis.statistics.effects import Effects, Interaction
    from sciflow.analysis.statistics.examination import Examination
    from sciflow.analysis.statistics.outliers import Outliers
    from sciflow.analysis.statistics.sensitivity import Sensitivity
    from sciflow.analysis.statistics.trends import Trends


class StatisticalQuestions(Asked):
    """What statistics can say of the metrics of observations."""

    def examine(self, metric: str, minimum_coverage: float = 0.0) -> Examination:
        """All that statistics can say of a metric, what matters most first; what does not apply with its reason.

        Parameters
        ----------
        metric
            Its name.
        minimum_coverage
            The share of its values that must be there.

        Raises
        ------
        ResultError
            For a metric that is no number, and where too little is there.
        """
        from sciflow.analysis.statistics.examination import examine

        return examine(self.observations, metric, minimum_coverage, self._table)

    def effects(self, metric: str, minimum_coverage: float = 0.0) -> Effects:
        """How much a metric changes with each factor: marginal means of levels, and sizes of effects.

        Parameters
        ----------
        metric
            Its name.
        minimum_coverage
            The share of its values that must be there.

        Raises
        ------
        ResultError
            For a metric that is no number or depends on nothing that varies, and where too little is there.
        """
        from sciflow.analysis.statistics.effects import effects
        from sciflow.analysis.statistics.finding import sample_of

        return effects(sample_of(self.observations, metric, minimum_coverage))

    def interaction(self, metric: str, first: str, second: str, minimum_coverage: float = 0.0) -> Interaction:
        """How the effect of one factor on a metric depends on another: the mean of each pair of levels.

        Parameters
        ----------
        metric
            Its name.
        first, second
            The factors.
        minimum_coverage
            The share of the metric's values that must be there.

        Raises
        ------
        ResultError
            As for `effects`, and for names that are no factors.
        """
        from sciflow.analysis.statistics.effects import interaction
        from sciflow.analysis.statistics.finding import sample_of

        return interaction(sample_of(self.observations, metric, minimum_coverage), first, second)

    def anova(self, metric: str, order: int = 2, minimum_coverage: float = 0.0) -> Anova:
        """Which factors, and which pairs of them, change a metric by more than chance.

        Parameters
        ----------
        metric
            Its name.
        order
            1 for main effects alone, 2 for interactions of pairs too, where something is left to tell the error.
        minimum_coverage
            The share of its values that must be there.

        Raises
        ------
        ResultError
            As for `effects`. Where nothing tells the error, the result has no p-values, and its notes say why.
        """
        from sciflow.analysis.statistics.anova import anova
        from sciflow.analysis.statistics.finding import sample_of

        return anova(sample_of(self.observations, metric, minimum_coverage), order=order)

    def sensitivity(self, metric: str, minimum_coverage: float = 0.0, confidence: float = 0.95) -> Sensitivity:
        """How much of a metric's variation each sampled parameter is to blame for.

        By Sobol's indices where the space is sampled by ``saltelli``, by elementary effects where by ``morris``; by
        indices of first order for any other sample.

        Parameters
        ----------
        metric
            Its name.
        minimum_coverage
            The share of its values that must be there.
        confidence
            Of the intervals.

        Raises
        ------
        ResultError
            Where nothing is sampled, points of a design have no value, or there are too few points.
        """
        from sciflow.analysis.statistics.sensitivity import sensitivity

        return sensitivity(self.observations, metric, minimum_coverage, confidence)

    def correlations(self, metric: str, minimum_coverage: float = 0.0) -> Correlations:
        """How a metric goes with each parameter and each other metric, the strongest first.

        Parameters
        ----------
        metric
            Its name.
        minimum_coverage
            The share of its values that must be there.

        Raises
        ------
        ResultError
            For a metric that is no number, and where too little is there.
        """
        from sciflow.analysis.statistics.correlation import correlations

        return correlations(self.observations, metric, minimum_coverage)

    def trends(self, metric: str, minimum_coverage: float = 0.0) -> Trends:
        """Whether a metric rises or falls all the way with each factor that is a number, other factors held fixed.

        Parameters
        ----------
        metric
            Its name.
        minimum_coverage
            The share of its values that must be there.

        Raises
        ------
        ResultError
            For a metric that is no number, where no factor is one, and where too little is there.
        """
        from sciflow.analysis.statistics.finding import sample_of
        from sciflow.analysis.statistics.trends import trends

        return trends(sample_of(self.observations, metric, minimum_coverage))

    def outliers(self, metric: str, threshold: float = 3.5, minimum_coverage: float = 0.0) -> Outliers:
        """Values of a metric that are far from their repeats, or from all others; none is left out for that.

        Parameters
        ----------
        metric
            Its name.
        threshold
            The modified z-score above which a value is told.
        minimum_coverage
            The share of its values that must be there.

        Raises
        ------
        ResultError
            For a metric that is no number, and where too little is there.
        """
        from sciflow.analysis.statistics.finding import sample_of
        from sciflow.analysis.statistics.outliers import outliers

        return outliers(sample_of(self.observations, metric, minimum_coverage), threshold, self._table)
