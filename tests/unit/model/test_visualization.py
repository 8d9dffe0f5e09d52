"""Which figure is wanted of which results."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.errors import WorkflowError
from sciflow.model.validation import validated
from sciflow.model.visualization import Visualization


def test_the_parameters_of_a_figure_are_its_axes() -> None:
    """One facet may be written as a text; the value is a metric and no parameter."""
    figure = Visualization.model_validate(
        {"type": "line", "value": "m", "x_axis": "t", "series": "size", "facet_by": "seed"}
    )
    assert figure.parameters == ("t", "size", "seed")
    assert Visualization(type="parallel", value="m").parameters == ()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"type": "heatmap", "value": "m", "x_axis": "t"}, "a heatmap needs `y_axis`, the name of a parameter"),
        ({"type": "line", "value": "m"}, "a line needs `x_axis`"),
        ({"type": "pie", "value": "m"}, "it takes 'heatmap', 'line', 'scatter', 'box', 'contour' or 'parallel'"),
        ({"type": "lines", "value": "m", "x_axis": "t"}, "did you mean `line`?"),
        ({"type": "parallel"}, "`value` is missing"),
        ({"type": "parallel", "value": "m", "facets": "seed"}, "`facets` is not known here"),
    ],
)
def test_what_is_no_figure(said: Any, reason: str) -> None:
    """Without its axes a figure cannot be drawn, and that is said before anything runs."""
    with pytest.raises(WorkflowError) as caught:
        validated(Visualization, said, "visualization `m_vs_t`")
    assert "visualization `m_vs_t`: " in str(caught.value)
    assert reason in str(caught.value)
