"""What each task uses."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.errors import PlanError, WorkflowError
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.uses import TaskUse, find_uses


def workflow(*tasks: tuple[str, Any, dict[str, Any]], **rules: Any) -> ExperimentalWorkflow:
    """Make a workflow over `size`, `rate` and `seed` of (name, function or command, details)."""
    made = ExperimentalWorkflow("w")
    made.add_parameter_space({"size": [1, 2], "rate": [0.1, 0.2], "seed": [1, 2]}, **rules)
    for name, program, details in tasks:
        if isinstance(program, str):
            made.add_task(name, command=program, **details)
        else:
            made.add_task(name, program, **details)
    return made


def use(program: Any, **details: Any) -> TaskUse:
    """Find what one task uses."""
    return find_uses(workflow(("t", program, details)))["t"]


@pytest.mark.parametrize(
    ("program", "details", "names"),
    [
        (lambda: 0, {}, ()),
        (lambda seed, size: 0, {}, ("size", "seed")),
        (lambda params: 0, {}, ("size", "rate", "seed")),
        (lambda **rest: 0, {}, ("size", "rate", "seed")),
        (lambda params: 0, {"parameters": ["rate"]}, ("rate",)),
        (lambda rate: 0, {"parameters": ["rate", "seed"]}, ("rate", "seed")),
        ("run {{ rate }}", {}, ("rate",)),
        ("run", {}, ()),
        ("run parameters.json", {}, ("size", "rate", "seed")),
        ("run", {"parameters": "seed"}, ("seed",)),
        ("run", {"success": "m > size", "extract": {"m": {"stdout": "x"}}}, ("size",)),
        (lambda seed: 0, {"success": "m > size", "results": {"m": {"type": "int"}}}, ("size", "seed")),
        (lambda seed: 0, {"success": "size > 1", "results": {"size": {"type": "any"}}}, ("seed",)),
    ],
)
def test_a_task_uses_what_it_names(program: Any, details: Any, names: tuple[str, ...]) -> None:
    """Signatures, templates, `parameters` and `success` name parameters; the order is the space's."""
    assert use(program, **details).names == names


def test_a_task_uses_what_the_tasks_before_it_use() -> None:
    """Instances of later tasks are told apart by what tells the earlier ones apart."""
    uses = find_uses(
        workflow(
            ("a", lambda size: 0, {}),
            ("b", lambda a, rate: 0, {"depends_on": ["a"]}),
            ("c", lambda a: 0, {"depends_on": ["b"]}),
        )
    )
    assert uses["b"].names == uses["c"].names == ("size", "rate")
    assert uses["b"].reads == ("a",)
    assert uses["c"].reads == ("b", "a")


def test_what_is_gathered_over_is_gone() -> None:
    """So are parameters that are derived from it; `all` leaves nothing."""
    uses = find_uses(
        workflow(
            ("a", lambda params: 0, {}),
            ("b", lambda a: 0, {"depends_on": "a", "over": "seed"}),
            ("c", lambda inputs: 0, {"depends_on": "b", "over": "all"}),
            derived={"twice": "seed * 2", "other": "size + 1"},
        )
    )
    assert uses["a"].names == ("size", "rate", "seed", "twice", "other")
    assert uses["b"].names == ("size", "rate", "other")
    assert (uses["c"].names, uses["c"].reads) == ((), ("b", "a"))


@pytest.mark.parametrize(
    "program",
    [
        lambda a, params: 0,
        lambda a, config: 0,
        lambda a, **rest: 0,
        lambda a, size, parameters: 0,
        "cat parameters.json",
    ],
)
def test_all_parameters_of_what_gathers_are_those_that_are_left(program: Any) -> None:
    """One value of each, and none of those that it gathers over, or that are derived from them."""
    tasks = [("a", lambda seed: 0, {}), ("t", program, {"depends_on": "a", "over": ["seed"]})]
    uses = find_uses(workflow(*tasks, derived={"twice": "seed * 2", "other": "size + 1"}))
    assert uses["t"].names == ("size", "rate", "other")


def test_what_gathers_everything_may_take_what_is_left() -> None:
    """`**kwargs` are empty then, and so is the file; a function that asks for a dict of nothing is told."""
    for program in (lambda a, **rest: 0, "cat parameters.json"):
        tasks = [("a", lambda seed: 0, {}), ("t", program, {"depends_on": "a", "over": "all"})]
        assert find_uses(workflow(*tasks))["t"].names == ()


