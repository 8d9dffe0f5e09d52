"""The lines of array jobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sciflow.model.profile import ClusterProfile, Limits
from sciflow.model.values import combination_id
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.build import build_plan
from sciflow.planning.compiled import Compiled

HOSTILE = 'it\'s "$(touch hit)" `x` \\ \n\t\u2028é漢'


def compiled(workflow: ExperimentalWorkflow, **limits: int) -> Compiled:
    """Compile for a site with limits."""
    return build_plan(workflow, ClusterProfile(name="site", scheduler="local", limits=Limits(**limits)))


def lines(plan: Compiled) -> dict[str, list[dict[str, Any]]]:
    """Read all lines back; array job → lines."""
    return {array.name: [json.loads(line) for line in plan.array_lines(array)] for array in plan.plan.arrays}


def workflow(axes: dict[str, Any], *tasks: tuple[str, Any, dict[str, Any]]) -> ExperimentalWorkflow:
    """Make a workflow of (name, function or command, details)."""
    made = ExperimentalWorkflow("w")
    made.add_parameter_space(axes)
    for name, program, details in tasks:
        if isinstance(program, str):
            made.add_task(name, command=program, **details)
        else:
            made.add_task(name, program, **details)
    return made


def test_a_line_says_who_it_is() -> None:
    """Instance, id and parameters; the id is the hash of the parameters, in whatever order they are written."""
    axes: dict[str, Any] = {"z": [1, 1.5, None, "1"], "a": [HOSTILE, ("t", 1)]}
    plan = compiled(workflow(axes, ("t", lambda z, a: 0, {})))
    found = lines(plan)["t.0"]
    assert [line["instance"] for line in found] == list(range(8))
    assert [line["parameters"]["z"] for line in found[::2]] == axes["z"]
    assert found[0]["parameters"]["a"] == HOSTILE
    assert [line["id"] for line in found] == [combination_id(row) for row in plan.workflow.space]
    assert plan.lines.ids("t") == [line["id"] for line in found]
    assert all("\n" not in line.rstrip("\n") for line in plan.array_lines(plan.plan.arrays[0]))


def test_parameters_are_in_the_order_of_the_space() -> None:
    """People read them so."""
    plan = compiled(workflow({"z": [1], "a": [2]}, ("t", lambda a, z: 0, {})))
    assert list(lines(plan)["t.0"][0]["parameters"]) == ["z", "a"]


def test_lines_name_the_upstream_indices_that_are_not_their_own() -> None:
    """Element-wise tasks need no name; others get array jobs and ranges of indices."""
    plan = compiled(
        workflow(
            {"x": [1, 2, 3], "s": [1, 2]},
            ("a", lambda x, s: 0, {}),
            ("b", lambda a: 0, {"depends_on": "a"}),
            ("c", lambda b: 0, {"depends_on": "b", "over": "s"}),
        ),
        highest_index=2,
    )
    found = lines(plan)
    assert "upstream" not in found["b.0"][0]
    assert [line["upstream"] for line in found["c.0"]] == [
        {"b": [["b.0", "0-1"]]},
        {"b": [["b.0", "2"], ["b.1", "0"]]},
        {"b": [["b.1", "1-2"]]},
    ]


def test_a_task_that_gathers_more_is_another_instance() -> None:
    """Its digest follows from whom it gathers, and reaches the tasks after it; others have none."""

    def gathered(seeds: list[int]) -> dict[str, Any]:
        tasks = (
            ("a", lambda x, s: 0, {}),
            ("b", lambda a: 0, {"depends_on": "a", "over": "s"}),
            ("c", lambda b: 0, {"depends_on": "b"}),
        )
        found = lines(compiled(workflow({"x": [1, 2], "s": seeds}, *tasks)))
        return {task: [line.get("gathers") for line in found[f"{task}.0"]] for task in "abc"}

    two, three = gathered([1, 2]), gathered([1, 2, 3])
    assert two == gathered([1, 2])
    assert set(two["a"]) == {None}
    assert len({*two["b"], *three["b"], *two["c"], *three["c"]}) == 8


def test_commands_and_decks_are_in_the_line(tmp_path: Path) -> None:
    """Rendered for the instance, with the paths of earlier outputs, also of those that are gathered."""
    (tmp_path / "deck.j2").write_text("x = {{ x }} {{ y }}\n")
    made = workflow(
        {"x": [1, 2], "y": [HOSTILE]},
        ("make", "cc {{ x }}", {"outputs": ["exe"]}),
        ("run", "{{ inputs.make.exe }} {{ x }} {{ y }}", {"depends_on": "make", "files": {"in": "deck.j2"}}),
        ("all", "cat {% for one in inputs.make %}{{ one.exe }} {% endfor %}", {"depends_on": "make", "over": "all"}),
    )
    made.directory = tmp_path
    plan = compiled(made)
    found, ids = lines(plan), plan.lines.ids("make")
    assert [line["command"] for line in found["make.0"]] == ["cc 1", "cc 2"]
    assert found["run.0"][1]["command"].startswith(f"\"${{SCIFLOW_RUN_DIR}}\"/work/make/{ids[1]}/exe 2 'it'")
    assert found["run.0"][1]["files"] == {"in": f"x = 2 {HOSTILE}\n"}
    paths = [f'"${{SCIFLOW_RUN_DIR}}"/work/make/{name}/exe ' for name in ids]
    assert found["all.0"][0]["command"] == "cat " + "".join(paths)


@pytest.mark.parametrize("count", [1, 7])
def test_every_array_has_a_line_for_each_index(count: int) -> None:
    """The count of the array job is the number of its lines."""
    plan = compiled(workflow({"x": list(range(20))}, ("t", lambda x: 0, {})), indices_per_array=count)
    assert [len(list(plan.array_lines(array))) for array in plan.plan.arrays] == [
        array.count for array in plan.plan.arrays
    ]
