"""Which combinations of a package are run again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import PackageError
from sciflow.loading import load_workflow
from sciflow.model.document import Document
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.package.again.recorded import RecordedRun
from sciflow.package.again.selection import chosen
from sciflow.package.restricted import restricted
from sciflow.store.columns import Table
from sciflow.store.results import Tables

_DOCUMENT = """
name: grid
parameters:
  x: [1, 2, 3, 4]
  y: [0.5, 1.5]
  pair: [{tuple: [1, 2]}, none, null]
constraints: ["x > 1 or y > 1"]
derived: {z: x * y}
tasks:
  - name: measure
    command: "echo {{ x }} {{ y }} {{ z }} {{ pair }}"
"""


class _There(RecordedRun):
    """A packaged run that is known by its combinations alone."""

    def __init__(self, rows: list[dict[str, Any]], states: list[str]) -> None:
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        table = Table.of({**columns, "state": states}, exact=list(columns))
        self.tables = Tables({"combinations": table}, {"parameters": list(columns), "metrics": []})


@pytest.fixture(scope="module")
def workflow(tmp_path_factory: pytest.TempPathFactory) -> ExperimentalWorkflow:
    """Return a workflow with derived parameters, constraints, tuples and None."""
    path = tmp_path_factory.mktemp("grid") / "workflow.yaml"
    path.write_text(_DOCUMENT)
    return load_workflow(path)


@pytest.fixture(scope="module")
def there(workflow: ExperimentalWorkflow) -> RecordedRun:
    """Return what is known of its run: nothing ran of the first combination."""
    rows = [dict(one) for one in workflow.space]
    return _There(rows, ["PENDING", *["COMPLETED"] * (len(rows) - 1)])


def test_a_sample_is_drawn_by_its_seed(there: RecordedRun) -> None:
    """The same seed draws the same, another one another; what came to nothing is not drawn; all may be."""
    first = chosen(there, 5, 0, ())
    assert first == chosen(there, 5, 0, ())
    assert first != chosen(there, 5, 1, ())
    assert len(first) == 5
    count = there.tables.combinations.count
    assert len(chosen(there, count - 1, 0, ())) == count - 1
    with pytest.raises(PackageError, match=f"a sample of {count} cannot be drawn of {count - 1} combinations"):
        chosen(there, count, 0, ())


def test_combinations_are_named_by_conditions_or_values(there: RecordedRun) -> None:
    """An expression over parameters, or values of some of them; several are alternatives; samples are of those."""
    assert {one["x"] for one in chosen(there, None, 0, ["x > 2"])} == {3, 4}
    named = chosen(there, None, 0, [{"x": 1}, {"x": 4, "y": 0.5}])
    assert {(one["x"], one["y"]) for one in named} == {(1, 1.5), (4, 0.5)}
    assert {one["x"] for one in chosen(there, 2, 0, ["x == 4"])} == {4}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("w > 2", "`w > 2` names `w`, which is no parameter"),
        ("x > ", "where"),
        ({"x": 7}, "parameter `x` never is 7 in the package"),
        ({"w": 7}, "names `w`, which is no parameter"),
        ("x > 9", "no combination of the package is one of `x > 9`"),
    ],
)
def test_what_no_combination_is_is_refused(there: RecordedRun, wanted: Any, message: str) -> None:
    """An unknown parameter, a value that it never has, and what leaves nothing are refused by name."""
    with pytest.raises(PackageError) as refused:
        chosen(there, None, 0, [wanted])
    assert message in refused.value.message


def test_a_restricted_document_runs_the_very_same_instances(there: RecordedRun, tmp_path: Path) -> None:
    """The chosen combinations, and no others, with the values that they had: derived ones, tuples and None too."""
    some = chosen(there, 6, 3, ())
    document = restricted(Document(_DOCUMENT, "workflow.yaml", PackageError).value, some)
    assert set(document) == {"name", "parameters", "zip", "tasks"}
    path = tmp_path / "some.yaml"
    path.write_text(json.dumps(document))
    found = [dict(one) for one in load_workflow(path).space]
    assert found == some