@pytest.mark.parametrize(
    ("tasks", "reason", "hint"),
    [
        ([("t", lambda sice: 0, {})], "its function asks for `sice`", "did you mean `size`?"),
        (
            [("t", lambda rate: 0, {"parameters": ["size"]})],
            "asks for `rate`, which is neither a parameter (`size`)",
            "",
        ),
        ([("t", "{{ rate }}", {"parameters": ["size"]})], "the command of task `t` mentions `rate`", "`size`"),
        ([("t", "{{ inputs.u.x }}", {})], "reads `inputs.u`, which is no task before it", "name it in `depends_on`"),
        ([("t", "run", {"over": "seed"})], "task `t` has `over`, but depends on no task", ""),
        (
            [("a", "run {{ size }}", {}), ("t", "run", {"depends_on": "a", "over": "seed"})],
            "task `t` gathers over `seed`, but no task before it uses that parameter",
            "it would gather one result only; leave it out of `over`",
        ),
        (
            [("a", "run {{ seed }}", {}), ("t", "run {{ seed }}", {"depends_on": "a", "over": "seed"})],
            "task `t` gathers over `seed` and asks for its value, of which it has many",
            "the results that it gathers carry their parameters",
        ),
        (
            [("a", "run {{ seed }}", {}), ("t", "cat parameters.json $seed", {"depends_on": "a", "over": "seed"})],
            "task `t` gathers over `seed` and asks for its value, of which it has many",
            "the results that it gathers carry their parameters",
        ),
        (
            [("a", "run {{ seed }}", {}), ("t", lambda a, config: 0, {"depends_on": "a", "over": "all"})],
            "task `t` gathers over every parameter, so that its function's `config` would hold nothing",
            "the results that it gathers carry their parameters",
        ),
    ],
)
def test_what_nobody_gives(tasks: Any, reason: str, hint: str) -> None:
    """The task and the name are in the message, and the way out."""
    with pytest.raises(WorkflowError) as caught:
        find_uses(workflow(*tasks))
    assert reason in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("rule", "unknown", "hint"),
    [
        ("energi < 0", "energi", "did you mean `energy`?"),
        ("0 < energy < siz", "siz", "did you mean `size`?"),
        ("zzz", "zzz", "known are `energy`, `size`, `rate`, `seed`"),
    ],
)
def test_a_rule_for_success_names_what_there_is(rule: str, unknown: str, hint: str) -> None:
    """What a command's rule names is a parameter or a metric that it extracts; functions tell theirs when they run."""
    extract = {"energy": {"stdout": r"E=(\S+)"}}
    with pytest.raises(WorkflowError) as caught:
        use("run {{ size }}", success=rule, extract=extract)
    assert caught.value.message == (
        f"task `t`: `success: {rule}` names `{unknown}`, which is neither a parameter nor one of the metrics in its "
        "`extract`"
    )
    assert caught.value.hint == hint
    assert use("run", success="abs(energy) < pi * size", extract=extract).names == ("size",)
    assert use(lambda: 0, success=rule).names == ()


@pytest.mark.parametrize(
    ("rule", "reason", "hint"),
    [
        (
            "acuracy > 0",
            "names `acuracy`, which is neither a parameter nor one of the metrics in its `results`",
            "did you",
        ),
        ("curve > 0", "names `curve`, which is declared as `array`", "it judges numbers, texts and truth values"),
    ],
)
def test_a_function_that_declares_results_is_judged_by_these(rule: str, reason: str, hint: str) -> None:
    """What its rule names is a parameter or a declared result of a kind that a rule can judge."""
    declared = {"accuracy": {"type": "float"}, "curve": {"type": "array"}}
    with pytest.raises(WorkflowError) as caught:
        use(lambda size: 0, success=rule, results=declared)
    assert reason in caught.value.message
    assert hint in caught.value.hint
    assert use(lambda size: 0, success="accuracy > 0 or rate", results=declared).names == ("size", "rate")


def test_a_request_may_depend_only_on_what_the_task_uses() -> None:
    """Otherwise one instance would have two requests."""
    with pytest.raises(PlanError) as caught:
        use("run {{ size }}", resources={"memory_gb": "size * rate"})
    assert caught.value.message == "the resources of task `t` depend on `rate`, which the task does not use"
    assert caught.value.hint == "its instances are told apart by `size`; name the parameter in `parameters`"
    assert use("run {{ size }}", resources={"memory_gb": "size"}).names == ("size",)
    with pytest.raises(PlanError, match="told apart by nothing"):
        use("run", resources={"memory_gb": "size"})
