"""A parameter space that is written into a package's workflow is read as the same, whatever is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sciflow import ExperimentalWorkflow
from sciflow.loading import load_profile
from sciflow.model.exported import space_document, workflow_document
from sciflow.model.parameters import combination_id
from sciflow.model.workflow_file import read_workflow
from sciflow.package.gathered.workflow_text import workflow_text
from sciflow.package.restricted import restricted
from sciflow.planning.build import build_plan

_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x02\x03\x00"), max_size=6)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["1e-3", "no", "22:30", " x ", "a: b", "#", "two\nlines", "017", "0o17"])
    | _TEXTS
)
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=4)
_LISTS = st.lists(_VALUES, min_size=1, max_size=3, unique_by=lambda value: (type(value).__name__, repr(value)))


def _workflow(axes: dict[str, Any], rules: dict[str, Any]) -> ExperimentalWorkflow:
    workflow = ExperimentalWorkflow("again", Path("/"))
    workflow.add_task("show", command="echo {{ a }} {{ seed }}")
    workflow.add_task("gather", command="echo {{ a }}", depends_on=["show"], over=["seed"])
    workflow.add_parameter_space(axes, **rules)
    return workflow


def _ids(workflow: ExperimentalWorkflow) -> list[str]:
    return [combination_id(one) for one in workflow.space]


def _plan(workflow: ExperimentalWorkflow) -> Any:
    compiled = build_plan(workflow, load_profile("local", Path("/")))
    return [[(array.task, list(compiled.array_lines(array))) for array in compiled.plan.arrays], compiled.recipes]


@settings(max_examples=20, deadline=None)
@given(_LISTS, _LISTS, st.integers(1, 3), st.booleans())
def test_a_written_space_is_the_same_space(a: list[Any], b: list[Any], count: int, is_zipped: bool) -> None:
    """By its rules, and combination by combination, it has the same combinations, ids and plan."""
    length = min(len(a), len(b)) if is_zipped else None
    axes = {"a": a[:length], "b": b[:length], "seed": {"repeat": count, "seed": 3}}
    rules = {"zip_groups": [["a", "b"]]} if is_zipped else {"derived": {"twice": "(a, a)"}} if count > 1 else {}
    before = _workflow(axes, rules)
    document = workflow_document(before)
    by_rules = document | space_document(before.space.to_document(), before.space.roles["repeats"])
    one_by_one = restricted(document, list(before.space))
    read = [
        read_workflow(workflow_text(one, "run", ["a note"]), "again.yaml", Path("/"), lambda *_: len)
        for one in (by_rules, one_by_one)
    ]
    assert [_ids(one) for one in read] == [_ids(before)] * 2
    assert _plan(read[0]) == _plan(before)
