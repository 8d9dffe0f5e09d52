"""The workflow: tasks, the edges between them, and what they are run over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import WorkflowError
from sciflow.model.recovery import RecoveryPolicy
from sciflow.model.workflow import ExperimentalWorkflow, check_name


def workflow(**edges: list[str]) -> ExperimentalWorkflow:
    """Make a workflow of commands, each with the tasks that it waits for."""
    made = ExperimentalWorkflow("w")
    for name, before in edges.items():
        made.add_task(name, command="true", depends_on=before)
    return made


def test_tasks_are_ordered_by_their_edges_and_otherwise_as_added() -> None:
    """Each task comes after all that it depends on; nothing else changes the order."""
    made = workflow(c=["a"], b=[], a=[], d=["b", "c"])
    assert [task.name for task in made.ordered_tasks()] == ["b", "a", "c", "d"]


@pytest.mark.parametrize(
    ("edges", "path"),
    [
        ({"a": ["a"]}, ("`a` → `a`",)),
        ({"a": ["b"], "b": ["a"]}, ("`a` → `b` → `a`", "`b` → `a` → `b`")),
        (
            {"x": [], "a": ["x", "c"], "b": ["a"], "c": ["b"]},
            ("`a` → `c` → `b` → `a`", "`c` → `b` → `a` → `c`", "`b` → `a` → `c` → `b`"),
        ),
    ],
)
def test_a_circle_is_shown_with_its_path(edges: Any, path: tuple[str, ...]) -> None:
    """Each arrow points to what the task waits for."""
    with pytest.raises(WorkflowError, match="wait for each other in a circle") as caught:
        workflow(**edges).check()
    assert caught.value.message.endswith(path)


def test_an_unknown_task_is_offered_its_nearest() -> None:
    """Both ends of the edge are named, and the way out."""
    with pytest.raises(WorkflowError) as caught:
        workflow(prepare=[], train=["prepair"]).check()
    assert caught.value.message == "task `train` depends on `prepair`, which is no task of this workflow"
    assert caught.value.hint == "did you mean `prepare`?"


@pytest.mark.parametrize("name", ["", "a b", "../a", "a/b", ".hidden", "-rf", "ä", "a\n", "$(x)", "a" * 101, None, 5])
def test_names_that_are_no_file_names(name: Any) -> None:
    """Workflows, tasks and visualizations name folders and files on any file system."""
    made = ExperimentalWorkflow("w")
    actions: tuple[Callable[[], Any], ...] = (
        lambda: ExperimentalWorkflow(name),
        lambda: made.add_task(name, command="true"),
        lambda: made.add_visualization(name, {"type": "parallel", "value": "m"}),
    )
    for act in actions:
        with pytest.raises(WorkflowError) as caught:
            act()
        assert repr(name) in caught.value.message
        assert "use letters, digits, `_` and `-`" in caught.value.hint


def test_names_that_are_fine() -> None:
    """Letters, digits, `_` and `-`, a hundred of them at most."""
    for name in ("a", "9", "relax-2_b", "A" * 100):
        assert check_name(name, "task") == name


def test_what_stands_twice_is_an_error() -> None:
    """Two tasks, two visualizations or two spaces would hide each other."""
    made = workflow(a=[])
    made.add_parameter_space({"x": [1]})
    made.add_visualization("v", {"type": "line", "value": "m", "x_axis": "x"})
    with pytest.raises(WorkflowError, match="there are two tasks named `a`"):
        made.add_task("a", command="true")
    with pytest.raises(WorkflowError, match="there are two visualizations named `v`"):
        made.add_visualization("v", {"type": "parallel", "value": "m"})
    with pytest.raises(WorkflowError, match=r"workflow `w` has a parameter space already \(x\)"):
        made.add_parameter_space({"y": [1]})


@pytest.mark.parametrize("name", ["params", "inputs", "context"])
def test_words_that_functions_use_are_no_names_of_tasks(name: str) -> None:
    """A function could not ask for the result of such a task."""
    with pytest.raises(WorkflowError, match=f"a task cannot be named `{name}`"):
        ExperimentalWorkflow("w").add_task(name, command="true")


def test_a_workflow_without_a_task_is_an_error() -> None:
    """There would be nothing to do."""
    with pytest.raises(WorkflowError, match="workflow `w` has no task"):
        ExperimentalWorkflow("w").check()


def test_requests_are_merged_in_the_order_given() -> None:
    """What is said later of a task overrides, and the rest stays."""
    made = workflow(a=[])
    made.set_resource_requirements({"a": {"cpu_cores": 4, "memory_gb": 1}})
    made.set_resource_requirements({"a": {"memory_gb": 2}})
    assert (made.resources["a"].cpu_cores, made.resources["a"].memory_gb) == (4, 2)
    made.add_task("b", command="true", resources={"gpus": 1}, depends_on="a")
    assert made.resources["b"].gpus == 1
    made.check()


def test_the_fluent_parts_of_a_space() -> None:
    """Constraints and derived parameters are added to the space there is; a path may be given as text."""
    made = ExperimentalWorkflow("w", directory="somewhere")
    made.add_parameter_space({"n": [1, 2, 3]})
    made.add_constraint("n > 1")
    made.add_derived_parameter("square", lambda n: n * n)
    made.set_scheduling_policy("off_peak", {"weekend_preferred": True})
    assert list(made.space) == [{"n": 2, "square": 4}, {"n": 3, "square": 9}]
    assert made.directory == Path("somewhere")
    assert made.policy.describe() == "off-peak (weekends)"


def _with(change: Callable[[ExperimentalWorkflow], Any]) -> ExperimentalWorkflow:
    made = workflow(train=[])
    made.add_parameter_space({"rate": [0.1, 0.2]})
    change(made)
    return made


@pytest.mark.parametrize(
    ("change", "reason", "hint"),
    [
        (
            lambda w: w.set_resource_requirements({"trian": {"gpus": 1}}),
            "resources are set for `trian`, which is no task",
            "did you mean `train`?",
        ),
        (
            lambda w: w.add_visualization("v", {"type": "line", "value": "m", "x_axis": "rat"}),
            "visualization `v` names `rat`, which is no parameter",
            "did you mean `rate`?",
        ),
        (
            lambda w: w.add_visualization("v", {"type": "main_effects", "value": "rate"}),
            "visualization `v` shows `rate`, which is a parameter and no metric",
            "name what a task gives",
        ),
        (
            lambda w: w.add_visualization("v", {"type": "timeline", "task": "trian"}),
            "visualization `v` names the task `trian`, which is none",
            "did you mean `train`?",
        ),
        (
            lambda w: w.set_resource_requirements({"train": {"memory_gb": "sise / 64"}}),
            "resources of task `train` name `sise`, which is no parameter",
            "known are `rate`",
        ),
        (
            lambda w: w.add_task("t", command="true", parameters=["rates"]),
            "`parameters` of task `t` name `rates`, which is no parameter",
            "did you mean `rate`?",
        ),
        (
            lambda w: w.add_task("t", command="true", depends_on="train", over=["seed"]),
            "`over` of task `t` name `seed`, which is no parameter",
            "known are `rate`",
        ),
        (
            lambda w: w.add_task("rate", command="true"),
            "`rate` is a parameter and a task",
            "functions could not tell them apart",
        ),
    ],
)
def test_what_only_the_whole_can_show(change: Any, reason: str, hint: str) -> None:
    """Names are looked up across tasks, parameters, requests and figures."""
    with pytest.raises(WorkflowError) as caught:
        _with(change).check()
    assert (caught.value.message, caught.value.hint) == (reason, hint)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda w: w.set_resource_requirements({"train": 4}), "resources of task `train`: 4 is no mapping"),
        (lambda w: w.set_resource_requirements({"train": {"gpu_count": 4}}), "`gpu_count` is not known here"),
        (lambda w: w.add_visualization("v", ["line"]), "visualization `v`: ['line'] is no mapping"),
        (lambda w: w.add_task("t", command="true", depends_on=5), "task `t`: `depends_on` is 5; it takes a list"),
        (lambda w: w.set_scheduling_policy("later"), "scheduling policy: `policy` is 'later'; it takes 'immediate'"),
    ],
)
def test_values_of_the_wrong_kind(change: Any, reason: str) -> None:
    """What Python would stumble over is named with the value that was given."""
    with pytest.raises(WorkflowError) as caught:
        _with(change)
    assert reason in caught.value.message


@pytest.mark.parametrize(
    ("axes", "rules", "reason"),
    [
        ({"x": []}, {}, "axis `x` has no values"),
        ({"x": [[1, 2]]}, {}, "an unhashable value (list)"),
        ({"x": [{"a": 1}]}, {}, "an unhashable value (dict)"),
        ({"x": [1]}, {"constraints": ["y > 1"]}, "constraint `y > 1` names `y`, which is no parameter"),
        ({"x": [1]}, {"constraints": ["x.__class__"]}, "an attribute (`.name`) is not allowed"),
        ({"x": [1]}, {"derived": {"y": "open('/etc/passwd')"}}, "calling `open` is not allowed"),
        ({"x": [1], "lambda": [2]}, {}, "'lambda' cannot be the name of a parameter"),
    ],
)
def test_spaces_that_are_wrong(axes: Any, rules: Any, reason: str) -> None:
    """An empty or unhashable axis, and rules that reach for what is not there, are named at once."""
    with pytest.raises(WorkflowError) as caught:
        workflow(a=[]).add_parameter_space(axes, **rules)
    assert reason in caught.value.message


def test_a_constraint_that_removes_everything_is_named() -> None:
    """The error shows when the space is asked for its combinations, and says which rule removed how many."""
    made = workflow(a=[])
    made.add_parameter_space({"x": [1, 2, 3]})
    made.add_constraint("x > 5")
    with pytest.raises(WorkflowError, match=r"x > 5") as caught:
        len(made.space)
    assert "3" in str(caught.value)


def test_a_workflow_says_how_failures_are_met() -> None:
    """What it does not say is as always; what is wrong is told."""
    workflow = ExperimentalWorkflow("w")
    assert workflow.recovery == RecoveryPolicy()
    workflow.set_recovery_policy({"retries": 3, "brake": "off"})
    assert workflow.recovery == RecoveryPolicy(retries=3, brake="off")
    with pytest.raises(WorkflowError, match="recovery policy: `brake` is 0"):
        workflow.set_recovery_policy({"brake": 0})
