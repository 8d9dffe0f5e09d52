"""What observations answer: selections, statistics, figures; whether of a run, a part of one, or several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from sciflow.answers.optima import Searches
from sciflow.answers.statistics import StatisticalQuestions
from sciflow.answers.tables import TableQuestions

if TYPE_CHECKING:
    from sciflow.analysis.observations import Observations
    from sciflow.figures.gallery import Gallery
    from sciflow.figures.picture import Picture
    from sciflow.model.parameters import ParameterSpace


class Answers(TableQuestions, StatisticalQuestions, Searches):
    """Questions to observations, which they all start from."""

    def select(self, where: str | None = None, /, **values: Any) -> Selection:
        """The part of these where parameters have certain values.

        Parameters
        ----------
        where
            An expression over parameters, as in a constraint: ``"size > 16 and solver == 'cg'"``.
        **values
            Parameter → a value; a list of values of which it has one; ``(low, high)``, both included, of numbers,
            where None is no bound; or a function of its value. Numbers are the same where only rounding tells them
            apart.

        Raises
        ------
        ResultError
            For a name that is no parameter, a value that it never has, and where nothing is left.
        """
        from sciflow.analysis.choice import selected

        return Selection(selected(self.observations, values, where))

    def group(self, by: str | Sequence[str]) -> list[tuple[dict[str, Any], Selection]]:
        """The parts of these that have the same values of one or more parameters, each with those values.

        They are in the order of the parameters' levels, the first parameter varying slowest.

        Raises
        ------
        ResultError
            For a name that is no parameter.
        """
        from sciflow.analysis.choice import grouped

        names = [by] if isinstance(by, str) else list(by)
        return [(values, Selection(part)) for values, part in grouped(self.observations, names)]

    def with_repeats(self, *names: str) -> Selection:
        """The same, with these parameters as the ones that only repeat the same thing, and no others.

        An axis ``{repeat: n}`` or ``{repeat: [seeds]}`` is known as such; seeds in a plain list are told here.

        Raises
        ------
        ResultError
            For a name that is no parameter.
        """
        return Selection(self.observations.with_repeats(names), self)

    @overload
    def plot(self, type: None = None, value: str | None = None) -> Gallery: ...

    @overload
    def plot(self, type: str, value: str | None = None, **options: Any) -> Picture: ...

    def plot(self, type: str | None = None, value: str | None = None, **options: Any) -> Picture | Gallery:
        """A figure, or without a type the figures that show most: shown by a notebook, written by their `save`.

        Parameters
        ----------
        type
            Which kind: ``line``, ``heatmap``, …; by default some are chosen, by what was measured.
        value
            The metric that it shows.
        **options
            The rest of a visualization: ``x_axis``, ``series``, ``facet_by``, ``title``, …

        Raises
        ------
        ResultError
            For options that do not fit, names that are not there, and where there is nothing to show.
        """
        from sciflow.errors import ResultError
        from sciflow.figures.numbers import Source
        from sciflow.figures.picture import picture
        from sciflow.model.validation import validated
        from sciflow.model.visualization import KINDS, Visualization

        source = Source(self.observations, self._table)
        if type is None:
            from sciflow.figures.automatic import automatic
            from sciflow.figures.gallery import gallery_of

            if options:
                raise ResultError(
                    f"`{next(iter(options))}` is of a figure of one kind, and no `type` is given",
                    hint=f"known are {', '.join(f'`{kind}`' for kind in KINDS)}",
                )
            return gallery_of(source, automatic(source, None if value is None else [value]))
        wanted = validated(Visualization, {"type": type, "value": value, **options}, f"a {type}", ResultError)
        return picture(source, wanted)


class Selection(Answers):
    """Some of the observations, or those of several runs.

    Parameters
    ----------
    observations
        The rows.
    whole
        What has the same rows, and knows more of them: their parameter space.
    """

    def __init__(self, observations: Observations, whole: Answers | None = None) -> None:
        self._observations = observations
        self._whole = whole

    @property
    def observations(self) -> Observations:
        """One row per combination: parameters, metrics, state."""
        return self._observations

    @property
    def space(self) -> ParameterSpace:
        """The parameter space, by its rules.

        Raises
        ------
        ResultError
            Where it is not known: of a part, of several runs, and where functions are among its rules.
        """
        return super().space if self._whole is None else self._whole.space

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters."""
        return list(self._observations.parameters)

    @property
    def metrics(self) -> list[str]:
        """The names of the metrics; with their task, ``task.metric``, where several tasks have the same."""
        return list(self._observations.metrics)

    @property
    def completed(self) -> int:
        """How many combinations are completed."""
        return self._observations.coverage.present

    def parameters_of(self, metric: str) -> list[str]:
        """The parameters on which a metric depends: those that tell the instances of its task apart.

        Raises
        ------
        ResultError
            For an unknown metric.
        """
        return list(self._observations.metric(metric).parameters)

    def __len__(self) -> int:
        return len(self._observations)

    def __repr__(self) -> str:
        known = self._observations
        return f"<Selection of {', '.join(known.runs)}: {known.coverage} combinations completed>"
