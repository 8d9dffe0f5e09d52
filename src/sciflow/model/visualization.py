"""Which figure is wanted of which results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from pydantic import Field, model_validator
from typing_extensions import Self

from sciflow.model.fields import Names
from sciflow.model.validation import Value

Kind = Literal[
    "heatmap",
    "contour",
    "line",
    "scatter",
    "box",
    "violin",
    "bar",
    "parallel",
    "pairs",
    "main_effects",
    "interaction",
    "pareto",
    "convergence",
    "states",
    "timeline",
    "utilisation",
    "requests",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
# What each kind cannot do without: fields of `Visualization`; `values` counts where `value` is given.
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "heatmap": ("value", "x_axis", "y_axis"),
    "contour": ("value", "x_axis", "y_axis"),
    "line": ("value", "x_axis"),
    "scatter": ("value", "x_axis"),
    "box": ("value", "x_axis"),
    "violin": ("value", "x_axis"),
    "bar": ("value", "x_axis"),
    "parallel": ("values",),
    "pairs": (),
    "main_effects": ("value",),
    "interaction": ("value",),
    "pareto": ("values",),
    "convergence": ("value",),
    "states": (),
    "timeline": (),
    "utilisation": (),
    "requests": (),
}
_WHAT = {"x_axis": "the name of a parameter", "y_axis": "the name of a parameter", "value": "the name of a metric"}


class Visualization(Value):
    """One figure: its kind, its axes (parameters), and what it shows (metrics)."""

    type: Kind
    value: str | None = None
    values: Names = ()
    x_axis: str | None = None
    y_axis: str | None = None
    series: str | None = None
    facet_by: Names = ()
    title: str | None = None
    labels: dict[str, str] = {}
    select: dict[str, Any] = {}
    interval: Literal["t", "bootstrap", "sd", "range", "none"] = "t"
    confidence: float = Field(default=0.95, gt=0, lt=1)
    x_scale: Literal["linear", "log"] | None = None
    y_scale: Literal["linear", "log"] | None = None
    value_scale: Literal["linear", "log"] | None = None
    maximize: Names = ()
    minimize: Names = ()
    task: str | None = None

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        """Miss what the figure cannot be drawn without."""
        for name in _NEEDED[self.type]:
            there = self.shown if name in ("value", "values") else getattr(self, name)
            if not there:
                what = _WHAT.get(name, "names of metrics")
                raise ValueError(f"a {self.type} needs `{name}`, {what}")
        if self.type == "pareto" and len(self.shown) < 2:
            raise ValueError(f"a pareto has at least two `values`, not {list(self.shown)}")
        return self

    @property
    def shown(self) -> tuple[str, ...]:
        """The metrics that it shows."""
        return (*((self.value,) if self.value else ()), *self.values)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names that can only be parameters; the axis of a scatter may be a metric, too."""
        x_axis = None if self.type == "scatter" else self.x_axis
        return tuple(name for name in (x_axis, self.y_axis, self.series, *self.facet_by, *self.select) if name)
