"""Which figure is wanted of which results."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciflow.errors import WorkflowError
from sciflow.model.validation import validated
from sciflow.model.visualization import KINDS, OF_MACHINES, Kind, Visualization, options_of

# What each kind can be drawn from, and nothing else.
LEAST: dict[str, dict[str, Any]] = {
    "heatmap": {"value": "m", "x_axis": "t", "y_axis": "size"},
    "contour": {"value": "m", "x_axis": "t", "y_axis": "size"},
    **{kind: {"value": "m", "x_axis": "t"} for kind in ("line", "scatter", "box", "violin", "bar")},
    **{kind: {"value": "m"} for kind in ("main_effects", "interaction", "convergence")},
    **{kind: {"values": ("m", "e")} for kind in ("parallel", "pareto")},
    **{kind: {} for kind in ("pairs", "states", "timeline", "utilisation", "requests")},
}
# A value of each option that is not the one it has when nothing is said.
SAID: dict[str, Any] = {
    "value": "v",
    "values": ("v", "w"),
    "x_axis": "a",
    "y_axis": "b",
    "series": "c",
    "facet_by": ("d",),
    "title": "T",
    "labels": {"m": "M"},
    "select": {"p": 1},
    "interval": "sd",
    "confidence": 0.5,
    "x_scale": "log",
    "y_scale": "log",
    "value_scale": "log",
    "maximize": ("m",),
    "minimize": ("e",),
    "task": "solve",
}


def said(kind: str, **more: Any) -> dict[str, Any]:
    """Make the options of a figure of a kind, with some more."""
    return {"type": kind, **LEAST[kind], **more}


def test_the_parameters_of_a_figure_are_its_axes() -> None:
    """One facet may be written as a text; the value is a metric and no parameter."""
    figure = Visualization.model_validate(said("line", series="size", facet_by="seed"))
    assert figure.parameters == ("t", "size", "seed")
    assert Visualization(type="parallel", value="m").parameters == ()
    assert Visualization(type="scatter", value="m", x_axis="e", series="size").parameters == ("size",)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_takes_what_it_knows_and_refuses_the_rest(kind: Kind) -> None:
    """No option does nothing: each is taken and kept, or refused with what the kind knows."""
    assert Visualization.model_validate(said(kind)).type == kind
    for option, value in SAID.items():
        if option in options_of(kind):
            figure = Visualization.model_validate(said(kind, **{option: value}))
            assert getattr(figure, option) == value
            continue
        reason = "say `value`, not `values`" if option == "values" and "value" in LEAST[kind] else f"no `{option}`"
        with pytest.raises(WorkflowError, match=reason):
            validated(Visualization, said(kind, **{option: value}), "a figure")


@pytest.mark.parametrize("kind", KINDS)
def test_without_what_it_needs_a_figure_is_refused(kind: Kind) -> None:
    """Without its axes and metrics nothing can be drawn, and that is said before anything runs."""
    for option in LEAST[kind]:
        rest = {name: value for name, value in said(kind).items() if name != option}
        with pytest.raises(WorkflowError, match=f"a {kind} needs `{option}`, the name|a {kind} needs `values`, names"):
            validated(Visualization, rest, "a figure")


def test_figures_of_machines_show_all_of_a_run() -> None:
    """Nothing can be selected of them, and their axes are no parameters."""
    assert all({"select", "x_axis", "value"}.isdisjoint(options_of(kind)) for kind in OF_MACHINES)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"type": "pie", "value": "m"}, "it takes 'heatmap', 'contour', 'line', 'scatter'"),
        ({"type": "lines", "value": "m", "x_axis": "t"}, "did you mean `line`"),
        ({"value": "m"}, "`type` is missing"),
        (said("parallel", facets="seed"), "`facets` is not known here"),
        (said("heatmap", series="seed"), "a heatmap has no `series`, which is for `line`, `scatter`"),
        (said("heatmap", series="seed"), "it knows `type`, `value`, `x_axis`, `y_axis`, `facet_by`, `title`"),
        (said("line", series="t"), "`t` is `x_axis` and `series`: give each parameter one place"),
        (said("line", facet_by=["s", "s"]), "`s` is `facet_by` twice"),
        (said("line", select={"t": 1.5}), "`t` is `x_axis`, and `select` leaves one value of it"),
        (said("line", confidence=0), "`confidence` is 0"),
        (said("line", interval="range", confidence=0.9), "not with `range`"),
        (said("line", y_scale="log", value_scale="linear"), "`y_scale` is log and `value_scale` linear"),
        (said("line", interval="sem"), "it takes 't', 'bootstrap', 'sd', 'range' or 'none'"),
        (said("pareto", values=["m"]), "a pareto has at least two `values`, not ['m']"),
        (said("pareto", values=["m", "e", "m"]), "`m` is shown twice"),
        (said("pareto", minimize=["f"]), "`minimize` names `f`, which is none of the `values`; known are `m`, `e`"),
        (said("pareto", minimize="m", maximize="m"), "`m` is to be as large and as small as possible"),
    ],
)
def test_what_is_no_figure(wrong: Any, reason: str) -> None:
    """What contradicts itself is refused, with the name of the figure and the way out."""
    with pytest.raises(WorkflowError) as caught:
        validated(Visualization, wrong, "visualization `m_vs_t`")
    assert str(caught.value).startswith("visualization `m_vs_t`: ")
    assert reason in str(caught.value)


def test_what_a_manifest_of_an_earlier_sciflow_holds_is_read() -> None:
    """Such a manifest has every option, also those that nobody has said."""
    figure = Visualization.model_validate(
        {"type": "heatmap", "value": "m", "values": [], "x_axis": "t", "y_axis": "s", "facet_by": [], "interval": "t"}
    )
    assert figure.model_copy(update={"interval": None}) == Visualization(
        type="heatmap", value="m", x_axis="t", y_axis="s"
    )


@given(st.sampled_from(KINDS), st.sets(st.sampled_from(["title", "series", "facet_by", "x_scale", "task"])))
def test_what_was_said_makes_the_same_figure_again(kind: Kind, more: set[str]) -> None:
    """The document has only what is not as it is by itself."""
    options = {name: SAID[name] for name in more if name in options_of(kind)}
    figure = Visualization.model_validate(said(kind, **options))
    assert Visualization.model_validate(figure.to_document()) == figure
    assert set(figure.to_document()) == {"type", *LEAST[kind], *options}
