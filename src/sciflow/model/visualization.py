"""Which figure is wanted of which results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from pydantic import Field, model_validator
from typing_extensions import Self

from sciflow.model.fields import Names
from sciflow.model.nearest import nearest
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
_NEEDED: Mapping[Kind, tuple[str, ...]] = {
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
_OF_MEANS = ("interval", "confidence")
_EARLIER = {"interval": "t"}  # a default of earlier versions, whose manifests spell defaults out
# What each kind knows besides: any other option would do nothing, and is refused.
_KNOWN: Mapping[Kind, tuple[str, ...]] = {
    "heatmap": ("facet_by", "value_scale"),
    "contour": ("facet_by", "x_scale", "y_scale", "value_scale"),
    "line": ("series", "facet_by", *_OF_MEANS, "x_scale", "y_scale", "value_scale"),
    "scatter": ("series", "facet_by", "x_scale", "y_scale", "value_scale"),
    "box": ("series", "facet_by", "y_scale", "value_scale"),
    "violin": ("series", "facet_by", "y_scale", "value_scale"),
    "bar": ("series", "facet_by", *_OF_MEANS, "y_scale", "value_scale"),
    "parallel": ("value", "maximize", "minimize"),
    "pairs": ("value", "values", "series"),
    "main_effects": (*_OF_MEANS, "y_scale", "value_scale"),
    "interaction": ("x_axis", "series", *_OF_MEANS, "x_scale", "y_scale", "value_scale"),
    "pareto": ("value", "confidence", "x_scale", "y_scale", "maximize", "minimize"),
    "convergence": ("series", "facet_by", "task", *_OF_MEANS, "x_scale", "y_scale", "value_scale"),
    "states": ("x_axis", "y_axis", "facet_by"),
    "timeline": ("task",),
    "utilisation": ("task",),
    "requests": ("task",),
}
OF_MACHINES: tuple[Kind, ...] = ("timeline", "utilisation", "requests")  # they show one whole run
_WHAT = {"x_axis": "the name of a parameter", "y_axis": "the name of a parameter", "value": "the name of a metric"}


class Visualization(Value):
    """One figure: its kind, its axes (parameters), and what it shows (metrics).

    Which of the options a kind knows, `options_of` says; one that it does not know is refused.
    """

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
    interval: Literal["t", "bootstrap", "sd", "range", "none"] | None = None
    confidence: float = Field(default=0.95, gt=0, lt=1)
    x_scale: Literal["linear", "log"] | None = None
    y_scale: Literal["linear", "log"] | None = None
    value_scale: Literal["linear", "log"] | None = None
    maximize: Names = ()
    minimize: Names = ()
    task: str | None = None

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        """Miss what the figure cannot be drawn without, and refuse what would do nothing."""
        self._check_known()
        for name in _NEEDED[self.type]:
            there = self.shown if name in ("value", "values") else getattr(self, name)
            if not there:
                raise ValueError(f"a {self.type} needs `{name}`, {_WHAT.get(name, 'names of metrics')}")
        if self.type == "pareto" and len(self.shown) < 2:
            raise ValueError(f"a pareto has at least two `values`, not {list(self.shown)}")
        self._check_names()
        self._check_choices()
        return self

    def _check_known(self) -> None:
        known = options_of(self.type)
        for name, field in type(self).model_fields.items():
            said = getattr(self, name)
            if name in known or said in (field.get_default(call_default_factory=True), _EARLIER.get(name)):
                continue
            if name == "values" and "value" in known:
                raise ValueError(f"a {self.type} shows one metric: say `value`, not `values`")
            others = [f"`{kind}`" for kind in KINDS if name in options_of(kind)]
            raise ValueError(
                f"a {self.type} has no `{name}`, which is for {', '.join(others)}; "
                f"it knows {', '.join(f'`{one}`' for one in known)}"
            )

    def _check_names(self) -> None:
        """Each parameter has one place, and each metric too."""
        places = [(name, getattr(self, name)) for name in ("x_axis", "y_axis", "series") if getattr(self, name)]
        places += [("facet_by", name) for name in self.facet_by]
        seen: dict[str, str] = {}
        for place, name in places:
            if name in seen:
                where = f"`{seen[name]}` and `{place}`" if seen[name] != place else f"`{place}` twice"
                raise ValueError(f"`{name}` is {where}: give each parameter one place")
            seen[name] = place
        for number, name in enumerate(self.shown):
            if name in self.shown[:number]:
                raise ValueError(f"`{name}` is shown twice")
        for name in self.select:
            if name in seen and not isinstance(self.select[name], list | tuple):
                raise ValueError(
                    f"`{name}` is `{seen[name]}`, and `select` leaves one value of it: choose a list, or leave it out"
                )

    def _check_choices(self) -> None:
        """What is said of metrics and intervals is of those that are there."""
        if (
            self.interval in ("sd", "range", "none")
            and self.confidence != type(self).model_fields["confidence"].default
        ):
            raise ValueError(f"`confidence` goes with the intervals `t` and `bootstrap`, not with `{self.interval}`")
        for place in ("maximize", "minimize"):
            for name in getattr(self, place):
                if name not in self.shown:
                    hint = nearest(name, self.shown)
                    raise ValueError(f"`{place}` names `{name}`, which is none of the `values`; {hint}")
        if both := [name for name in self.maximize if name in self.minimize]:
            raise ValueError(f"`{both[0]}` is to be as large and as small as possible: name it once")
        vertical_is_value = "y_axis" not in options_of(self.type)
        if vertical_is_value and self.y_scale and self.value_scale and self.y_scale != self.value_scale:
            raise ValueError(
                f"`y_scale` is {self.y_scale} and `value_scale` {self.value_scale}, but the vertical axis of a "
                f"{self.type} is the value: say one of them"
            )

    @property
    def asked_interval(self) -> Literal["t", "bootstrap", "sd", "range", "none"] | None:
        """The interval that somebody has asked for; who gives a confidence asks for one that has it."""
        is_default = self.confidence == type(self).model_fields["confidence"].default
        return self.interval or (None if is_default else "t")

    @property
    def shown(self) -> tuple[str, ...]:
        """The metrics that it shows."""
        return (*((self.value,) if self.value else ()), *self.values)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names that can only be parameters; the axis of a scatter may be a metric, too."""
        x_axis = None if self.type == "scatter" else self.x_axis
        return tuple(name for name in (x_axis, self.y_axis, self.series, *self.facet_by, *self.select) if name)

    def to_document(self) -> dict[str, Any]:
        """What was said of it, as plain values: `Visualization(**document)` is the same."""
        document = self.model_dump(mode="json", exclude_defaults=True)
        return {"type": self.type, **document}


def options_of(kind: Kind) -> tuple[str, ...]:
    """The options that a kind knows, in the order of the fields; any other is refused."""
    known = {"type", "title", *_NEEDED[kind], *_KNOWN[kind]}
    if kind not in OF_MACHINES:
        known |= {"labels", "select"}
    return tuple(name for name in Visualization.model_fields if name in known)


def needs_of(kind: Kind) -> tuple[str, ...]:
    """The options without which a kind cannot be drawn."""
    return _NEEDED[kind]
