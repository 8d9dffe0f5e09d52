"""Which figure is wanted of which results."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator
from typing_extensions import Self

from sciflow.model.fields import Names
from sciflow.model.validation import Value


class Visualization(Value):
    """One figure: its kind, its axes (parameters) and the value it shows (a metric)."""

    type: Literal["heatmap", "line", "scatter", "box", "contour", "parallel"]
    value: str
    x_axis: str | None = None
    y_axis: str | None = None
    series: str | None = None
    facet_by: Names = ()
    title: str | None = None

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        """Miss the axes without which the figure cannot be drawn."""
        needed = {"heatmap": ("x_axis", "y_axis"), "contour": ("x_axis", "y_axis"), "parallel": ()}
        for axis in needed.get(self.type, ("x_axis",)):
            if getattr(self, axis) is None:
                raise ValueError(f"a {self.type} needs `{axis}`, the name of a parameter")
        return self

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters that the figure's axes name."""
        return tuple(name for name in (self.x_axis, self.y_axis, self.series, *self.facet_by) if name)
