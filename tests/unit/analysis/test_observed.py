"""The observations of a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sciflow.analysis.observations import VALUE
from sciflow.analysis.observed import observations_of
from sciflow.engine import Engine
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.results import Results
from sciflow.store.layout import RunDirectory
from unit.lists_as_tables import tables_of

Make = Callable[..., Results]


@pytest.fixture
def run_of(tmp_path: Path) -> Make:
    """Return a function that makes results of columns, and of what the manifest says besides."""

    def make(
        columns: dict[str, list[Any]], metrics: tuple[str, ...] = (), facts: Any = None, **manifest: Any
    ) -> Results:
        path = tmp_path / "20250101-000000-aa"
        path.mkdir()
        if manifest:
            (path / "manifest.json").write_text(json.dumps({"format": 1, **manifest}))
        count = len(next(iter(columns.values())))
        parameters = [name for name in columns if name not in metrics]
        combinations = {"state": ["COMPLETED"] * count, **columns}
        return Results(RunDirectory(path), tables_of(combinations, {}, parameters, metrics, facts or {}))

    return make


def test_parameters_have_their_parts(run_of: Make) -> None:
    """The manifest says which repeat, are drawn, or follow from others; what follows from seeds repeats as they do."""
    columns = {"rate": [0.1, 0.2], "seed": [1, 2], "stream": [7, 14], "cells": [3, 4], "name": ["a", "b"]}
    derived = {"stream": ["seed"], "cells": ["rate", "seed"]}
    roles = {"repeats": ["seed"], "sampled": ["rate"], "design": "sobol", "derived": derived}
    known = observations_of(run_of(columns, roles=roles))
    parts = {name: (one.is_repeat, one.is_sampled, one.behind) for name, one in known.parameters.items()}
    assert parts == {
        "rate": (False, True, ()),
        "seed": (True, False, ()),
        "stream": (True, False, ("seed",)),
        "cells": (False, False, ("rate", "seed")),
        "name": (False, False, ()),
    }
    assert (known.design, known.runs) == ("sobol", ("20250101-000000-aa",))
    assert [one.kind for one in known.parameters.values()] == ["number"] * 4 + ["category"]


@pytest.mark.parametrize("space", [{"axes": {"size": [1, 2]}, "derived": {"cells": "size**2"}}, None])
def test_an_older_run_says_what_its_space_tells(run_of: Make, space: Any) -> None:
    """Derived parameters, also of a space that was sampled; without anything, all are axes."""
    made = {"from": {"axes": {"size": 1}, "derived": {"cells": "…", "gone": "…"}}}
    known = observations_of(run_of({"size": [1, 2], "cells": [1, 4]}, space=space or made))
    assert known.parameters["cells"].behind == ("size",)
    assert not known.parameters["size"].is_repeat


def test_without_a_manifest_all_parameters_are_axes(run_of: Make) -> None:
    """The tables alone do."""
    known = observations_of(run_of({"size": [1, 2]}))
    assert known.parameters["size"].levels == (1, 2)
    assert not known.parameters["size"].is_derived


def test_a_metric_has_its_task_and_unit(run_of: Make) -> None:
    """Under its bare name, or with its task; the parameters are those of the task."""
    columns = {"x": [1, 2], "seed": [1, 1], "loss": [3.0, 4.0], "a.time": [1.0, 2.0], "b.time": [1.0, 2.0]}
    facts = {
        "workflow": "solving",
        "metric_tasks": {"loss": "a", "a.time": "a", "b.time": "b"},
        "task_parameters": {"a": ["x", "seed"], "b": ["x"]},
        "units": {"loss": "J", "time": "s"},
    }
    known = observations_of(run_of(columns, ("loss", "a.time", "b.time"), facts))
    assert known.workflow == "solving"
    assert [(one.task, one.parameters, one.unit) for one in known.metrics.values()] == [
        ("a", ("x", "seed"), "J"),
        ("a", ("x", "seed"), "s"),
        ("b", ("x",), "s"),
    ]
    assert known.metric("a.loss") is known.metric("loss")


def test_truth_values_beside_numbers_stay_apart(run_of: Make) -> None:
    """1, True and 1.0 are equal to Python; of a column with all of them, truth values become texts, and it is noted."""
    known = observations_of(run_of({"x": [1, True, 0, False], "y": [1.0, 2.0, 3.0, 4.0]}, ("y",)))
    assert known.parameters["x"].levels == (1, "True", 0, "False")
    assert known.sample("y").codes("x").tolist() == [0, 1, 2, 3]
    assert known.notes == ("x has numbers and truth values: True and False are texts here",)


def test_large_whole_numbers_beside_none_keep_their_digits(run_of: Make) -> None:
    """As floats two of them would be one."""
    large = 2**53
    known = observations_of(run_of({"x": [large, large + 1, None], "small": [1, 2, None]}))
    assert known.parameters["x"].levels == (large, large + 1, None)
    assert known.frame["x"].tolist() == [large, large + 1, None]
    assert known.frame["small"].dtype == np.float64


def test_a_real_run_is_observed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the space to the sample: seeds repeat, what follows is derived, and what gathers counts once."""
    monkeypatch.chdir(tmp_path)
    workflow = ExperimentalWorkflow("w", tmp_path)
    workflow.add_task("measure", command="echo {{ x }} {{ seed }}")
    workflow.add_task("gather", command="echo {{ x }}", depends_on=["measure"], over=["seed"])
    workflow.add_parameter_space({"x": [1, 2], "seed": {"repeat": [5, 6]}})
    workflow.add_derived_parameter("area", "x ** 2")
    engine = Engine(runs=tmp_path / "runs")
    path = engine.write_plan(engine.compile(workflow), tmp_path / "runs" / "w" / "20250101-000000-aa")
    space = {name: [one[name] for one in workflow.space] for name in workflow.space.names}
    columns = {**space, "mean": [1.0, 1.0, 2.0, 2.0], "state": ["COMPLETED"] * 4}
    facts = {"metric_tasks": {"mean": "gather"}, "task_parameters": {"gather": ["x"]}}
    known = observations_of(Results(RunDirectory(path), tables_of(columns, {}, list(space), ["mean"], facts)))
    assert [(name, one.is_repeat, one.behind) for name, one in known.parameters.items()] == [
        ("x", False, ()),
        ("seed", True, ()),
        ("area", False, ("x",)),
    ]
    assert known.sample("mean").frame[VALUE].tolist() == [1.0, 2.0]


def test_what_a_gathering_task_lacks_has_its_own_reason(tmp_path: Path) -> None:
    """Its combinations are completed without it: the state that is told is that of its instance, also of a part."""
    combinations = {"x": [1, 1, 2, 2], "seed": [5, 6, 5, 6], "mean": [1.0, 1.0, None, None], "state": ["COMPLETED"] * 4}
    states = ["COMPLETED"] * 5 + ["UPSTREAM_FAILED"]
    instances = {"task": ["measure"] * 4 + ["gather"] * 2, "state": states, "parameters.x": [1, 1, 2, 2, 1, 2]}
    facts = {
        "metric_tasks": {"mean": "gather"},
        "task_parameters": {"gather": ["x"]},
        "gathering": {"gather": {"COMPLETED": 1, "UPSTREAM_FAILED": 1}},
    }
    tables = tables_of(combinations, instances, ["x", "seed"], ["mean"], facts)
    known = observations_of(Results(RunDirectory(tmp_path), tables))
    assert known.sample("mean").described_gaps() == "1 of 2 have no value (1 UPSTREAM_FAILED)"
    assert known.of_rows(np.array([2, 3])).sample("mean").described_gaps() == "1 of 1 have no value (1 UPSTREAM_FAILED)"
